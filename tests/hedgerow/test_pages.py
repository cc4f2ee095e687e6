"""Hedgerow's screens over HTTP, without a browser: who may see what, and what it says."""

import re

import pytest

from hedgerow.meta import access, accounts, credentials, installing
from hedgerow.meta.accounts import ROLES
from hedgerow.web.editing_kinds import KINDS
from hedgerow.web.pages import SCREENS
from hedgerow.web.visits import GUEST
from tests.hedgerow.visiting import PASSWORD, Server

pytestmark = pytest.mark.slow  # a whole server, though without a socket

NOWHERE = "999999"
"""A number that nothing has, so that no test changes what another one reads."""

INLINE = re.compile(
    r"""<script(?![^>]*(?:\ssrc=|type="application/json"))|<style|\sstyle=|\son[a-z]+=""",
    re.IGNORECASE,
)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    made = Server(tmp_path_factory.mktemp("hedgerow"))
    yield made
    made.close()


@pytest.fixture(scope="module")
def people(server):
    """A project and somebody of each role in it."""
    project = server.project()
    return project, {
        role: server.signed_in(server.user(f"{role}@example.org", project, role))
        for role in ROLES
    }


@pytest.fixture(scope="module")
def board(server, people):
    """The dashboard Installation Health of that project."""
    project, _ = people
    with server.house.metadata.writing() as session:
        template = installing.template("installation-health")
        return installing.install(session, project.id, template, now=server.now())


def test_the_set_up_link_makes_an_administrator_and_works_once(tmp_path):
    server = Server(tmp_path)
    with server.house.metadata.writing() as session:
        link = access.make_link(session, "setup", server.now())
    browser = server.browser()
    page = browser.get(f"/setup/{link}")
    form = {
        "csrf": credentials.digest(f"form of {browser.cookies[GUEST]}"),
        "name": "Maren",
        "email": "maren@example.org",
        "password": PASSWORD,
        "project": "TimeTracker",
        "timezone": "Europe/Berlin",
    }

    made = browser.post(f"/setup/{link}", data=form)
    again = server.browser().get(f"/setup/{link}")

    assert page.status_code == 200
    assert (made.status_code, made.headers["location"]) == (303, "/p/1/start")
    assert browser.get("/p/1/start").status_code == 200
    assert "Installation Health" in browser.get("/p/1/dashboards").text
    assert again.status_code == 404
    server.close()


def test_before_the_set_up_the_front_page_says_where_the_link_is(tmp_path):
    server = Server(tmp_path)

    assert "set-up link" in server.browser().get("/").text
    server.close()


def signing_in(server, email, password, **more):
    browser = server.browser()
    browser.get("/signin")
    csrf = credentials.digest(f"form of {browser.cookies[GUEST]}")
    form = {"csrf": csrf, "email": email, "password": password, **more}
    return browser, browser.post("/signin", data=form)


def test_a_password_opens_a_session_that_scripts_cannot_read(server, people):
    browser, reply = signing_in(server, "viewer@example.org", PASSWORD)

    cookie = reply.headers["set-cookie"]
    assert reply.status_code == 303
    assert "HttpOnly" in cookie
    assert "samesite=lax" in cookie.lower()
    assert browser.get("/").headers["location"] == f"/p/{people[0].id}/"


@pytest.mark.parametrize("email", ["viewer@example.org", "nobody@example.org"])
def test_a_wrong_password_and_an_unknown_address_look_alike(server, people, email):
    _, reply = signing_in(server, email, "wrong")

    assert reply.status_code == 401
    assert "E-mail and password do not belong together." in reply.text


@pytest.mark.parametrize(
    ("asked", "goes_to"),
    [
        pytest.param("/p/1/insights", "/p/1/insights", id="a page of ours"),
        pytest.param("https://evil.example", "/", id="another site"),
        pytest.param("//evil.example", "/", id="another site without a scheme"),
        pytest.param("/\\evil.example", "/", id="a backslash that browsers turn"),
    ],
)
def test_after_signing_in_one_stays_here(server, people, asked, goes_to):
    _, reply = signing_in(server, "editor@example.org", PASSWORD, next=asked)

    assert reply.headers["location"] == goes_to


def test_signing_out_ends_the_session(server, people):
    browser = server.signed_in(server.user("leaving@example.org", people[0], "viewer"))

    browser.post("/signout")

    assert (
        browser.get(f"/p/{people[0].id}/dashboards")
        .headers["location"]
        .startswith("/signin")
    )


def filled(path, project):
    """A path of the table with a number in every gap."""
    path = path.replace("{project_id:int}", str(project.id))
    return re.sub(r"\{[a-z_]+(:int)?\}", lambda gap: NOWHERE if gap[1] else "events", path)


INSIDE = [screen for screen in SCREENS if screen.needs]
OF_PROJECTS = [screen for screen in INSIDE if "project_id" in screen.path]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    "screen", OF_PROJECTS, ids=lambda screen: f"{screen.method} {screen.path}"
)
def test_a_role_reaches_what_it_may_and_no_more(people, screen, role):
    project, browsers = people
    browser = browsers[role]

    if "live/stream" in screen.path and accounts.reaches(role, screen.needs):
        return  # it never ends; its own test reads it
    reply = browser.request(screen.method, filled(screen.path, project))

    allowed = accounts.reaches(role, screen.needs)
    assert (reply.status_code != 403) is allowed
    assert reply.status_code != 500


@pytest.mark.parametrize(
    "screen", INSIDE, ids=lambda screen: f"{screen.method} {screen.path}"
)
def test_without_a_session_one_is_sent_to_sign_in(server, people, screen):
    browser = server.browser()
    browser.get("/signin")
    browser.headers["X-CSRF-Token"] = credentials.digest(
        f"form of {browser.cookies[GUEST]}"
    )

    reply = browser.request(screen.method, filled(screen.path, people[0]))

    assert reply.status_code == 303
    assert reply.headers["location"].startswith("/signin?next=")


def test_a_project_of_others_is_not_there(server, people):
    other = server.project("Somebody else's")

    assert people[1]["owner"].get(f"/p/{other.id}/dashboards").status_code == 404


def address_of(screen):
    return f"form-{SCREENS.index(screen)}"


@pytest.mark.parametrize(
    "screen",
    [screen for screen in SCREENS if screen.method == "POST"],
    ids=lambda screen: screen.path,
)
def test_a_form_of_another_site_is_refused(server, people, screen):
    browser = server.signed_in(
        server.user(f"{address_of(screen)}@example.org", people[0], "owner")
    )
    del browser.headers["X-CSRF-Token"]

    reply = browser.request("POST", filled(screen.path, people[0]))

    assert reply.status_code == 403


PAGES = [
    "",
    "start",
    "more",
    "dashboards",
    "insights",
    *(f"insights/new?kind={kind}" for kind in KINDS),
    "live",
    "events",
    "persons",
    "groups",
    "cohorts",
    "cohorts/new",
    "experiments",
    "experiments/new",
    "data",
    "data/properties",
    "data/annotations",
    "settings",
    "settings/members",
    "settings/keys",
    "settings/privacy",
    "settings/fleet",
    "fleet",
    "fleet/installations",
    "settings/ingestion",
    "settings/system",
    "settings/log",
]


@pytest.mark.parametrize("path", PAGES)
def test_pages_carry_a_strict_policy_and_keep_to_it(people, path):
    project, browsers = people

    reply = browsers["owner"].get(f"/p/{project.id}/{path or '?stay=1'}")

    assert reply.status_code == 200
    assert "unsafe" not in reply.headers["content-security-policy"]
    assert not INLINE.findall(reply.text)
    assert not re.findall(r'(?:src|href)="https?://', reply.text)


def test_what_was_set_aside_is_shown_with_its_reason(server, people):
    project, browsers = people
    inbox = server.house.inbox
    inbox.append(project.id, "capture", server.now(), b"{}", b"[broken").result()
    server.house.flush(10)

    text = browsers["owner"].get(f"/p/{project.id}/settings/ingestion").text

    assert "Set aside" in text
    assert "The body is no JSON" in text


def test_a_dashboard_is_a_shell_whose_tiles_fetch_themselves(people, board):
    project, browsers = people

    text = browsers["viewer"].get(f"/p/{project.id}/dashboards/{board.id}?from=-7d").text

    places = re.findall(r'hx-get="(/p/\d+/dashboards/\d+/tiles/\d+[^"]*)"', text)
    assert len(places) == 5
    assert all(place.endswith("?from=-7d") for place in places)


def tile(browser, project, board, name, **asked):
    text = browser.get(f"/p/{project.id}/dashboards/{board.id}").text
    section = next(part for part in text.split("<section")[1:] if f"<bdi>{name}<" in part)
    place = re.search(r'hx-get="([^"]+)"', section)[1]
    return browser.get(place, params=asked)


def test_a_tile_says_which_event_never_came(people, board):
    project, browsers = people

    text = tile(browsers["viewer"], project, board, "Update Timeline").text

    assert "No telemetry.update received yet" in text


def test_a_tile_shows_what_was_captured(server, people, board):
    project, browsers = people
    health = {"app_version": "3.0.0", "platform": "Linux"}
    server.captured(
        project, *(("telemetry.health", f"install-{i}", health) for i in range(3))
    )

    number = tile(browsers["viewer"], project, board, "Active Installations").text
    versions = tile(browsers["viewer"], project, board, "Version Distribution").text

    assert '<span class="hero" title="3">3</span>' in number
    assert re.search(r"<bdi>3\.0\.0</bdi>.*?100\.0", versions, re.DOTALL)
    assert not INLINE.findall(number + versions)


def test_a_tile_is_downloaded_as_figures(server, people, board):
    project, browsers = people
    server.captured(project, ("telemetry.health", "install-9", {"app_version": "=1+1"}))

    reply = tile(
        browsers["viewer"], project, board, "Version Distribution", **{"as": "csv"}
    )

    assert reply.headers["content-type"].startswith("text/csv")
    assert "'=1+1" in reply.text


def test_filters_of_the_address_hold_for_a_tile(people, board):
    project, browsers = people
    where = '[{"key": "app_version", "operator": "exact", "value": ["none"]}]'

    text = tile(
        browsers["viewer"], project, board, "Active Installations", where=where
    ).text

    assert "No telemetry.health in this period" in text


def test_a_tile_that_fails_says_so_in_its_own_frame(people, board):
    project, browsers = people
    where = '[{"key": "x", "operator": "regex", "value": "("}]'

    reply = tile(browsers["viewer"], project, board, "Active Installations", where=where)

    assert reply.status_code == 200
    assert 'role="alert"' in reply.text
    assert "Active Installations" in reply.text


def test_without_scripts_a_dashboard_shows_its_figures_as_tables(people, board):
    project, browsers = people

    text = browsers["viewer"].get(f"/p/{project.id}/dashboards/{board.id}?as=tables").text

    assert "Loading" not in text
    assert re.search(r"<table.*?3\.0\.0", text, re.DOTALL)


def test_the_first_run_turns_green_with_the_first_event(server):
    project = server.project("Fresh")
    browser = server.signed_in(server.user("fresh@example.org", project, "owner"))
    before = browser.get(f"/p/{project.id}/start/state").text
    server.captured(project, ("hello.sent", "me", None))

    after = browser.get(f"/p/{project.id}/start/state").text

    assert "Waiting for the first event" in before
    assert 'hx-trigger="every 1s"' in before
    assert "The first event is here" in after
    assert "hello.sent" in after
    assert "hx-trigger" not in after


def test_scripts_and_styles_come_compressed_and_are_kept_for_ever(people):
    _, browsers = people
    page = browsers["viewer"].get("/account").text
    script = re.search(r'src="(/assets/main-[^"]+[.]js)"', page)[1]

    reply = browsers["viewer"].get(script, headers={"Accept-Encoding": "gzip"})
    plain = browsers["viewer"].get(script, headers={"Accept-Encoding": "identity"})

    assert reply.headers["content-encoding"] == "gzip"
    assert "immutable" in reply.headers["cache-control"]
    assert reply.text == plain.text
    assert int(reply.headers["content-length"]) < int(plain.headers["content-length"]) / 2


@pytest.mark.parametrize("name", ["../manifest.json", ".hidden", "no-such.js"])
def test_nothing_else_is_served_as_a_file(people, name):
    assert people[1]["viewer"].get(f"/assets/{name}").status_code == 404


def test_an_experiment_shows_its_split_and_trusts_no_wrong_one(server):
    project = server.project()
    browser = server.signed_in(server.user("tester@example.org", project, "editor"))
    seen = {"a": 90, "b": 40}
    events = [
        ("seen", f"{variant}{number}", {"experiment_variant": variant})
        for variant, count in seen.items()
        for number in range(count)
    ]
    server.captured(project, *events)
    form = {
        "name": "Colours", "variants": "a, b", "property": "experiment_variant",
        "exposure": "seen", "event": "bought", "metric": "funnel",
        "start": server.now().strftime("%Y-%m-%d"),
    }  # fmt: skip

    made = browser.post(f"/p/{project.id}/experiments", data=form)
    page = browser.get(made.headers["location"]).text

    assert "Not the planned split" in page
    assert "a 90 of 65, b 40 of 65" in page
    assert "nothing can be concluded" in page
