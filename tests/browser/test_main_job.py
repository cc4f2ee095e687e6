"""The main job: a person uses TimeTracker, and sees it on Hedgerow's dashboards.

Both programs run as ``make run`` starts them; a real browser does what a person would, and
reads the figures off the page.
"""

import json
import os
import re
import signal
import time
import urllib.request

import pytest
from playwright.sync_api import expect, sync_playwright

from tests.browser.both import both_programs

pytestmark = pytest.mark.slow
PASSWORD = "a long and quiet sentence"
CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
A_MOMENT_MS = 10_000  # for a page on a busy machine


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    with both_programs(tmp_path_factory.mktemp("both")) as programs:
        yield programs


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path="/usr/bin/chromium", args=CHROMIUM
        )
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def worker(both, browser):
    """Somebody at TimeTracker, who did the common things once."""
    context = browser.new_context(accept_downloads=True)
    page = context.new_page()
    page.goto(f"{both.known['timetracker']}/setup?code={both.known['setup_token']}")
    page.get_by_label("User name").fill("ada")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password again").fill(PASSWORD)
    assert page.locator("input[name=layer][value=detailed]").is_checked()
    page.get_by_role("button", name="Begin").click()
    expect(page.get_by_role("heading", name="Today")).to_be_visible(timeout=A_MOMENT_MS)
    sign_out(page)
    sign_in(page)
    create_project(page, both)
    start_and_stop(page)
    return page


def sign_out(page):
    page.locator("form[action='/logout'] button").evaluate("button => button.click()")
    expect(page.get_by_label("Password")).to_be_visible(timeout=A_MOMENT_MS)


def sign_in(page):
    page.get_by_label("User name").fill("ada")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Today")).to_be_visible(timeout=A_MOMENT_MS)


def create_project(page, both):
    page.goto(f"{both.known['timetracker']}/projects/new")
    page.get_by_label("Name", exact=True).fill("Apollo")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Apollo").first).to_be_visible(timeout=A_MOMENT_MS)


def start_and_stop(page):
    page.get_by_label("Start (s)").click()
    stop = page.get_by_label("Stop (s)")
    expect(stop).to_be_visible(timeout=A_MOMENT_MS)
    page.wait_for_timeout(1100)  # a timer of no length would be thrown away
    stop.click()
    expect(page.get_by_label("Start (s)")).to_be_visible(timeout=A_MOMENT_MS)


def export_csv(page, both):
    page.goto(f"{both.known['timetracker']}/entries")
    page.get_by_text("Export", exact=True).click()
    with page.expect_download() as download:
        page.get_by_text("CSV").first.click()
    return download.value.path().read_text("utf-8-sig")


@pytest.fixture(scope="module")
def analyst(both, browser):
    """Somebody signed in to Hedgerow."""
    page = browser.new_context(viewport={"width": 1440, "height": 1000}).new_page()
    page.goto(both.known["hedgerow"])
    page.get_by_label("E-mail").fill(both.known["email"])
    page.get_by_label("Password").fill(both.known["password"])
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=1).first).to_be_visible(timeout=A_MOMENT_MS)
    return page


def dashboard(page, both, name):
    page.goto(f"{both.known['hedgerow']}/p/{both.known['project_id']}/dashboards")
    page.get_by_role("link", name=name).first.click()
    expect(page.get_by_role("heading", name=name)).to_be_visible(timeout=A_MOMENT_MS)


def tile(page, title):
    return page.locator("[data-tile]", has=page.get_by_role("heading", name=title))


def flush(known):
    url = f"{known['hedgerow']}/api/projects/{known['project_id']}/ingestion/flush"
    headers = {
        "Authorization": f"Bearer {known['api_key']}",
        "Content-Type": "application/json",
    }
    request = urllib.request.Request(url, data=b"{}", method="POST", headers=headers)
    return json.loads(urllib.request.urlopen(request, timeout=40).read())


def ask(known, query):
    url = f"{known['hedgerow']}/api/projects/{known['project_id']}/query"
    headers = {
        "Authorization": f"Bearer {known['api_key']}",
        "Content-Type": "application/json",
    }
    body = json.dumps({"query": query, "refresh": "force_blocking"}).encode()
    request = urllib.request.Request(url, data=body, method="POST", headers=headers)
    return json.loads(urllib.request.urlopen(request, timeout=40).read())["results"]


def counted(known, event):
    trend = {"kind": "TrendsQuery", "series": [{"kind": "EventsNode", "event": event}]}
    return ask(known, trend)[0]["count"]


def arrive(known, event, count):
    """Wait until an event can be counted so often: a tile that has loaded asks no more."""
    for _ in range(400):
        if counted(known, event) >= count:
            break
        time.sleep(0.05)
    assert counted(known, event) == count


def test_a_person_sees_what_they_did_on_both_dashboards(both, worker, analyst):
    exported = export_csv(worker, both)
    assert len(exported.strip().splitlines()) == 2  # a header and the one entry
    arrive(both.known, "export.csv", 1)
    arrive(both.known, "telemetry.health", 1)

    dashboard(analyst, both, "User Engagement")
    activity = tile(analyst, "Export Activity")
    expect(activity).to_contain_text(re.compile("Admins|csv"), timeout=A_MOMENT_MS)
    users = tile(analyst, "Auth Method Split")
    expect(users).to_contain_text("local", timeout=A_MOMENT_MS)
    expect(tile(analyst, "Timer Usage")).to_contain_text(
        re.compile(r"timer\.started\s*1\b")
    )
    features = tile(analyst, "Feature Usage")
    for feature in ("timer", "auth", "project", "export"):
        expect(features).to_contain_text(feature)

    dashboard(analyst, both, "Installation Health")
    active = tile(analyst, "Active Installations")
    expect(active).to_contain_text(re.compile(r"\b1\b"), timeout=A_MOMENT_MS)
    expect(tile(analyst, "Platform Distribution")).to_contain_text("Linux")
    expect(tile(analyst, "Update Timeline")).to_contain_text(
        "No telemetry.update received yet"
    )


def test_what_one_clicks_can_be_asked_about_a_moment_later(both, worker):
    before = counted(both.known, "timer.started")
    start_and_stop(worker)

    arrive(both.known, "timer.started", before + 1)


def test_both_survive_being_killed_and_keep_everything_acknowledged(both, worker):
    flush(both.known)
    started = counted(both.known, "timer.started")
    for pid in both.children():
        os.kill(pid, signal.SIGKILL)
    assert both.parent.wait(40) != 0
    both.start()

    assert counted(both.known, "timer.started") == started
    worker.goto(f"{both.known['timetracker']}/entries")
    expect(worker.locator("main")).to_contain_text("No description", timeout=A_MOMENT_MS)
    start_and_stop(worker)


def test_a_second_start_keeps_all_data(both, worker):
    flush(both.known)
    started = counted(both.known, "timer.started")
    assert both.stop() == 0
    both.start()

    assert counted(both.known, "timer.started") == started
    assert ask(both.known, {"kind": "PersonsNode"})
