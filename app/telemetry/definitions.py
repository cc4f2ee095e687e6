"""What a catalogue entry is made of: kinds of values, properties, events.

A ``Kind`` says in words what a value may be, and checks it. There is no kind for free
text: every string has a list of words or a form, and at most 100 characters. The lists
themselves stand in ``app.telemetry.catalog``.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

LONGEST = 100
"""Characters of any string that is sent."""

MOST_WORDS = 50
"""Entries of any list that is sent."""


@dataclass(frozen=True)
class Kind:
    """What a value may be: in words, and as a question with yes or no."""

    words: str
    holds: Callable[[Any], bool]


def count(most: int | None = None, *, step: int = 1, least: int = 0) -> Kind:
    """Whole numbers from ``least`` to ``most``, in steps."""

    def holds(value: Any) -> bool:
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            return False
        return value % step == 0 and (most is None or value <= most)

    upto = f" to {most}" if most is not None else ""
    steps = f" in steps of {step}" if step > 1 else ""
    return Kind(f"whole number from {least}{upto}{steps}", holds)


def text(form: str, words: str) -> Kind:
    """Strings of a given form, at most 100 characters."""
    pattern = re.compile(form)

    def holds(value: Any) -> bool:
        return (
            isinstance(value, str)
            and len(value) <= LONGEST
            and bool(pattern.fullmatch(value))
        )

    return Kind(words, holds)


def one_of(*choices: str) -> Kind:
    """One of these words."""
    allowed = frozenset(choices)
    words = " ".join(f"`{choice}`" for choice in choices)
    return Kind(words, lambda value: isinstance(value, str) and value in allowed)


def some_of(*choices: str, named: str = "") -> Kind:
    """A list of these words; ``named`` describes lists too long to print."""
    allowed = frozenset(choices)

    def holds(value: Any) -> bool:
        return (
            isinstance(value, list)
            and len(value) <= MOST_WORDS
            and all(isinstance(word, str) and word in allowed for word in value)
        )

    return Kind(f"list of {named or ' '.join(f'`{c}`' for c in choices)}", holds)


def only(value: Any) -> Kind:
    """Exactly this value."""
    shown = "null" if value is None else str(value).lower()
    return Kind(f"always `{shown}`", lambda given: given is value)


def record(*properties: "Property", named: str) -> Kind:
    """An object with none but these properties, each as it may be."""
    kinds = {prop.name: prop.kind for prop in properties}

    def holds(value: Any) -> bool:
        return isinstance(value, dict) and all(
            name in kinds and kinds[name].holds(inner) for name, inner in value.items()
        )

    return Kind(named, holds)


def list_of(kind: Kind, *, most: int = MOST_WORDS) -> Kind:
    """A list whose entries are each of a kind."""

    def holds(value: Any) -> bool:
        return (
            isinstance(value, list) and len(value) <= most and all(map(kind.holds, value))
        )

    return Kind(f"list of {kind.words}", holds)


TRUTH = Kind("true or false", lambda value: isinstance(value, bool))
NUMBER = count()


@dataclass(frozen=True)
class Property:
    """One property that may be sent."""

    name: str
    kind: Kind
    since: int = 1
    """``CONSENT_VERSION`` that first had it: an older consent does not cover it."""


@dataclass(frozen=True, kw_only=True)
class Event:
    """One event that may be sent, with all of its properties."""

    name: str
    when: str
    layer: str
    """``base`` or ``detailed``: the least consent it needs."""

    subject: str
    """``user`` or ``installation``."""

    sinks: tuple[str, ...]
    """Of ``analytics`` and ``telemetry``: where it goes."""

    own: tuple[Property, ...] = ()
    """Its own properties; each may be left out."""

    blocks: str = ""
    """Letters of the blocks that come by themselves: see ``catalog.BLOCKS``."""

    personless: bool = False
    """Whether it makes no person."""

    since: int = 1


def prop(name: str, kind: Kind, *, since: int = 1) -> Property:
    """Name a property."""
    return Property(name, kind, since)


def flags(names: str, *, since: int = 1) -> tuple[Property, ...]:
    """Name several properties that are true or false."""
    return tuple(Property(name, TRUTH, since) for name in names.split())


def counts(names: str, *, since: int = 1) -> tuple[Property, ...]:
    """Name several properties that are whole numbers from 0."""
    return tuple(Property(name, NUMBER, since) for name in names.split())


def sets(always: tuple[Property, ...], once: tuple[Property, ...]) -> tuple[Property, ...]:
    """Put person properties where the protocol has them: inside ``properties``."""
    return (
        Property("$set", record(*always, named=", ".join(f"`{p.name}`" for p in always))),
        Property("$set_once", record(*once, named=", ".join(f"`{p.name}`" for p in once))),
    )
