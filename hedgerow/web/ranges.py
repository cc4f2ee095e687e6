"""Date ranges and filters in the address of a screen, and what they do to a question.

    ?from=-30d&to=…&where=[{"key": "environment", …}]

On a dashboard they hold for every tile: a range given here replaces the tile's own, filters
are added to it. So what one sees can be sent to a colleague as it is. Pure.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec

from hedgerow.errors import InvalidInput
from hedgerow.web.charts import words
from hedgerow.web.charts.choose import WRAPPERS

CHOICES = (
    ("-24h", "", "Last 24 hours"),
    ("dStart", "", "Today"),
    ("-1dStart", "-1dEnd", "Yesterday"),
    ("-7d", "", "Last 7 days"),
    ("-14d", "", "Last 14 days"),
    ("-30d", "", "Last 30 days"),
    ("-90d", "", "Last 90 days"),
    ("mStart", "", "This month"),
    ("-1mStart", "-1mEnd", "Last month"),
    ("yStart", "", "This year"),
    ("all", "", "All time"),
)
OPERATORS = (
    ("exact", "="),
    ("is_not", "is not"),
    ("icontains", "contains"),
    ("not_icontains", "does not contain"),
    ("regex", "matches"),
    ("not_regex", "does not match"),
    ("gt", ">"),
    ("gte", "≥"),
    ("lt", "<"),
    ("lte", "≤"),
    ("is_set", "is set"),
    ("is_not_set", "is not set"),
    ("is_date_before", "before"),
    ("is_date_after", "after"),
    ("version_eq", "version ="),
    ("version_gte", "version ≥"),
    ("version_gt", "version >"),
    ("version_lte", "version ≤"),
    ("version_lt", "version <"),
    ("semver_gte", "X.Y.Z ≥"),
    ("semver_lt", "X.Y.Z <"),
)
NAMES = dict(OPERATORS)
WITHOUT_VALUE = frozenset({"is_set", "is_not_set"})


class Range(msgspec.Struct, frozen=True, kw_only=True):
    """The range of a screen: ``date_from`` and ``date_to`` as questions write them."""

    date_from: str = ""
    """Empty: each question has its own."""

    date_to: str = ""

    @property
    def given(self) -> bool:
        """Whether there is one."""
        return bool(self.date_from)


def label(chosen: Range, none: str = "Its own range") -> str:
    """Return what a range is called."""
    if not chosen.given:
        return none
    for date_from, date_to, name in CHOICES:
        if (date_from, date_to) == (chosen.date_from, chosen.date_to):
            return name
    return f"{chosen.date_from} to {chosen.date_to or 'now'}"


def dates(chosen: Range, today: datetime) -> str:
    """Return the days a range spans, ``21 Sep`` to ``20 Oct``; empty: cannot be said."""
    span = _days(chosen, today)
    return words.day_range(*span) if span else ""


def _days(chosen: Range, today: datetime) -> tuple[datetime, datetime] | None:
    midnight = today.replace(hour=0, minute=0, second=0, microsecond=0)
    text = chosen.date_from
    if (
        text.startswith("-")
        and text.endswith("d")
        and text[1:-1].isdigit()
        and not chosen.date_to
    ):
        return midnight - timedelta(days=int(text[1:-1])), midnight
    try:
        start = datetime.fromisoformat(text)
        end = datetime.fromisoformat(chosen.date_to) if chosen.date_to else midnight
    except ValueError:
        return None
    return start.replace(tzinfo=today.tzinfo), end.replace(tzinfo=today.tzinfo)


def shifted(chosen: Range, today: datetime, steps: int) -> Range | None:
    """Return the range as long, ``steps`` lengths later (earlier if negative)."""
    span = _days(chosen, today)
    if span is None:
        return None
    start, end = span
    length = (end - start) + timedelta(days=1)
    moved = [day + steps * length for day in (start, end)]
    if steps > 0 and moved[0] > today:
        return None
    return Range(date_from=f"{moved[0]:%Y-%m-%d}", date_to=f"{moved[1]:%Y-%m-%d}")


def filters(text: str) -> list[dict[str, Any]]:
    """Return the filters written in an address. Raises InvalidInput."""
    if not text:
        return []
    try:
        return msgspec.json.decode(text, type=list[dict[str, Any]])
    except msgspec.DecodeError as error:
        raise InvalidInput(
            f"The filters {text[:60]!r} in the address cannot be read.",
            hint="Remove 'where' from the address and add them again.",
            attr="where",
        ) from error


def made(key: str, scope: str, operator: str, value: str) -> dict[str, Any]:
    """Return a property filter from the fields of a form; several values have commas."""
    if operator not in NAMES:
        raise InvalidInput(
            f"There is no operator {operator!r}.",
            hint="Choose one of the list.",
            attr="operator",
        )
    kind, _, index = scope.partition(":")
    found: dict[str, Any] = {"key": key, "type": kind or "event", "operator": operator}
    if kind == "group":
        found["group_type_index"] = int(index or 0)
    if kind == "cohort":
        return {"key": "id", "type": "cohort", "value": int(value or 0), "operator": "in"}
    if operator in WITHOUT_VALUE:
        return found
    if operator in {"exact", "is_not"}:
        found["value"] = [part.strip() for part in value.split(",") if part.strip()]
    else:
        found["value"] = value
    return found


def said(where: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return a filter as its property, its operator and its value, in words."""
    operator = str(where.get("operator") or "exact")
    value = where.get("value")
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value or "")
    if where.get("type") in {"cohort", "static-cohort", "precalculated-cohort"}:
        return "cohort", "is not" if operator == "not_in" else "is", text
    if operator in WITHOUT_VALUE:
        text = ""
    return str(where.get("key", "")), NAMES.get(operator, operator), text


def applied(
    query: Mapping[str, Any], chosen: Range, added: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """Return a question with a screen's range and filters, out of its wrappers."""
    plain = dict(query)
    while plain.get("kind") in WRAPPERS:
        plain = dict(plain["source"])
    if plain.get("kind") == "HogQLQuery":
        return _applied_to_sql(plain, chosen, added)
    if chosen.given:
        plain["dateRange"] = {
            "date_from": chosen.date_from,
            "date_to": chosen.date_to or None,
        }
    if added:
        own = plain.get("properties") or []
        plain["properties"] = (
            [*own, *added]
            if isinstance(own, list)
            else {"type": "AND", "values": [own, {"type": "AND", "values": list(added)}]}
        )
    return plain


def _applied_to_sql(
    query: dict[str, Any], chosen: Range, added: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    """A typed SELECT takes them where it says ``{filters}``, and nowhere else."""
    if not (chosen.given or added) or "{filters}" not in str(query.get("query")):
        return query
    own = dict(query.get("filters") or {})
    if chosen.given:
        own["dateRange"] = {
            "date_from": chosen.date_from,
            "date_to": chosen.date_to or None,
        }
    if added:
        own["properties"] = [*(own.get("properties") or []), *added]
    return {**query, "filters": own}
