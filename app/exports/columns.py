"""Which columns an export has, and their versioned defaults.

``entries-v1`` is a promise: a new version may add columns at its end, never move or
rename one. A custom set chooses, orders and renames these same columns.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Literal

from app.errors import InvalidInput, NotFound, said

Kind = Literal[
    "number", "text", "word", "flag", "date", "clock", "moment",
    "seconds", "length", "hours", "money", "percent",
]  # fmt: skip
"""What a cell is. ``text`` was typed by people and is guarded against spreadsheets;
``seconds``, ``length`` and ``hours`` are seconds shown in three ways; ``money`` is text
such as ``95.00``; a ``clock`` is a moment of which the time of day is shown."""

Cell = str | int | float | bool | date | datetime | None
Row = Mapping[str, Cell]

LONGEST_TITLE = 100


@dataclass(frozen=True, kw_only=True)
class Column:
    """A column: its stable key, what it holds, and what is written above it."""

    key: str
    kind: Kind
    title: str = ""

    @property
    def heading(self) -> str:
        """Return what is written above it."""
        return self.title or self.key


def _columns(text: str) -> tuple[Column, ...]:
    """Return columns from ``key:kind`` words; without a kind it is a word."""
    pairs = (word.partition(":") for word in text.split())
    return tuple(Column(key=key, kind=kind or "word") for key, _, kind in pairs)  # type: ignore[arg-type]  # the words below are kinds


DATASETS: dict[str, tuple[Column, ...]] = {
    "entries": _columns(
        "id:number user:text client:text project:text task:text description:text tags:text"
        " billable:flag date:date start:clock end:clock timezone start_utc:moment"
        " end_utc:moment duration_seconds:seconds duration_hms:length duration_hours:hours"
        " break_seconds:seconds rounded_seconds:seconds rate:money amount:money currency"
        " source created_at:moment updated_at:moment"
    ),
    "summary": _columns(
        "group:text subgroup:text entries:number duration_seconds:seconds"
        " duration_hms:length duration_hours:hours rounded_seconds:seconds"
        " billable_seconds:seconds share:percent unpriced_seconds:seconds"
    ),
    "weekly": _columns("name:text"),
    "billable": _columns(
        "client:text project:text user:text billable_seconds:seconds billable_hms:length"
        " billable_hours:hours rate:money amount:money currency unpriced_seconds:seconds"
        " unbillable_seconds:seconds"
    ),
    "clients": _columns(
        "id:number name:text number:text currency notes:text active:flag created_at:moment"
    ),
    "projects": _columns(
        "id:number client:text name:text code:text billable:flag estimate_seconds:seconds"
        " estimate_hours:hours duration_seconds:seconds duration_hours:hours visibility"
        " active:flag created_at:moment"
    ),
    "tasks": _columns(
        "id:number client:text project:text name:text status assignee:text due_on:date"
        " estimate_seconds:seconds estimate_hours:hours duration_seconds:seconds"
        " duration_hours:hours created_at:moment"
    ),
    "users": _columns(
        "id:number username:text name:text email:text role auth_method timezone"
        " active:flag first_login_at:moment last_login_at:moment created_at:moment"
    ),
    "audit": _columns(
        "id:number at:moment actor:text via action object_type object_id:number"
        " object_label:text changes:text ip request_id"
    ),
}
"""Version 1 of every dataset; some add columns at the end, such as one for each currency."""

MONEY = {"rate", "amount", "currency", "unpriced_seconds"}
"""Columns of those who may see rates."""

SUMMED = frozenset({
    "duration_seconds", "duration_hms", "duration_hours", "break_seconds", "entries",
    "rounded_seconds", "billable_seconds", "billable_hms", "billable_hours",
    "unpriced_seconds", "unbillable_seconds",
})  # fmt: skip
"""Columns that have a total below them; money only where there is one currency."""

PRINTED = {
    "entries": (
        "date", "start", "end", "user", "project", "task", "description",
        "duration_hms", "amount", "currency",
    ),
    "summary": ("group", "subgroup", "entries", "duration_hms", "rounded_seconds", "share"),
    "billable": ("client", "project", "user", "billable_hms", "rate", "amount", "currency"),
    "projects": ("client", "name", "code", "billable", "estimate_hours", "duration_hours"),
    "tasks": ("project", "name", "status", "assignee", "due_on", "duration_hours"),
    "users": ("username", "name", "role", "timezone", "active", "last_login_at"),
    "audit": ("at", "actor", "action", "object_type", "object_label", "changes"),
}  # fmt: skip
"""What fits on paper where no column set was chosen."""


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A dataset ready to be written: what it says above, its columns, its rows."""

    dataset: str
    columns: Sequence[Column]
    rows: Iterable[Row]
    title: str = ""
    notes: Sequence[str] = ()
    """Range, zone, rounding: what a header says of them."""
    custom: bool = False
    sums: frozenset[str] = field(default_factory=frozenset)
    """Keys of columns with a total below."""

    @property
    def version(self) -> str:
        """Return the name of the layout that is promised to stay."""
        return f"{self.dataset}-v1"


class Totals:
    """Adds up the columns of a sheet that have a total; exactly, money too."""

    def __init__(self, keys: Iterable[str]) -> None:
        """Begin at nothing."""
        self.by_key: dict[str, Decimal] = {key: Decimal(0) for key in keys}

    def add(self, row: Row) -> None:
        """Add the cells of a row; empty ones are nothing."""
        for key in self.by_key:
            cell = row.get(key)
            if cell is not None:
                self.by_key[key] += Decimal(str(cell))


def known(dataset: str) -> tuple[Column, ...]:
    """Return the columns of a dataset; NotFound where there is none."""
    if dataset not in DATASETS:
        raise NotFound(
            said("There is no export of %(dataset)r.", dataset=dataset),
            hint=said("There are %(datasets)s.", datasets=", ".join(DATASETS)),
        )
    return DATASETS[dataset]


def default(dataset: str, *, money: bool, printed: bool = False) -> list[Column]:
    """Return version 1 of a dataset; without rates for those who may not see them."""
    found = [c for c in known(dataset) if money or c.key not in MONEY]
    on_paper = PRINTED.get(dataset, ())
    return [c for c in found if c.key in on_paper] if printed and on_paper else found


def chosen(
    dataset: str, listed: Sequence[Mapping[str, Any]], *, money: bool
) -> list[Column]:
    """Return the columns of a saved set; unknown ones are refused by name."""
    by_key = {column.key: column for column in known(dataset)}
    found: dict[str, Column] = {}
    for wanted in listed:
        key = str(wanted.get("key", ""))
        if key not in by_key:
            raise InvalidInput(
                said("There is no column %(key)r.", key=key),
                hint=said("There are %(by_key)s.", by_key=", ".join(by_key)),
                attr="columns",
            )
        if money or key not in MONEY:
            title = str(wanted.get("title") or "").strip()[:LONGEST_TITLE]
            found[key] = Column(key=key, kind=by_key[key].kind, title=title)
    if not found:
        raise InvalidInput(
            "An export needs a column.", hint="Choose at least one.", attr="columns"
        )
    return list(found.values())


@lru_cache(maxsize=10_000)
def in_major(minor: int | None, digits: int) -> str | None:
    """Return minor units as text with a point: ``95.00``."""
    if minor is None:
        return None
    whole, rest = divmod(abs(minor), 10**digits)
    sign = "-" if minor < 0 else ""
    return f"{sign}{whole}.{rest:0{digits}}" if digits else f"{sign}{whole}"
