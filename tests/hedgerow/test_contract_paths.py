"""The known answers of paths: edges, and the people behind them."""

import pytest

from tests.hedgerow.contract_cases import cases, check


@pytest.mark.parametrize("case", cases("paths.json"))
def test_paths_answer_as_the_contract_says(case, store):
    assert check(case, store) == []
