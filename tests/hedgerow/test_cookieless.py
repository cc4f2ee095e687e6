"""Visitors in cookieless mode: told apart for a day, never recognised."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from hedgerow.capture.cookieless import PREFIX, SENTINEL
from hedgerow.capture.salts import FILE, Salts
from hedgerow.inbox import SqliteInbox
from hedgerow.settings import Settings
from tests.hedgerow.capture_client import TOKEN, Client
from tests.world import captured, rows, store_events

NOON = datetime(2026, 3, 15, 12, tzinfo=UTC)
EVENT = {
    "event": "$pageview",
    "properties": {"distinct_id": SENTINEL, "$cookieless_mode": True, "$device_id": None},
}
VISITOR = {"client": "10.0.0.7", "user_agent": "Firefox", "host": "shop.example"}


@pytest.fixture
def client(tmp_path):
    inbox = SqliteInbox(tmp_path / "inbox.sqlite")
    yield Client(inbox, Settings(data=str(tmp_path)))
    inbox.close()


def visit(client, /, **other):
    body = {"api_key": TOKEN, "batch": [EVENT, {**EVENT, "distinct_id": "ann"}]}
    reply = client.post("/e/", body, **{**VISITOR, **other})
    assert reply.status == 200
    visitor, ann = client.events()[-2:]
    assert ann.distinct_id == "ann"
    return visitor


def test_the_same_visitor_has_the_same_id_all_day_and_after_a_restart(client):
    again = Client(client.inbox, client.settings)

    ids = {visit(client).distinct_id, visit(client).distinct_id, visit(again).distinct_id}

    assert len(ids) == 1
    assert ids.pop().startswith(PREFIX)


@pytest.mark.parametrize(
    "other", [{"client": "10.0.0.8"}, {"user_agent": "Safari"}, {"host": "b.example"}]
)
def test_another_visitor_has_another_id(client, other):
    assert visit(client).distinct_id != visit(client, **other).distinct_id


def test_the_id_stands_wherever_the_sdk_put_none_and_reading_twice_gives_the_same(client):
    visitor = visit(client)

    assert visitor == client.events()[0]
    assert visitor.properties["distinct_id"] == visitor.distinct_id
    assert SENTINEL not in json.dumps(visitor.properties)


def test_the_newer_protocol_tells_visitors_apart_too(client):
    event = {
        "event": "a",
        "distinct_id": SENTINEL,
        "uuid": "79de60ba-0000-4000-8000-000000000001",
        "timestamp": "2026-11-23T17:56:03Z",
        "options": {"cookieless_mode": True},
    }
    reply = client.post(
        "/i/v1/analytics/events",
        {"created_at": "2026-11-23T17:56:03Z", "batch": [event]},
        authorization=f"Bearer {TOKEN}",
        user_agent="posthog-python/7.91.1",
        posthog_sdk_info="posthog-python/7.91.1",
        posthog_attempt="1",
        posthog_request_id="79de60ba-0000-4000-8000-000000000002",
        posthog_request_timestamp="2026-11-23T17:56:03Z",
    )

    assert reply.status == 200
    assert client.events()[0].distinct_id.startswith(PREFIX)


def test_a_salt_lasts_one_day_and_is_then_lost(tmp_path):
    first = Salts(tmp_path).of_day(NOON)
    late = NOON.replace(hour=23, minute=59)
    salts = Salts(tmp_path)

    assert salts.of_day(late) == first
    salts.forget_old(late)
    assert (tmp_path / FILE).exists()
    salts.forget_old(late + timedelta(minutes=1))
    assert not (tmp_path / FILE).exists()
    assert salts.of_day(late + timedelta(minutes=1)) != first
    assert first.hex() not in (tmp_path / FILE).read_bytes().hex()
    assert (tmp_path / FILE).stat().st_mode & 0o077 == 0


def test_no_person_is_made_and_no_address_kept(store, project):
    properties = {
        "$process_person_profile": False,
        "$cookieless_mode": True,
        "$ip": "10.0.0.7",
        "plan": "pro",
    }
    store_events(store, project, [captured("a", "cookieless_1", properties=properties)])

    (found,) = rows(
        store, "SELECT properties::VARCHAR FROM events WHERE project_id = ?", project.id
    )
    assert "10.0.0.7" not in found[0]
    assert "pro" in found[0]
    assert not rows(store, "SELECT 1 FROM persons WHERE project_id = ?", project.id)
