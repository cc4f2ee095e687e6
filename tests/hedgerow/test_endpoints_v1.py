"""Capture v1: a verdict for each event, and refusals under tags of its own."""

import gzip
import json
import zlib

import brotli
import pytest
import zstandard

from hedgerow.inbox import SqliteInbox
from hedgerow.settings import Settings
from tests.hedgerow.capture_client import TOKEN, Client

PATH = "/i/v1/analytics/events"
AT = "2026-11-23T17:56:03.901547+00:00"
HEADERS = {
    "authorization": f"Bearer {TOKEN}",
    "content_type": "application/json",
    "user_agent": "posthog-python/7.91.1",
    "posthog_sdk_info": "posthog-python/7.91.1",
    "posthog_attempt": "1",
    "posthog_request_id": "a5ad8f7c-0000-4000-8000-000000000001",
    "posthog_request_timestamp": AT,
}


def uuid(number):
    return f"79de60ba-0000-4000-8000-{number:012d}"


def event(number=1, **changes):
    return {
        "event": "v1 ev",
        "uuid": uuid(number),
        "distinct_id": "user-1",
        "timestamp": AT,
        "properties": {"k": 2},
        **changes,
    }


def batch(*events, **changes):
    return {"created_at": AT, "batch": list(events), **changes}


@pytest.fixture
def client(tmp_path):
    inbox = SqliteInbox(tmp_path / "inbox.sqlite")
    yield Client(inbox, Settings(data=str(tmp_path), max_body_mib=2))
    inbox.close()


def test_events_are_kept_with_what_stood_in_headers_and_options(client):
    sent = event(
        options={
            "process_person_profile": False,
            "disable_skew_correction": True,
            "product_tour_id": "t1",
            "cookieless_mode": None,
        },
        session_id="s1",
        window_id="w1",
        properties={"$set": {"a": 1}, "k": 2},
    )

    reply = client.post(PATH, batch(sent), **HEADERS)

    assert (reply.status, reply.json()) == (200, {"results": {uuid(1): {"result": "ok"}}})
    (kept,) = client.events()
    assert kept.set == {"a": 1}
    assert kept.timestamp == AT
    assert kept.properties == {
        "k": 2,
        "$process_person_profile": False,
        "$ignore_sent_at": True,
        "$product_tour_id": "t1",
        "$session_id": "s1",
        "$window_id": "w1",
        "$lib": "posthog-python",
        "$lib_version": "7.91.1",
        "$ip": "10.0.0.7",
    }


@pytest.mark.parametrize(
    ("changes", "details"),
    [
        pytest.param({"event": ""}, "missing_event_name", id="no name"),
        pytest.param({"event": "e" * 201}, "event_name_too_long", id="long name"),
        pytest.param(
            {"event": "$performance_event"}, "dropped_performance_event", id="perf"
        ),
        pytest.param({"distinct_id": " "}, "missing_distinct_id", id="blank id"),
        pytest.param({"distinct_id": 5}, "missing_distinct_id", id="id a number"),
        pytest.param({"distinct_id": "d" * 201}, "distinct_id_too_large", id="long id"),
        pytest.param(
            {"timestamp": "2026-11-23"}, "invalid_event_timestamp", id="a day alone"
        ),
        pytest.param({"timestamp": None}, "invalid_event_timestamp", id="no time"),
        pytest.param(
            {"timestamp": "2026-02-30T00:00:00Z"},
            "invalid_event_timestamp",
            id="no such day",
        ),
        pytest.param(
            {"properties": []}, "malformed_event_properties", id="properties a list"
        ),
        pytest.param({"$set": 5}, "malformed_event_properties", id="$set a number"),
        pytest.param({"options": []}, "invalid_options", id="options a list"),
        pytest.param(
            {"options": {"process_person_profile": "no"}},
            "invalid_options",
            id="option's type",
        ),
    ],
)
def test_a_bad_event_is_dropped_alone_and_the_verdict_says_why(client, changes, details):
    reply = client.post(PATH, batch(event(1), event(2, **changes)), **HEADERS)

    assert reply.status == 200
    assert reply.json()["results"] == {
        uuid(1): {"result": "ok"},
        uuid(2): {"result": "drop", "details": details},
    }
    assert [kept.uuid for kept in client.events()] == [uuid(1)]


def test_a_request_of_which_nothing_is_kept_puts_nothing_into_the_inbox(client):
    assert client.post(PATH, batch(event(event="")), **HEADERS).status == 200
    assert client.inbox.last_position() == 0


@pytest.mark.parametrize(
    "id_", ["Anonymous", "undefined", "0", "[object Object]", "SYSTEM"]
)
def test_an_id_that_is_nobodys_is_stored_without_a_person(client, id_):
    reply = client.post(PATH, batch(event(distinct_id=id_)), **HEADERS)

    assert reply.json()["results"][uuid(1)] == {
        "result": "warning",
        "details": "person_processing_disabled",
    }
    assert client.events()[0].properties["$process_person_profile"] is False


@pytest.mark.parametrize(
    ("value", "headers", "status", "tag"),
    [
        pytest.param(None, {"authorization": ""}, 401, "missing_token", id="no token"),
        pytest.param(
            None, {"authorization": "Bearer phx_1"}, 401, "invalid_token", id="personal key"
        ),
        pytest.param(
            None,
            {"authorization": "Bearer phc_x"},
            401,
            "invalid_token",
            id="unknown token",
        ),
        pytest.param(
            None, {"authorization": "Basic abc"}, 400, "invalid_header_value", id="basic"
        ),
        pytest.param(
            None,
            {"posthog_sdk_info": ""},
            400,
            "missing_required_headers",
            id="no sdk info",
        ),
        pytest.param(
            None, {"user_agent": ""}, 400, "missing_required_headers", id="no agent"
        ),
        pytest.param(
            None,
            {"content_type": ""},
            400,
            "missing_required_headers",
            id="no content type",
        ),
        pytest.param(
            None, {"posthog_attempt": "0"}, 400, "invalid_header_value", id="try 0"
        ),
        pytest.param(
            None, {"posthog_request_id": "x"}, 400, "invalid_header_value", id="request id"
        ),
        pytest.param(
            None,
            {"posthog_request_timestamp": "now"},
            400,
            "invalid_header_value",
            id="request time",
        ),
        pytest.param(
            None, {"content_type": "text/plain"}, 415, "unsupported_media_type", id="text"
        ),
        pytest.param(
            None, {"content_encoding": "lzma"}, 415, "unsupported_media_type", id="lzma"
        ),
        pytest.param(
            None, {"content_encoding": "gzip"}, 400, "request_parsing_error", id="no gzip"
        ),
        pytest.param([], {}, 400, "request_parsing_error", id="an array"),
        pytest.param({"created_at": AT}, {}, 400, "request_parsing_error", id="no batch"),
        pytest.param(batch(5), {}, 400, "request_parsing_error", id="an entry no object"),
        pytest.param(batch(), {}, 400, "empty_batch", id="empty batch"),
        pytest.param(
            batch(event(), created_at="soon"), {}, 400, "invalid_batch", id="created_at"
        ),
        pytest.param(batch(event(uuid=None)), {}, 400, "missing_event_uuid", id="no uuid"),
        pytest.param(batch(event(uuid="x")), {}, 400, "invalid_event_uuid", id="bad uuid"),
        pytest.param(
            batch(event(1), event(1)), {}, 400, "duplicate_event_uuid", id="uuid twice"
        ),
        pytest.param(
            batch(event(event="e" * 2_200_000)), {}, 413, "body_too_large", id="too large"
        ),
    ],
)
def test_a_bad_request_is_refused_as_a_whole(client, value, headers, status, tag):
    value = batch(event()) if value is None else value

    reply = client.post(PATH, value, **{**HEADERS, **headers})

    assert (reply.status, reply.json()["error"]) == (status, tag)
    assert reply.json()["error_description"]
    assert client.inbox.last_position() == 0


def test_an_empty_body_is_refused(client):
    assert client.ask("POST", PATH, b"", **HEADERS).json()["error"] == "empty_body"


@pytest.mark.parametrize(
    ("encoding", "compress"),
    [
        ("gzip", gzip.compress),
        ("deflate", zlib.compress),
        ("br", brotli.compress),
        ("zstd", zstandard.ZstdCompressor().compress),
        ("", gzip.compress),
    ],
)
def test_a_batch_may_be_compressed(client, encoding, compress):
    body = compress(json.dumps(batch(event())).encode())

    reply = client.ask("POST", PATH, body, **HEADERS, content_encoding=encoding)

    assert reply.status == 200
    assert client.events()[0].uuid == uuid(1)


def test_a_full_inbox_asks_for_the_whole_batch_again(client):
    client.inbox._max_bytes = 1

    reply = client.post(PATH, batch(event()), **HEADERS)

    assert (reply.status, reply.headers["retry-after"]) == (503, "1")
    assert reply.json()["error"] == "inbox_unavailable"


def test_a_disk_that_fails_under_a_batch_asks_for_its_events_again(client):
    def broken(*_):
        raise OSError("disk gone")

    client.inbox._file.write = broken

    reply = client.post(PATH, batch(event(1), event(2, event="")), **HEADERS)

    assert reply.json()["results"] == {
        uuid(1): {"result": "retry", "details": "not_persisted"},
        uuid(2): {"result": "drop", "details": "missing_event_name"},
    }
