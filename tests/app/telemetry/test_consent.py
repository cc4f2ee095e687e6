"""Which layer is in force, and which rule decided."""

from datetime import UTC, datetime

import pytest

from app.config import Config
from app.errors import InvalidInput
from app.telemetry import consent
from app.telemetry.catalog import CONSENT_VERSION
from app.telemetry.consent import Answer, verdict

NOW = datetime(2026, 3, 2, 10, 30, tzinfo=UTC)
YES = Answer("detailed", CONSENT_VERSION, "admin")


def config(**given):
    return Config(**given).mapping()


@pytest.mark.parametrize(
    ("given", "answer", "layer", "by"),
    [
        pytest.param({}, None, "off", "unasked", id="nobody was asked"),
        pytest.param({}, YES, "detailed", "choice", id="an administrator chose"),
        pytest.param({"DO_NOT_TRACK": True}, YES, "off", "DO_NOT_TRACK", id="do not track"),
        pytest.param(
            {"CONSOLE_DO_NOT_TRACK": True}, YES, "off", "CONSOLE_DO_NOT_TRACK",
            id="console do not track",
        ),
        pytest.param(
            {"ENABLE_TELEMETRY": False}, YES, "off", "ENABLE_TELEMETRY", id="switched off"
        ),
        pytest.param({"DEMO_MODE": True}, YES, "off", "DEMO_MODE", id="a demo tells nothing"),
        pytest.param({"READ_ONLY": True}, YES, "off", "READ_ONLY", id="read-only pauses"),
        pytest.param(
            {"TELEMETRY_MAX_LEVEL": "base"}, YES, "base", "TELEMETRY_MAX_LEVEL",
            id="never above the bound",
        ),
        pytest.param(
            {"TELEMETRY_MAX_LEVEL": "off"}, YES, "off", "TELEMETRY_MAX_LEVEL",
            id="the bound may be off",
        ),
        pytest.param(
            {"TELEMETRY_MAX_LEVEL": "base"}, Answer("off", 1, "admin"), "off", "choice",
            id="the bound raises nothing",
        ),
        pytest.param(
            {"TELEMETRY_DEFAULT_LEVEL": "base"}, None, "base", "TELEMETRY_DEFAULT_LEVEL",
            id="set up without a browser",
        ),
        pytest.param(
            {"TELEMETRY_DEFAULT_LEVEL": "detailed"}, Answer("off", 1, "wizard"), "off",
            "choice", id="an answer outranks the default",
        ),
        pytest.param(
            {"TELEMETRY_DEFAULT_LEVEL": "off"}, Answer("detailed", 1, "configuration"),
            "off", "unasked", id="consent by configuration ends with it",
        ),
        pytest.param(
            {"DO_NOT_TRACK": True, "ENABLE_TELEMETRY": False}, YES, "off", "DO_NOT_TRACK",
            id="the strongest is named",
        ),
    ],
)  # fmt: skip
def test_the_strongest_rule_decides(given, answer, layer, by):
    found = verdict(config(**given), answer)

    assert (found.layer, found.by) == (layer, by)


def test_every_answer_is_kept(database):
    with database.writing() as session:
        consent.choose(session, "base", reason="wizard", at=NOW, user_id=1)
        consent.choose(session, "off", reason="admin", at=NOW, user_id=1)
    with database.reading() as session:
        kept = [(row.layer, row.reason, row.version) for row in consent.history(session)]

    assert kept == [("off", "admin", CONSENT_VERSION), ("base", "wizard", CONSENT_VERSION)]


def test_an_unknown_layer_is_refused_by_name(database):
    with database.writing() as session, pytest.raises(InvalidInput, match="'all'"):
        consent.choose(session, "all", reason="admin", at=NOW)


@pytest.mark.parametrize(
    ("levels", "kept"),
    [
        pytest.param(["off", "off"], [], id="off grants nothing"),
        pytest.param(["base", "base"], ["base"], id="a grant is noted once"),
        pytest.param(
            ["base", "detailed", "off"], ["base", "detailed", "off"], id="changes"
        ),
    ],
)
def test_consent_by_configuration_is_noted(database, levels, kept):
    for level in levels:
        with database.writing() as session:
            given = config(TELEMETRY_DEFAULT_LEVEL=level)
            consent.note_configuration(session, given, NOW)
    with database.reading() as session:
        found = [row.layer for row in reversed(consent.history(session))]

    assert found == kept


def test_an_administrators_answer_is_not_overwritten_by_configuration(database):
    with database.writing() as session:
        consent.choose(session, "off", reason="admin", at=NOW)
        consent.note_configuration(session, config(TELEMETRY_DEFAULT_LEVEL="base"), NOW)
    with database.reading() as session:
        assert consent.newest(session).layer == "off"


def test_a_new_answer_counts_at_once(reporter, say):
    assert reporter.watch.glance().layer == "off"
    say("detailed")
    assert reporter.watch.glance().layer == "detailed"
    say("off")
    assert reporter.watch.glance().layer == "off"
