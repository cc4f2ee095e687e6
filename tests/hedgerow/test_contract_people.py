"""The known answers about people: who came back, how often, who they are, what they chose."""

import pytest

from tests.hedgerow.contract_cases import cases, check


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
