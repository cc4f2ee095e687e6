"""What an answer becomes on a screen: which form, which colours, which words."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgerow.web.charts import choose, words

NOW = datetime(2025, 10, 20, 10, 30, tzinfo=UTC)
DAYS = ["2025-10-18", "2025-10-19", "2025-10-20"]
NOTHING_KNOWN = dict


def row(value=None, data=(1, 2, 3), **more):
    made = {
        "label": "timer.started" if value is None else str(value),
        "data": list(data),
        "count": sum(data),
        "days": DAYS,
        "action": {"order": 0, "math": "total"},
    }
    if value is not None:
        made["breakdown_value"] = value
    return {**made, **more}


def total(value, figure, **more):
    made = row(value, data=(), aggregated_value=figure)
    return {**made, "days": [], "count": 0, **more}


def trend(display=None, **more):
    query = {
        "kind": "TrendsQuery",
        "series": [{"kind": "EventsNode", "event": "timer.started"}],
    }
    if display:
        query["trendsFilter"] = {"display": display}
    return {**query, **more}


def drawn(query, results, known=NOTHING_KNOWN, now=NOW):
    return choose.chart(query, {"results": results}, known=known, now=now)


@pytest.mark.parametrize(
    ("display", "form"),
    [
        pytest.param(None, "lines", id="no display is lines"),
        pytest.param("ActionsLineGraph", "lines", id="lines"),
        pytest.param("ActionsAreaGraph", "area", id="area"),
        pytest.param("ActionsBar", "stacked", id="bars of a breakdown are stacked"),
        pytest.param("ActionsUnstackedBar", "bars", id="bars side by side"),
    ],
)
def test_the_display_decides_how_time_is_drawn(display, form):
    assert drawn(trend(display), [row()]).form == form


def test_the_bucket_that_is_not_over_is_marked_and_named():
    chart = drawn(trend(), [row()])

    assert chart.unfinished == 2
    assert chart.unfinished_text == "today, until 10:30"


def test_a_range_that_is_over_has_no_unfinished_bucket():
    chart = drawn(trend(), [row()], now=datetime(2025, 10, 23, tzinfo=UTC))

    assert chart.unfinished is None


def test_the_mean_leaves_the_unfinished_bucket_out():
    chart = drawn(trend(), [row(data=(10, 20, 3))])

    assert chart.table.rows[0][2].value == 15


def test_versions_are_drawn_newest_first_in_ordered_hues():
    results = [row("2.9.1"), row("3.0.0"), row("2.10.0"), row("2.9.0")]

    chart = drawn(trend("ActionsBar"), results)

    assert [one.name for one in chart.series] == ["3.0.0", "2.10.0", "2.9.1", "2.9.0"]
    assert [one.hue for one in chart.series] == ["o1", "o2", "o3", "o4"]


def test_other_is_grey_and_a_missing_value_has_a_name():
    results = [row("docker"), row(words.NONE_VALUE), row(words.OTHER_VALUE)]

    chart = drawn(trend(), results)

    assert [(one.name, one.hue) for one in chart.series] == [
        ("docker", "s1"),
        ("(not set)", "s2"),
        ("Other", "s0"),
    ]


def test_a_value_keeps_its_colour_in_the_period_compared_with():
    results = [
        row("docker", compare_label="current"),
        row("native", compare_label="current"),
        row("native", compare_label="previous"),
    ]

    chart = drawn(trend(), results)

    assert [(one.name, one.hue, one.previous) for one in chart.series] == [
        ("docker", "s1", False),
        ("native", "s2", False),
        ("native", "s2", True),
    ]


def test_unique_persons_of_several_days_are_not_added_up():
    chart = drawn(trend(), [row(action={"order": 0, "math": "dau"})])

    assert chart.series[0].total_text == ""


@pytest.mark.parametrize(
    ("count", "kind"),
    [
        pytest.param(5, "ring", id="five parts are a ring"),
        pytest.param(6, "ranking", id="six are a list of bars"),
    ],
)
def test_a_pie_has_at_most_five_parts(count, kind):
    results = [total(f"value {i}", 10 - i) for i in range(count)]

    assert drawn(trend("ActionsPie"), results).kind == kind


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=5))
def test_the_parts_of_a_ring_fill_the_circle(figures):
    results = [total(f"value {i}", figure) for i, figure in enumerate(figures)]

    chart = drawn(trend("ActionsPie"), results)

    covered = sum(part.value for part in chart.parts) / sum(figures)
    assert covered == pytest.approx(1)
    assert all(0 < part.arc < 340 for part in chart.parts)


def test_a_ranking_shows_eight_bars_and_says_how_many_more_there_are():
    results = [total(f"value {i}", 100 - i) for i in range(11)]

    chart = drawn(trend("ActionsBarValue"), results)

    assert len(chart.parts) == 8
    assert chart.more == 3
    assert len(chart.table.rows) == 11


def test_hours_are_in_the_order_of_the_clock_and_all_shown():
    by = {"breakdown_type": "hogql", "breakdown": "toHour(timestamp)"}
    results = [total(str(hour), 100 - hour) for hour in (9, 10, 0, 23)]

    chart = drawn(trend("ActionsBarValue", breakdownFilter=by), results)

    assert [part.name for part in chart.parts] == ["0", "9", "10", "23"]


def test_a_number_says_its_change_without_judging_it():
    results = [
        total(None, 1284, compare_label="current"),
        total(None, 1271, compare_label="previous"),
    ]

    chart = drawn(trend("BoldNumber"), results)

    assert (chart.text, chart.change, chart.direction) == ("1,284", "1.0\u202f%", "up")
    assert chart.note == "13 more than in the period before"


def test_a_point_knows_who_to_ask_for():
    chart = drawn(trend(), [row("docker")])

    assert chart.series[0].who == {"series": 0, "breakdown": "docker"}
    assert chart.table.rows[0][3].who == {
        "series": 0,
        "breakdown": "docker",
        "day": "2025-10-18",
    }


def test_an_event_that_never_came_is_named():
    chart = drawn(trend(), [], known=lambda: {"auth.login": NOW})

    assert chart.kind == "nothing"
    assert chart.what == "No timer.started received yet"


def test_an_event_that_came_at_another_time_says_when_it_last_did():
    seen = datetime(2025, 8, 3, 9, 5, tzinfo=UTC)

    chart = drawn(trend(), [row(data=(0, 0, 0))], known=lambda: {"timer.started": seen})

    assert chart.what == "No timer.started in this period"
    assert "3 Aug at 09:05" in chart.why


def funnel_step(name, count, order, median=None):
    return {
        "name": name,
        "count": count,
        "order": order,
        "median_conversion_time": median,
        "average_conversion_time": median,
    }


def test_a_funnel_says_who_went_on_and_where_most_are_lost():
    results = [
        funnel_step("login", 2418, 0),
        funnel_step("project", 1732, 1, 192),
        funnel_step("export", 517, 2, 41),
    ]

    chart = drawn({"kind": "FunnelsQuery"}, results)

    assert chart.rate == "21.4\u202f%"
    assert [step.dropped for step in chart.steps] == ["0", "686", "1,215"]
    assert chart.steps[1].median == "3m 12s"
    assert chart.loss == "1,215 between steps 2 and 3"
    assert chart.steps[2].who_dropped == {"funnelStep": -3}


def test_a_funnel_nobody_entered_says_so():
    assert drawn({"kind": "FunnelsQuery"}, []).kind == "nothing"


def retention_row(date, *counts):
    return {"date": date, "breakdown_value": None, "values": [{"count": c} for c in counts]}


RETENTION = {"kind": "RetentionQuery", "retentionFilter": {"period": "Week"}}


def test_retention_leaves_cells_ahead_empty_and_hatches_those_under_way():
    results = [
        retention_row("2025-10-06T00:00:00+00:00", 100, 40, 10),
        retention_row("2025-10-13T00:00:00+00:00", 50, 5, 0),
    ]

    chart = drawn(RETENTION, results)

    first, second = chart.rows[1], chart.rows[2]
    assert [cell.text for cell in first.cells] == ["100", "40.0", "10.0"]
    assert [cell.part for cell in first.cells] == [False, False, True]
    assert [cell.step for cell in second.cells] == [0, second.cells[1].step, None]
    assert chart.headline == "40.0\u202f%"


def test_paths_add_up_what_goes_through_a_stop():
    results = [
        {"source": "1_/", "target": "2_/b", "value": 3, "average_conversion_time": 1000},
        {"source": "1_/a", "target": "2_/b", "value": 2, "average_conversion_time": 1000},
    ]

    chart = drawn({"kind": "PathsQuery"}, results)

    assert {node.key: node.text for node in chart.nodes}["2_/b"] == "5"
    assert chart.edges[0].who == {"pathStartKey": "1_/", "pathEndKey": "2_/b"}


def test_typed_sql_sets_figures_right_and_says_what_is_missing():
    answer = {"columns": ["event", "n"], "results": [["a", 12345], ["b", None]]}

    chart = choose.chart({"kind": "HogQLQuery"}, answer, known=NOTHING_KNOWN, now=NOW)

    assert [column.number for column in chart.table.columns] == [False, True]
    assert [r[1].text for r in chart.table.rows] == ["12,345", words.NONE]
