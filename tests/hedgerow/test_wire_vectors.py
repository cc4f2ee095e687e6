"""Bodies recorded from the official SDKs are taken, and mean what the SDK was told.

One file each in ``wire/``: method, path, query, headers and the body in base64, named
after the SDK, its version and the path. ``tests/contract`` records the same again.
"""

import base64
import json
from pathlib import Path

import pytest

from hedgerow.inbox import SqliteInbox
from hedgerow.settings import Settings
from tests.hedgerow.capture_client import Client

RECORDED = sorted((Path(__file__).parent / "wire").glob("*.json"))
ASKING = ("flags", "decide")
NAMES = {
    "signed up",
    "in a group",
    "with person",
    "bulk",
    "$identify",
    "$create_alias",
    "$groupidentify",
    "$set",
    "$set_once",
    "$pageview",
    "$pageleave",
    "$autocapture",
    "$opt_in",
    "before",
    "after",
    "of a stranger",
}


def kind_of(file):
    return file.name.removesuffix(".beacon.json").removesuffix(".json").rpartition(".")[2]


def replayed(client, file):
    sent = json.loads(file.read_text())
    headers = {name.replace("-", "_"): value for name, value in sent["headers"].items()}
    target = f"{sent['path']}?{sent['query']}"
    return client.ask(sent["method"], target, base64.b64decode(sent["body"]), **headers)


@pytest.fixture
def client(tmp_path):
    inbox = SqliteInbox(tmp_path / "inbox.sqlite")
    yield Client(inbox, Settings(data=str(tmp_path)))
    inbox.close()


@pytest.mark.parametrize(
    "file", [f for f in RECORDED if kind_of(f) not in ASKING], ids=lambda f: f.stem
)
def test_a_recorded_body_is_kept_whole(client, file):
    reply = replayed(client, file)

    events = client.events()
    assert reply.status == (204 if "beacon=1" in file.read_text() else 200)
    if "results" in reply.json_or_nothing():
        assert {verdict["result"] for verdict in reply.json()["results"].values()} == {"ok"}
    assert events
    assert {event.name for event in events} <= NAMES
    assert all(event.distinct_id and event.properties["$lib"] for event in events)
    assert all(event.timestamp or event.offset_ms is not None for event in events)
    assert not any("token" in event.properties for event in events)


@pytest.mark.parametrize(
    "file", [f for f in RECORDED if kind_of(f) in ASKING], ids=lambda f: f.stem
)
def test_a_recorded_question_is_answered_with_no_flag(client, file):
    reply = replayed(client, file)

    assert (reply.status, reply.json()["flags"]) == (200, {})


def test_every_sdk_is_among_the_recorded():
    recorded = {file.name.split(".", 1)[0].split("-")[0] for file in RECORDED}

    assert recorded == {"python", "node", "js"}
    assert len(RECORDED) >= 20
