"""The known answers of paths, asked in-process: edges, and the people behind them."""

from typing import Any

import pytest

from hedgerow.insights import path_actors, paths
from hedgerow.model.ports import Rows, Statement
from hedgerow.query.definitions import decode
from hedgerow.store.on_duckdb import DuckStore
from tests.cases import cases, distinct_ids, loaded, matches, substituted


def asked(store: DuckStore, statements: list[Statement]) -> list[Rows]:
    return [store.run(one, timeout_s=10) for one in statements]


@pytest.mark.parametrize("case", cases("paths"))
def test_paths(store: DuckStore, case: dict[str, Any]) -> None:
    context, ids = loaded(store, case)
    query, expect = decode(substituted(case["query"], ids)), case["expect"]
    if "results" in expect:
        answers = asked(store, paths.statements(query, context))
        found = paths.result(query, context, answers)
        assert matches(expect["results"], found), found
    for wanted in expect.get("actors", ()):
        answers = asked(store, path_actors.statements(query, context))
        keys = [one.actor for one in path_actors.actors(query, context, answers)]
        assert distinct_ids(store, context.project.id, keys) == sorted(
            wanted["distinct_ids"]
        )
