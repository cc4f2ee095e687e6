"""What SDKs ask besides: answers that leave every flag off and every extra unloaded."""

import base64
import gzip
import json

import pytest

from hedgerow.inbox import SqliteInbox
from hedgerow.settings import Settings
from tests.hedgerow.capture_client import TOKEN, Client

ASKED = json.dumps({"token": TOKEN, "distinct_id": "ann", "groups": {}}).encode()


@pytest.fixture
def client(tmp_path):
    inbox = SqliteInbox(tmp_path / "inbox.sqlite")
    yield Client(inbox, Settings(data=str(tmp_path)))
    inbox.close()


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        pytest.param(ASKED, {"content_type": "application/json"}, id="JSON"),
        pytest.param(gzip.compress(ASKED), {"content_type": "text/plain"}, id="gzip"),
        pytest.param(
            b"data=" + base64.b64encode(ASKED),
            {"content_type": "application/x-www-form-urlencoded"},
            id="a form",
        ),
        pytest.param(ASKED.replace(b'"token"', b'"api_key"'), {}, id="api_key"),
    ],
)
@pytest.mark.parametrize("path", ["/flags/?v=2", "/flags?v=4", "/decide/?v=3"])
def test_no_flag_is_there_and_none_is_in_error(client, path, body, headers):
    reply = client.ask("POST", path, body, **headers)

    assert reply.status == 200
    assert reply.json()["flags"] == {}
    assert reply.json()["errorsWhileComputingFlags"] is False
    assert "quota_limited" not in reply.body.decode().lower()


def test_decide_says_what_old_sdks_break_without(client):
    said = client.ask("POST", "/decide/?v=3", ASKED).json()

    assert said["featureFlags"] == {}
    assert said["supportedCompression"] == ["gzip", "gzip-js"]
    assert said["sessionRecording"] is False


def test_flags_answer_with_the_configuration_when_asked(client):
    said = client.ask("POST", "/flags/?v=2&config=true", ASKED).json()

    assert said["flags"] == {}
    assert said["analytics"] == {"endpoint": "/i/v0/e/"}


def test_the_configuration_turns_every_extra_off_and_does_not_mention_surveys(client):
    config = client.ask("GET", f"/array/{TOKEN}/config").json()

    assert config["token"] == TOKEN
    assert config["hasFeatureFlags"] is False
    assert config["supportedCompression"] == ["gzip", "gzip-js"]
    assert "surveys" not in config


def test_the_configuration_comes_as_a_script_that_cannot_close_its_element(client):
    reply = client.ask("GET", f"/array/{TOKEN}/config.js")

    assert reply.headers["content-type"] == "application/javascript"
    assert f'"{TOKEN}":{{"config":{{' in reply.body.decode()
    assert b"<" not in reply.body


@pytest.mark.parametrize(
    ("method", "path", "answer"),
    [
        (
            "GET",
            f"/flags/definitions?token={TOKEN}&send_cohorts",
            {"flags": [], "group_type_mapping": {}, "cohorts": {}},
        ),
        (
            "GET",
            f"/api/feature_flag/local_evaluation/?token={TOKEN}",
            {"flags": [], "group_type_mapping": {}, "cohorts": {}},
        ),
        ("GET", f"/api/surveys/?token={TOKEN}", {"surveys": []}),
        ("POST", "/s/", {"status": 1}),
        ("POST", "/i/v1/traces", {}),
        ("POST", "/i/v1/logs", {}),
        ("POST", "/i/v1/metrics", {}),
    ],
)
def test_the_other_questions_get_an_empty_answer(client, method, path, answer):
    reply = client.ask(method, path, b"\x1f\x8b\x08 whatever")

    assert (reply.status, reply.json()) == (200, answer)
    assert client.inbox.last_position() == 0


def test_the_snippet_is_told_how_to_install_posthog_js_while_it_is_missing(client):
    reply = client.ask("GET", "/static/array.js")

    assert (reply.status, reply.headers["content-type"]) == (200, "application/javascript")
    assert b"console.error" in reply.body
    assert b"javascript.md" in reply.body


@pytest.mark.parametrize(
    ("asked", "served"),
    [
        ("/static/array.js", b"newest"),
        ("/static/1.2.3/array.js", b"pinned"),
        ("/static/9.9.9/array.js", b"newest"),
        ("/static/surveys.js?v=1", b"surveys"),
    ],
)
def test_the_operators_posthog_js_is_served_by_version_or_else_the_one_there_is(
    client, tmp_path, asked, served
):
    scripts = tmp_path / "static"
    (scripts / "1.2.3").mkdir(parents=True)
    (scripts / "array.js").write_bytes(b"newest")
    (scripts / "surveys.js").write_bytes(b"surveys")
    (scripts / "1.2.3" / "array.js").write_bytes(b"pinned")

    assert client.ask("GET", asked).body == served


@pytest.mark.parametrize(
    "path", ["/static/../array.js", "/static/1..%2f/x.js", "/static/1/..js"]
)
def test_no_path_leaves_the_folder(client, path):
    assert client.ask("GET", path).status == 404
