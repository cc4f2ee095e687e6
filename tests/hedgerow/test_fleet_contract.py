"""The known answers about fleets: every figure of the contract, and the order of versions."""

import json
from datetime import UTC, datetime

import pytest

from hedgerow.insights.answer import Asking, answer
from hedgerow.insights.fleet.settings import settings_of
from hedgerow.insights.fleet.settings_checks import checked
from tests.hedgerow.contract_cases import RUN, cases
from tests.world import a_project, context, load


@pytest.mark.parametrize("case", cases("fleet.json", "fleet"))
def test_a_figure_answers_as_the_contract_says(case, store):
    now = datetime.now(UTC).replace(microsecond=0)
    settings = case["fleet"].get("settings") or {}
    checked(settings_of(settings))
    project = a_project(timezone=case.get("timezone", "UTC"), fleet=settings)
    load(store, project, persons=case["persons"], events=case["events"], now=now)
    query = {
        "kind": "FleetQuery",
        "figure": case["fleet"]["figure"],
        "params": case["fleet"]["params"],
    }

    told = answer(query, context(store, project, now), store, Asking())

    plain = json.loads(json.dumps(told["results"]))
    assert RUN.differences(case["expect"]["results"], plain, unordered=False) == []
