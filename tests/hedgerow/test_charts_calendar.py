"""The table that a calendar's heat map becomes."""

from datetime import UTC, datetime

import pytest

from hedgerow.web.charts.choose import chart
from hedgerow.web.charts.words import NONE

NOW = datetime(2026, 3, 15, tzinfo=UTC)
RESULTS = {
    "data": [{"row": 1, "column": 9, "value": 3}, {"row": 7, "column": 23, "value": 1200}],
    "rowAggregations": [{"row": 1, "value": 3}, {"row": 7, "value": 1200}],
    "columnAggregations": [{"column": 9, "value": 3}, {"column": 23, "value": 1200}],
    "allAggregations": 1203,
}
QUERIES = [
    {"kind": "CalendarHeatmapQuery", "series": []},
    {"kind": "TrendsQuery", "series": [], "trendsFilter": {"display": "CalendarHeatmap"}},
]


@pytest.mark.parametrize("query", QUERIES)
def test_hours_stand_beside_days_with_their_sums(query):
    drawn = chart(query, {"results": RESULTS}, known=dict, now=NOW)
    texts = [[cell.text for cell in row] for row in drawn.table.rows]
    assert len(texts) == 25
    assert texts[9] == ["09:00", "3", *[NONE] * 6, "3"]
    assert texts[24] == ["All", "3", *[NONE] * 5, "1,200", "1,203"]
    assert drawn.rows[9].cells[0].step == 1
    assert drawn.rows[23].cells[6].step == 9
    assert drawn.rows[0].cells[0].step == 0
    assert drawn.foot[-1] == "1,203"
    assert drawn.summary == "1,203 in all, most on Sun at 23:00."


@pytest.mark.parametrize("query", QUERIES)
def test_an_empty_one_says_why(query):
    drawn = chart(query, {"results": {"data": []}}, known=dict, now=NOW)
    assert drawn.kind == "nothing"
