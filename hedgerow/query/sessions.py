"""What can be read of an event's session (``insights-trends`` §3.1, §5.1).

A session is all events of the project with the same ``$session_id``, whoever's and whenever
they are; nothing is kept of it, every question adds up what it needs. Names are PostHog's.
Lengths are in seconds; ``$entry_…`` is what the first event said that said anything.
"""

from collections.abc import Callable

import msgspec
from sqlglot import exp

from hedgerow.model.projects import PropertyKind
from hedgerow.query.dialects import Dialect
from hedgerow.query.trees import Tree, case, number_literal, text_literal

ID = "$session_id"
DURATION = "$session_duration"


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """One column of a session: how it is computed of the session's events."""

    kind: PropertyKind
    of: str
    """A property of the events, or a name of events that are counted; else empty."""

    by: Callable[[Tree, Tree], Tree]
    """The value, given what is read of each event, and its time."""


def _spread(_: Tree, at: Tree) -> Tree:
    """Return first and last time as one number: microseconds between them."""
    return exp.Max(this=at) - exp.Min(this=at.copy())


def _first(value: Tree, at: Tree) -> Tree:
    return exp.ArgMin(this=value, expression=at)


def _last(value: Tree, at: Tree) -> Tree:
    return exp.ArgMax(this=value, expression=at)


def _count(holds: Tree, _: Tree) -> Tree:
    return exp.Sum(this=case(holds, number_literal(1), number_literal(0)))


def _distinct(value: Tree, _: Tree) -> Tree:
    return exp.Count(this=exp.Distinct(expressions=[value]))


def _text(of: str, by: Callable[[Tree, Tree], Tree]) -> Told:
    return Told(kind="String", of=of, by=by)


COLUMNS: dict[str, Told] = {
    DURATION: Told(kind="Numeric", of="", by=_spread),
    "$start_timestamp": Told(kind="DateTime", of="", by=lambda _, at: exp.Min(this=at)),
    "$end_timestamp": Told(kind="DateTime", of="", by=lambda _, at: exp.Max(this=at)),
    "$pageview_count": Told(kind="Numeric", of="$pageview", by=_count),
    "$screen_count": Told(kind="Numeric", of="$screen", by=_count),
    "$autocapture_count": Told(kind="Numeric", of="$autocapture", by=_count),
    "$num_uniq_urls": Told(kind="Numeric", of="$current_url", by=_distinct),
    "$entry_current_url": _text("$current_url", _first),
    "$end_current_url": _text("$current_url", _last),
    "$exit_current_url": _text("$current_url", _last),
    "$entry_pathname": _text("$pathname", _first),
    "$end_pathname": _text("$pathname", _last),
    "$exit_pathname": _text("$pathname", _last),
    "$entry_hostname": _text("$host", _first),
    "$end_hostname": _text("$host", _last),
    "$entry_referring_domain": _text("$referring_domain", _first),
    **{
        f"$entry_{name}": _text(name, _first)
        for name in (
            "utm_source",
            "utm_medium",
            "utm_campaign",
            "utm_term",
            "utm_content",
            "gclid",
            "fbclid",
        )
    },
}
"""The columns of a session, by name."""

NUMBERS = frozenset(name for name, told in COLUMNS.items() if told.kind == "Numeric")


def value(
    name: str, read: Callable[[str], Tree], event: Tree, at: Tree, dialect: Dialect
) -> Tree:
    """Return the column ``name``, an aggregate of a session's events.

    ``read`` gives a property of an event as text, ``event`` its name, ``at`` its time.
    """
    told = COLUMNS[name]
    if name == DURATION:
        apart = told.by(at, dialect.microseconds(at))
        return exp.cast(exp.paren(apart), "double") / number_literal(1_000_000)
    if told.by is _count:
        return told.by(event.eq(text_literal(told.of)), at)
    return told.by(read(told.of) if told.of else at, at)
