"""Properties that come by themselves: browsers, paths, zones, coarse times."""

from datetime import UTC, datetime

import pytest
from flask import Flask, request

from app.config import Config
from app.telemetry import context
from app.telemetry.experiments import variant

CHROME = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0"


@pytest.mark.parametrize(
    ("user_agent", "seen"),
    [
        pytest.param(
            f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36",
            ("Chrome", "Desktop", "Windows"), id="Chrome on Windows",
        ),
        pytest.param(
            f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {CHROME} Safari/537.36 Edg/140.0",
            ("Edge", "Desktop", "Windows"), id="Edge is not Chrome",
        ),
        pytest.param(
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 "
            "(KHTML, like Gecko) Version/17.0 Safari/605.1.15",
            ("Safari", "Desktop", "Mac OS X"), id="Safari on a Mac",
        ),
        pytest.param(
            "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 "
            "(KHTML, like Gecko) Version/17.0 Mobile/15E148 Safari/604.1",
            ("Safari", "Mobile", "iOS"), id="an iPhone",
        ),
        pytest.param(
            "Mozilla/5.0 (iPad; CPU OS 16_0 like Mac OS X) AppleWebKit/605.1.15 "
            "(KHTML, like Gecko) Version/16.0 Mobile/15E148 Safari/604.1",
            ("Safari", "Tablet", "iOS"), id="an iPad",
        ),
        pytest.param(
            f"Mozilla/5.0 (Linux; Android 13; Pixel 7) {CHROME} Mobile Safari/537.36",
            ("Chrome", "Mobile", "Android"), id="an Android phone",
        ),
        pytest.param(
            f"Mozilla/5.0 (Linux; Android 13; SM-X200) {CHROME} Safari/537.36",
            ("Chrome", "Tablet", "Android"), id="an Android tablet",
        ),
        pytest.param(
            "Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
            ("Firefox", "Desktop", "Linux"), id="Ubuntu is Linux",
        ),
        pytest.param(
            f"Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) {CHROME} Safari/537.36",
            ("Chrome", "Desktop", "Chrome OS"), id="a Chromebook",
        ),
        pytest.param("curl/8.1", (None, None, None), id="a program has no browser"),
        pytest.param("", (None, None, None), id="no user agent"),
    ],
)  # fmt: skip
def test_a_browser_is_told_by_family(user_agent, seen):
    assert tuple(context.browser(user_agent)) == seen


@pytest.fixture
def site():
    app = Flask(__name__)
    app.add_url_rule("/projects/<int:number>", "projects.show", lambda number: "")
    app.add_url_rule("/reset/<token>", "signin.reset", lambda token: "")
    app.add_url_rule("/exports/<dataset>.<kind>", "exports.give", lambda dataset, kind: "")
    app.add_url_rule("/api/v1/entries/<key>", "api.entries.show", lambda key: "")
    return app


@pytest.mark.parametrize(
    ("address", "path"),
    [
        pytest.param("/projects/77", "/projects/:id", id="a number"),
        pytest.param("/reset/Zx81-secret?x=1", "/reset/:id", id="a token and a query"),
        pytest.param("/exports/entries.csv", "/exports/:id", id="half a segment"),
        pytest.param("/unknown/secret", "/:id", id="an unknown address"),
    ],
)
def test_a_path_is_told_without_what_varies(site, address, path):
    with site.test_request_context(address):
        assert context.told_path(request) == path


def test_a_prefix_of_the_installation_stays(site):
    with site.test_request_context("/projects/1", base_url="http://h.example/time"):
        found = context.request_properties(request, shared=False)

    assert found["$current_url"] == "http://h.example/time/projects/:id"


@pytest.mark.parametrize(
    ("address", "via"), [("/projects/1", "web"), ("/api/v1/entries/ent_1", "api")]
)
def test_it_is_told_whether_a_person_or_a_program_came(site, address, via):
    with site.test_request_context(address):
        assert context.request_properties(request, shared=False)["via"] == via


def test_without_a_request_the_system_did_it():
    assert context.request_properties(None, shared=False) == {"via": "system"}


@pytest.mark.parametrize(
    ("seconds", "minutes"),
    [(0, 0), (299, 0), (300, 5), (3_599, 55), (3_600, 60), (900_000, 1440)],
)
def test_durations_are_told_in_steps_of_five_minutes(seconds, minutes):
    assert context.coarse_minutes(seconds) == minutes


def test_hour_and_weekday_are_the_persons():
    sunday_evening = datetime(2026, 3, 1, 23, 30, tzinfo=UTC)

    assert context.local_moment(sunday_evening, "Europe/Berlin") == {
        "local_hour": 0,
        "local_weekday": 1,
    }


@pytest.mark.parametrize(
    ("given", "told"),
    [
        pytest.param({}, "local", id="local"),
        pytest.param({"AUTH_METHOD": "both"}, "oidc", id="both offers oidc"),
        pytest.param({"AUTH_METHOD": "oidc"}, "oidc", id="oidc"),
        pytest.param(
            {"AUTH_METHOD": "both", "ENABLE_OIDC": False}, "local", id="oidc switched off"
        ),
    ],
)
def test_the_way_to_sign_in_is_what_is_offered(given, told):
    assert context.auth_method(Config(**given).mapping()) == told


@pytest.mark.parametrize("configured", ["docker", "native"])
def test_the_deployment_may_be_configured(configured):
    config = Config(DEPLOYMENT_METHOD=configured).mapping()

    assert context.deployment_method(config) == configured


@pytest.mark.parametrize("configured", ["a", "b"])
def test_everybody_sees_the_configured_variant(configured):
    config = Config(EXPORT_DIALOG_VARIANT=configured).mapping()

    assert {variant(config, "export_dialog", user) for user in range(50)} == {configured}


def test_split_gives_each_half_one_and_the_same_person_always_the_same():
    config = Config(EXPORT_DIALOG_VARIANT="split").mapping()
    seen = [variant(config, "export_dialog", user) for user in range(1000)]

    assert 400 < seen.count("a") < 600
    assert seen == [variant(config, "export_dialog", user) for user in range(1000)]
