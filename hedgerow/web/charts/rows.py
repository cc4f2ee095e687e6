"""Rows of a trend's answer: what each is called, its place, its colour, who is behind it.

A value keeps its colour in both periods of a comparison. Values with an order (versions)
take the ordered hues, newest darkest; beyond the hues there are, all share a grey.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from hedgerow.model import versions
from hedgerow.web.charts import words

Row = Mapping[str, Any]
HUES = 10
ORDERED_HUES = 7
MOST = 0.6
"""Share of the values that have to read as versions: a few odd ones are normal."""

MEASURES = {
    "dau": "unique persons",
    "weekly_active": "weekly active",
    "monthly_active": "monthly active",
    "unique_session": "unique sessions",
    "unique_group": "unique groups",
}


def names(rows: Sequence[Row]) -> list[str]:
    """Return what the rows are called: own name, breakdown value, or event and measure.

    Of several series each value is named with its event, of one without.
    """
    several = len({row.get("order") for row in rows}) > 1
    return [_name(row, several=several) for row in rows]


def _name(row: Row, *, several: bool) -> str:
    action = row.get("action") or {}
    event = str(action.get("custom_name") or action.get("name") or "")
    label = str(row.get("label") or "")
    if "breakdown_value" not in row:
        measure = MEASURES.get(str(action.get("math")))
        named = str(action.get("custom_name") or label)
        return f"{named}, {measure}" if measure and not action.get("custom_name") else named
    value = row["breakdown_value"]
    if isinstance(value, int):  # a cohort: its name is in the label
        name = label.removeprefix(f"{action.get('name')} - ")
    else:
        name = "all persons" if value == "all" else words.value_name(value)
    return f"{event} · {name}" if several and event else name


def are_versions(values: Sequence[object]) -> bool:
    """Return whether most values, sentinels apart, are versions: those have an order."""
    real = [str(value) for value in values if str(value) not in words.SENTINELS]
    told = [text for text in real if "." in text and versions.parse(text).kind == "ordered"]
    dotted = any(text.count(".") >= 2 for text in told)
    return dotted and len(told) > len(real) * MOST


def ordered(rows: Sequence[Row]) -> list[Row]:
    """Return the rows as they are drawn: versions newest first, all else as answered."""
    values = [row.get("breakdown_value") for row in rows]
    if not are_versions(values):
        return list(rows)
    groups = versions.order(str(value) for value in values)["ordered"]
    place = {text: i for i, group in enumerate(groups) for text in group}
    return sorted(rows, key=lambda row: -place.get(str(row["breakdown_value"]), -1))


def hues(rows: Sequence[Row]) -> list[str]:
    """Return the class of each row's colour: one per name, the same for both periods."""
    in_order = are_versions([row.get("breakdown_value") for row in rows])
    given: dict[str, str] = {}
    called = names(rows)
    for row, name in zip(rows, called, strict=True):
        if name not in given:
            given[name] = _hue(row, len(given) + 1, in_order=in_order)
    return [given[name] for name in called]


def _hue(row: Row, place: int, *, in_order: bool) -> str:
    value = str(row.get("breakdown_value"))
    if value == words.OTHER_VALUE or (in_order and versions.parse(value).kind != "ordered"):
        return "s0"
    if in_order:
        return f"o{min(place, ORDERED_HUES)}"
    return f"s{place}" if place <= HUES else "s0"


def who(row: Row) -> dict[str, Any] | None:
    """Return what an InsightActorsQuery needs to find the persons behind a row."""
    if row.get("action") is None:
        return None  # a formula's figure has nobody behind it
    asked: dict[str, Any] = {"series": row["action"].get("order", 0)}
    if "breakdown_value" in row:
        asked["breakdown"] = row["breakdown_value"]
    if row.get("compare_label"):
        asked["compare"] = row["compare_label"]
    return asked


def breakdown_name(query: Row) -> str:
    """Return the heading over the names of the rows."""
    by = query.get("breakdownFilter") or {}
    if by.get("breakdowns"):
        return " · ".join(str(each.get("property")) for each in by["breakdowns"])
    if by.get("breakdown_type") == "cohort":
        return "Cohort"
    return str(by.get("breakdown") or "Series")
