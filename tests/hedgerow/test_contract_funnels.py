"""The known answers of funnels: figures, and the people behind them."""

import pytest

from tests.hedgerow.contract_cases import cases, check


@pytest.mark.parametrize("case", cases("funnels.json"))
def test_funnels_answer_as_the_contract_says(case, store):
    assert check(case, store) == []
