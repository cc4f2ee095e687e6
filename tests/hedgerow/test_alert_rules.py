"""When alerts fire: bounds, changes, what is unusual, and the fleet's ready-made rules."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgerow.errors import InvalidInput
from hedgerow.insights import alert_rules
from hedgerow.insights.alert_rules import Rule
from hedgerow.insights.fleet import ready_alerts
from hedgerow.insights.fleet.ready_alerts import READY
from hedgerow.insights.fleet.settings import FleetSettings
from hedgerow.meta import alerts

TRENDS = {
    "kind": "TrendsQuery",
    "series": [{"kind": "EventsNode", "event": "sign up"}],
    "interval": "day",
    "dateRange": {"date_from": "-90d"},
    "compareFilter": {"compare": True},
}
DAY = date(2026, 3, 1)


def rule(kind="absolute_value", *, unit="absolute", lower=None, upper=None, **config):
    return msgspec.convert(
        {
            "condition": {"type": kind},
            "threshold": {
                "configuration": {"type": unit, "bounds": {"lower": lower, "upper": upper}}
            },
            "config": config,
        },
        Rule,
    )


def judged(which, *data, **row):
    found = {
        "label": "sign up",
        "data": list(data),
        "days": [f"d{n}" for n in range(len(data))],
    }
    return alert_rules.judged(TRENDS, which, [found | row])


@pytest.mark.parametrize(
    ("which", "data", "firing"),
    [
        pytest.param(rule(lower=5), (9, 4, 100), True, id="below"),
        pytest.param(rule(lower=5), (9, 5, 0), False, id="at the bound, running one ignored"),
        pytest.param(rule(upper=5), (0, 6, 0), True, id="above"),
        pytest.param(rule(upper=5, check_ongoing_interval=True), (0, 0, 6), True, id="running"),
        pytest.param(rule(lower=5), (3,), False, id="nothing complete"),
        pytest.param(rule("relative_increase", upper=10), (10, 21, 0), True, id="rose by 11"),
        pytest.param(rule("relative_increase", upper=10), (10, 20, 0), False, id="rose by 10"),
        pytest.param(
            rule("relative_decrease", unit="percentage", upper=0.5), (10, 4, 0), True, id="60 %"
        ),
        pytest.param(
            rule("relative_decrease", unit="percentage", upper=0.5), (10, 5, 0), False, id="50 %"
        ),
        pytest.param(
            rule("relative_increase", unit="percentage", upper=0.5), (0, 9, 0), False, id="from 0"
        ),
        pytest.param(rule("relative_decrease", upper=1), (5, 1), False, id="only one complete"),
        pytest.param(rule("anomaly"), (*[100] * 28, 10, 0), True, id="a fall"),
        pytest.param(rule("anomaly"), (*[100] * 28, 151, 0), True, id="beyond chance"),
        pytest.param(rule("anomaly"), (*[100] * 28, 149, 0), False, id="within chance"),
        pytest.param(rule("anomaly"), (*[50, 150] * 14, 250, 0), False, id="it always varies"),
        pytest.param(rule("anomaly"), (100, 100, 0, 0), False, id="too little before"),
        pytest.param(rule("anomaly"), (*[0] * 28, 50, 0), False, id="nothing before"),
        pytest.param(rule("anomaly", upper=2), (*[100] * 28, 121, 0), True, id="stricter"),
    ],
)  # fmt: skip
def test_an_alert_fires_when_the_number_is_out_of_bounds(which, data, firing):
    found = judged(which, *data)

    assert found.firing is firing
    assert found.text.endswith(".")


def test_a_sentence_says_what_was_seen():
    assert judged(rule(lower=5), 9, 4, 0).text == "sign up on d1: 4, below 5."
    assert (
        judged(rule("relative_decrease", unit="percentage", upper=0.5), 10, 4, 0).text
        == "sign up on d1: 4, 60.0% less than 10 before, above 50.0%."
    )


def test_any_value_of_a_breakdown_may_fire_but_not_another_series():
    rows = [
        {"label": "a", "data": [9, 9], "days": ["x", "y"], "action": {"order": 0}},
        {"label": "b", "data": [1, 9], "days": ["x", "y"], "action": {"order": 0}},
        {"label": "c", "data": [0, 9], "days": ["x", "y"], "action": {"order": 1}},
    ]

    assert alert_rules.judged(TRENDS, rule(lower=5), rows).text.startswith("b ")
    other = alert_rules.judged(TRENDS, rule(lower=1, series_index=1), rows)
    assert other.text.startswith("c ")


def test_of_several_formulas_broken_down_only_the_watched_one_may_fire():
    rows = [
        {
            "label": f"{order} a",
            "data": [n, 9],
            "days": ["x", "y"],
            "action": None,
            "order": order,
            "breakdown_value": "a",
        }
        for order, n in ((0, 1), (1, 9))
    ]

    assert alert_rules.judged(TRENDS, rule(lower=5), rows).text.startswith("0 a ")
    assert not alert_rules.judged(TRENDS, rule(lower=5, series_index=1), rows).firing


@pytest.mark.parametrize(
    ("filters", "last"),
    [
        pytest.param({}, 0, id="series"),
        pytest.param({"formula": "A*2"}, 0, id="one formula"),
        pytest.param({"formulas": ["A", "A*2"]}, 1, id="formulas"),
        pytest.param({"formulaNodes": [{"formula": "A"}] * 3}, 2, id="formula nodes"),
        pytest.param({"formulas": ["A", "A*2"], "formula": "A"}, 1, id="formulas win"),
    ],
)
def test_each_series_or_formula_may_be_watched_and_no_other(filters, last):
    query = {**TRENDS, "trendsFilter": filters}

    assert alert_rules.question(query, rule(lower=1, series_index=last))
    with pytest.raises(InvalidInput, match=f"no series {last + 1}"):
        alert_rules.question(query, rule(lower=1, series_index=last + 1))


def test_a_total_is_looked_at_as_it_is():
    total = {**TRENDS, "trendsFilter": {"display": "BoldNumber"}}

    assert alert_rules.question(total, rule(lower=5))["dateRange"] == {"date_from": "-90d"}
    row = {"label": "sign up", "data": None, "aggregated_value": 4}
    assert alert_rules.judged(total, rule(lower=5), [row]).firing


def test_only_what_is_compared_is_asked_for():
    wrapped = {"kind": "InsightVizNode", "source": TRENDS}

    asked = alert_rules.question(wrapped, rule("anomaly"))

    assert asked["dateRange"] == {"date_from": "-30d"}
    assert "compareFilter" not in asked


@pytest.mark.parametrize(
    ("query", "which", "named"),
    [
        pytest.param({"kind": "FunnelsQuery"}, rule(lower=1), "insight", id="no trends"),
        pytest.param(
            TRENDS,
            rule(lower=1, series_index=1),
            "config.series_index",
            id="no such series",
        ),
        pytest.param(
            {**TRENDS, "interval": "minute"}, rule(lower=1), "insight", id="minutes"
        ),
        pytest.param(
            {**TRENDS, "trendsFilter": {"display": "BoldNumber"}},
            rule("anomaly"),
            "condition.type",
            id="a total over time",
        ),
    ],
)
def test_what_cannot_be_watched_is_refused(query, which, named):
    with pytest.raises(InvalidInput) as refused:
        alert_rules.question(query, which)

    assert refused.value.attr == named


@pytest.mark.parametrize(
    ("which", "named"),
    [
        pytest.param(rule(), "threshold.configuration.bounds", id="no bound"),
        pytest.param(rule(lower=2, upper=1), "threshold.configuration.bounds.upper", id="crossed"),
        pytest.param(rule(unit="percentage", lower=1), "threshold.configuration.type", id="share"),
        pytest.param(rule("anomaly", upper=0.5), "threshold.configuration.bounds.upper", id="lax"),
        pytest.param(rule(lower=1, series_index=-1), "config.series_index", id="before 0"),
    ],
)  # fmt: skip
def test_a_rule_that_cannot_be_meant_is_refused(which, named):
    with pytest.raises(InvalidInput) as refused:
        alert_rules.check(which)

    assert refused.value.attr == named


def flow(silent, *, usual=(2, 4) * 14, reporting=200, bursts=(), new=0):
    return {
        "flow": {
            "went_silent": [*usual, silent], "reporting": [reporting], "days": [DAY.isoformat()],
            "bursts": list(bursts), "new": [new],
        }
    }  # fmt: skip


def compared(*, worse, released="2026-02-20"):
    told = {"version": "3.1", "previous": "3.0", "ratio": 2.0, "worse": worse}
    return {"errors": {"comparison": told}, "newest": {"released_at": released}}


def adoption(*, stalled, active=20):
    curve = {"version": "3.1", "share": [0.2], "active": [active], "stalled": stalled}
    return {"adoption": curve}


def rollbacks(count, arrivals):
    row = {"from": "3.1", "to": "3.0", "rollback": True}
    return {
        "downgrades": {"rows": [row] * count + [{**row, "rollback": False}] * 9},
        "paths": {"rows": [{"from": "3.0", "to": "3.1", "count": arrivals}]},
    }


def support(count, end, total=100):
    return {
        "eol": {"total": total, "rows": [{"series": "2.9", "eol_at": end, "count": count}]}
    }


def listed(count, *, on_list):
    return {"versions": {"rows": [{"version": "9.9", "listed": on_list, "count": count}]}}


def cloned(suspected, reporting):
    states = {"reporting": reporting, "silent": 0, "gone": 0, "never_reported": 0}
    return {"clones": {"suspected": suspected}, "states": states}


def daily(last, usual):
    numbers = [0] * 29
    numbers[0] = numbers[7] = numbers[14] = numbers[21] = usual
    numbers[-1] = last
    return {"active_over_time": {"daily": numbers, "days": [DAY.isoformat()]}}


BURST = {"day": DAY.isoformat(), "new": 90, "usual": 3}


@pytest.mark.parametrize(
    ("name", "answers", "firing"),
    [
        pytest.param("fell_silent", flow(11), True, id="silence: far more than usual"),
        pytest.param("fell_silent", flow(10), False, id="silence: within 5 deviations"),
        pytest.param("fell_silent", flow(11, reporting=550), False, id="silence: 2 % of all"),
        pytest.param("fell_silent", flow(4, usual=(0,) * 28, reporting=9), False, id="silence: 4"),
        pytest.param("reports_missing", daily(69, 100), True, id="missing: under 70 %"),
        pytest.param("reports_missing", daily(70, 100), False, id="missing: 70 %"),
        pytest.param("reports_missing", daily(0, 19), False, id="missing: small fleet"),
        pytest.param("version_errs", compared(worse=True), True, id="errors: worse"),
        pytest.param("version_errs", compared(worse=False), False, id="errors: not clear"),
        pytest.param(
            "version_errs", compared(worse=True, released="2026-02-14"), False, id="errors: old"
        ),
        pytest.param("adoption_stalls", adoption(stalled=True), True, id="adoption: stalled"),
        pytest.param("adoption_stalls", adoption(stalled=False), False, id="adoption: goes on"),
        pytest.param(
            "adoption_stalls", adoption(stalled=True, active=19), False, id="adoption: small"
        ),
        pytest.param("rollbacks", rollbacks(3, 60), True, id="rollbacks: 3 of 60"),
        pytest.param("rollbacks", rollbacks(3, 61), False, id="rollbacks: under 5 %"),
        pytest.param("rollbacks", rollbacks(2, 2), False, id="rollbacks: two"),
        pytest.param("rollbacks", rollbacks(0, 2), False, id="rollbacks: none"),
        pytest.param("support_ends", support(11, "2026-03-31"), True, id="support: in 30 days"),
        pytest.param("support_ends", support(11, "2026-04-01"), False, id="support: in 31 days"),
        pytest.param("support_ends", support(10, "2026-01-01"), False, id="support: 10 %"),
        pytest.param("support_ends", support(9, "2026-01-01", 19), False, id="support: small"),
        pytest.param("unknown_version", listed(99, on_list=False), True, id="version: unlisted"),
        pytest.param("unknown_version", listed(99, on_list=True), False, id="version: listed"),
        pytest.param("unknown_version", listed(99, on_list=None), False, id="version: no list"),
        pytest.param("unknown_version", listed(1, on_list=False), False, id="version: one"),
        pytest.param("clones", cloned(3, 200), True, id="clones: 1.5 %"),
        pytest.param("clones", cloned(2, 200), False, id="clones: 1 %"),
        pytest.param("clones", cloned(9, 19), False, id="clones: small"),
        pytest.param("burst", flow(0, bursts=[BURST], new=90), True, id="burst: that day"),
        pytest.param(
            "burst", flow(0, bursts=[{**BURST, "day": "2026-02-28"}]), False, id="burst: before"
        ),
    ],
)  # fmt: skip
def test_a_ready_made_alert_fires_as_the_fleets_page_says(name, answers, firing):
    verdict = READY[name].judge(answers, FleetSettings(), DAY)

    assert verdict.firing is firing
    assert verdict.text.endswith(".")


@pytest.mark.parametrize(
    ("now", "zone", "day"),
    [
        pytest.param("2026-03-10T06:00", "UTC", date(2026, 3, 7), id="at six"),
        pytest.param("2026-03-10T00:00", "UTC", date(2026, 3, 7), id="just settled"),
        pytest.param("2026-03-09T23:59", "UTC", date(2026, 3, 6), id="not yet settled"),
        pytest.param("2026-03-09T23:59", "Asia/Tokyo", date(2026, 3, 7), id="further east"),
    ],
)
def test_a_day_is_settled_48_hours_after_its_end(now, zone, day):
    at = datetime.fromisoformat(now).replace(tzinfo=UTC)

    assert ready_alerts.settled(at, ZoneInfo(zone)) == day


@pytest.mark.parametrize(
    ("interval", "now", "zone", "then"),
    [
        ("hourly", "2026-03-10T10:04", "UTC", "2026-03-10T10:05"),
        ("hourly", "2026-03-10T10:05", "UTC", "2026-03-10T11:05"),
        ("daily", "2026-03-10T05:59", "UTC", "2026-03-10T06:00"),
        ("daily", "2026-03-10T06:00", "UTC", "2026-03-11T06:00"),
        ("daily", "2026-03-28T12:00", "Europe/Berlin", "2026-03-29T04:00"),
        ("weekly", "2026-03-10T06:00", "UTC", "2026-03-16T06:00"),
        ("monthly", "2026-03-10T06:00", "UTC", "2026-04-01T06:00"),
        ("monthly", "2026-12-01T06:00", "UTC", "2027-01-01T06:00"),
    ],
)
def test_the_next_look_is_in_the_projects_morning(interval, now, zone, then):
    at, expected = (datetime.fromisoformat(one).replace(tzinfo=UTC) for one in (now, then))

    assert alerts.next_check(interval, at, zone) == expected


@given(
    st.sampled_from(["hourly", "daily", "weekly", "monthly"]),
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    st.sampled_from(["UTC", "Europe/Berlin", "America/St_Johns", "Asia/Kathmandu"]),
)
def test_the_next_look_is_always_to_come(interval, now, zone):
    assert alerts.next_check(interval, now, zone) > now
