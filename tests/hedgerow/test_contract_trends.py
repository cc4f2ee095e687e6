"""Every case of the trends contract, asked directly of the store."""

import pytest

from tests.hedgerow.contract_cases import cases, check


@pytest.mark.parametrize("case", cases("trends.json"))
def test_trends_answer_as_the_contract_says(case, store):
    assert check(case, store) == []
