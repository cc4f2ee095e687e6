"""posthog-js, unmodified, newest and old, in chromium against a running capture server.

The page loads it the way the official snippet does: a script of ``/static/array.js`` from
the server itself, where the operator has put the package's ``dist`` folder.
"""

import shutil
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

from tests.contract.sdk_server import node_packages, running

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parent / "sdks" / "page.html"
QUIET = "--no-sandbox --disable-gpu --disable-quic --no-first-run"
QUIETER = "--disable-background-networking --disable-component-update --disable-sync"
AGENT = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/156.0.0.0 Safari/537.36"  # posthog-js sends nothing for HeadlessChrome
)

SNIPPET = """
([host, options]) => new Promise((done) => {
  const queue = (window.posthog = window.posthog || []);
  queue._i = []; queue.__SV = 1; queue.people = queue.people || {};
  queue.init = (token, config, name) => queue._i.push([token, config, name || "posthog"]);
  const script = document.createElement("script");
  script.src = host + "/static/array.js";
  script.onload = () => done(typeof window.posthog.capture);
  script.onerror = () => done("failed");
  queue.init("phc_test", { api_host: host, persistence: "localStorage",
    opt_out_useragent_filter: true,  // else it takes us for a robot, and rightly
    ...options,
    loaded: () => { window.isLoaded = true; } });
  document.head.append(script);
})
"""
ACT = """
() => {
  posthog.register({ shop: "north" });
  posthog.capture("before", { n: 1, name: "naïve 😀" });
  posthog.identify("user-1", { email: "a@b.c" }, { first: "2026" });
  posthog.group("company", "acme", { name: "Acme" });
  posthog.alias("user-1-alias");
  posthog.setPersonProperties?.({ plan: "pro" });
  posthog.capture("after");
  posthog.reset();
  posthog.capture("of a stranger");
  posthog.opt_out_capturing();
  posthog.capture("never sent");
  posthog.opt_in_capturing();
}
"""


@pytest.fixture
def page():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=f"{QUIET} {QUIETER}".split()
        )
        context = browser.new_context(
            user_agent=AGENT
        )  # it outlives the page, and its beacons
        yield context.new_page()
        browser.close()


@pytest.fixture
def served(request, tmp_path):
    (tmp_path / "pages").mkdir()
    shutil.copy(PAGE, tmp_path / "pages")
    static = tmp_path / "static"
    static.mkdir()
    for script in (node_packages() / request.param / "dist").glob("*.js"):
        shutil.copy(script, static)
    with running(tmp_path) as server:
        yield server


NEWEST, MIDDLE = "posthog-js-newest", "posthog-js-1.297"
OLD, OLDEST = "posthog-js-1.205", "posthog-js-1.96"


@pytest.mark.parametrize("served", [NEWEST, MIDDLE, OLD, OLDEST], indirect=True)
@pytest.mark.parametrize(
    "options", [{}, {"disable_compression": True}], ids=["gzip", "plain"]
)
def test_the_snippet_loads_posthog_js_and_everything_arrives(served, page, options):
    page.goto(f"{served.url}/page.html")

    assert page.evaluate(SNIPPET, [served.url, options]) == "function"
    page.wait_for_function("window.isLoaded")
    page.click("#buy")
    page.evaluate(ACT)

    events = served.wait_for(
        "$pageview", "$autocapture", "before", "$identify", "after", "of a stranger"
    )
    page.close(run_before_unload=True)
    events = served.wait_for("$pageleave")
    named = {event.name: event for event in events}
    assert "never sent" not in named
    assert len({event.uuid for event in events}) == len(events)
    assert named["before"].properties["name"] == "naïve 😀"
    assert named["before"].properties["shop"] == "north"
    assert named["before"].distinct_id == named["$identify"].properties["$anon_distinct_id"]
    assert named["$identify"].distinct_id == named["after"].distinct_id == "user-1"
    assert named["$identify"].set["email"] == "a@b.c"
    assert named["$identify"].set_once["first"] == "2026"
    assert named["after"].properties["$groups"] == {"company": "acme"}
    assert named["$groupidentify"].properties["$group_set"] == {"name": "Acme"}
    assert named["of a stranger"].distinct_id not in ("user-1", named["before"].distinct_id)
    clicked = named["$autocapture"].properties
    assert clicked["$event_type"] == "click"
    assert "button" in clicked.get("$elements_chain", str(clicked.get("$elements")))


@pytest.mark.parametrize("served", [NEWEST], indirect=True)
def test_without_posthog_js_the_console_says_how_to_install_it(served, page):
    (served.folder / "static" / "array.js").unlink()
    said = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(f"{served.url}/page.html")

    page.evaluate(SNIPPET, [served.url, {}])

    assert any("posthog-js is not installed" in text for text in said)
