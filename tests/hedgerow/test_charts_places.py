"""The map that a trend by country becomes."""

from datetime import UTC, datetime

from hedgerow.web.charts import words
from hedgerow.web.charts.choose import chart

NOW = datetime(2026, 3, 15, tzinfo=UTC)
QUERY = {
    "kind": "TrendsQuery",
    "series": [{"kind": "EventsNode", "event": "a"}],
    "breakdownFilter": {"breakdown": "$geoip_country_code"},
    "trendsFilter": {"display": "WorldMap"},
}


def drawn(**values):
    rows = [
        {"breakdown_value": code, "label": code, "aggregated_value": value, "action": {}}
        for code, value in values.items()
    ]
    return chart(QUERY, {"results": rows}, known=dict, now=NOW)


def test_countries_have_steps_and_what_is_none_stands_in_the_table_alone():
    world = drawn(DE=900, AT=9, CH=0, unknown=50)

    assert {one.code: one.step for one in world.places} == {"DE": 9, "AT": 1, "CH": 0}
    assert [row[0].text for row in world.table.rows] == ["DE", "AT", "CH", "unknown"]
    assert world.places[0].text == f"900 ({words.percent(900 / 959)})"
    assert world.places[0].who["breakdown"] == "DE"
