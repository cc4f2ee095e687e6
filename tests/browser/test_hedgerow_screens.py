"""Journeys of a person at Hedgerow's screens, in chromium, against a server of their own."""

import json
import re
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.browser.both import free_port

pytestmark = pytest.mark.slow

PASSWORD = "a long enough password"
PATIENCE_S = 60
expect.set_options(timeout=20_000)


class Server:
    """``hedgerow serve`` on an empty folder."""

    def __init__(self, folder):
        self.port, self.log = free_port(), folder / "log.txt"
        self.url = f"http://127.0.0.1:{self.port}"
        program = Path(sys.executable).parent / "hedgerow"
        command = [program, "--data", folder / "data", "serve", "--port", str(self.port)]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log)
        until = time.monotonic() + PATIENCE_S
        while not self.link():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < until, self.log.read_text()
            time.sleep(0.1)

    def link(self):
        found = re.search(r"http://\S+/setup/\w{43}", self.log.read_text())
        return found[0] if found else ""

    def post(self, path, body, key=""):
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
        data = json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, headers=headers)
        with urllib.request.urlopen(request, timeout=30) as reply:
            return json.loads(reply.read() or b"{}")

    def send(self, token, *events):
        """Send (event, distinct id, properties) as an SDK does."""
        batch = [
            {"event": name, "distinct_id": who, "properties": properties}
            for name, who, properties in events
        ]
        self.post("/batch/", {"api_key": token, "batch": batch})

    def stop(self):
        self.process.terminate()
        self.process.wait(30)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    started = Server(tmp_path_factory.mktemp("screens"))
    yield started
    started.stop()


@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def page(chromium, server):
    """One person's tab, after the first run; what the browser complained about is kept."""
    context = chromium.new_context(viewport={"width": 1440, "height": 1000})
    context.set_default_timeout(20_000)
    opened = context.new_page()
    opened.complaints = []
    opened.on(
        "console",
        lambda message: (
            message.type == "error"
            and opened.complaints.append(f"{message.text} {message.location}")
        ),
    )
    opened.on("pageerror", lambda error: opened.complaints.append(str(error)))
    opened.goto(server.link())
    opened.get_by_label("Your name").fill("Maren Lund")
    opened.get_by_label("E-mail").fill("maren@example.org")
    opened.get_by_label("Password").fill(PASSWORD)
    opened.get_by_label("Name of the project").fill("TimeTracker")
    opened.get_by_role("button", name="Create").click()
    opened.wait_for_url("**/p/1/start")
    yield opened
    context.close()


@pytest.fixture(scope="module")
def token(page, server):
    """The project's token, read off the page; some people have used TimeTracker."""
    page.goto(f"{server.url}/p/1/start")
    found = page.locator("[data-copy^=phc_]").first.get_attribute("data-copy")
    health = {"app_version": "3.0.0", "platform": "Linux"}
    server.send(
        found,
        *(("telemetry.health", f"install-{i}", health) for i in range(4)),
        *(("timer.started", f"user-{i % 3}", {"via": "header"}) for i in range(7)),
        *(("timer.started", f"user-{i}", {"via": "api"}) for i in range(2)),
        ("export.csv", "user-0", {"rows": 12}),
        ("auth.login", "user-1", {"$set": {"email": "bob@example.org"}}),
    )
    return found


def test_the_first_event_turns_the_first_page_green(page, server, token):
    page.goto(f"{server.url}/p/1/start")

    expect(page.get_by_role("heading", name="The first event is here")).to_be_visible()


def tile(page, name):
    return page.locator("[data-tile]", has=page.get_by_role("heading", name=name))


def test_a_dashboard_is_shared_until_its_link_is_revoked(page, server, token, chromium):
    page.goto(f"{server.url}/p/1/dashboards")
    page.get_by_role("link", name="Installation Health").click()
    expect(tile(page, "Active Installations").locator(".hero")).to_have_text("4")
    expect(tile(page, "Update Timeline")).to_contain_text(
        "No telemetry.update received yet"
    )
    page.get_by_role("button", name="Share").click()
    page.get_by_role("button", name="Make a link").click()
    address = page.locator("#dialog [data-copy]").get_attribute("data-copy")

    stranger = chromium.new_page()
    stranger.goto(address)
    expect(tile(stranger, "Active Installations").locator(".hero")).to_have_text("4")
    assert not stranger.locator("a[href^='/p/'], [data-query]").count()

    page.get_by_role("button", name="Revoke").click()
    expect(page.get_by_role("button", name="Revoke")).to_have_count(0)
    stranger.goto(address)
    expect(stranger.get_by_text("does not show anything any more")).to_be_visible()
    stranger.close()


def test_a_question_built_by_hand_agrees_with_the_api(page, server, token):
    page.goto(f"{server.url}/p/1/settings/keys")
    page.get_by_label("What it is for").fill("a test")
    page.get_by_role("button", name="Make a key").click()
    key = page.locator("[data-copy^=phx_]").get_attribute("data-copy")

    page.goto(f"{server.url}/p/1/insights/new")
    page.get_by_label("Event of 1").press_sequentially("timer")
    page.get_by_role("option", name="timer.started").click()
    page.wait_for_url("**timer.started**")
    page.get_by_label("Property to break down by").fill("via")
    page.keyboard.press("Tab")
    page.wait_for_url("**breakdown**")
    table = page.locator("#answer table")
    expect(table).to_contain_text("header")

    shown = {
        row.locator("th").inner_text(): row.locator("td").first.inner_text()
        for row in table.locator("tbody tr").all()
    }
    asked = json.loads(page.locator("#q").input_value())
    answer = server.post("/api/projects/1/query", {"query": asked}, key)
    counted = {row["breakdown_value"]: f"{row['count']:g}" for row in answer["results"]}
    assert shown == counted == {"header": "7", "api": "2"}

    address = page.url
    page.go_back()
    expect(page.get_by_label("Property to break down by")).to_have_value("")
    page.goto(address)
    expect(page.get_by_label("Property to break down by")).to_have_value("via")
    page.get_by_role("button", name="Save", exact=True).click()
    page.wait_for_url(re.compile(r"/insights/\w{8}$"))
    expect(page.get_by_label("Name of this insight")).to_have_value("timer.started by via")


def test_a_question_is_put_on_a_dashboard_and_taken_off_with_undo(page, server, token):
    page.goto(f"{server.url}/p/1/insights/new")
    page.get_by_label("Name of this insight").fill("All that happens")
    page.locator("summary", has_text="Add to dashboard").click()
    page.get_by_role("button", name="User Engagement").click()
    page.wait_for_url("**/dashboards/2")
    added = tile(page, "All that happens")
    expect(added.locator(".legend")).to_contain_text("All events")

    added.get_by_label("Menu of All that happens").click()
    added.get_by_role("button", name="Take off this dashboard").click()
    expect(tile(page, "All that happens")).to_have_count(0)
    page.get_by_role("button", name="Undo").click()

    expect(tile(page, "All that happens")).to_have_count(1)


def test_behind_a_figure_are_the_persons_that_made_it(page, server, token):
    page.goto(f"{server.url}/p/1/insights/new?kind=funnel")
    page.get_by_label("Event of 1").fill("timer.started")
    page.keyboard.press("Tab")
    page.wait_for_url("**timer.started**")
    page.get_by_label("Event of 2").fill("export.csv")
    page.keyboard.press("Tab")
    page.wait_for_url("**export.csv**")
    expect(page.locator("#answer .hero")).to_have_text("33.3\u202f%")

    page.locator("#answer .steps li").nth(1).get_by_role("button").nth(1).click()

    expect(page.locator("#dialog .people li")).to_have_count(2)
    page.keyboard.press("Escape")


def test_two_persons_are_merged_and_split_again(page, server, token):
    page.goto(f"{server.url}/p/1/persons/user-1")
    page.get_by_text("Merge", exact=True).click()
    page.get_by_label("Id of the other person").fill("user-2")
    page.get_by_role("button", name="Merge them").click()
    expect(page.locator(".plainlist li")).to_have_count(2)

    page.locator("summary", has_text="Split").click()
    page.get_by_label("Who keeps the properties").select_option("user-1")
    page.get_by_role("button", name="Split").click()

    expect(page.locator(".plainlist li")).to_have_count(1)
    expect(page.get_by_text("bob@example.org").first).to_be_visible()


def test_a_cohort_of_behaviour_is_defined_and_used_in_a_breakdown(page, server, token):
    page.goto(f"{server.url}/p/1/cohorts/new")
    page.get_by_label("Name of this cohort").fill("Exporters")
    page.get_by_label("Kind of criterion").select_option("did")
    page.get_by_label("Event").fill("export.csv")
    page.keyboard.press("Tab")
    expect(page.locator("#cohort-size .hero")).to_have_text("1")
    page.get_by_role("button", name="Save").click()
    page.wait_for_url(re.compile(r"/cohorts/\d+$"))
    number = page.url.rpartition("/")[2]

    page.goto(f"{server.url}/p/1/insights/new")
    page.get_by_label("Break down by a property of").select_option("cohort")
    page.get_by_label("Property to break down by").fill(number)
    page.keyboard.press("Tab")

    expect(page.locator("#answer table")).to_contain_text("Exporters")


def test_the_palette_goes_to_anything_by_name(page, server, token):
    page.goto(f"{server.url}/p/1/persons")
    page.keyboard.press("Control+k")
    page.keyboard.type("user eng")
    expect(page.locator("#palette [aria-selected=true]")).to_contain_text("User Engagement")
    page.keyboard.press("Enter")

    page.wait_for_url("**/dashboards/*")
    expect(page.get_by_role("heading", name="User Engagement")).to_be_visible()


def test_an_event_appears_on_the_live_page_by_itself(page, server, token):
    page.goto(f"{server.url}/p/1/live")
    expect(page.locator("[data-live-state]")).to_contain_text("Listening")
    server.send(token, ("just.happened", "user-0", {}))

    expect(page.locator("[data-event='just.happened']")).to_be_visible()


PATHS = [
    "",
    "dashboards",
    "dashboards/1",
    "insights",
    "insights/new",
    "insights/new?kind=funnel",
    "insights/new?kind=retention",
    "insights/new?kind=paths",
    "live",
    "events",
    "persons",
    "persons/user-0",
    "groups",
    "cohorts",
    "cohorts/new",
    "experiments/new",
    "alerts",
    "alerts/new",
    "alerts/1",
    "subscriptions",
    "subscriptions/new",
    "subscriptions/1",
    "data",
    "data/properties",
    "settings",
    "settings/members",
    "settings/keys",
    "settings/privacy",
    "settings/fleet",
    "fleet",
    "fleet/installations",
    "settings/ingestion",
    "settings/signon",
    "settings/system",
    "more",
]


@pytest.fixture(scope="module")
def kept(page, server, token):
    """There are alerts, and a subscription."""
    page.goto(f"{server.url}/p/1/alerts")
    page.get_by_role("button", name="Set up these").click()
    page.goto(f"{server.url}/p/1/subscriptions/new?dashboard=1")
    page.get_by_role("button", name="Keep it").click()
    page.wait_for_url("**/subscriptions/1")


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("path", PATHS)
def test_nothing_scrolls_sideways_on_a_phone(page, server, token, path):
    page.set_viewport_size({"width": 360, "height": 780})
    page.goto(f"{server.url}/p/1/{path}")
    page.wait_for_load_state("networkidle") if path != "live" else None
    width = page.evaluate("document.documentElement.scrollWidth")
    page.set_viewport_size({"width": 1440, "height": 1000})

    assert width == 360


AXE = Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"


@pytest.mark.usefixtures("kept")
@pytest.mark.parametrize("path", PATHS)
def test_axe_finds_nothing_serious(page, server, token, path):
    assert serious(page, f"{server.url}/p/1/{path}", settle=path != "live") == []


def test_axe_finds_nothing_serious_before_one_is_in(chromium, server, token):
    stranger = chromium.new_page()

    assert serious(stranger, f"{server.url}/signin") == []
    stranger.close()


def serious(page, address, *, settle=True):
    """What axe calls serious or worse on a page, dark and light."""
    told = []
    for theme in ("dark", "light"):
        page.emulate_media(color_scheme=theme)
        page.goto(address)
        page.wait_for_load_state("networkidle") if settle else None
        page.evaluate(AXE.read_text())
        found = page.evaluate("axe.run({resultTypes: ['violations']})")
        told += [
            (theme, one["id"], node["html"][:160], node.get("failureSummary"))
            for one in found["violations"]
            for node in one["nodes"]
            if one["impact"] in {"serious", "critical"}
        ]
    return told


def test_the_browser_had_nothing_to_complain_about(page):
    missed = [text for text in page.complaints if "net::ERR" not in text]

    assert missed == []
