"""``timetracker telemetry``: what would be sent, and sending what is due."""

import json

import pytest
from click.testing import CliRunner

from app.cli import main


@pytest.fixture
def run(tmp_path, sink):
    def call(*args, **environment):
        given = {
            "DATA_DIR": str(tmp_path),
            "ANALYTICS_HOST": sink.url,
            "ANALYTICS_KEY": "phc_x",
            **environment,
        }
        return CliRunner().invoke(main, ["telemetry", *args], env=given)

    return call


def test_a_preview_prints_the_next_messages_and_sends_nothing(run, sink):
    answer = run("preview")

    shown = [json.loads(line)["message"]["event"] for line in answer.stdout.splitlines()]
    assert answer.exit_code == 0
    assert "telemetry.health" in shown
    assert sink.paths == []


def test_without_consent_nothing_is_sent_and_it_says_why(run, sink):
    answer = run("send")

    assert answer.stdout == "0 messages sent. Consent: off (unasked).\n"
    assert sink.paths == []


def test_consent_by_configuration_sends_what_was_previewed_once(run, sink):
    given = {"TELEMETRY_DEFAULT_LEVEL": "base"}
    shown = [
        json.loads(line)["message"]["uuid"] for line in run("preview").stdout.splitlines()
    ]

    answer = run("send", **given)
    again = run("send", **given)

    assert answer.stdout.startswith("6 messages sent.")
    assert again.stdout.startswith("0 messages sent.")
    assert [event["uuid"] for event in sink.events] == shown
