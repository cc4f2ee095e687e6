"""Every environment variable: its default, what it takes, what is refused and how."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.config import OLD_NAMES, VARIABLES, Config, from_environment
from app.errors import BadSetting
from app.variables import BOOLEAN, Limit

ROOT = Path(__file__).parents[2]
SWITCHES = [n for n, field in VARIABLES.items() if field.metadata["kind"] is BOOLEAN]
OIDC = {
    "OIDC_ISSUER": "https://login.example",
    "OIDC_CLIENT_ID": "tt",
    "AUTH_METHOD": "both",
}


def test_without_an_environment_every_variable_has_its_default():
    assert from_environment({}) == Config()


@pytest.mark.parametrize("name", SWITCHES)
@pytest.mark.parametrize("given", ["1", "true", "Yes", "ON"])
def test_a_switch_can_be_put_on(name, given):
    assert getattr(from_environment(OIDC | {name: given} | _with(name)), name) is True


@pytest.mark.parametrize("name", SWITCHES)
@pytest.mark.parametrize("given", ["0", "false", "No", "OFF"])
def test_a_switch_can_be_put_off(name, given):
    assert getattr(from_environment(OIDC | {name: given}), name) is False


def _with(name):
    """What a switch needs beside it."""
    return {"OIDC_ALLOWED_DOMAINS": "example.org"} if name == "OIDC_AUTO_CREATE" else {}


@pytest.mark.parametrize("name", ["DO_NOT_TRACK", "CONSOLE_DO_NOT_TRACK"])
@pytest.mark.parametrize(
    ("given", "said"),
    [("1", True), ("true", True), ("yes please", True), ("0", False), ("false", False), ("", False)],
)  # fmt: skip
def test_do_not_track_is_any_word_but_empty_0_and_false(name, given, said):
    assert getattr(from_environment({name: given}), name) is said


@pytest.mark.parametrize(
    ("name", "given", "value"),
    [
        ("PORT", "0", 0),
        ("TZ", "Europe/Berlin", "Europe/Berlin"),
        ("WEEK_START", "6", 6),
        ("CURRENCY", "CHF", "CHF"),
        ("ROUNDING_MINUTES", "15", 15),
        ("LOCK_BEFORE", "-30d", "-30d"),
        ("LOCK_BEFORE", "last-month", "last-month"),
        ("LOCK_BEFORE", "2024-02-29", "2024-02-29"),
        ("LOGIN_RATE_ACCOUNT", "3/1h", Limit(3, 3600)),
        ("ALLOWED_HOSTS", " a.example , b.example,", ("a.example", "b.example")),
        ("OIDC_ROLE_MAP", '{"boss": "admin", "*": "user"}', (("boss", "admin"), ("*", "user"))),
        ("DATA_DIR", "/srv/time", Path("/srv/time")),
        ("OVERLAP_POLICY", "FORBID", "forbid"),
        ("EXPORT_DIALOG_VARIANT", "split", "split"),
        ("DEFAULT_LOCALE", "pt_BR", "pt_BR"),
    ],
)  # fmt: skip
def test_a_value_is_read(name, given, value):
    assert getattr(from_environment({name: given}), name) == value


@pytest.mark.parametrize(
    ("name", "given"),
    [
        ("ENABLE_EXPORTS", "maybe"),
        ("PORT", "http"),
        ("PORT", "70000"),
        ("TZ", "Mars/Olympus"),
        ("WEEK_START", "2"),
        ("CURRENCY", "euro"),
        ("ROUNDING_MINUTES", "7"),
        ("LOCK_BEFORE", "2025-02-30"),
        ("LOCK_BEFORE", "yesterday"),
        ("LOGIN_RATE_ACCOUNT", "5"),
        ("OIDC_ROLE_MAP", '{"boss": "king"}'),
        ("OIDC_ROLE_MAP", "[]"),
        ("OIDC_ROLE_MAP", "{"),
        ("OVERLAP_POLICY", "shout"),
        ("AUTH_METHOD", "ldap"),
        ("TELEMETRY_MAX_LEVEL", "all"),
        ("PUBLIC_URL", "time.example.org"),
        ("PASSWORD_MIN_LENGTH", "4"),
        ("APP_ENV", "prod"),
    ],
)
def test_a_wrong_value_stops_the_start_and_says_what_may_stand_there(name, given):
    with pytest.raises(BadSetting) as stopped:
        from_environment({name: given})

    assert stopped.value.attr == name
    assert repr(given) in str(stopped.value)
    assert "It takes" in stopped.value.hint


def test_an_unknown_word_stops_the_start_with_the_list_of_choices():
    with pytest.raises(BadSetting, match="allow, warn, forbid"):
        from_environment({"OVERLAP_POLICY": "shout"})


def test_a_secret_is_never_quoted():
    with pytest.raises(BadSetting) as stopped:
        from_environment({"SECRET_KEY": "hunter2"})

    assert "hunter2" not in str(stopped.value)


def test_a_secret_may_come_from_a_file(tmp_path):
    (tmp_path / "key").write_text("x" * 40 + "\n")

    assert from_environment({"SECRET_KEY_FILE": f"{tmp_path}/key"}).SECRET_KEY == "x" * 40


def test_a_secret_comes_from_one_place():
    with pytest.raises(BadSetting, match="both set"):
        from_environment({"METRICS_TOKEN": "a", "METRICS_TOKEN_FILE": "b"})


def test_a_file_that_is_not_there_is_named():
    with pytest.raises(BadSetting, match="/nowhere/key"):
        from_environment({"SECRET_KEY_FILE": "/nowhere/key"})


@pytest.mark.parametrize(
    ("given", "name"),
    [
        pytest.param({"AUTH_METHOD": "oidc"}, "AUTH_METHOD", id="oidc without a provider"),
        pytest.param(
            {"ENABLE_LOCAL_LOGIN": "off"}, "ENABLE_LOCAL_LOGIN", id="nobody could sign in"
        ),
        pytest.param(
            OIDC | {"AUTH_METHOD": "oidc", "ENABLE_OIDC": "off"}, "ENABLE_LOCAL_LOGIN",
            id="oidc only, and off",
        ),
        pytest.param(
            OIDC | {"OIDC_ISSUER": "https://accounts.google.com", "OIDC_AUTO_CREATE": "on"},
            "OIDC_AUTO_CREATE", id="an issuer that anyone can join",
        ),
        pytest.param(
            {"SECRET_KEY": "change-me-change-me-change-me-change-me"}, "SECRET_KEY",
            id="a sample key",
        ),
        pytest.param(
            {"ANALYTICS_HOST": "https://h.example"}, "ANALYTICS_HOST", id="a host without a key"
        ),
        pytest.param(
            {"TELEMETRY_KEY": "phc_x"}, "TELEMETRY_HOST", id="a key without a host"
        ),
    ],
)  # fmt: skip
def test_settings_that_contradict_each_other_are_refused(given, name):
    with pytest.raises(BadSetting) as stopped:
        from_environment(given)

    assert stopped.value.attr == name
    assert stopped.value.hint


def test_oidc_alone_is_enough_to_sign_in():
    found = from_environment(OIDC | {"ENABLE_LOCAL_LOGIN": "off"})

    assert found.ENABLE_LOCAL_LOGIN is False


@pytest.mark.parametrize(("old", "new"), OLD_NAMES.items())
def test_an_old_name_is_read(old, new):
    given = {"OIDC_ROLE_MAP": '{"*": "user"}', "SESSION_MAX_DAYS": "7"}.get(
        new, "https://x.example"
    )
    pair = {"POSTHOG_HOST": "POSTHOG_API_KEY", "POSTHOG_API_KEY": "POSTHOG_HOST"}
    beside = {pair[old]: "https://y.example"} if old in pair else {}

    found = from_environment({old: given} | beside)

    assert str(getattr(found, new)) in {given, "7", "(('*', 'user'),)"}
    assert any(old in notice for notice in found.NOTICES) is (not old.startswith("POSTHOG"))


def test_the_new_name_wins_over_the_old():
    found = from_environment({"SESSION_MAX_DAYS": "3", "REMEMBER_COOKIE_DAYS": "9"})

    assert found.SESSION_MAX_DAYS == 3


def test_a_changed_meaning_is_said_once():
    (notice,) = from_environment({"ROUNDING_MINUTES": "1"}).NOTICES

    assert "whole minutes" in notice


def test_what_the_environment_sets_is_known():
    found = from_environment({"TZ": "UTC", "CURRENCY": "", "UNRELATED": "x"})

    assert {"TZ"} == found.SET_IN_ENVIRONMENT


@given(st.sampled_from(sorted(VARIABLES)), st.text(max_size=40))
def test_any_text_is_read_or_refused_by_name(name, text):
    try:
        from_environment({name: text})
    except BadSetting as stopped:
        assert stopped.attr  # noqa: PT017 - any other error fails the test by itself


def test_every_variable_is_documented():
    page = (ROOT / "docs/settings.md").read_text().partition("# TimeTracker")[2]
    table, _, _ = page.partition("## Names that are read too")
    listed = re.findall(r"^\| `([A-Z_]+)` \|", table, flags=re.MULTILINE)

    assert sorted(listed) == sorted(VARIABLES)
