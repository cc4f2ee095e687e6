"""The short way of a capture request: the same answers, in order, on one connection."""

import asyncio
import json

import pytest

from hedgerow.inbox import SqliteInbox
from hedgerow.settings import Settings
from tests.hedgerow.capture_client import PROJECT, TOKEN
from tests.hedgerow.door_client import DoorClient, Wire, replies, request, until

BODY = json.dumps({"event": "sign up", "distinct_id": "ann", "token": TOKEN}).encode()
FLAGS = json.dumps({"token": TOKEN, "distinct_id": "ann"}).encode()


@pytest.fixture
def client(tmp_path):
    inbox = SqliteInbox(tmp_path / "inbox.sqlite")
    yield DoorClient(inbox, Settings(data=str(tmp_path)))
    inbox.close()


def asked(client, *pieces, count=1):
    wire = asyncio.run(client.talk(*pieces, count=count))
    return replies(wire.written), wire


def test_requests_sent_before_the_last_answer_are_answered_in_order(client):
    sent = b"".join(
        [
            request("POST", "/e/", BODY),
            request("POST", "/flags/", FLAGS),
            request("POST", "/batch/?beacon=1", BODY),
            request("POST", "/e/", b"{"),
            request("POST", "/capture", BODY),
        ]
    )

    found, wire = asked(client, sent, count=5)

    assert [one.status for one in found] == [200, 200, 204, 400, 200]
    assert "flags" in found[1].json()
    assert not wire.closed
    assert len(client.events()) == 3


def test_a_request_may_come_in_any_pieces(client):
    sent = request("POST", "/e/?ip=1&_=1795457098180", BODY)

    found, _ = asked(client, *(sent[at : at + 7] for at in range(0, len(sent), 7)))

    assert found[0].json() == {"status": 1}
    assert client.events()[0].name == "sign up"


@pytest.mark.parametrize(
    ("more", "closes"),
    [
        pytest.param({}, False, id="kept open"),
        pytest.param({"connection": "close"}, True, id="closed when asked to"),
        pytest.param({"version": "1.0"}, True, id="closed for HTTP/1.0"),
    ],
)
def test_a_connection_is_kept_open_unless_the_client_says_otherwise(client, more, closes):
    found, wire = asked(client, request("POST", "/e/", BODY, **more))

    assert found[0].status == 200
    assert wire.closed is closes
    assert (found[0].headers.get("connection") == "close") is closes


@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"expect": "100-continue"}, id="one that asks first"),
        pytest.param({"upgrade": "h2c", "connection": "upgrade"}, id="one for HTTP/2"),
    ],
)
def test_an_unusual_request_is_taken_as_well(client, more):
    asked(client, request("POST", "/e/", BODY, **more))

    assert len(client.events()) == 1


def test_a_chunked_body_is_taken(client):
    head = b"POST /e/ HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n"

    asked(client, head, b"%x\r\n%s\r\n0\r\n\r\n" % (len(BODY), BODY))

    assert len(client.events()) == 1


def test_whoever_leaves_before_the_answer_is_stored_all_the_same(client):
    async def leave():
        wire, door = Wire("10.0.0.7"), client.door()
        door.connection_made(wire)
        door.data_received(request("POST", "/e/", BODY))
        door.connection_lost(None)
        await until(lambda: client.capture.sightings.counts(PROJECT.id).requests)
        return wire

    wire = asyncio.run(leave())

    assert wire.written == b""
    assert len(client.events()) == 1


def test_what_came_at_once_is_synced_at_once(client):
    groups = []
    write = client.inbox._file.write

    def counted(first, entries, forget_upto):
        groups.append(len(entries))
        write(first, entries, forget_upto)

    client.inbox._file.write = counted

    async def all_at_once():
        doors = [client.door() for _ in range(20)]
        for door in doors:
            door.connection_made(Wire("10.0.0.7"))
            door.data_received(request("POST", "/e/", BODY))
        await until(lambda: all(door.server_state.total_requests for door in doors))

    asyncio.run(all_at_once())

    assert groups == [20]
    assert client.capture.sightings.counts(PROJECT.id).requests == 20


def test_small_bodies_too_are_let_in_only_while_there_is_room(client):
    admission = client.capture.intake.admission
    admission._most = len(BODY) + 10

    async def crowd():
        stalled = client.door()
        stalled.connection_made(Wire("10.0.0.7"))
        stalled.data_received(request("POST", "/e/", BODY)[:-5])
        refused = await client.talk(request("POST", "/e/", BODY))
        stalled.connection_lost(None)
        taken = await client.talk(request("POST", "/e/", BODY))
        return [replies(wire.written)[0] for wire in (refused, taken)]

    refused, taken = asyncio.run(crowd())

    assert refused.status == 503
    assert refused.headers["retry-after"]
    assert taken.status == 200
    assert len(client.events()) == 1
    assert admission._taken == 0
