"""Properties with columns of their own.

The JSON in ``properties`` is the truth; a column beside it answers 25 times faster. Which
properties get one is decided when a property is first seen: in that very transaction the
column is added, so it is complete, and no figure depends on where a property is read. The
first ``BUDGET`` keys of a table have their place; later ones, and those that only machines
read, stay in the JSON. Without a budget one client that makes up keys stops the server.

``t_<n>`` holds the value as text, exactly what ``json_extract_string`` gives. ``n_<n>``
holds it as a double where it reads as a number (``model.tables.NUMBER``), and is there only
for keys whose first value was a number.
"""

import re
from collections.abc import Iterable

import msgspec

from hedgerow.model.changes import FirstValue
from hedgerow.model.projects import HotColumn
from hedgerow.model.tables import EVENTS, GROUPS, NUMBER, PERSONS

BUDGET = 100
"""Keys with columns of their own in one table, of all projects together."""

LONGEST = 100
"""Characters of a key; longer ones are hardly typed by hand."""

COLD = re.compile(
    r"^\$(set|set_once|unset|groups|group_set|group_type|group_key|elements.*|sdk_debug_.*"
    r"|insert_id|time|window_id|ip|ce_version|config_defaults|sdk_dist_channel"
    r"|initialization_time|recording_status|exception_.*|prev_pageview_.*|session_entry_.*"
    r"|initial_.*|raw_user_agent|geoip_(lat|long|acc|postal|sub).*|group_\d|feature/.*)$"
    r"|[0-9a-f]{8}-?[0-9a-f]{4}-|\d{6}"
)
"""Keys for machines, and keys that look made up: they are read from the JSON."""


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """A property about to get columns."""

    table: str
    key: str
    column: HotColumn


def table_of(scope: str) -> str:
    """Return the table that holds the properties of a scope."""
    match scope:
        case "event":
            return EVENTS.name
        case "person":
            return PERSONS.name
        case _:
            return GROUPS.name


def pointer(key: str) -> str:
    """Return the JSON pointer of a top-level key."""
    return "/" + key.replace("~", "~0").replace("/", "~1")


def planned(
    present: dict[tuple[str, str], HotColumn], kinds: Iterable[FirstValue]
) -> list[Planned]:
    """Return the columns that newly seen properties get, within the budget."""
    taken: dict[str, set[int]] = {}
    for (table, _), column in present.items():
        taken.setdefault(table, set()).add(number_of(column))
    made: dict[tuple[str, str], Planned] = {}
    for first in kinds:
        table = table_of(first.scope)
        used = taken.setdefault(table, set())
        if (table, first.key) in present or (table, first.key) in made:
            continue
        if len(used) >= BUDGET or not is_warm(first.key):
            continue
        free = next(n for n in range(len(used) + 1) if n not in used)
        used.add(free)
        numeric = f"n_{free}" if first.kind == "Numeric" else None
        column = HotColumn(text=f"t_{free}", number=numeric)
        made[table, first.key] = Planned(table=table, key=first.key, column=column)
    return list(made.values())


def is_warm(key: str) -> bool:
    """Whether people are likely to ask for a property."""
    return bool(key) and len(key) <= LONGEST and "\0" not in key and not COLD.search(key)


def number_of(column: HotColumn) -> int:
    """Return which of a table's columns one is."""
    return int(column.text.removeprefix("t_"))


def statements(new: Planned) -> list[str]:
    """Return what makes the columns of a property."""
    made = [f"ALTER TABLE {new.table} ADD COLUMN {new.column.text} VARCHAR"]
    if new.column.number:
        made.append(f"ALTER TABLE {new.table} ADD COLUMN {new.column.number} DOUBLE")
    return made


def selected(columns: list[HotColumn], texts: str) -> str:
    """Return the select list of hot columns, from a list column of their texts."""
    parts = []
    for place, column in enumerate(columns, start=1):
        text = f"{texts}[{place}]"
        parts.append(f"{text} AS {column.text}")
        if column.number:
            parts.append(f"{as_number(text)} AS {column.number}")
    return ", ".join(parts)


def as_number(text: str) -> str:
    """Return the expression of a text as a double; NULL where it is no number.

    DuckDB would take ``nan``, ``inf`` and ``1_000`` for numbers, and ``1e999`` for infinite.
    """
    number = f"TRY_CAST({text} AS DOUBLE)"
    return f"CASE WHEN regexp_full_match({text}, '{NUMBER}') AND isfinite({number}) THEN {number} END"
