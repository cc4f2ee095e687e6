"""What becomes of an event's fields, and which of them cost the request its events."""

import json
from datetime import UTC, datetime

import pytest

from hedgerow.capture.wire import Hints, check, decode
from hedgerow.errors import BadCapture

GOOD = {"event": "timer started", "distinct_id": "ann", "token": "phc_a"}
UUID = "790334ad-b111-4c44-9641-91a24400b0af"


def sent(value, **hints):
    return decode(Hints(**hints), json.dumps(value).encode())


def only(value, **hints):
    (event,) = sent(value, **hints).events
    return event


def refusal(body, **hints):
    body = body if isinstance(body, bytes) else json.dumps(body).encode()
    with pytest.raises(BadCapture) as checked:
        check(Hints(**hints), body)
    with pytest.raises(BadCapture) as decoded:
        decode(Hints(**hints), body)
    assert (checked.value.code, checked.value.attr) == (
        decoded.value.code,
        decoded.value.attr,
    )
    return checked.value.code, checked.value.attr


@pytest.mark.parametrize(
    ("changes", "distinct_id"),
    [
        pytest.param({}, "ann", id="as it is"),
        pytest.param({"distinct_id": " a b "}, " a b ", id="white space inside is kept"),
        pytest.param({"distinct_id": 42}, "42", id="an integer becomes text"),
        pytest.param({"distinct_id": 23.5}, "23.5", id="a number becomes text"),
        pytest.param({"distinct_id": True}, "true", id="a boolean becomes text"),
        pytest.param({"distinct_id": ["a", "b"]}, '["a","b"]', id="a list, compact"),
        pytest.param({"distinct_id": {"a": 1}}, '{"a":1}', id="an object, compact"),
        pytest.param({"distinct_id": "a\0b"}, "a\ufffdb", id="NUL is replaced"),
        pytest.param({"distinct_id": "é" * 300}, "é" * 200, id="cut to 200 characters"),
        pytest.param(
            {"distinct_id": None, "$distinct_id": "bob"}, "bob", id="null is missing"
        ),
        pytest.param(
            {"distinct_id": None, "properties": {"distinct_id": "cat"}},
            "cat",
            id="found in the properties",
        ),
        pytest.param(
            {"properties": {"distinct_id": "cat"}}, "ann", id="the top level comes first"
        ),
    ],
)
def test_a_distinct_id_is_text_wherever_it_stands(changes, distinct_id):
    assert only({**GOOD, **changes}).distinct_id == distinct_id


@pytest.mark.parametrize(
    ("uuid", "stored"),
    [
        pytest.param(UUID, UUID, id="canonical"),
        pytest.param(UUID.upper(), UUID, id="upper case"),
        pytest.param(UUID.replace("-", ""), UUID, id="without hyphens"),
        pytest.param(f"{{{UUID}}}", UUID, id="in braces"),
        pytest.param(f"urn:uuid:{UUID}", UUID, id="as a URN"),
    ],
)
def test_any_uuid_is_taken_and_stored_in_one_form(uuid, stored):
    assert only({**GOOD, "uuid": uuid}).uuid == stored


@pytest.mark.parametrize("uuid", [None, ""])
def test_a_missing_uuid_is_made_and_reading_twice_makes_the_same(uuid):
    body = [{**GOOD, "uuid": uuid}, {**GOOD}]
    seed = "01a2098d1f2e70008000000000000fff"

    first, again = (sent(body, seed=seed) for _ in range(2))

    assert [event.uuid for event in first.events] == [event.uuid for event in again.events]
    assert [event.uuid for event in first.events] == [
        "01a2098d-1f2e-7000-8000-000000000fff",
        "01a2098d-1f2e-7000-8000-000000001000",
    ]


def test_sets_of_both_places_are_united_and_leave_the_properties():
    event = only(
        {
            **GOOD,
            "$set": {"plan": "pro"},
            "properties": {
                "$set": {"plan": "free", "team": 3},
                "$set_once": {"first": None},
                "$unset": {"old": 1, "older": 2},
                "token": "phc_a",
                "kept": 5.0,
            },
            "$unset": ["gone"],
        }
    )

    assert event.set == {"plan": "pro", "team": 3}
    assert event.set_once == {"first": None}
    assert event.unset == ("gone", "old", "older")
    assert event.properties == {"kept": 5.0}


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param({"timestamp": "yesterday"}, id="timestamp nonsense"),
        pytest.param({"timestamp": 17}, id="timestamp no text"),
        pytest.param({"offset": "soon"}, id="offset nonsense"),
        pytest.param({"offset": 10**30}, id="offset beyond any calendar"),
        pytest.param(
            {"type": "track", "library": "x", "messageId": 1}, id="unknown fields"
        ),
        pytest.param({"$set": None, "$set_once": None}, id="sets that are null"),
        pytest.param({"properties": {"$set": 5, "$unset": 7}}, id="$set inside, no object"),
        pytest.param({"properties": {"$process_person_profile": "no"}}, id="profile flag"),
        pytest.param({"properties": {"$groups": "acme"}}, id="groups no object"),
        pytest.param({"sent_at": "nonsense"}, id="sent_at nonsense"),
    ],
)
def test_what_is_merely_odd_does_not_cost_the_event(odd):
    event = only({**GOOD, **odd})

    assert event.name == "timer started"
    assert event.offset_ms is None


@pytest.mark.parametrize(
    ("body", "code", "attr"),
    [
        pytest.param(b"", "empty_body", None, id="nothing"),
        pytest.param(b" \n", "empty_body", None, id="white space"),
        pytest.param({}, "empty_body", None, id="an empty object"),
        pytest.param(b'{"event":', "invalid_json", None, id="cut off"),
        pytest.param(b'{"event":"a"} x', "invalid_json", None, id="trailing text"),
        pytest.param(b"[" * 100_000, "invalid_json", None, id="bottomless nesting"),
        pytest.param(b"null", "invalid_json", None, id="null"),
        pytest.param(b"true", "invalid_json", None, id="a boolean"),
        pytest.param(b"42", "invalid_json", None, id="a number"),
        pytest.param(b"1234", "invalid_json", None, id="four digits are no base64"),
        pytest.param(b'"text"', "invalid_json", None, id="a string"),
        pytest.param(b'{"a":NaN}', "invalid_json", None, id="NaN"),
        pytest.param([], "empty_batch", None, id="empty array"),
        pytest.param(
            {"batch": [], "api_key": "phc_a"}, "empty_batch", None, id="empty batch"
        ),
        pytest.param(
            {"batch": {}, "api_key": "phc_a"}, "invalid_event", "batch", id="no list"
        ),
        pytest.param([GOOD, 5], "invalid_event", "1", id="an entry that is no object"),
        pytest.param(
            {"batch": [GOOD, None]}, "invalid_event", "batch.1", id="a null in a batch"
        ),
        pytest.param(
            {**GOOD, "properties": []},
            "invalid_event",
            "properties",
            id="properties a list",
        ),
        pytest.param(
            {**GOOD, "properties": None},
            "invalid_event",
            "properties",
            id="properties that are null",
        ),
        pytest.param({**GOOD, "event": 5}, "invalid_event", "event", id="name a number"),
        pytest.param({**GOOD, "$set": "x"}, "invalid_event", "$set", id="top-level $set"),
        pytest.param(
            {**GOOD, "$set_once": []},
            "invalid_event",
            "$set_once",
            id="top-level $set_once",
        ),
        pytest.param(
            {**GOOD, "properties": {"$cookieless_mode": "yes"}},
            "invalid_event",
            "properties.$cookieless_mode",
            id="cookieless mode no boolean",
        ),
        pytest.param(
            {**GOOD, "properties": {"$cookieless_mode": []}},
            "invalid_event",
            "properties.$cookieless_mode",
            id="cookieless mode an empty list",
        ),
        pytest.param(
            {**GOOD, "properties": {"$cookieless_mode": 0}},
            "invalid_event",
            "properties.$cookieless_mode",
            id="cookieless mode nought",
        ),
        pytest.param({**GOOD, "event": ""}, "missing_event_name", "event", id="empty name"),
        pytest.param(
            {**GOOD, "event": None}, "missing_event_name", "event", id="null name"
        ),
        pytest.param(
            {"batch": [GOOD, GOOD, {"distinct_id": "a"}], "api_key": "phc_a"},
            "missing_event_name",
            "batch.2.event",
            id="no name in a batch",
        ),
        pytest.param(
            {**GOOD, "distinct_id": None},
            "missing_distinct_id",
            "distinct_id",
            id="null id",
        ),
        pytest.param(
            {**GOOD, "distinct_id": ""}, "missing_distinct_id", "distinct_id", id="empty id"
        ),
        pytest.param(
            [GOOD, {**GOOD, "distinct_id": " \t"}],
            "missing_distinct_id",
            "1.distinct_id",
            id="blank id",
        ),
        pytest.param({**GOOD, "uuid": "x"}, "invalid_uuid", "uuid", id="no uuid"),
        pytest.param({**GOOD, "uuid": 7}, "invalid_uuid", "uuid", id="uuid a number"),
        pytest.param({**GOOD, "token": None}, "missing_token", "api_key", id="no token"),
        pytest.param({**GOOD, "token": "  "}, "missing_token", "api_key", id="blank token"),
        pytest.param(
            {**GOOD, "token": "x" * 65}, "invalid_token", "api_key", id="long token"
        ),
        pytest.param(
            {**GOOD, "token": "phc_é"}, "invalid_token", "api_key", id="not ASCII"
        ),
        pytest.param(
            {**GOOD, "token": "a\0"}, "invalid_token", "api_key", id="NUL in token"
        ),
        pytest.param(
            {**GOOD, "token": "phx_1"}, "invalid_token", "api_key", id="personal key"
        ),
        pytest.param({**GOOD, "token": 5}, "invalid_token", "api_key", id="token a number"),
        pytest.param(
            [GOOD, {**GOOD, "token": "phc_b"}], "mixed_tokens", "token", id="two tokens"
        ),
    ],
)
def test_bad_input_is_refused_with_its_code_and_place(body, code, attr):
    assert refusal(body) == (code, attr)


@pytest.mark.parametrize(
    ("body", "token"),
    [
        pytest.param({"batch": [GOOD], "api_key": "phc_x"}, "phc_x", id="envelope wins"),
        pytest.param({"batch": [GOOD], "$token": " phc_x "}, "phc_x", id="trimmed"),
        pytest.param({"batch": [GOOD]}, "phc_a", id="from the events"),
        pytest.param({**GOOD, "api_key": "phc_b"}, "phc_a", id="token before api_key"),
        pytest.param(
            [{"event": "e", "properties": {"token": "phc_p", "distinct_id": "a"}}],
            "phc_p",
            id="from the properties",
        ),
        pytest.param(
            [GOOD, {"event": "e", "distinct_id": "a"}], "phc_a", id="one event names none"
        ),
    ],
)
def test_the_token_is_found_wherever_it_stands(body, token):
    text = json.dumps(body).encode()

    assert sent(body).token == token
    assert check(Hints(), text).token == token


def test_an_engage_event_needs_no_name_and_identifies():
    assert only({"token": "phc_a", "distinct_id": "ann"}, path="engage").name == "$identify"


def test_performance_events_are_thrown_away_silently():
    odd = {"event": "$performance_event", "token": "phc_a"}

    assert [event.name for event in sent([odd, GOOD]).events] == ["timer started"]


def test_the_clients_clock_is_read_from_the_envelope_or_else_the_query():
    envelope = {"batch": [GOOD], "sent_at": "2026-11-23T18:00:00+02:00"}
    at = datetime(2026, 11, 23, 16, tzinfo=UTC)

    assert sent(envelope).sent_at == at
    assert sent([GOOD], sent_ms=1795449600000).sent_at == at
    assert sent([GOOD], sent_ms=1795449600).sent_at is None
    assert sent({**envelope, "sent_at": "soon"}).sent_at is None


def test_the_clients_address_is_filled_in_unless_the_event_has_one():
    named = [GOOD, {**GOOD, "properties": {"$ip": None}}]

    events = sent(named, ip="10.0.0.7").events

    assert [event.properties.get("$ip") for event in events] == ["10.0.0.7", None]


def test_lone_surrogates_and_huge_numbers_cost_no_event():
    body = (
        rb'{"token":"phc_a","event":"e","distinct_id":"\ud800x",'
        rb'"properties":{"big":1e999,"pair":"\ud83d\ude00","text":"\\ud800"}}'
    )

    event = decode(Hints(), body).events[0]

    assert check(Hints(), body).events == 1
    assert event.distinct_id == "\ufffdx"
    assert event.properties == {"big": "1e999", "pair": "😀", "text": r"\ud800"}


@pytest.mark.parametrize(("path", "mib"), [("v0", 1), ("engage", 1), ("ai", 8)])
def test_one_event_may_not_be_larger_than_its_path_allows(path, mib):
    large = {**GOOD, "properties": {"x": "x" * (mib * 1024 * 1024)}}
    body = json.dumps({"batch": [GOOD, large]}).encode()

    with pytest.raises(BadCapture) as refused:
        check(Hints(path=path), body)

    assert (refused.value.code, refused.value.attr) == ("event_too_large", "batch.1")


def test_many_events_may_together_be_larger_than_one_may_be():
    half = {**GOOD, "properties": {"x": "x" * 600_000}}

    assert check(Hints(), json.dumps([half] * 3).encode()).events == 3
