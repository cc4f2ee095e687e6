"""The known answers of funnels, asked in-process: figures, and the people behind them."""

from typing import Any

import pytest

from hedgerow.errors import InvalidQuery
from hedgerow.insights import funnel_actors, funnels
from hedgerow.model.ports import Rows, Statement
from hedgerow.model.projects import QueryContext
from hedgerow.query.definitions import decode
from hedgerow.store.on_duckdb import DuckStore
from tests.cases import cases, distinct_ids, loaded, matches, substituted

OURS = {"step": "funnelStep"}


def asked(store: DuckStore, statements: list[Statement]) -> list[Rows]:
    return [store.run(one, timeout_s=10) for one in statements]


def answer(store: DuckStore, raw: dict[str, Any], context: QueryContext) -> Any:
    query = decode(raw)
    answers = asked(store, funnels.statements(query, context))
    return funnels.result(query, context, answers)


@pytest.mark.parametrize("case", cases("funnels"))
def test_funnel(store: DuckStore, case: dict[str, Any]) -> None:
    context, ids = loaded(store, case)
    raw, expect = substituted(case["query"], ids), case["expect"]
    if "error" in expect:
        with pytest.raises(InvalidQuery):
            answer(store, raw, context)
        return
    if "results" in expect:
        unordered = bool(case.get("unordered") or expect.get("unordered"))
        found = answer(store, raw, context)
        assert matches(substituted(expect["results"], ids), found, unordered=unordered), (
            found
        )
    for wanted in expect.get("actors", ()):
        selector = {OURS.get(k, k): v for k, v in wanted.items() if k != "distinct_ids"}
        source = {"kind": "FunnelsActorsQuery", "source": raw, **selector}
        query = decode({"kind": "ActorsQuery", "source": source}).source
        answers = asked(store, funnel_actors.statements(query, context))
        keys = [one.actor for one in funnel_actors.actors(query, context, answers)]
        found = distinct_ids(store, context.project.id, keys)
        assert found == sorted(wanted["distinct_ids"]), selector
