"""What a funnel answers: rows, breakdowns, histograms, rates, and what it refuses."""

import random

import msgspec
import pytest

from hedgerow.errors import InvalidQuery
from hedgerow.insights import funnel_events, funnel_fast, funnels
from hedgerow.insights.answer import Asking, answer
from hedgerow.insights.funnel_checks import funnel
from hedgerow.insights.funnel_counts import tallies
from hedgerow.insights.funnel_values import entries
from hedgerow.query.definitions import decode
from tests import world

DATES = {"date_from": "2024-01-01", "date_to": "2024-01-31"}


def steps(*names, **fields):
    return {
        "kind": "FunnelsQuery",
        "series": [n if isinstance(n, dict) else step(n) for n in names],
        "dateRange": DATES,
        **fields,
    }


def step(event, **fields):
    return {"kind": "EventsNode", "event": event, **fields}


def exclusion(event, start, end, **fields):
    return step(event, funnelFromStep=start, funnelToStep=end, **fields)


def equal(key, value):
    return {"key": key, "value": value, "operator": "exact", "type": "event"}


def did(who, event, at, **fields):
    return {"event": event, "distinct_id": who, "timestamp": f"2024-01-{at}Z", **fields}


def ask(store, project, raw):
    return answer(raw, world.context(store, project), store, Asking())


def counts(rows):
    return [row["count"] for row in rows]


@pytest.mark.parametrize(
    ("fields", "attr"),
    [
        ({"series": [step("a")]}, "series"),
        ({"samplingFactor": 0.5}, "samplingFactor"),
        ({"funnelsFilter": {"funnelFromStep": 2}}, "funnelsFilter.funnelFromStep"),
        ({"funnelsFilter": {"funnelFromStep": -1}}, "funnelsFilter.funnelFromStep"),
        ({"funnelsFilter": {"funnelToStep": 3}}, "funnelsFilter.funnelToStep"),
        (
            {"funnelsFilter": {"funnelFromStep": 1, "funnelToStep": 1}},
            "funnelsFilter.funnelToStep",
        ),
        (
            {"funnelsFilter": {"exclusions": [exclusion("x", 1, 1)]}},
            "funnelsFilter.exclusions[0]",
        ),
        (
            {"funnelsFilter": {"exclusions": [exclusion("x", 1, 3)]}},
            "funnelsFilter.exclusions[0]",
        ),
        (
            {"funnelsFilter": {"exclusions": [exclusion("b", 0, 1)]}},
            "funnelsFilter.exclusions[0]",
        ),
        (
            {
                "funnelsFilter": {
                    "exclusions": [exclusion("b", 0, 1, properties=[equal("plan", "pro")])]
                }
            },
            "funnelsFilter.exclusions[0]",
        ),
        (
            {
                "funnelsFilter": {
                    "funnelOrderType": "unordered",
                    "exclusions": [exclusion("x", 0, 1)],
                }
            },
            "funnelsFilter.exclusions[0]",
        ),
        (
            {
                "funnelsFilter": {
                    "funnelOrderType": "unordered",
                    "breakdownAttributionType": "step",
                    "breakdownAttributionValue": "1",
                }
            },
            "funnelsFilter.breakdownAttributionValue",
        ),
        (
            {"series": [step("a", optionalInFunnel=True), step("b")]},
            "series[0].optionalInFunnel",
        ),
        (
            {"series": [step("a"), step("b", optionalInFunnel=True), step("b")]},
            "series[1].optionalInFunnel",
        ),
        (
            {
                "series": [
                    step("a"),
                    step("b", optionalInFunnel=True, properties=[equal("plan", "pro")]),
                    step("b"),
                ]
            },
            "series[1].optionalInFunnel",
        ),
        (
            {
                "series": [step("a"), step("b", optionalInFunnel=True)],
                "funnelsFilter": {"funnelVizType": "trends"},
            },
            "series[1].optionalInFunnel",
        ),
        (
            {"series": [step("a"), {"kind": "ActionsNode", "id": 1}]},
            "series[1].kind",
        ),
        (
            {"breakdownFilter": {"breakdowns": [{"property": "plan"}]}},
            "breakdownFilter.breakdowns",
        ),
        (
            {"breakdownFilter": {"breakdown": "plan", "breakdown_type": "session"}},
            "breakdownFilter.breakdown_type",
        ),
        (
            {"breakdownFilter": {"breakdown": 77, "breakdown_type": "cohort"}},
            "breakdownFilter.breakdown",
        ),
        (
            {"funnelsFilter": {"funnelAggregateByHogQL": "nonsense("}},
            "funnelsFilter.funnelAggregateByHogQL",
        ),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(store, project, fields, attr):
    with pytest.raises(InvalidQuery) as refused:
        ask(store, project, steps("a", "b", "c") | fields)
    assert refused.value.attr == attr


def test_an_exclusion_wider_than_the_step_is_accepted():
    narrow = step("b", properties=[equal("plan", "pro")])
    query = steps("a", narrow, funnelsFilter={"exclusions": [exclusion("b", 0, 1)]})
    assert funnel(decode(query)).exclusions[0].event == "b"


@pytest.mark.parametrize(
    ("interval", "unit", "seconds"),
    [
        (None, None, 14 * 86_400),
        (0, "hour", 14 * 3_600),
        (-3, "day", 14 * 86_400),
        (1, "month", 31 * 86_400),
        (2, "week", 14 * 86_400),
    ],
)
def test_windows_are_fixed_numbers_of_seconds(interval, unit, seconds):
    given = {"funnelWindowInterval": interval, "funnelWindowIntervalUnit": unit}
    rules = funnel(decode(steps("a", "b", funnelsFilter=given))).rules
    assert rules.window_us == seconds * 1_000_000


def test_rows_hold_all_fields_and_the_median_of_the_whole_way(store, project):
    world.load(
        store,
        project,
        events=[
            did("ann", "a", "02T08:00:00"),
            did("ann", "b", "02T09:00:00"),
            did("bob", "a", "02T08:00:00"),
            did("bob", "b", "02T11:00:00"),
            did("cid", "a", "02T08:00:00"),
        ],
    )
    told = ask(store, project, steps("a", step("b", custom_name="Bee")))
    assert told["total_median_conversion_time"] == 7200
    assert told["results"][1] == {
        "action_id": "b",
        "name": "b",
        "custom_name": "Bee",
        "order": 1,
        "people": [],
        "count": 2,
        "type": "events",
        "average_conversion_time": 7200,
        "median_conversion_time": 7200,
    }


@pytest.mark.parametrize("order", ["ordered", "strict"])
def test_gaps_of_no_time_are_counted_and_not_averaged(store, project, order):
    events = [did("ann", "a", "02T08:00:00"), did("ann", "b", "02T08:00:00")]
    world.load(store, project, events=events)
    raw = steps("a", "b", funnelsFilter={"funnelOrderType": order})
    row = ask(store, project, raw)["results"][1]
    assert (row["count"], row["average_conversion_time"]) == (1, None)


def test_values_beyond_the_limit_are_pooled_and_sorted_in(store, project):
    events = []
    for number, value in enumerate(["x", "y", "y", "z", "z", "z", "w"]):
        plan = {"properties": {"plan": value}}
        events.append(did(f"u{number}", "a", "02T08:00:00", **plan))
        events.append(did(f"u{number}", "b", f"02T{9 + number:02}:00:00", **plan))
    world.load(store, project, events=events)
    breakdown = {"breakdown": "plan", "breakdown_limit": 2}
    rows = ask(store, project, steps("a", "b", breakdownFilter=breakdown))["results"]
    assert [(row[0]["breakdown"], row[1]["count"]) for row in rows] == [
        (["z"], 3),
        (["Other"], 2),
        (["y"], 2),
    ]
    assert rows[1][1]["median_conversion_time"] == 4 * 3600  # 1 h and 7 h


def test_a_comparison_fills_the_side_without_data(store, project):
    events = [did("ann", "a", "10T08:00:00"), did("ann", "b", "10T09:00:00")]
    world.load(store, project, events=events)
    raw = steps("a", "b", compareFilter={"compare": True})
    raw["dateRange"] = {"date_from": "2024-01-09", "date_to": "2024-01-12"}
    rows = ask(store, project, raw)["results"]
    shown = [(row["compare_label"], row["count"]) for row in rows]
    assert shown == [("current", 1), ("current", 1), ("previous", 0), ("previous", 0)]


def test_histograms_of_a_comparison_share_their_bins(store, project):
    events = [did("ann", "a", "10T08:00:00"), did("ann", "b", "10T08:01:00")]
    events += [did("bob", "a", "07T08:00:00"), did("bob", "b", "07T09:00:00")]
    world.load(store, project, events=events)
    raw = steps(
        "a",
        "b",
        compareFilter={"compare": True},
        funnelsFilter={"funnelVizType": "time_to_convert", "binCount": 2},
    )
    raw["dateRange"] = {"date_from": "2024-01-09", "date_to": "2024-01-12"}
    now, before = ask(store, project, raw)["results"]
    assert now["bins"] == [[60, 1], [1830, 0], [3600, 0]]
    assert before["bins"] == [[60, 0], [1830, 0], [3600, 1]]


def test_a_histogram_of_nobody(store, project):
    raw = steps("a", "b", funnelsFilter={"funnelVizType": "time_to_convert"})
    assert ask(store, project, raw)["results"] == {
        "bins": [[0, 0], [60, 0]],
        "average_conversion_time": None,
        "median_conversion_time": None,
    }


@pytest.mark.parametrize(
    ("interval", "first", "label"),
    [
        ("week", "2023-12-31", "1\N{EN DASH}6 Jan"),
        ("month", "2024-01-01", "Jan 2024"),
        ("day", "2024-01-01", "1-Jan-2024"),
    ],
)
def test_rates_come_by_period(store, project, interval, first, label):
    world.load(
        store,
        project,
        events=[
            did("ann", "a", "02T08:00:00"),
            did("ann", "b", "03T08:00:00"),
            did("bob", "a", "02T08:00:00"),
            did("cid", "a", "02T08:00:00"),
        ],
    )
    raw = steps("a", "b", interval=interval, funnelsFilter={"funnelVizType": "trends"})
    (row,) = ask(store, project, raw)["results"]
    place = 1 if interval == "day" else 0
    assert (row["days"][0], row["labels"][0], row["data"][place]) == (first, label, 33.33)
    assert row["count"] == len(row["data"])


def crowd(store, project, seed):
    """Many people with short journeys, some of them with (nearly) simultaneous events."""
    chance = random.Random(seed)
    events = []
    for number in range(250):
        at = chance.randrange(0, 20 * 86_400_000)
        for _ in range(chance.randrange(1, 8)):
            at += chance.choice([0, 20, 50, 60, 3_600_000, 40_000_000, 86_400_000])
            moment = world.datetime.fromtimestamp(1_704_067_200 + at / 1000, world.UTC)
            plan = chance.choice(["free", "pro", "team", ""])
            properties = {"plan": plan} if plan else {}
            events.append(
                {
                    "event": chance.choice("abcx"),
                    "distinct_id": f"u{number}",
                    "timestamp": moment,
                    "properties": properties,
                }
            )
    world.load(store, project, events=events)


FAST = {
    "three steps": {},
    "a short window": {
        "funnelsFilter": {"funnelWindowInterval": 12, "funnelWindowIntervalUnit": "hour"}
    },
    "a step that comes twice": {"series": [step("a"), step("a"), step("b")]},
    "any event, then one": {"series": [step(None), step("b")]},
    "steps that overlap": {
        "series": [step("a"), step("b"), step("b", properties=[equal("plan", "pro")])]
    },
    "by first touch": {"breakdownFilter": {"breakdown": "plan", "breakdown_limit": 2}},
    "by last touch of two": {
        "breakdownFilter": {"breakdown": ["plan", "none"]},
        "funnelsFilter": {"breakdownAttributionType": "last_touch"},
    },
}


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("fields", FAST.values(), ids=FAST)
def test_the_database_adds_up_what_the_procedure_finds(store, project, fields, seed):
    crowd(store, project, seed)
    query, context = decode(steps("a", "b", "c") | fields), world.context(store, project)
    asked = funnel(query)
    assert funnel_fast.fits(asked)
    (span,) = funnels.spans(asked, context)
    rows = store.run(funnel_events.statement(asked, context, span), timeout_s=10)
    journeys = funnel_events.journeys(rows, asked)
    exact = tallies(entries(journeys, asked), asked.rules.steps)
    added = funnels.counted(
        asked, store.run(funnels.statements(query, context)[0], timeout_s=10)
    )
    assert any(tally.counts[-1] for tally in exact.values())
    assert plain(added) == plain(exact)


def plain(found):
    rounded = {
        value: [
            tally.counts,
            [sorted(round(gap, 6) for gap in gaps) for gaps in tally.gaps],
            sorted(round(total, 6) for total in tally.totals),
        ]
        for value, tally in found.items()
    }
    return msgspec.to_builtins(sorted(rounded.items(), key=repr))


@pytest.mark.parametrize("order", ["ordered", "strict", "unordered"])
@pytest.mark.parametrize("attribution", ["first_touch", "last_touch", "all_events", "step"])
def test_steps_never_increase(store, project, order, attribution):
    crowd(store, project, 3)
    raw = steps(
        "a",
        "b",
        "c",
        breakdownFilter={"breakdown": "plan"},
        funnelsFilter={"funnelOrderType": order, "breakdownAttributionType": attribution},
    )
    rows = ask(store, project, raw)["results"]
    assert rows
    for row in rows:
        assert counts(row) == sorted(counts(row), reverse=True)


@pytest.mark.parametrize("order", ["ordered", "strict", "unordered"])
def test_people_are_as_many_as_the_figure(store, project, order):
    crowd(store, project, 4)
    raw = steps("a", "b", "c", funnelsFilter={"funnelOrderType": order})
    raw["breakdownFilter"] = {"breakdown": "plan", "breakdown_limit": 2}
    for row in ask(store, project, raw)["results"]:
        done = counts(row)
        figures = {1: done[0], 2: done[1], -2: done[0] - done[1], -3: done[1] - done[2]}
        for number, figure in figures.items():
            source = {
                "kind": "FunnelsActorsQuery",
                "source": raw,
                "funnelStep": number,
                "funnelStepBreakdown": row[0]["breakdown_value"],
            }
            actors = {"kind": "ActorsQuery", "source": source, "limit": 1000}
            assert len(ask(store, project, actors)["results"]) == figure


MANY = {
    "ordered, with an exclusion": {"exclusions": [exclusion("x", 0, 1)]},
    "strict": {"funnelOrderType": "strict"},
    "unordered": {"funnelOrderType": "unordered"},
    "over time": {"funnelVizType": "trends"},
    "times": {"funnelVizType": "time_to_convert"},
}


@pytest.mark.parametrize("filter_", MANY.values(), ids=MANY)
def test_a_funnel_has_room_for_more_events_than_an_answer_has_rows(
    store, project, filter_, monkeypatch
):
    crowd(store, project, 4)
    raw = steps("a", "b", "c", funnelsFilter=filter_)
    whole = ask(store, project, raw)["results"]
    (statement,) = funnels.statements(decode(raw), world.context(store, project))
    people = store.run(statement, timeout_s=10).rows
    events = sum(len(row[1]) for row in people)
    assert events > len(people) > 1
    monkeypatch.setattr("hedgerow.store.reading.MOST_ROWS", len(people))
    assert ask(store, project, raw)["results"] == whole
