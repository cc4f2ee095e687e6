"""The known answers about people: who came back, how often, who they are, what they chose."""

import pytest

from hedgerow.insights.answer import Asking, answer
from tests.hedgerow.contract_cases import cases, check
from tests.world import a_project, context, load


@pytest.mark.parametrize("case", cases("retention.json"))
def test_retention_answers_as_the_contract_says(case, store):
    assert check(case, store) == []


@pytest.mark.parametrize("case", cases("stickiness.json"))
def test_stickiness_answers_as_the_contract_says(case, store):
    assert check(case, store) == []


@pytest.mark.parametrize("case", cases("lifecycle.json"))
def test_lifecycle_answers_as_the_contract_says(case, store):
    assert check(case, store) == []


@pytest.mark.parametrize("case", cases("experiments.json", "query"))
def test_experiments_answer_as_the_contract_says(case, store):
    assert check(case, store) == []


def test_the_people_of_a_retention_row_come_most_loyal_first(store):
    project = a_project()
    days = {"ann": (1, 2, 4), "bob": (1, 6), "cat": (1,), "dan": (2, 3)}
    load(
        store,
        project,
        events=[
            {
                "event": "$pageview",
                "distinct_id": who,
                "timestamp": f"2024-01-0{day}T12:00:00Z",
            }
            for who, active in days.items()
            for day in active
        ],
    )
    retention = {
        "kind": "RetentionQuery",
        "dateRange": {"date_from": "2024-01-01", "date_to": "2024-01-07"},
        "retentionFilter": {"period": "Day", "totalIntervals": 7},
    }
    source = {"kind": "InsightActorsQuery", "source": retention, "interval": 0}
    query = {"kind": "ActorsQuery", "source": source, "select": ["actor", "appearances"]}

    rows = answer(query, context(store, project), store, Asking())["results"]

    assert [(person["distinct_ids"], columns) for person, columns in rows] == [
        (["ann"], [0, 1, 3]),
        (["bob"], [0, 5]),
        (["cat"], [0]),
    ]
