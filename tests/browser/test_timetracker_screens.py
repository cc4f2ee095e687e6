"""A person at TimeTracker in chromium: by keyboard, in two tabs, on a phone."""

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import expect, sync_playwright

pytestmark = pytest.mark.slow

PASSWORD = "correct horse battery"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
SCREENS = ["/", "/day", "/week", "/entries", "/reports", "/projects", "/clients", "/tasks",
           "/tags", "/profile", "/profile/more", "/entries/new", "/import",
           "/profile/tokens", "/api/v1/reference", "/projects/1", "/admin/users",
           "/admin/users/new", "/admin/users/1", "/admin/users/1/delete", "/admin/settings",
           "/admin/lock", "/admin/audit", "/admin/system"]  # fmt: skip


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    """TimeTracker as ``timetracker serve`` runs it, in a folder of its own."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    folder = tmp_path_factory.mktemp("timetracker")
    told = {"DATA_DIR": str(folder), "SETUP_TOKEN": "letmein", "PORT": str(port),
            "EXPORT_DIALOG_VARIANT": "a"}  # fmt: skip
    started = subprocess.Popen(
        [sys.executable, "-m", "app.cli", "serve"],
        env={**os.environ, **told},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    url = f"http://127.0.0.1:{port}"
    for _ in range(900):
        with suppress(OSError):
            urllib.request.urlopen(f"{url}/_health")
            break
        time.sleep(0.1)
    yield url
    started.terminate()
    started.wait(60)


@pytest.fixture(scope="module")
def chromium():
    with sync_playwright() as play:
        found = shutil.which("chromium")
        opened = play.chromium.launch(executable_path=found, args=FLAGS)
        yield opened
        opened.close()


@pytest.fixture(scope="module")
def signed_in(chromium, address):
    """What the browser keeps after the first run."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{address}/setup?code=letmein")
    page.fill("#f-username", "maren")
    page.fill("#f-password", PASSWORD)
    page.fill("#f-password_again", PASSWORD)
    page.get_by_role("button", name="Begin").click()
    expect(page.get_by_text("Nothing yet today")).to_be_visible()
    page.goto(f"{address}/projects/new")
    page.fill("#f-name", "Hedgerow")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("link", name="Hedgerow")).to_be_visible()
    kept = context.storage_state()
    context.close()
    return kept


@pytest.fixture
def open_page(chromium, address, signed_in):
    contexts, problems = [], []

    def opened(path="/", **options):
        context = chromium.new_context(storage_state=signed_in, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda m: problems.append(m.text) if m.type == "error" else None)
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.goto(f"{address}{path}")
        return page

    yield opened
    for context in contexts:
        context.close()
    assert problems == []


def test_the_timer_is_started_paused_and_stopped_by_single_keys(open_page):
    page = open_page()
    page.fill("#timer .what", "Review")
    page.locator("h1").click()
    page.keyboard.press("s")
    expect(page.locator("#timer .running")).to_be_visible()
    page.keyboard.press("p")
    expect(page.locator("#timer .paused")).to_be_visible()
    page.keyboard.press("p")
    expect(page.locator("#timer .paused")).to_have_count(0)
    expect(page.locator("#timer .elapsed")).to_contain_text("0:00:0")
    page.wait_for_timeout(1100)
    page.keyboard.press("s")

    expect(page.locator("#toasts")).to_contain_text("Stopped Review")
    expect(page.locator("main .entries").first).to_contain_text("Review")


def test_enter_starts_what_was_typed_and_c_continues_what_was_done_last(open_page):
    page = open_page()
    page.keyboard.press("e")
    page.keyboard.type("Typed first")
    page.keyboard.press("Enter")
    expect(page.locator("#timer .running .what")).to_have_value("Typed first")
    page.locator("h1").click()
    page.wait_for_timeout(1100)  # an entry of no length would be discarded
    page.keyboard.press("s")
    expect(page.locator("#timer .running")).to_have_count(0)
    page.keyboard.press("c")

    expect(page.locator("#timer .running .what")).to_have_value("Typed first")
    page.keyboard.press("s")
    expect(page.locator("#timer .running")).to_have_count(0)


def test_an_entry_is_made_again_and_split_and_many_are_changed_by_single_keys(open_page):
    page = open_page()
    site = page.url.rstrip("/")
    page.keyboard.press("e")
    page.keyboard.type("By keys")
    page.keyboard.press("Enter")
    expect(page.locator("#timer .running .what")).to_have_value("By keys")
    page.locator("h1").click()
    page.wait_for_timeout(1100)  # an entry of no length would be discarded
    page.keyboard.press("s")
    expect(page.locator("#timer .running")).to_have_count(0)
    page.goto(f"{site}/entries?text=By+keys")
    rows = page.locator("main .entries > li[data-entry]")
    expect(rows).to_have_count(1)
    page.keyboard.press("j")
    page.keyboard.press("a")
    expect(rows).to_have_count(2)
    page.keyboard.press("v")
    expect(page.locator("dialog[open]")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("dialog[open]")).to_have_count(0)
    page.keyboard.press("x")
    page.keyboard.press("b")

    expect(page.locator("dialog[open] [name=description]")).to_be_visible()


def test_two_tabs_show_the_same_timer(open_page):
    first = open_page()
    second = first.context.new_page()
    second.goto(first.url)
    first.bring_to_front()
    first.fill("#timer .what", "Shared")
    first.locator("#timer .play").click()
    expect(first.locator("#timer .running")).to_be_visible()
    second.bring_to_front()
    expect(second.locator("#timer .what")).to_have_value("Shared", timeout=4000)
    second.locator("#timer .stop").click()
    first.bring_to_front()

    expect(first.locator("#timer .running")).to_have_count(0, timeout=4000)


def asked(page):
    """The questions for the timer that a page sends from now on."""
    found = []
    page.on("request", lambda one: found.append(one.url) if "seen=" in one.url else None)
    return found


def test_another_device_is_told_of_the_timer_without_asking(open_page):
    desk = open_page()
    with desk.expect_response("**/timer/live?*"):
        desk.reload()
    phone = open_page(viewport={"width": 390, "height": 844})
    questions = asked(desk)
    phone.fill("#timer .what", "Told")
    phone.locator("#timer .play").click()

    expect(desk.locator("#timer .running .what")).to_have_value("Told", timeout=2000)
    desk.keyboard.press("s")
    expect(phone.locator("#timer .running")).to_have_count(0, timeout=2000)
    assert len(questions) <= 1  # for the news itself, not every two seconds


def test_where_no_stream_is_to_be_had_the_page_asks(open_page):
    desk, phone = open_page(), open_page()
    for page in (desk, phone):
        page.route(
            "**/timer/live?*",
            lambda one: one.fulfill(
                content_type="text/event-stream", body="event: full\ndata: \n\n"
            ),
        )
        page.reload()
    questions = asked(desk)
    phone.fill("#timer .what", "Asked")
    phone.locator("#timer .play").click()

    expect(desk.locator("#timer .running .what")).to_have_value("Asked", timeout=6000)
    assert questions
    desk.keyboard.press("s")
    expect(desk.locator("#timer .running")).to_have_count(0)


def test_signing_out_ends_the_stream_of_other_tabs(chromium, address, signed_in):
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"{address}/login")
    page.fill("[name=username]", "maren")
    page.fill("[name=password]", PASSWORD)
    page.keyboard.press("Enter")
    expect(page.locator("#timer")).to_be_visible()
    other = context.new_page()
    with other.expect_response("**/timer/live?*"):
        other.goto(address)
    page.goto(f"{address}/profile/more")
    page.evaluate("document.querySelector('form[action$=logout]').requestSubmit()")

    expect(other.locator("[name=password]")).to_be_visible(timeout=6000)
    context.close()


def test_the_week_is_filled_by_keyboard_alone(open_page):
    page = open_page("/week")
    page.locator(".addrow .picker summary").press("Enter")
    page.get_by_role("option", name="Hedgerow").wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    row = page.locator("table.week tbody tr", has_text="Hedgerow")
    expect(row).to_have_count(1)
    row.locator("button[data-day]").first.focus()
    for text in ("1:30", "45m", "1,5"):
        column = page.evaluate("document.activeElement.dataset.day")
        future = column > page.evaluate("new Date().toISOString().slice(0, 10)")
        if future:
            break
        page.keyboard.press("Enter")
        page.keyboard.type(text)
        page.keyboard.press("Tab")
        expect(row.locator(f"button[data-day='{column}']")).not_to_have_text("\u2013")


def test_an_entry_is_added_corrected_and_undone(open_page):
    page = open_page("/entries")
    page.keyboard.press("n")
    page.fill("dialog #e-description", "Entered late")
    page.fill("#e-started", "-30")
    page.fill("#e-ended", "-10")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#toasts")).to_contain_text("Entry added")
    expect(page.locator("main .entries")).to_contain_text("Entered late")
    page.locator("#toasts").get_by_role("button", name="Undo").first.click()

    expect(page.locator("main")).not_to_contain_text("Entered late")


def test_the_export_menu_closes_when_its_dialog_opens(open_page):
    page = open_page("/admin/users?state=all")
    menu = page.locator("details.drop", has_text="Columns and options")
    menu.locator("summary").click()
    menu.get_by_role("menuitem", name="Columns and options").click()
    expect(page.locator("dialog[open]")).to_be_visible()
    expect(menu.locator("[role=menu]")).to_be_hidden()
    page.keyboard.press("Escape")

    expect(page.locator("dialog[open]")).to_have_count(0)
    expect(menu.locator("summary")).to_be_focused()


TOGGL = """User,Email,Client,Project,Task,Description,Billable,Start date,Start time,\
End date,End time,Duration,Tags
Maren,,Acme,Hedgerow,,Carried over,Yes,2025-06-02,09:00:00,2025-06-02,10:30:00,01:30:00,
Maren,,Acme,Hedgerow,,Still running,Yes,2025-06-03,09:00:00,,,,
"""


def test_a_file_is_imported_and_taken_back_on_a_phone(open_page):
    page = open_page("/import", viewport={"width": 390, "height": 800})
    file = {"name": "toggl.csv", "mimeType": "text/csv", "buffer": TOGGL.encode()}
    page.set_input_files("#f-file", file)
    page.get_by_role("button", name="Upload").click()
    expect(page.locator("#f-source")).to_have_value("toggl")
    page.get_by_role("button", name="Try it").click()
    expect(page.get_by_text("It has no end: it was still running.")).to_be_visible()
    page.get_by_role("button", name="Import 1 entry").click()
    page.get_by_role("link", name="Look at the entries").click(timeout=30_000)
    expect(page.locator("main")).to_contain_text("Carried over")
    page.go_back()
    page.get_by_role("button", name="Undo this import").click()
    expect(page.get_by_text("1 entry is in the trash.")).to_be_visible()

    page.goto(page.url.split("/import")[0] + "/entries?range=all&sources=import")
    expect(page.locator("main")).not_to_contain_text("Carried over")


def test_who_was_away_is_asked_on_return_and_answers(open_page, address):
    page = open_page()
    session = page.context.new_cdp_session(page)
    where = session.send("Target.getTargetInfo")["targetInfo"]["browserContextId"]
    allowed = {"permissions": ["idleDetection"], "browserContextId": where}
    session.send("Browser.grantPermissions", allowed)
    page.fill("#timer .what", "Reading")
    page.locator("#timer .play").click()
    expect(page.locator("#timer .running")).to_be_visible()
    token = page.locator("meta[name=csrf-token]").get_attribute("content")
    page.request.post(f"{address}/timer/began", form={"csrf_token": token, "began": "-30"})
    page.goto(f"{address}/profile")
    expect(page.get_by_text("This browser is allowed to tell")).to_be_visible()
    for active in (False, True):
        state = {"isUserActive": active, "isScreenUnlocked": True}
        session.send("Emulation.setIdleOverride", state)
        expect(page.locator("body[data-away]")).to_have_count(0 if active else 1)
    page.get_by_role("button", name="Make it a break and go on").click()

    expect(page.locator("#toasts")).to_contain_text("The time away is a break now")
    page.locator("#timer .stop").click()
    expect(page.locator("#timer .running")).to_have_count(0)


def test_no_screen_scrolls_sideways_on_a_phone(open_page, address):
    page = open_page(viewport={"width": 360, "height": 740})
    for path in SCREENS:
        page.goto(f"{address}{path}")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360, path


def test_a_long_project_name_keeps_the_entry_form_on_a_phone(open_page):
    page = open_page("/entries/new", viewport={"width": 360, "height": 740})
    name = "A project whose name was pasted from the annex of a contract"
    picked = page.locator("main [data-picked] bdi")
    picked.evaluate("(it, name) => { it.textContent = name }", name)

    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_the_timer_s_project_is_chosen_on_a_phone(open_page):
    page = open_page(viewport={"width": 390, "height": 800}, has_touch=True)
    page.locator("#timer .pick").tap()
    page.get_by_role("option", name="Hedgerow", exact=True).tap()

    expect(page.locator("#timer [data-picked]")).to_have_text("Hedgerow")
    expect(page.locator("#timer [data-picked]")).to_be_in_viewport()


AXE = Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"
CONTRAST = ["/", "/day", "/week", "/reports", "/projects/1", "/entries/new", "/admin/audit"]


@pytest.mark.parametrize(
    ("theme", "paths", "rules"),
    [
        pytest.param("light", SCREENS, "{}", id="light"),
        pytest.param("dark", CONTRAST, "{runOnly: ['color-contrast']}", id="dark"),
    ],
)
def test_axe_finds_nothing_serious(open_page, address, theme, paths, rules):
    page, axe, told = open_page(color_scheme=theme), AXE.read_text(), []
    for path in paths:
        page.goto(f"{address}{path}")
        page.evaluate(axe)
        found = page.evaluate(f"axe.run({{resultTypes: ['violations'], ...{rules}}})")
        told += [
            (path, one["id"], node["html"][:160], node.get("failureSummary"))
            for one in found["violations"]
            for node in one["nodes"]
            if one["impact"] in {"serious", "critical"}
        ]

    assert told == []
