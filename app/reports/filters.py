"""The question: range, zone, filters, grouping, rounding ⇄ URL and JSON.

One ``Question`` stands in the URL of the entries list and of every report, is what a
saved filter keeps, what the API takes and what an export runs. Relative ranges stay
relative: ``this_month`` is asked anew each time. A word that is not understood is an
error naming the field; nothing is silently ignored.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from typing import Any

from app.errors import InvalidInput, said
from app.tracking.days import week_of, zone

RANGES = (
    "today",
    "yesterday",
    "this_week",
    "last_week",
    "this_month",
    "last_month",
    "this_quarter",
    "last_quarter",
    "this_year",
    "last_year",
    "last_7_days",
    "last_30_days",
    "last_90_days",
    "all",
    "custom",
)
GROUPS = ("client", "project", "task", "user", "tag", "billable")
UNITS = ("day", "week", "month")
SOURCES = ("timer", "manual", "week", "import", "api")
TAG_MODES = ("any", "all", "none")
SORTS = ("-date", "date", "-duration", "duration", "project", "user", "description")
ROUNDINGS = ("rules", "exact")

NONE = 0
"""The number that stands for "no project", "no client" and so on in a filter."""

EARLIEST, LATEST = date(1970, 1, 2), date(9998, 12, 30)
LONGEST_TEXT = 200
MOST_IDS = 200


@dataclass(frozen=True, kw_only=True)
class Question:
    """What somebody wants to know."""

    range: str = "this_month"
    first: date | None = None
    """First day of a custom range."""
    last: date | None = None
    zone: str = ""
    """One fixed zone for all days; empty: each entry in its own."""
    users: tuple[int, ...] = ()
    clients: tuple[int, ...] = ()
    projects: tuple[int, ...] = ()
    """0 among them is "no project"."""
    tasks: tuple[int, ...] = ()
    tags: tuple[int, ...] = ()
    tag_mode: str = "any"
    billable: bool | None = None
    text: str = ""
    sources: tuple[str, ...] = ()
    incomplete: bool | None = None
    archived: bool = True
    """Whether entries of archived projects count."""
    group: tuple[str, ...] = ("project",)
    """One or two of GROUPS and UNITS."""
    unit: str = "day"
    """Step of the bars over time."""
    rounding: str = "rules"
    sort: str = "-date"

    @property
    def filters_used(self) -> int:
        """How many filters narrow the answer."""
        return sum(
            bool(value)
            for value in (
                self.users,
                self.clients,
                self.projects,
                self.tasks,
                self.tags,
                self.billable is not None,
                self.text,
                self.sources,
                self.incomplete is not None,
                not self.archived,
            )
        )


PLAIN = Question()
NUMBERS = ("users", "clients", "projects", "tasks", "tags")
WORDS: dict[str, tuple[str, ...]] = {
    "range": RANGES,
    "tag_mode": TAG_MODES,
    "unit": UNITS,
    "rounding": ROUNDINGS,
    "sort": SORTS,
}
FLAGS: dict[str, bool | None] = {"1": True, "0": False, "": None}


def parse(given: Mapping[str, Any], *, start: Question = PLAIN) -> Question:
    """Return the question that a URL's or a JSON object's fields ask.

    Lists may be real lists or text with commas. Fields left out are those of ``start``.
    """
    known = {field.name for field in fields(Question)}
    unknown = [name for name in given if name not in known]
    if unknown:
        raise InvalidInput(
            said("A report has no field %(unknown)r.", unknown=unknown[0]),
            hint=said("It has %(fields)s.", fields=", ".join(sorted(known))),
            attr=unknown[0],
        )
    values = {name: _field(name, value) for name, value in given.items()}
    asked = replace(start, **values)
    if "range" not in values and (asked.first or asked.last):
        asked = replace(asked, range="custom")
    if asked.range == "custom" and (asked.first is None or asked.last is None):
        raise InvalidInput(
            "A custom range needs its first and its last day.",
            hint="Say both as 2025-10-31.",
            attr="first",
        )
    return asked


def _field(name: str, value: Any) -> Any:
    if name in NUMBERS:
        return _numbers(name, value)
    if name in WORDS:
        return _word(name, str(value), WORDS[name])
    read = READERS.get(name)
    return read(name, value) if read else str(value).strip()[:LONGEST_TEXT]


def _split(value: Any) -> list[str]:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    if isinstance(value, Iterable):
        return [str(part) for part in value]
    return [str(value)]


def _numbers(name: str, value: Any) -> tuple[int, ...]:
    parts = _split(value)
    if len(parts) > MOST_IDS or not all(p.isdecimal() and len(p) < 16 for p in parts):
        raise InvalidInput(
            said("%(value)r is no list of numbers.", value=str(value)[:60]),
            hint=said("Give at most %(most_ids)s numbers with commas.", most_ids=MOST_IDS),
            attr=name,
        )
    return tuple(dict.fromkeys(int(part) for part in parts))


def _word(name: str, value: str, words: tuple[str, ...]) -> str:
    if value not in words:
        raise InvalidInput(
            said("%(name)s cannot be %(value)r.", name=name, value=value[:60]),
            hint=said("Use %(words)s.", words=", ".join(words)),
            attr=name,
        )
    return value


def _day(name: str, value: Any) -> date | None:
    if value in {None, ""}:
        return None
    try:
        day = value if isinstance(value, date) else date.fromisoformat(str(value))
    except ValueError as error:
        raise InvalidInput(
            said("%(value)r is no day.", value=str(value)[:40]),
            hint="Write 2025-10-31.",
            attr=name,
        ) from error
    return min(max(day, EARLIEST), LATEST)


def _flag(name: str, value: Any) -> bool | None:
    if isinstance(value, bool) or value is None:
        return value
    word = str(value).lower()
    word = {"true": "1", "yes": "1", "false": "0", "no": "0"}.get(word, word)
    if word not in FLAGS:
        raise InvalidInput(
            said("%(name)s cannot be %(value)r.", name=name, value=value),
            hint="Use 1 or 0.",
            attr=name,
        )
    return FLAGS[word]


def _group(_name: str, value: Any) -> tuple[str, ...]:
    parts = tuple(_word("group", word, GROUPS + UNITS) for word in _split(value))
    if not 1 <= len(parts) <= 2 or len(set(parts)) != len(parts):
        raise InvalidInput(
            said(
                "A report cannot be grouped by %(value)s.",
                value=", ".join(parts) or "nothing",
            ),
            hint="Use one or two different ones.",
            attr="group",
        )
    return parts


def _sources(name: str, value: Any) -> tuple[str, ...]:
    return tuple(_word(name, word, SOURCES) for word in _split(value))


def _archived(name: str, value: Any) -> bool:
    return _flag(name, value) is not False


def _zone(_name: str, value: Any) -> str:
    return zone(str(value)).key if value else ""


READERS: dict[str, Callable[[str, Any], Any]] = {
    "first": _day,
    "last": _day,
    "billable": _flag,
    "incomplete": _flag,
    "archived": _archived,
    "sources": _sources,
    "group": _group,
    "zone": _zone,
}


def as_query(question: Question, *, start: Question = PLAIN) -> dict[str, str]:
    """Return the fields that differ from ``start``, as a URL carries them."""
    found: dict[str, str] = {}
    for field in fields(Question):
        value = getattr(question, field.name)
        if value != getattr(start, field.name):
            found[field.name] = _text(value)
    if question.range != "custom":
        found.pop("first", None)
        found.pop("last", None)
    return found


def _text(value: Any) -> str:
    if isinstance(value, tuple):
        return ",".join(str(part) for part in value)
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, date):
        return value.isoformat()
    return "" if value is None else str(value)


def days(question: Question, today: date, week_start: int) -> tuple[date, date]:
    """Return the first and the last day that the question is about."""
    if question.range == "custom":
        first, last = question.first or EARLIEST, question.last or LATEST
        if first > last:
            raise InvalidInput(
                said("%(first)s is after %(last)s.", first=first, last=last),
                hint="Swap the two days.",
                attr="first",
            )
        return first, last
    return _relative(question.range, today, week_start)


def _relative(word: str, today: date, week_start: int) -> tuple[date, date]:
    one = timedelta(days=1)
    if word == "all":
        return EARLIEST, LATEST
    if word in {"today", "yesterday"}:
        day = today if word == "today" else today - one
        return day, day
    if word.startswith("last_") and word.endswith("_days"):
        return today - (int(word.split("_")[1]) - 1) * one, today
    side, unit = word.split("_")
    first = _begin(unit, today, week_start)
    if side == "last":
        first = _begin(unit, first - one, week_start)
    return first, _begin(unit, first + _LONGER[unit], week_start) - one


_LONGER = {
    "week": timedelta(days=7),
    "month": timedelta(days=31),
    "quarter": timedelta(days=93),
    "year": timedelta(days=366),
}
"""From the first day of one, a day in the next."""


def _begin(unit: str, day: date, week_start: int) -> date:
    """Return the first day of the week, month, quarter or year that ``day`` is in."""
    if unit == "week":
        return week_of(day, week_start)
    if unit == "month":
        return day.replace(day=1)
    if unit == "quarter":
        return day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
    return day.replace(month=1, day=1)


def begin(unit: str, day: date, week_start: int) -> date:
    """Return the first day of the bucket that ``day`` falls in; of a day itself."""
    return day if unit == "day" else _begin(unit, day, week_start)
