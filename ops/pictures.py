"""Take the pictures of README and docs from the running programs: ``make pictures``.

Starts both with the simulated fleet in a folder of its own, works a little in TimeTracker, and
takes each screen at 1440 px, light and dark, into ``docs/pictures``.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
PICTURES = ROOT / "docs" / "pictures"
PORTS = ("--hedgerow-port=8710", "--timetracker-port=8780")
CHROMIUM = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-sync",
]
PATIENCE_S = 300
PASSWORD = "only for these pictures"  # noqa: S105 - of a folder that is gone afterwards
WORK = (  # what, project
    ("Roadmap for spring", "Apollo"),
    ("Review of the export dialog", "Apollo"),
    ("Invoices", "Office"),
)


@contextmanager
def both(folder: Path) -> Iterator[dict[str, str]]:
    """Serve both with the demo's data; yield what was announced."""
    ready = folder / "ready.json"
    words = [sys.executable, "ops/run.py", "--demo", f"--data={folder}", *PORTS]
    parent = subprocess.Popen(
        [*words, f"--ready-file={ready}"],
        cwd=ROOT,
        env={name: value for name, value in os.environ.items() if "PORT" not in name},
    )
    try:
        until = time.monotonic() + PATIENCE_S
        while not (ready.exists() and ready.read_text()):
            if parent.poll() is not None or time.monotonic() > until:
                sys.exit("The programs did not start: their messages are above.")
            time.sleep(0.2)
        yield json.loads(ready.read_text())
    finally:
        parent.send_signal(signal.SIGINT)
        parent.wait(60)


def take(page: Page, url: str, name: str) -> None:
    """Open a page, let it settle, and keep its picture."""
    page.goto(url)
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(1500)  # charts have drawn themselves
    target = PICTURES / f"{name}.png"
    page.screenshot(path=str(target))
    print(target.relative_to(ROOT))


def set_up(page: Page, known: dict[str, str]) -> None:
    """Make TimeTracker's administrator, two projects and a little work."""
    url = known["timetracker"]
    page.goto(f"{url}/setup?code={known['setup_token']}")
    page.get_by_label("User name").fill("ada")
    page.get_by_label("Password", exact=True).fill(PASSWORD)
    page.get_by_label("Password again").fill(PASSWORD)
    page.get_by_role("button", name="Begin").click()
    page.wait_for_url(f"{url}/")
    for project in sorted({project for _, project in WORK}):
        page.goto(f"{url}/projects/new")
        page.get_by_label("Name", exact=True).fill(project)
        page.get_by_role("button", name="Save").click()
        page.wait_for_load_state("networkidle")
    for what, project in WORK:
        page.goto(url)
        if page.get_by_label("Stop (s)").count():
            page.get_by_label("Stop (s)").click()
            page.get_by_label("Start (s)").wait_for()
        page.get_by_label("What are you working on?").fill(what)
        page.locator("#timer .pick").click()
        page.get_by_role("option", name=project).click()
        page.get_by_label("Start (s)").click()
        page.get_by_label("Stop (s)").wait_for()
        page.wait_for_timeout(1200)


def hedgerow(browser: Browser, known: dict[str, str], scheme: str) -> None:
    """Take Hedgerow's pictures."""
    page = browser.new_page(viewport={"width": 1440, "height": 900}, color_scheme=scheme)
    page.goto(known["hedgerow"])
    page.get_by_label("E-mail").fill(known["email"])
    page.get_by_label("Password").fill(known["password"])
    page.get_by_role("button", name="Sign in").click()
    page.wait_for_load_state("networkidle")
    project = f"{known['hedgerow']}/p/{known['project_id']}"
    take(page, f"{project}/dashboards/1", f"hedgerow-{scheme}")
    take(page, f"{project}/dashboards/2", f"hedgerow-engagement-{scheme}")


def main() -> None:
    """Take all pictures."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, both(Path(folder)) as known:  # noqa: SIM117 - two lifetimes
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path="/usr/bin/chromium", args=CHROMIUM
            )
            size = {"width": 1440, "height": 900}
            worker = browser.new_context(viewport=size)
            set_up(worker.new_page(), known)
            state = worker.storage_state()
            for scheme in ("light", "dark"):
                hedgerow(browser, known, scheme)
                context = browser.new_context(
                    viewport=size, color_scheme=scheme, storage_state=state
                )
                take(context.new_page(), known["timetracker"], f"timetracker-{scheme}")
            browser.close()


if __name__ == "__main__":
    main()
