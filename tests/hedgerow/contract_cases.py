"""The contract's cases, asked directly of the store: no HTTP, no server.

``cases("trends.json")`` gives pytest parameters; ``check(case, store)`` loads a case into a
project of its own, asks, and returns every difference, by the contract's own rules of what
counts as a match.
"""

import importlib.util
import json
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType
from typing import Any

import msgspec
import pytest

from hedgerow.errors import HedgerowError
from hedgerow.insights.answer import Asking, answer
from hedgerow.model.projects import Cohort, Project, QueryContext
from hedgerow.store.on_duckdb import DuckStore
from tests.hedgerow.asked_again import Recorded, asked_again
from tests.world import a_project, context, load

CONTRACT = Path(__file__).parents[2].parent / "shared" / "contract"


def _runner() -> ModuleType:
    spec = importlib.util.spec_from_file_location("contract_run", CONTRACT / "run.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


RUN = _runner()


def cases(name: str, *keys: str) -> list[Any]:
    """Return the cases of a file as parameters; with ``keys`` only those that hold them."""
    content = json.loads((CONTRACT / name).read_text(encoding="utf-8"))
    wanted = keys or ("query",)
    chosen = [case for case in content["cases"] if all(key in case for key in wanted)]
    return [pytest.param(case, id=case["name"]) for case in chosen]


def check(case: dict[str, Any], store: DuckStore) -> list[str]:
    """Return how the answer to a case differs from what is expected."""
    now = datetime.now(UTC).replace(microsecond=0)
    placed = place(case, store, now)
    query = RUN.substitute(case["query"], placed.ids)
    asked = context(store, placed.project, now, cohorts=placed.cohorts)
    return _compared(case, query, asked, store, placed.ids)


class Placed(msgspec.Struct, frozen=True, kw_only=True):
    """A case's world, loaded into a project of its own."""

    project: Project
    cohorts: dict[int, Cohort]
    ids: dict[str, int]
    """Ids of the cohorts by the names that queries use for them."""


def place(case: dict[str, Any], store: DuckStore, now: datetime) -> Placed:
    """Load a case's world into a project of its own."""
    project = _project(case)
    types = case.get("group_types") or ()
    load(
        store,
        project,
        persons=case.get("persons") or (),
        groups=case.get("groups") or (),
        events=case.get("events") or (),
        group_types=types,
        now=now,
    )
    ids: dict[str, int] = {}
    cohorts: dict[int, Cohort] = {}
    for number, one in enumerate(case.get("cohorts") or (), start=project.id * 1000 + 1):
        ids[one["name"]] = number
        filters = RUN.substitute(one.get("filters") or {}, ids)
        cohorts[number] = Cohort(id=number, name=one["name"], filters=filters)
    return Placed(project=project, cohorts=cohorts, ids=ids)


def _compared(
    case: dict[str, Any],
    query: dict[str, Any],
    asked: QueryContext,
    store: DuckStore,
    ids: dict[str, int],
) -> list[str]:
    expect = case["expect"]
    if "error" in expect:
        try:
            answer(query, asked, store, Asking())
        except HedgerowError:
            return []
        return ["expected an error"]
    found = []
    if "results" in expect:
        recorded = Recorded(store)
        told = _plain(answer(query, asked, recorded, Asking()))
        found += asked_again(told["hogql"], asked, recorded)
        unordered = bool(case.get("unordered") or expect.get("unordered"))
        wanted = RUN.substitute(expect["results"], ids)
        found += RUN.differences(wanted, told["results"], unordered=unordered)
    actors = expect.get("actors") or []
    for wanted in actors if isinstance(actors, list) else [actors]:
        found += actors_of(query, wanted, asked, store)
    return found


def actors_of(
    query: dict[str, Any], wanted: dict[str, Any], asked: QueryContext, store: DuckStore
) -> list[str]:
    """Return who is missing from, or too much in, the list of people behind a figure."""
    kept = {"distinct_ids", "kind", "step"}
    selector = {name: value for name, value in wanted.items() if name not in kept}
    if "step" in wanted:
        selector["funnelStep"] = wanted["step"]
    usual = (
        "FunnelsActorsQuery" if query["kind"] == "FunnelsQuery" else "InsightActorsQuery"
    )
    source = {"kind": wanted.get("kind", usual), "source": query, **selector}
    whole = {"kind": "ActorsQuery", "source": source, "select": ["actor"], "limit": 1000}
    told = _plain(answer(whole, asked, store, Asking()))
    got = set(RUN.members([row[0] for row in told["results"]]))
    missing, extra = set(wanted["distinct_ids"]) - got, got - set(wanted["distinct_ids"])
    return (
        [f"actors {selector}: missing {missing}, extra {extra}"] if missing or extra else []
    )


def _project(case: dict[str, Any]) -> Project:
    settings = {name: case[name] for name in RUN.PROJECT_SETTINGS if name in case}
    return a_project(
        timezone=case.get("timezone", "UTC"),
        week_start_day=case.get("week_start", 0),
        **settings,
    )


def _plain(told: dict[str, Any]) -> dict[str, Any]:
    return json.loads(json.dumps(told, default=str))
