"""What each capture path answers, and what it puts into the inbox before it does."""

import base64
import gzip
import json
from urllib.parse import quote

import pytest

from hedgerow.capture.endpoints import PATHS, handles
from hedgerow.errors import InboxUnavailable
from hedgerow.inbox import SqliteInbox
from hedgerow.settings import Settings
from tests.hedgerow.capture_client import PROJECT, TOKEN, Client
from tests.hedgerow.door_client import DoorClient

EVENT = {"event": "timer started", "distinct_id": "ann", "token": TOKEN}
TEXT = json.dumps(EVENT).encode()
EVENT_PATHS = [
    "/batch",
    "/e",
    "/i/v0/e",
    "/capture",
    "/track",
    "/engage",
    "/i/v0/ai/batch",
]


@pytest.fixture(params=[Client, DoorClient], ids=["asgi", "http"])
def client(tmp_path, request):
    inbox = SqliteInbox(tmp_path / "inbox.sqlite")
    yield request.param(inbox, Settings(data=str(tmp_path), max_body_mib=2))
    inbox.close()


@pytest.mark.parametrize("slash", ["", "/"])
@pytest.mark.parametrize("path", EVENT_PATHS)
@pytest.mark.parametrize(
    "value",
    [EVENT, [EVENT], {"batch": [EVENT], "api_key": TOKEN}],
    ids=["one", "array", "batch"],
)
def test_every_event_path_takes_every_shape_and_answers_200(client, path, slash, value):
    reply = client.post(path + slash, value)

    assert (reply.status, reply.json()) == (200, {"status": 1})
    (queued,) = client.inbox.read(after=0, limit_bytes=1000)
    assert queued.project_id == PROJECT.id
    assert [event.distinct_id for event in client.events()] == ["ann"]


def test_gzip_goes_into_the_inbox_as_it_came(client):
    body = gzip.compress(TEXT)

    assert client.ask("POST", "/e/", body, content_type="text/plain").status == 200

    (queued,) = client.inbox.read(after=0, limit_bytes=1000)
    assert queued.body == body
    assert client.events()[0].name == "timer started"


@pytest.mark.parametrize("data", [TEXT.decode(), base64.b64encode(TEXT).decode()])
def test_events_may_come_by_get(client, data):
    assert client.ask("GET", f"/capture/?data={quote(data)}").status == 200

    assert client.events()[0].distinct_id == "ann"


def test_a_get_without_data_is_refused(client):
    reply = client.ask("GET", "/e/")

    assert (reply.status, reply.code) == (400, "empty_body")


def test_only_a_beacon_is_answered_204(client):
    assert client.ask("POST", "/e/?beacon=1", TEXT).status == 204
    assert client.ask("POST", "/e/?beacon=0", TEXT).status == 200
    assert len(client.events()) == 2


def test_made_uuids_are_the_same_each_time_the_inbox_is_read(client):
    client.post("/batch", {"batch": [EVENT, EVENT], "api_key": TOKEN})

    first, again = client.events(), client.events()

    assert first == again
    assert len({event.uuid for event in first}) == 2


@pytest.mark.parametrize(
    ("method", "target", "body", "status", "code"),
    [
        ("POST", "/e/", b"", 400, "empty_body"),
        ("POST", "/e/", b"{}", 400, "empty_body"),
        ("POST", "/e/", b"{", 400, "invalid_json"),
        ("POST", "/e/?compression=gzip-js", b"{}", 400, "undecodable_body"),
        ("POST", "/batch/", b'{"batch":[]}', 400, "empty_batch"),
        ("POST", "/batch/", b'{"batch":5}', 400, "invalid_event"),
        ("POST", "/e/", TEXT.replace(b'"ann"', b'" "'), 400, "missing_distinct_id"),
        ("POST", "/e/", TEXT.replace(b"timer started", b""), 400, "missing_event_name"),
        ("POST", "/e/", TEXT.replace(b"}", b',"uuid":"1"}'), 400, "invalid_uuid"),
        ("POST", "/e/", TEXT.replace(b"phc_test", b""), 401, "missing_token"),
        ("POST", "/e/", TEXT.replace(b"phc_test", b"phx_test"), 401, "invalid_token"),
        ("POST", "/e/", TEXT.replace(b"phc_test", b"phc_other"), 401, "invalid_token"),
        ("POST", "/e/", b" " * 2_100_000, 413, "body_too_large"),
        ("POST", "/e/", gzip.compress(b" " * 2_100_000), 413, "body_too_large"),
        ("POST", "/e/", TEXT.replace(b"ann", b"a" * 1_100_000), 413, "event_too_large"),
        ("PUT", "/e/", TEXT, 405, "method_not_allowed"),
        ("DELETE", "/flags/", b"", 405, "method_not_allowed"),
        ("GET", "/flags/", b"", 405, "method_not_allowed"),
        ("POST", "/array/phc_test/config", b"", 405, "method_not_allowed"),
        ("POST", "/flags/", b"[]", 400, "invalid_json"),
        ("POST", "/flags/", b'{"token":"phc_other"}', 401, "invalid_token"),
        ("POST", "/decide/", b'{"a":1}', 401, "missing_token"),
        ("GET", "/array/phc_other/config.js", b"", 404, "not_found"),
        ("GET", "/static/recorder.js", b"", 404, "not_found"),
    ],
)
def test_a_refusal_has_its_status_and_code_and_keeps_nothing(
    client, method, target, body, status, code
):
    reply = client.ask(method, target, body, origin="https://shop.example")

    assert (reply.status, reply.code) == (status, code)
    assert set(reply.json()) == {"type", "code", "detail", "attr"}
    assert reply.headers["access-control-allow-origin"] == "https://shop.example"
    assert client.inbox.last_position() == 0


def test_a_body_that_announces_too_much_is_not_even_read(client):
    reply = client.ask("POST", "/e/", b"", content_length=str(3 * 1024 * 1024))

    assert (reply.status, reply.code) == (413, "body_too_large")


def test_one_bad_event_costs_the_whole_request(client):
    bad = {"batch": [EVENT, EVENT, {**EVENT, "distinct_id": None}], "api_key": TOKEN}

    reply = client.post("/batch/", bad)

    assert reply.status == 400
    assert reply.json()["attr"] == "batch.2.distinct_id"
    assert client.events() == []


def test_a_full_inbox_is_a_503_that_says_when_to_come_back(client):
    client.inbox._max_bytes = 1

    reply = client.post("/batch/", EVENT)

    assert (reply.status, reply.code) == (503, "inbox_unavailable")
    assert reply.headers["retry-after"] == "5"
    assert reply.json()["type"] == "server_error"


@pytest.mark.parametrize(
    ("sent", "mirrored"),
    [
        pytest.param({}, {"access-control-allow-origin": "*"}, id="no origin"),
        pytest.param(
            {"origin": "https://a.example", "access_control_request_headers": "x-a, x-b"},
            {
                "access-control-allow-origin": "https://a.example",
                "access-control-allow-credentials": "true",
                "access-control-allow-headers": "x-a, x-b",
            },
            id="an origin and headers",
        ),
    ],
)
def test_any_origin_may_ask_and_headers_are_mirrored(client, sent, mirrored):
    for path in sorted(PATHS | {"/i/v9/e"}):
        reply = client.ask("OPTIONS", path + "/", **sent)

        assert reply.status == 204
        assert mirrored.items() <= reply.headers.items()
        assert reply.headers["access-control-allow-methods"] == "GET, POST, OPTIONS"
        assert reply.headers["access-control-max-age"] == "86400"
        assert reply.headers["access-control-expose-headers"] == "Retry-After"
        assert reply.headers["vary"] == "Origin"


@pytest.mark.parametrize(
    ("proxies", "forwarded", "ip"),
    [
        pytest.param(0, "1.1.1.1", "10.0.0.7", id="no proxy is trusted"),
        pytest.param(1, "", "10.0.0.7", id="the proxy says nothing"),
        pytest.param(1, "6.6.6.6, 1.1.1.1", "1.1.1.1", id="what a client claims is not"),
        pytest.param(2, "6.6.6.6, 2.2.2.2, 1.1.1.1", "2.2.2.2", id="behind two proxies"),
        pytest.param(3, "1.1.1.1", "1.1.1.1", id="fewer proxies than said"),
    ],
)
def test_the_address_is_the_one_that_trusted_proxies_saw(client, proxies, forwarded, ip):
    told = Settings(data=client.settings.data, trusted_proxies=proxies)

    type(client)(client.inbox, told).post("/e", EVENT, x_forwarded_for=forwarded)

    assert client.events()[0].properties["$ip"] == ip


def test_what_came_in_lately_is_remembered_with_its_verdict(client):
    client.post("/e", [EVENT, EVENT], user_agent="curl/8")
    client.post("/e", {**EVENT, "distinct_id": ""})
    client.post("/e", {**EVENT, "token": "phc_misspelt"})

    bad, good = client.capture.sightings.recent(PROJECT.id)
    (unknown,) = client.capture.sightings.recent(None)

    assert (good.status, good.events, good.code, good.user_agent) == (200, 2, "", "curl/8")
    assert (bad.status, bad.code) == (400, "missing_distinct_id")
    assert "distinct_id" in bad.detail
    assert (unknown.status, unknown.code) == (401, "invalid_token")
    assert client.capture.sightings.counts(PROJECT.id).events == 2
    assert client.capture.sightings.counts(PROJECT.id).rejected == {
        "missing_distinct_id": 1
    }
    assert client.capture.sightings.totals().rejected == {
        "missing_distinct_id": 1,
        "invalid_token": 1,
    }


def test_only_the_last_hundred_requests_are_remembered(client):
    for _ in range(103):
        client.ask("POST", "/e", b"{}")

    assert len(client.capture.sightings.recent(None)) == 100
    assert client.capture.sightings.totals().rejected == {"empty_body": 103}


@pytest.mark.parametrize(
    ("path", "is_ours"),
    [
        ("/batch/", True),
        ("/i/v1/analytics/events", True),
        ("/array/phc_a/config.js", True),
        ("/array/phc_a/config", True),
        ("/static/array.js", True),
        ("/static/1.449.2/array.full.js", True),
        ("/static/web-vitals.js", True),
        ("/i/v9/of/a/later/sdk", False),
        ("/static/app.css", False),
        ("/static/charts.js", False),
        ("/api/surveys/", True),
        ("/api/projects/1/query", False),
        ("/batches", False),
        ("/", False),
    ],
)
def test_capture_knows_its_paths(path, is_ours):
    assert handles(path, "POST") is is_ours


@pytest.mark.parametrize(
    ("path", "is_ours"),
    [("/batch/", True), ("/i/v9/of/a/later/sdk", True), ("/api/projects/1", False)],
)
def test_any_page_may_ask_before_it_uses_a_path_of_sdks(path, is_ours):
    assert handles(path, "OPTIONS") is is_ours


def test_a_disk_that_fails_under_a_request_is_a_503(client):
    def broken(*_):
        raise OSError("disk gone")

    client.inbox._file.write = broken

    reply = client.post("/e", EVENT)

    assert (reply.status, reply.code) == (503, InboxUnavailable.code)
    assert "disk gone" in reply.json()["detail"]
