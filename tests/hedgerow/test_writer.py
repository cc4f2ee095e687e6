"""The writer: everything once, in order, whatever goes wrong on the way."""

import base64
import gzip
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import msgspec
import pytest

from hedgerow.capture.wire import Hints, check, decode_queued
from hedgerow.errors import BadCapture, FlushTimedOut, NotFound, StoreUnavailable
from hedgerow.inbox import SqliteInbox
from hedgerow.ingest.cutting import batches
from hedgerow.ingest.units import Unit
from hedgerow.ingest.writer import Writer
from hedgerow.model.events import CapturedEvent, CapturedRequest
from hedgerow.model.ports import Queued
from hedgerow.store.on_duckdb import DuckStore
from tests.world import NOW, a_project, a_uuid, captured, ndjson, rows

POISON = "poison"


class PoisonedStore(DuckStore):
    """A store that trips over an event of a certain name, and is away when told so."""

    away = 0
    most = 1000

    def commit(self, changes, *, upto):
        if len(changes.events) > self.most:
            raise MemoryError(f"{len(changes.events)} events are too many")
        if self.away:
            self.away -= 1
            raise StoreUnavailable("The disk is full.", hint="Free some.")
        if any(one.name == POISON for one in changes.events):
            raise ValueError(f"cannot store {POISON!r}")
        super().commit(changes, upto=upto)


def decode(queued):
    if queued.body.startswith(b'{"api_key"'):
        return decode_queued(queued.hints, queued.body)
    events = msgspec.json.decode(queued.body, type=list[CapturedEvent])
    return CapturedRequest(token="phc_x", sent_at=None, events=events)


class Works:
    """An inbox and a store of their own, with a writer between them."""

    def __init__(self, folder):
        self.project, self.folder = a_project(), folder
        self.inbox = SqliteInbox(folder / "inbox.sqlite")
        self.store = PoisonedStore(folder / "events.duckdb")
        self.writer = Writer(
            self.inbox, self.store, decode=decode, project_of_id=self.project_of
        )

    broken = 0

    def project_of(self, project_id):
        if self.broken:
            self.broken -= 1
            raise OSError("the metadata are away")
        return self.project if project_id == self.project.id else None

    def send(self, *names, project_id=None):
        body = msgspec.json.encode([captured(name, "ann") for name in names])
        return self.queue("capture", body, project_id)

    def queue(self, kind, body, project_id=None):
        whose = project_id or self.project.id
        return self.inbox.append(whose, kind, NOW, b"{}", body).result()

    def names(self):
        found = rows(self.store, "SELECT event FROM events ORDER BY event")
        return [name for (name,) in found]


@pytest.fixture
def works(tmp_path):
    made = Works(tmp_path)
    yield made
    made.writer.stop(drain=False)
    made.inbox.close()
    made.store.close()


def test_what_was_acknowledged_can_be_queried_after_a_flush(works):
    works.send("a", "b")
    works.writer.start()
    works.writer.flush(10)

    assert works.names() == ["a", "b"]
    state = works.writer.state(works.project.id)
    assert (state["accepted"], state["written"], state["lag_events"]) == (2, 2, 0)
    assert (state["lag_ms"], state["rejected"], state["failure"]) == (0, 0, None)


def test_one_poison_event_is_set_aside_and_everything_else_stored(works):
    works.send("a", POISON, "b")
    works.send("c")
    works.writer.start()
    works.writer.flush(10)

    assert works.names() == ["a", "b", "c"]
    ((reason, body),) = rows(works.store, "SELECT reason, body FROM set_aside")
    assert "cannot store 'poison'" in reason
    assert msgspec.json.decode(body)["name"] == POISON
    state = works.writer.state(works.project.id)
    assert (state["rejected"], state["set_aside"]) == (1, 1)
    (shown,) = state["set_aside_latest"]
    assert shown == {"at": NOW.isoformat(), "reason": reason, "body": body}


def test_what_was_set_aside_is_shown_after_a_restart_the_latest_first(works):
    for number in range(25):
        works.queue("capture", b"{broken %d" % number)
    works.writer.start()
    works.writer.flush(20)
    before = works.writer.state(works.project.id)
    works.store.close()
    works.store.__init__(works.folder / "events.duckdb")

    after = works.writer.state(works.project.id)

    assert before["set_aside"] == after["set_aside"] == 25
    assert before["set_aside_latest"] == after["set_aside_latest"]
    bodies = [base64.b64decode(one["body"]) for one in after["set_aside_latest"]]
    assert bodies == [b"{broken %d" % number for number in range(24, 4, -1)]


def deepest_taken():
    """Return a body whose second event is nested as deeply as capture takes."""
    event = '{"event":"%s","distinct_id":"ann","uuid":"%s","properties":{"p":%s},"$set":{"p":%s}}'
    levels, too_many = 1, 10_000
    while too_many - levels > 1:
        middle = (levels + too_many) // 2
        deep = "[" * middle + "]" * middle
        events = [
            event % (name, a_uuid(), p, p)
            for name, p in zip("abc", ("1", deep, "2"), strict=True)
        ]
        body = ('{"api_key":"phc_x","batch":[' + ",".join(events) + "]}").encode()
        try:
            check(Hints(), body)
        except BadCapture:
            too_many = middle
        else:
            levels, taken = middle, body
    return taken


def test_an_event_nested_too_deeply_costs_no_other_event(works):
    with ThreadPoolExecutor() as shallow:  # less on the stack than the writer has
        works.queue("capture", shallow.submit(deepest_taken).result())
    works.writer.start()
    works.writer.flush(20)

    names, state = works.names(), works.writer.state(works.project.id)
    assert {"a", "c"} <= set(names)
    assert len(names) + state["set_aside"] == 3
    assert all("recursion" in one["reason"] for one in state["set_aside_latest"])


def test_a_batch_too_large_for_the_memory_is_cut_until_it_fits(works):
    works.store.most = 3
    works.send(*"abcdefghij")
    works.writer.start()
    works.writer.flush(20)

    assert works.names() == list("abcdefghij")
    assert works.writer.state(works.project.id)["set_aside"] == 0


def test_one_event_too_large_for_the_memory_waits_and_says_so(works):
    works.store.most = 0
    works.send("a")
    works.writer.start()

    with pytest.raises(FlushTimedOut, match="HEDGEROW_MEMORY_MIB"):
        works.writer.flush(0.5)
    works.store.most = 1
    works.writer.flush(20)
    assert works.names() == ["a"]


def test_a_body_that_cannot_be_read_is_set_aside(works):
    works.send("a")
    works.queue("capture", b"{broken")
    works.send("b")
    works.writer.start()
    works.writer.flush(10)

    assert works.names() == ["a", "b"]
    assert rows(works.store, "SELECT count(*) FROM set_aside") == [(1,)]


def test_while_the_store_is_away_everything_waits_and_nothing_is_lost(works, caplog):
    works.store.away = 2
    works.send("a")
    works.writer.start()
    works.writer.flush(10)

    assert works.names() == ["a"]
    said = [one.message for one in caplog.records if one.levelname == "ERROR"]
    assert said == ["The disk is full. Free some."]


def test_a_flush_that_cannot_be_says_why(works):
    works.store.away = 10**6
    works.send("a")
    works.writer.start()

    with pytest.raises(FlushTimedOut, match="disk is full"):
        works.writer.flush(0.5)
    assert works.writer.state(works.project.id)["lag_events"] == 1


def test_events_of_a_project_that_is_no_more_are_rejected(works):
    works.send("a", "b", project_id=9_999_999)
    works.writer.start()
    works.writer.flush(10)

    assert works.names() == []
    assert works.writer.state(9_999_999)["rejected"] == 2


@pytest.mark.parametrize(
    ("sizes", "cut"),
    [
        pytest.param([], [], id="nothing makes no batch"),
        pytest.param([(1, 10)] * 3, [3], id="what waits goes together"),
        pytest.param([(6000, 1)] * 3, [1, 1, 1], id="at most ten thousand events"),
        pytest.param([(5000, 1)] * 3, [2, 1], id="exactly ten thousand events are fine"),
        pytest.param([(1, 2**20)] * 20, [8, 8, 4], id="at most 8 MiB of large events"),
        pytest.param([(1, 2**25), (1, 1)], [1, 1], id="a huge request goes alone"),
        pytest.param([(1, 1), None, (1, 1)], [1, 1, 1], id="a command goes alone"),
    ],
)
def test_a_batch_is_bounded_by_events_and_by_bytes(sizes, cut):
    units = [a_unit(position, size) for position, size in enumerate(sizes, 1)]

    made = list(batches(units))

    assert [len(batch) for batch in made] == cut
    assert [unit for batch in made for unit in batch] == units


def a_unit(position, size):
    """Return a request of so many events and bytes; None: a command."""
    queued = Queued(
        position=position,
        project_id=1,
        kind="command" if size is None else "capture",
        received_at=NOW,
        hints=b"{}",
        body=b"",
    )
    if size is None:
        return Unit(queued=queued, request=None, upto=position)
    events = [captured("a", "ann")] * size[0]
    request = CapturedRequest(token="t", sent_at=None, events=events, size_bytes=size[1])
    return Unit(queued=queued, request=request, upto=position)


def test_the_size_of_a_request_is_that_of_its_text_not_of_what_was_sent():
    text = b'{"api_key": "phc_x", "event": "a", "distinct_id": "ann", "properties": {"p": "%s"}}'
    text = text.replace(b"%s", b"x" * 10_000)

    request = decode_queued(b'{"compression": "gzip"}', gzip.compress(text))

    assert request.size_bytes == len(text)


class GappedInbox(SqliteInbox):
    """An inbox in which what was acknowledged has been damaged since."""

    def read(self, *, after, limit_bytes):
        return []


def test_a_flush_passes_over_what_cannot_be_read_any_more(tmp_path):
    inbox = GappedInbox(tmp_path / "inbox.sqlite")
    store = DuckStore(None)
    writer = Writer(inbox, store, decode=decode, project_of_id=lambda _: a_project())
    last = inbox.append(1, "capture", NOW, b"{}", b"[]").result()
    writer.start()

    writer.flush(10)

    assert store.position() == last
    writer.stop()
    inbox.close()
    store.close()


def test_unreadable_projects_make_events_wait_instead_of_setting_them_aside(works):
    works.broken = 2
    works.send("a")
    works.writer.start()
    works.writer.flush(10)

    assert works.names() == ["a"]
    assert rows(works.store, "SELECT count(*) FROM set_aside") == [(0,)]


def test_imports_and_commands_answer_by_position(works):
    person = ndjson([{"distinct_ids": ["ann"], "properties": {"plan": "pro"}}])
    imported = works.queue("persons", person)
    grouped = works.queue("groups", ndjson([{"type": "company", "key": "acme"}]))
    nobody = works.queue(
        "command",
        msgspec.json.encode(
            {"do": "delete_person", "person": "00000000-0000-0000-0000-000000000000"}
        ),
    )
    works.writer.start()

    counts = {"created": 1, "updated": 0, "merged": 0, "failed": 0, "errors": []}
    assert works.writer.outcome(imported, 10) == counts
    assert works.writer.outcome(grouped, 10) == counts
    with pytest.raises(NotFound, match="no person"):
        works.writer.outcome(nobody, 10)


def test_stopping_drains(works):
    for _ in range(5):
        works.send("a")
    works.writer.start()
    works.writer.stop(drain=True, timeout_s=10)

    assert works.names() == ["a"] * 5


def test_a_store_opened_again_knows_all_and_repeats_nothing(tmp_path):
    event = captured("a", "ann", properties={"p": 1}, timestamp=datetime.now(UTC))
    project = a_project()
    counts = []
    for name in ("first", "second"):
        inbox, store = SqliteInbox(tmp_path / name), DuckStore(tmp_path / "events.duckdb")
        inbox = inbox if name == "first" else reopened(inbox, tmp_path / name, store)
        writer = Writer(inbox, store, decode=decode, project_of_id=lambda _: project)
        body = msgspec.json.encode([event, captured(name, "ann")])
        inbox.append(project.id, "capture", NOW, b"{}", body).result()
        writer.start()
        writer.flush(10)
        writer.stop()
        counts.append(
            rows(store, "SELECT count(*), count(DISTINCT person_key) FROM events")
        )
        assert store.kinds(project.id) == {("event", "p"): "Numeric"}
        inbox.close()
        store.close()

    assert counts == [[(2, 1)], [(3, 1)]]


def reopened(inbox, path, store):
    """Return a new inbox whose positions follow those that the store has."""
    inbox.close()
    return SqliteInbox(path, beyond=store.position())
