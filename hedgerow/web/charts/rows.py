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


def name_of(row: Row) -> str:
    """Return what a row is called: its own name, its breakdown value, or its event."""
    custom = (row.get("action") or {}).get("custom_name")
    if "breakdown_value" not in row:
        return str(custom or row.get("label") or "")
    label, value = str(row.get("label") or ""), row["breakdown_value"]
    if isinstance(value, int):  # a cohort: its label is its name
        return label
    event = label.rpartition(" - ")[0]
    name = words.value_name(value) if value != "all" else "all persons"
    return f"{custom or event} · {name}" if event and " - " in label else name


def are_versions(values: Sequence[object]) -> bool:
    """Return whether all values, sentinels apart, read as versions: those have an order."""
    real = [str(value) for value in values if str(value) not in words.SENTINELS]
    return any(text.count(".") >= 2 for text in real) and all(
        "." in text and versions.parse(text).kind == "ordered" for text in real
    )


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
    for row in rows:
        name = name_of(row)
        if name in given:
            continue
        if str(row.get("breakdown_value")) == words.OTHER_VALUE:
            given[name] = "s0"
        elif in_order:
            given[name] = f"o{min(len(given) + 1, ORDERED_HUES)}"
        else:
            given[name] = f"s{len(given) + 1}" if len(given) < HUES else "s0"
    return [given[name_of(row)] for row in rows]


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
