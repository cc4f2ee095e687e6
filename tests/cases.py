"""Contract cases asked in-process: data loaded as the writer would, questions as the API would.

The files are those that ``shared/contract/run.py`` asks a running server; this asks the
insights themselves, without HTTP. What counts as a match is the same: a mapping holds at
least the expected keys, lists have the same length and order (or any, where the case says
so), numbers agree to 1 part in 10,000.
"""

import json
import math
from pathlib import Path
from typing import Any

import pytest

from hedgerow.model.projects import Cohort, QueryContext
from hedgerow.store.on_duckdb import DuckStore
from tests import world

SHARED = Path(__file__).parents[1].parent / "shared" / "contract"
SETTINGS = ("test_account_filters", "path_cleaning_filters")


def cases(name: str) -> list[Any]:
    """Return the cases of a file as parameters, by name."""
    content = json.loads((SHARED / f"{name}.json").read_text(encoding="utf-8"))
    return [pytest.param(case, id=case["name"]) for case in content["cases"]]


def loaded(store: DuckStore, case: dict[str, Any]) -> tuple[QueryContext, dict[str, int]]:
    """Load a case into a project of its own; return its context and its cohorts' ids."""
    project = world.a_project(
        timezone=case.get("timezone", "UTC"),
        week_start_day=case.get("week_start", 0),
        **{name: case[name] for name in SETTINGS if name in case},
    )
    parts = ("persons", "events", "groups", "group_types")
    world.load(store, project, **{part: case.get(part, ()) for part in parts})
    ids: dict[str, int] = {}
    cohorts = {}
    for number, cohort in enumerate(case.get("cohorts", ()), 1):
        ids[cohort["name"]] = number
        filters = substituted(cohort.get("filters") or {}, ids)
        cohorts[number] = Cohort(id=number, name=cohort["name"], filters=filters)
    return world.context(store, project, cohorts=cohorts), ids


def substituted(value: Any, ids: dict[str, int]) -> Any:
    """Replace {"$cohort": "name"} by that cohort's id, anywhere."""
    if isinstance(value, dict):
        if set(value) == {"$cohort"}:
            return ids[value["$cohort"]]
        return {name: substituted(inner, ids) for name, inner in value.items()}
    if isinstance(value, list):
        return [substituted(inner, ids) for inner in value]
    return value


def matches(expected: Any, actual: Any, *, unordered: bool = False) -> bool:
    """Return whether an answer holds what is expected of it."""
    if isinstance(expected, dict):
        return isinstance(actual, dict) and all(
            name in actual and matches(inner, actual[name])
            for name, inner in expected.items()
        )
    if isinstance(expected, list):
        if not isinstance(actual, list) or len(expected) != len(actual):
            return False
        if not unordered:
            return all(map(matches, expected, actual))
        rest = list(actual)
        for inner in expected:
            one = next((row for row in rest if matches(inner, row)), None)
            if one is None:
                return False
            rest.remove(one)
        return True
    if _is_number(expected) and _is_number(actual):
        return math.isclose(expected, actual, rel_tol=1e-4, abs_tol=1e-6)
    return bool(expected == actual)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def distinct_ids(store: DuckStore, project_id: int, keys: list[int]) -> list[str]:
    """Return all ids of the persons with these keys, sorted."""
    sql = "SELECT distinct_id FROM distinct_ids WHERE project_id = ? AND list_contains(?, person_key)"
    return sorted(row[0] for row in world.rows(store, sql, project_id, keys))
