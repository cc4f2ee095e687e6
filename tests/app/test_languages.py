"""Every screen in the made-up language: what still looks English was forgotten."""

import io
import re
import runpy
from html.parser import HTMLParser
from pathlib import Path
from zoneinfo import available_timezones

import pytest

from app import languages
from app.exports.columns import DATASETS
from app.models.people import User

from .conftest import Browser
from .reporting_world import house, opened

__all__ = ["house", "opened"]  # fixtures of this module, too

READ = {"title", "aria-label", "placeholder", "alt", "hx-confirm", "aria-description",
        "data-done", "data-offline", "data-say-palette", "data-say-keys"}  # fmt: skip
"""Attributes that people read."""

UNREAD = {"code", "kbd", "bdi", "script", "style", "pre"}
"""Elements whose text is people's own, a key, or code."""

EMPTY = {"area", "base", "br", "col", "hr", "img", "input", "link", "meta", "source"}

WORD = re.compile(r"[A-Za-z]{2,}")
SAME_EVERYWHERE = re.compile(
    r"TimeTracker|PostHog|Toggl Track|Clockify|Kimai|English|⟦x[xy]⟧"  # names
    r"|`[^`]*`|https?://\S+|\b[0-9a-f]{16}\b|\b[A-Z]+(?:_[A-Z]+)+\b"  # codes
    r"|\b[A-Z][a-z]+/[A-Z]\w+|Werkzeug/[\d.]+"  # zones, the browser of these tests
    r"|\b(?:csv|CSV|UTF|Ctrl|xlsx|pdf|json|[kMGT]B|EUR|ms|\d+[hm])\b"
)
WORLD = ("=HYPERLINK()", "Training", "Talks", "=1+1", "ann", "bob", "eve", "time.csv")
"""What people of this world have typed."""

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def collected():
    """What ``make messages`` collects: a string, or both forms of one."""
    catalogue = runpy.run_path(str(ROOT / "ops/messages.py"))["collected"]()
    return [it.id if isinstance(it.id, tuple) else (it.id,) for it in catalogue]


class Reading(HTMLParser):
    """Collects what a person reads on a page."""

    def __init__(self):
        super().__init__()
        self.inside, self.texts = [], []

    def handle_starttag(self, tag, attrs):
        known = dict(attrs)
        is_own = tag in UNREAD or known.get("translate") == "no"
        if not self._own() and not is_own:
            self.texts += [known[name] for name in READ & known.keys() if known[name]]
        if tag not in EMPTY:
            self.inside.append((tag, is_own))

    def handle_startendtag(self, tag, attrs):
        """Nothing is inside."""

    def handle_endtag(self, tag):
        while self.inside and self.inside.pop()[0] != tag:
            pass

    def handle_data(self, data):
        if not self._own():
            self.texts.append(data)

    def _own(self):
        return any(own for _, own in self.inside)


ZONES = available_timezones()
KEYS = tuple(column.key for column in DATASETS["entries"])
NAMES = re.compile("|".join(rf"(?<!\w){re.escape(name)}(?!\w)" for name in (*WORLD, *KEYS)))


def forgotten(html):
    """Return the texts of a page that are in English still."""
    reader = Reading()
    reader.feed(html)
    texts = {" ".join(text.split()) for text in reader.texts} - ZONES
    left = {text: SAME_EVERYWHERE.sub("", NAMES.sub("", text)) for text in texts}
    return sorted(text for text, rest in left.items() if WORD.search(rest))


OPEN = ("/login", "/forgot", "/register", "/setup", "/password/1", "/nowhere")
"""Screens of who has not signed in."""

IN_PLACE = {"number": "1", "day": "2025-10-20", "dataset": "entries", "report": "summary"}


def screens(app):
    """Return the addresses of all pages; ``1`` stands where an address wants a number."""
    for rule in app.url_map.iter_rules():
        if "GET" in rule.methods and not rule.rule.startswith(
            ("/api/", "/static/", "/log")
        ):
            filled = {name: IN_PLACE.get(name, "1") for name in rule.arguments}
            yield re.sub(r"<(?:[^:<>]+:)?(\w+)>", lambda it: filled[it[1]], rule.rule)  # noqa: B023 - used at once


def furnish(house):
    """Let there be one of everything that a page can show."""
    ann, clock = house.ann, house.clock
    ann.post("/tags", {"name": "Talks"})
    ann.post("/pins/entry/1")
    form = {"kind": "timed", "day": "2025-10-20", "started": "8", "ended": "9"}
    for _twice in range(2):
        ann.post("/entries/new", {**form, "description": "Talks"}, htmx=True)
    ann.post("/entries/3/delete", htmx=True)
    ann.post("/saved/keep", {"name": "Talks", "report": "summary"})
    chosen = {"dataset": "entries", "name": "Talks", "key": ["amount", "date"]}
    ann.post("/export/columns/save", chosen)
    ann.post("/profile/tokens", {"name": "Talks", "scopes": "read", "days": "30"})
    file = io.BytesIO(b"Day,From,To\n2025-10-18,8:00,9:00\n2025-10-17,8:00,nine\n")
    ann.post("/import", {"file": (file, "time.csv")})
    ann.post("/timer/start", {"description": "Talks", "key": "k"})
    clock.forward(hours=11)


@pytest.fixture
def speaking(house, monkeypatch):
    """Everybody in the house speaks the made-up language; all that is asked for is noted."""
    asked, before = set(), languages.MadeUp.gettext

    def note(self, message):
        asked.add(message)
        return before(self, message)

    furnish(house)
    with house.database.writing() as session:
        session.query(User).update({User.locale: "xx"})
    house.app.config["DEFAULT_LOCALE"] = "xx"
    monkeypatch.setattr(languages.MadeUp, "gettext", note)
    house.asked = asked
    yield house
    with house.database.writing() as session:
        session.query(User).update({User.locale: "en"})


def test_every_screen_is_translated_and_all_of_it_is_collected(speaking, collected):
    visitor = Browser(speaking.app.test_client())
    asked = [(speaking.ann, path) for path in sorted(screens(speaking.app))]
    found, pages = {}, 0
    for who, path in (*asked, *((visitor, path) for path in OPEN)):
        if who.get(path).mimetype == "text/html":
            pages += 1
            for text in forgotten(who.text):
                found.setdefault(text, path)

    assert pages > 60
    assert found == {}
    assert speaking.asked - {text for forms in collected for text in forms} == set()


@pytest.fixture
def german(tmp_path, monkeypatch):
    """A catalogue as a translator leaves it: a text file, read without being compiled."""
    path = tmp_path / "de" / languages.CATALOGUE
    path.parent.mkdir(parents=True)
    path.write_text(GERMAN)
    monkeypatch.setattr(languages, "FOLDER", tmp_path)
    languages._translations.cache_clear()
    yield
    languages._translations.cache_clear()


GERMAN = r"""
msgid ""
msgstr ""
"Content-Type: text/plain; charset=utf-8\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\n"

msgid "Entries"
msgstr "Einträge"

msgid "%(num)d entry"
msgid_plural "%(num)d entries"
msgstr[0] "%(num)d Eintrag"
msgstr[1] "%(num)d Einträge"

msgid "%(text)r is no length of time."
msgstr "%(text)r ist keine Dauer."

msgid "Your timer is still running"
msgstr "Deine Uhr läuft noch"
"""


def speak(browser, locale):
    form = {"timezone": "Europe/Berlin", "locale": locale}
    browser.post("/profile", form)


def test_a_person_s_language_is_chosen_in_the_profile(browser, german):
    speak(browser, "de")
    page = browser.get("/entries").get_data(as_text=True)

    assert '<html lang="de" dir="ltr"' in page
    assert "<h1>Einträge</h1><p>0 Einträge" in page


def test_what_a_rule_refuses_is_said_in_the_reader_s_language(browser, german):
    speak(browser, "de")
    form = {"kind": "duration", "day": "2025-10-20", "duration": "long"}
    browser.post("/entries/new", form)

    assert "&#39;long&#39; ist keine Dauer." in browser.text


def test_a_language_that_is_not_there_is_english(browser, german):
    speak(browser, "fr")

    assert '<html lang="en"' in browser.text


def test_a_mail_is_in_the_language_of_whom_it_goes_to(app, german):
    reader = User(username="udo", locale="de")
    with app.app_context():
        with languages.speaking_to(reader):
            theirs = languages.gettext("Your timer is still running")
        ours = languages.gettext("Your timer is still running")

    assert (theirs, ours) == ("Deine Uhr läuft noch", "Your timer is still running")


def test_the_made_up_languages_are_not_for_production(app, browser):
    speak(browser, "xy")
    assert 'lang="xy" dir="rtl"' in browser.get("/").get_data(as_text=True)
    app.config["APP_ENV"] = "production"

    assert 'lang="en" dir="ltr"' in browser.get("/").get_data(as_text=True)
    assert "⟦xx⟧" not in browser.get("/profile").get_data(as_text=True)


def test_what_is_filled_in_keeps_its_place_in_both_forms(collected):
    place = re.compile(r"%\((\w+)\)")
    several = [forms for forms in collected if len(forms) == 2]

    assert len(several) > 10
    assert [it for it in several if place.findall(it[0]) != place.findall(it[1])] == []


SIDED = re.compile(
    r"(?:^|[;{\s])((?:margin|padding|border|inset)-(?:left|right)|left|right)\s*:"
    r"|(?:text-align|float|clear)\s*:\s*(?:left|right)"
)
VALUE = r"((?:[^\s;()]|\([^()]*(?:\([^()]*\)[^()]*)*\))+)"
FOUR = re.compile(
    rf"(?:padding|margin|inset): {VALUE} {VALUE} {VALUE} {VALUE};(?! /\* physical: )"
)
"""Values from the top round to the left; a comment says why one keeps its side."""


def test_styles_name_no_side_of_the_screen():
    found = {}
    for path in (ROOT / "app/static/src").rglob("*.css"):
        css = path.read_text()
        unequal = [it[0] for it in FOUR.finditer(css) if it[2] != it[4]]
        found[path.name] = [it[0] for it in SIDED.finditer(css)] + unequal

    assert len(found) > 15
    assert {name: places for name, places in found.items() if places} == {}
