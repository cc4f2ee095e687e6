"""The same questions, compiled for ClickHouse and answered by its engine: equal answers.

Every contract case of trends, retention, lifecycle, stickiness and funnels is asked of both
engines over the same rows. Properties are read from JSON there, and from their own columns
in DuckDB, so this also holds those two ways together.
"""

import json
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from hedgerow.insights.answer import Asking, answer
from hedgerow.store.on_duckdb import DuckStore
from tests.engines.rival import Rival
from tests.hedgerow.contract_cases import RUN, actors_of, cases, place
from tests.world import context

FILES = ("trends", "retention", "lifecycle", "stickiness", "funnels")
CASES = {
    f"{name}: {one.id}": one.values[0]
    for name in FILES
    for one in cases(f"{name}.json")
    if "error" not in one.values[0]["expect"]
}


@pytest.fixture(scope="module")
def worlds(tmp_path_factory):
    """Both engines over the worlds of all cases, and each case's question and context."""
    now = datetime.now(UTC).replace(microsecond=0)
    store = DuckStore(None)
    asked = {}
    for name, case in CASES.items():
        placed = place(case, store, now)
        about = context(store, placed.project, now, cohorts=placed.cohorts)
        asked[name] = RUN.substitute(case["query"], placed.ids), about
    rival = Rival(tmp_path_factory.mktemp("rival"))
    rival.fill(store)
    yield store, rival, asked
    rival.close()
    store.close()


def _told(query: dict[str, Any], about: Any, reader: Any) -> Any:
    told = answer(query, about, reader, Asking())
    return json.loads(json.dumps(told["results"], default=str))


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_the_other_engine_answers_the_same(name, worlds):
    store, rival, asked = worlds
    query, about = asked[name]
    there = msgspec.structs.replace(about, engine="clickhouse", columns={})

    ours, theirs = _told(query, about, store), _told(query, there, rival)

    assert RUN.differences(ours, theirs, unordered=False) == []


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", [name for name in CASES if "actors" in CASES[name]["expect"]]
)
def test_the_other_engine_lists_the_same_people(name, worlds):
    _, rival, asked = worlds
    query, about = asked[name]
    there = msgspec.structs.replace(about, engine="clickhouse", columns={})
    wanted = CASES[name]["expect"]["actors"]
    listed = wanted if isinstance(wanted, list) else [wanted]

    assert [actors_of(query, one, there, rival) for one in listed] == [[]] * len(listed)
