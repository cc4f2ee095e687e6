"""The second process: what it prepares is stored as ever, and without it all goes on."""

import json
import os
import pickle
import sys
import time

import pytest

from hedgerow.inbox import SqliteInbox
from hedgerow.ingest.helping import MUCH_BYTES, Helper, HelperLost, Job, worked
from hedgerow.ingest.writer import Writer
from hedgerow.model.ports import Queued
from hedgerow.serve.helper import command, decoded
from hedgerow.store.on_duckdb import DuckStore
from tests.world import NOW, a_project, a_uuid, rows

READY_AND_GONE = """
import pickle, struct, sys
said = pickle.dumps(None, 5)
sys.stdout.buffer.write(struct.pack("<Q", len(said)) + said)
sys.stdout.flush()
sys.stdin.buffer.read(1)
"""
"""Says that it is ready, and ends as soon as it is asked something."""


def started(helper):
    """Return a helper once it can be asked."""
    while not helper.is_there(MUCH_BYTES):
        assert helper.pid is not None
        time.sleep(0.01)
    return helper


def body(number, **more):
    event = {
        "uuid": a_uuid(),
        "event": f"e{number % 7}",
        "distinct_id": f"person {number % 11}",
        "properties": {"n": number, "$browser": "Firefox", "long": "x" * 4000},
    }
    return json.dumps({"api_key": "phc_x", "batch": [event | more]}).encode()


class Works:
    """An inbox in which much waits, and what moves it."""

    def __init__(self, folder, helper):
        self.project = a_project()
        self.inbox = SqliteInbox(folder / "inbox.sqlite")
        self.store = DuckStore(folder / "events.duckdb")
        self.helper = helper
        self.writer = Writer(
            self.inbox,
            self.store,
            decode=decoded,
            project_of_id=lambda _: self.project,
            helper=helper,
        )

    def queue(self, body, kind="capture"):
        return self.inbox.append(self.project.id, kind, NOW, b"{}", body)

    def fill(self):
        """Let more wait than is done without help."""
        for number in range(MUCH_BYTES // 2000):
            kept = self.queue(
                body(number, **({"$set": {"n": number}} if number % 3 else {}))
            )
        kept.result()
        return number + 1

    def count(self, condition="true"):
        ((count,),) = rows(self.store, f"SELECT count(*) FROM events WHERE {condition}")
        return count

    def close(self):
        self.writer.stop(drain=False)
        self.helper.stop()
        self.inbox.close()
        self.store.close()


@pytest.fixture
def works(tmp_path, request):
    made = Works(tmp_path, started(Helper(request.param)))
    yield made
    made.close()


@pytest.mark.slow
@pytest.mark.parametrize("works", [command("")], ids=["helper"], indirect=True)
def test_much_is_prepared_elsewhere_and_stored_as_ever(works):
    many = works.fill()
    works.queue(json.dumps({"do": "nothing known"}).encode(), "command")
    works.queue(b"no capture").result()
    works.fill()
    works.writer.start()
    works.writer.flush(30)

    assert works.helper.pid is not None
    assert works.count() == 2 * many
    assert works.count("person_state IS NULL OR t_0 IS NULL") == 0
    assert rows(works.store, "SELECT count(DISTINCT person_key) FROM events") == [(11,)]
    assert rows(works.store, "SELECT count(*) FROM set_aside") == [(1,)]
    latest = rows(works.store, "SELECT max((properties->>'n')::INT) FROM persons")
    assert latest == [(max(n for n in range(many) if n % 3),)]


@pytest.mark.parametrize(
    "works", [[sys.executable, "-c", READY_AND_GONE]], ids=["gone"], indirect=True
)
def test_a_helper_that_dies_costs_nothing(works):
    many = works.fill()
    works.writer.start()
    works.writer.flush(30)

    assert works.count() == many
    assert works.helper.pid is None
    assert not works.helper.is_there(MUCH_BYTES)  # not again for a while


def test_a_program_that_is_not_there_is_done_without():
    helper = Helper(["/nowhere/at all"])

    assert not helper.is_there(MUCH_BYTES)
    with pytest.raises(HelperLost):
        helper.answer()


def test_little_starts_no_process():
    helper = Helper(command(""))

    assert not helper.is_there(MUCH_BYTES - 1)
    assert helper.pid is None


def test_who_waits_for_an_answer_can_be_interrupted():
    silent = Helper([sys.executable, "-c", "import time; time.sleep(600)"])
    assert not silent.is_there(MUCH_BYTES)
    pid = silent.pid
    silent.interrupt()

    with pytest.raises(HelperLost):
        silent.answer()
    silent.stop()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


@pytest.mark.slow
def test_a_process_ends_when_nobody_asks_any_more():
    helper = started(Helper(command("")))
    pid = helper.pid
    queued = Queued(
        position=1, project_id=1, kind="capture", received_at=NOW, hints=b"{}", body=body(1)
    )
    helper.ask(Job(queued=[queued], projects={1: a_project()}))
    made = helper.answer()
    assert (made.count, made.prepared.events, helper.answer()) == (1, 1, None)
    helper.stop()

    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_job_is_cut_into_batches_of_the_size_its_asker_may_hold():
    queued = [
        Queued(
            position=number,
            kind="capture",
            project_id=1,
            received_at=NOW,
            hints=b"{}",
            body=body(number),
        )
        for number in range(1, 9)
    ]
    job = Job(queued=queued, projects={1: a_project()}, batch_bytes=10_500)

    found = list(worked(job, decode=decoded, place=None))

    made = [pickle.loads(message[8:]) for message in found]
    assert [one.count for one in made] == [2, 2, 2, 2]
    assert all(one.prepared is not None for one in made)
