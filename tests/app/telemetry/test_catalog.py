"""The catalogue and its page say the same, in both directions."""

import re
from pathlib import Path

import pytest

from app.telemetry import table
from app.telemetry.blocks import BLOCKS, LAYERS
from app.telemetry.catalog import CONSENT_VERSION, EVENTS, properties_of

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs/events.md"


def sections(page):
    """Title → the property names of its table."""
    found = {}
    for part in re.split(r"^### ", page, flags=re.MULTILINE)[1:]:
        title = part.splitlines()[0].strip("`")
        found[title] = re.findall(r"^\| `([^`]+)` \|", part, flags=re.MULTILINE)
    return found


@pytest.fixture(scope="module")
def page():
    return sections(PAGE.read_text())


def test_every_event_is_on_the_page_with_its_own_properties(page):
    for event in EVENTS.values():
        assert page[event.name] == [known.name for known in event.own]


def test_everything_on_the_page_can_be_sent(page):
    letters = {f"{letter} · {table.TITLES[letter]}" for letter in BLOCKS}

    assert set(page) - letters == set(EVENTS)


def test_every_block_is_on_the_page_with_its_properties(page):
    for letter, known in BLOCKS.items():
        assert page[f"{letter} · {table.TITLES[letter]}"] == [p.name for p in known]


def test_the_page_is_what_the_code_says_now():
    assert PAGE.read_text() == table.markdown()


@pytest.mark.parametrize("event", EVENTS.values(), ids=lambda event: event.name)
def test_an_event_is_well_formed(event):
    assert event.layer in LAYERS[1:]
    assert set(event.sinks) <= {"analytics", "telemetry"}
    assert set(event.blocks) <= set(BLOCKS)
    assert event.since <= CONSENT_VERSION
    assert len(properties_of(event)) >= len(event.own)


@pytest.mark.parametrize(
    "event", [e for e in EVENTS.values() if e.layer == "base"], ids=lambda event: event.name
)
def test_base_is_about_the_installation_only(event):
    assert event.subject == "installation"
    assert event.sinks == ("telemetry",)


def test_names_are_an_object_and_what_happened_to_it():
    names = [name for name in EVENTS if not name.startswith("$")]

    assert all(re.fullmatch(r"[a-z_]+\.[a-z_]+", name) for name in names)
