"""The catalogue as people read it: the tables of "Privacy & analytics" and of the docs."""

from typing import NamedTuple

from app.telemetry.blocks import BLOCKS
from app.telemetry.catalog import CONSENT_VERSION, EVENTS
from app.telemetry.definitions import Event, Property

TITLES = {
    "D": "Deployment",
    "R": "Request",
    "C": "Constant, with groups",
    "c": "Constant",
    "F": "Feature",
    "E": "Experiment",
    "L": "Local time of the timer",
    "T": "Installation",
    "B": "Census",
}
"""What the letters of the blocks stand for."""


class Row(NamedTuple):
    """One event in words."""

    name: str
    when: str
    sinks: str
    subject: str
    blocks: str
    own: tuple[Property, ...]
    personless: bool
    since: int


def events(layer: str) -> list[Row]:
    """Return the events that a layer adds."""
    return [_row(event) for event in EVENTS.values() if event.layer == layer]


def _row(event: Event) -> Row:
    return Row(
        event.name,
        event.when,
        " and ".join(event.sinks),
        event.subject,
        event.blocks,
        event.own,
        event.personless,
        event.since,
    )


def blocks() -> list[tuple[str, str, tuple[Property, ...]]]:
    """Return letter, title and properties of each block."""
    return [(letter, TITLES[letter], BLOCKS[letter]) for letter in TITLES]


def markdown() -> str:
    """Return the catalogue as the page ``docs/events.md``."""
    lines = [
        "# What TimeTracker can tell",
        "",
        "Generated from `app/telemetry/catalog.py`; what is not here cannot be sent.",
        f"Consent version {CONSENT_VERSION}. Nothing is sent before somebody consents.",
        "",
        "`experiment_variant` (block E) may lie in every event of a user; block E itself",
        "marks those where TimeTracker puts it by itself.",
        "",
        "## Properties that come by themselves",
    ]
    for letter, title, known in blocks():
        lines += ["", f"### {letter} · {title}", "", *_properties(known)]
    for layer in ("base", "detailed"):
        lines += ["", f"## Layer {layer}"]
        for row in events(layer):
            lines += ["", *_event(row)]
    return "\n".join(lines) + "\n"


def _event(row: Row) -> list[str]:
    person = "; makes no person" if row.personless else ""
    head = (
        f"Subject {row.subject}, to {row.sinks}{person}. Blocks: {', '.join(row.blocks)}."
    )
    own = ["", *_properties(row.own)] if row.own else []
    return [f"### `{row.name}`", "", f"{row.when[0].upper()}{row.when[1:]}. {head}", *own]


def _properties(known: tuple[Property, ...]) -> list[str]:
    rows = [f"| `{p.name}` | {p.kind.words.replace('|', chr(92) + '|')} |" for p in known]
    return ["| property | values |", "|---|---|", *rows]
