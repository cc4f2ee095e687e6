"""How soon is a screen there, does anything jump, and how much script does it load?

    python bench/screens.py [--ready FILE] [--times 3]

Serves both programs with the demo's data (or takes those whose ``--ready-file`` is FILE),
opens each of Hedgerow's heavy screens in a new Chromium with an empty cache, and says, as the
median of several times: milliseconds until the largest thing was painted, the sum of all
layout shifts, and kilobytes of script as they come over the wire. Each screen is waited for
until nothing more is loaded. Aims: under 1,000 ms, 0, under 450 KB.
"""

import argparse
import json
import os
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import Browser, BrowserContext, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
PORTS = ("--hedgerow-port=8720", "--timetracker-port=8790")
PATIENCE_S = 300
MAP = {
    "kind": "TrendsQuery",
    "dateRange": {"date_from": "-90d"},
    "series": [{"kind": "EventsNode", "event": None, "math": "dau"}],
    "breakdownFilter": {"breakdown": "$geoip_country_code", "breakdown_type": "event"},
    "trendsFilter": {"display": "WorldMap"},
}
SCREENS = {
    "home": "",
    "dashboard, installations": "dashboards/1",
    "dashboard, people": "dashboards/2",
    "insight": "insights/new",
    "world map": f"insights/new?q={quote(json.dumps(MAP))}",
    "fleet": "fleet",
    "events": "events",
    "persons": "persons",
}
WATCH = """
    window.measured = { lcp: 0, cls: 0, moved: [] };
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) measured.lcp = entry.startTime;
    }).observe({ type: "largest-contentful-paint", buffered: true });
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) {
        if (entry.hadRecentInput) continue;
        measured.cls += entry.value;
        measured.moved.push(...entry.sources.map((one) => one.node?.className || one.node?.nodeName));
      }
    }).observe({ type: "layout-shift", buffered: true });
"""
READ = """() => ({
    ...measured,
    script: performance.getEntriesByType("resource")
      .filter((one) => new URL(one.name).pathname.endsWith(".js"))
      .reduce((sum, one) => sum + one.encodedBodySize, 0),
})"""


@contextmanager
def programs(ready: str | None) -> Iterator[dict[str, str]]:
    """Yield what the running programs announced; start them unless ``ready`` names it."""
    if ready:
        yield json.loads(Path(ready).read_text())
        return
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder, "ready.json")
        words = [sys.executable, "ops/run.py", "--demo", f"--data={folder}", *PORTS]
        parent = subprocess.Popen(
            [*words, f"--ready-file={told}"],
            cwd=ROOT,
            env={name: value for name, value in os.environ.items() if "PORT" not in name},
        )
        try:
            until = time.monotonic() + PATIENCE_S
            while not (told.exists() and told.read_text()):
                if parent.poll() is not None or time.monotonic() > until:
                    sys.exit("The programs did not start: their messages are above.")
                time.sleep(0.2)
            yield json.loads(told.read_text())
        finally:
            parent.send_signal(signal.SIGINT)
            parent.wait(60)


def signed_in(browser: Browser, known: dict[str, str]) -> list[dict[str, object]]:
    """Return the cookies of somebody who has just signed in."""
    page = browser.new_page()
    page.goto(f"{known['hedgerow']}/signin")
    page.get_by_label("E-mail").fill(known["email"])
    page.get_by_label("Password").fill(known["password"])
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_url("**/p/**")
    return [dict(one) for one in page.context.cookies()]


def measured(context: BrowserContext, address: str) -> dict[str, object]:
    """Open one screen and return what the browser saw of it."""
    page = context.new_page()
    page.add_init_script(WATCH)
    page.goto(address)
    page.wait_for_load_state("networkidle")
    page.wait_for_timeout(500)  # the last figure has been painted
    found: dict[str, object] = page.evaluate(READ)
    return found


def main() -> None:
    """Measure every screen and print a row for each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ready", help="the ready file of programs that run already")
    parser.add_argument("--times", type=int, default=3)
    asked = parser.parse_args()
    print(f"{'screen':26}{'largest paint':>14}{'layout shift':>14}{'script':>10}")
    with programs(asked.ready) as known, sync_playwright() as play:
        browser = play.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"),
            args=["--no-sandbox", "--disable-gpu"],
        )
        cookies = signed_in(browser, known)
        base = f"{known['hedgerow']}/p/{known['project_id']}/"
        for name, place in SCREENS.items():
            seen = []
            for _ in range(asked.times):
                context = browser.new_context(viewport={"width": 1440, "height": 900})
                context.add_cookies(cookies)  # type: ignore[arg-type]  # as they were given
                seen.append(measured(context, base + place))
                context.close()
            row = {
                key: statistics.median(float(str(one[key])) for one in seen)
                for key in ("lcp", "cls", "script")
            }
            moved = sorted({str(one) for each in seen for one in each["moved"]})  # type: ignore[attr-defined]  # a list, as JSON has it
            print(
                f"{name:26}{row['lcp']:>11,.0f} ms{row['cls']:>14.4f}{row['script'] / 1000:>7.0f} KB  {', '.join(moved)}"
            )


if __name__ == "__main__":
    main()
