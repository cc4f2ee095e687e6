"""Forms ⇄ questions and criteria; ranges, places of tiles, texts, verdicts: all pure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hedgerow.errors import InvalidInput
from hedgerow.query.definitions import decode
from hedgerow.query.definitions_cohorts import check
from hedgerow.web import (
    arranging,
    cohort_editing,
    editing,
    editing_lists,
    prose,
    ranges,
)
from hedgerow.web.charts import sentences, verdicts
from hedgerow.web.editing_kinds import KINDS
from hedgerow.web.ranges import Range

TRENDS = {
    "kind": "TrendsQuery",
    "series": [{"kind": "EventsNode", "event": "timer.started"}],
    "dateRange": {"date_from": "-30d"},
}
FORMS = {"s0_event": "timer.started", "from": "-30d", "to": "", "display": "ActionsBar"}


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_kind_begins_with_can_be_asked(kind):
    assert decode(editing.blank(kind))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("other", KINDS)
def test_a_question_turned_into_another_kind_can_be_asked(kind, other):
    assert decode(editing.converted(editing.blank(kind), other))


def test_another_kind_keeps_events_range_and_filters():
    where = [{"key": "via", "value": ["api"]}]

    funnel = editing.converted({**TRENDS, "properties": where}, "funnel")

    assert [step["event"] for step in funnel["series"]] == ["timer.started", None]
    assert funnel["dateRange"] == {"date_from": "-30d"}
    assert funnel["properties"] == where


def test_what_the_form_does_not_show_is_kept():
    made = {**TRENDS, "samplingFactor": 0.1, "trendsFilter": {"showLegend": True}}

    edited = editing.edited(made, FORMS)

    assert edited["samplingFactor"] == 0.1
    assert edited["trendsFilter"] == {"showLegend": True, "display": "ActionsBar"}


def test_an_exact_range_stays_exact_unless_it_is_changed():
    made = {**TRENDS, "dateRange": {"date_from": "-24h", "explicitDate": True}}

    same = editing.edited(made, {"from": "-24h", "to": ""})
    other = editing.edited(made, {"from": "-7d", "to": ""})

    assert same["dateRange"] == {"date_from": "-24h", "explicitDate": True}
    assert other["dateRange"] == {"date_from": "-7d"}


@pytest.mark.parametrize(
    ("act", "events"),
    [
        pytest.param("add-series", ["a", "b", None], id="add"),
        pytest.param("copy-series:0", ["a", "a", "b"], id="duplicate"),
        pytest.param("drop-series:0", ["b"], id="remove"),
        pytest.param("move-series:0,1", ["b", "a"], id="move down"),
        pytest.param("move-series:0,-1", ["a", "b"], id="the first cannot move up"),
    ],
)
def test_series_are_added_copied_removed_and_moved(act, events):
    made = {**TRENDS, "series": [{"event": "a"}, {"event": "b"}]}

    acted = editing.acted(made, act, {})

    assert [one["event"] for one in acted["series"]] == events


def test_a_filter_is_added_to_a_series_and_removed_again():
    form = {
        "s0_f_key": "via",
        "s0_f_scope": "event",
        "s0_f_operator": "is_not",
        "s0_f_value": "api, web",
    }

    added = editing.acted(TRENDS, "add-filter:s0", form)
    removed = editing.acted(added, "drop-filter:s0,0", {})

    assert added["series"][0]["properties"] == [
        {"key": "via", "type": "event", "operator": "is_not", "value": ["api", "web"]}
    ]
    assert removed["series"][0]["properties"] == []
    assert TRENDS["series"][0].get("properties") is None


def test_a_button_nobody_knows_is_refused_by_name():
    with pytest.raises(InvalidInput, match="explode"):
        editing.acted(TRENDS, "explode", {})


@pytest.mark.parametrize(
    ("query", "name"),
    [
        pytest.param(TRENDS, "timer.started", id="one event"),
        pytest.param(
            {**TRENDS, "breakdownFilter": {"breakdown": "via"}},
            "timer.started by via",
            id="with a breakdown",
        ),
        pytest.param(editing.blank("trends"), "All events", id="any event"),
        pytest.param(
            {"kind": "RetentionQuery", "retentionFilter": {"period": "Week"}},
            "Weekly retention: any event",
            id="retention",
        ),
    ],
)
def test_a_question_suggests_its_name(query, name):
    assert sentences.name(query) == name


LEAVES = {
    "person": {"kind": "person", "key": "role", "operator": "exact", "value": "admin"},
    "did": {
        "kind": "did",
        "key": "export.csv",
        "times": "gte",
        "count": "1",
        "ago": "30",
        "unit": "day",
    },
    "often": {
        "kind": "did",
        "key": "export.csv",
        "times": "gte",
        "count": "3",
        "ago": "2",
        "unit": "week",
    },
    "first": {"kind": "first", "key": "auth.login", "ago": "7", "unit": "day"},
}


@pytest.mark.parametrize("leaf", LEAVES.values(), ids=LEAVES)
def test_a_criterion_of_the_form_is_understood_and_comes_back_the_same(leaf):
    form = {"join": "OR", "g0_join": "AND"} | {f"g0_0_{k}": v for k, v in leaf.items()}

    criteria = cohort_editing.edited(cohort_editing.blank(), form)
    told = cohort_editing.told(criteria["properties"]["values"][0]["values"][0])

    assert check(criteria, None)
    assert {name: str(told[name]) for name in leaf} == leaf


def test_criteria_nested_deeper_than_the_form_are_left_alone():
    deep = {
        "type": "AND",
        "values": [{"type": "OR", "values": [{"type": "AND", "values": []}]}],
    }
    criteria = {"properties": deep}

    assert cohort_editing.groups(criteria) is None
    assert cohort_editing.edited(criteria, {"join": "OR"}) == criteria


SIZES = st.lists(st.tuples(st.integers(1, 12), st.integers(1, 12)), max_size=20)


@given(SIZES)
def test_tiles_never_overlap_and_stay_on_the_grid(sizes):
    places = arranging.flowed((i, w, h) for i, (w, h) in enumerate(sizes))

    cells = [
        (x, y)
        for place in places.values()
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(places) == len(sizes)
    assert len(cells) == len(set(cells))
    assert all(x < arranging.COLUMNS for x, _ in cells)


@pytest.mark.parametrize(
    ("act", "after"),
    [
        ("wider", [(1, 5, 4), (2, 4, 4)]),
        ("shorter", [(1, 4, 3), (2, 4, 4)]),
        ("later", [(2, 4, 4), (1, 4, 4)]),
        ("earlier", [(1, 4, 4), (2, 4, 4)]),
    ],
)
def test_a_button_does_what_a_drag_does(act, after):
    assert arranging.acted([(1, 4, 4), (2, 4, 4)], 1, act) == after


@given(st.text(max_size=200))
def test_no_text_of_a_tile_becomes_a_tag_of_its_own(text):
    made = str(prose.html(text))

    for tag in ("h3", "ul", "li", "p", "br", "code", "b", "i"):
        made = made.replace(f"<{tag}>", "").replace(f"</{tag}>", "")
    assert "<" not in made.replace('<a href="', "").replace("</a>", "")


def test_markdown_of_a_tile():
    text = "# Release\n**3.0.0** is [out](https://example.org)\n\n- one\n- `two`"

    assert str(prose.html(text)) == (
        "<h3>Release</h3>\n"
        '<p><b>3.0.0</b> is <a href="https://example.org" rel="noreferrer">out</a></p>\n'
        "<ul><li>one</li><li><code>two</code></li></ul>"
    )


def test_a_screen_s_range_replaces_and_its_filters_join_those_of_a_question():
    own = {**TRENDS, "properties": [{"key": "a"}]}

    made = ranges.applied(own, Range(date_from="-7d"), [{"key": "b"}])

    assert made["dateRange"] == {"date_from": "-7d", "date_to": None}
    assert made["properties"] == [{"key": "a"}, {"key": "b"}]
    assert ranges.applied(own, Range(), []) == own


def result(significant, effect, interval):
    return {
        "baseline": {"key": "a", "number_of_samples": 900, "sum": 90, "mean": 0.1},
        "variant_results": [
            {
                "key": "b",
                "number_of_samples": 900,
                "sum": 120,
                "mean": 0.133,
                "effect": effect,
                "credible_interval": interval,
                "chance_to_win": 0.99,
                "significant": significant,
            }
        ],
    }


@pytest.mark.parametrize(
    ("significant", "goal", "words"),
    [
        pytest.param(True, "increase", "b is better than a", id="more was wished"),
        pytest.param(True, "decrease", "b is worse than a", id="less was wished"),
        pytest.param(
            False, "increase", "not the same as no difference", id="may be chance"
        ),
    ],
)
def test_an_experiment_says_what_may_be_concluded(significant, goal, words):
    metric = {"metric_type": "funnel", "goal": goal}

    found = verdicts.rows(result(significant, 0.33, [0.05, 0.6]), metric)

    assert words in verdicts.conclusion(found, "the share that did it")
    assert 50 < found[1].low < found[1].point < found[1].high <= 100


def sampled(a, b, p, *, needed=1234.2):
    found = result(significant=True, effect=0.33, interval=[0.05, 0.6])
    found["baseline"]["number_of_samples"] = a
    found["variant_results"][0]["number_of_samples"] = b
    check = {"chi_squared": 12.5, "p_value": p, "warning": p < 0.001}
    return {**found, "sample_ratio": check, "needed_per_variant": needed}


def test_an_experiment_whose_split_is_not_as_planned_concludes_nothing():
    results = sampled(900, 1100, 0.00001)

    sample = verdicts.balance(results, {})
    found = verdicts.rows(results, {"metric_type": "funnel"})

    assert sample.warning
    assert "a 900 of 1,000, b 1,100 of 1,000 (χ² = 12.50, p < 0.001)" in sample.split
    assert "nothing can be concluded" in verdicts.conclusion(found, "it", sample)


@pytest.mark.parametrize(
    "definition",
    [
        pytest.param({"shares": {"a": 3, "b": 1}}, id="shares"),
        pytest.param(
            {
                "variants": [
                    {"key": "a", "rollout_percentage": 75},
                    {"key": "b", "rollout_percentage": 25},
                ]
            },
            id="percentages",
        ),
    ],
)
def test_a_split_is_compared_with_its_plan(definition):
    sample = verdicts.balance(sampled(1500, 500, 0.75), definition)

    assert not sample.warning
    assert "a 1,500 of 1,500, b 500 of 500 (χ² = 12.50, p = 0.750)" in sample.split
    assert "1,235 persons; the smallest has 500" in sample.needed


def test_nothing_is_said_of_a_sample_that_is_not_there():
    assert verdicts.balance(sampled(0, 0, 1.0), {}) is None
    assert verdicts.balance(sampled(5, 5, 1.0, needed=None), {}).needed == ""


FUNNEL = {
    "kind": "FunnelsQuery",
    "series": [{"kind": "EventsNode", "event": name} for name in ("a", "b", "c")],
}
LEFT_OUT = {"kind": "EventsNode", "event": "x", "funnelFromStep": 0, "funnelToStep": 2}


@pytest.mark.parametrize(
    ("held", "form", "expected"),
    [
        pytest.param(
            None,
            {"breakdown_key": "via", "breakdown_scope": "event"},
            {"breakdown": "via", "breakdown_type": "event"},
            id="one thing",
        ),
        pytest.param(
            {"breakdown": "via", "breakdown_type": "event", "breakdown_limit": 5},
            {
                "breakdown_key": "via",
                "breakdown_key_1": "plan",
                "breakdown_scope_1": "person",
                "breakdown_key_2": "size",
                "breakdown_scope_2": "group:1",
            },
            {
                "breakdowns": [
                    {"property": "via", "type": "event"},
                    {"property": "plan", "type": "person"},
                    {"property": "size", "type": "group", "group_type_index": 1},
                ],
                "breakdown_limit": 5,
            },
            id="two more are added",
        ),
        pytest.param(
            {
                "breakdowns": [
                    {"property": "via", "type": "event"},
                    {"property": "n", "type": "event", "histogram_bin_count": 4},
                ]
            },
            {"breakdown_key": "", "breakdown_key_1": "n"},
            {"breakdowns": [{"property": "n", "type": "event", "histogram_bin_count": 4}]},
            id="the first is cleared, what the form does not show of the other stays",
        ),
        pytest.param(
            {"breakdowns": [{"property": "via", "type": "event"}]},
            {"breakdown_key": "", "breakdown_key_1": ""},
            None,
            id="all are cleared",
        ),
    ],
)
def test_up_to_three_breakdowns_are_edited_by_hand(held, form, expected):
    made = editing.edited({**TRENDS, "breakdownFilter": held}, form)

    assert decode(made)
    assert made.get("breakdownFilter") == expected


def test_cohorts_cannot_be_one_of_several_breakdowns():
    form = {"breakdown_key": "3", "breakdown_scope": "cohort", "breakdown_key_1": "via"}

    with pytest.raises(InvalidInput, match="Cohorts"):
        editing.edited(TRENDS, form)


def test_retention_offers_one_breakdown_and_trends_a_further_place():
    by = {"breakdownFilter": {"breakdown": "via"}}

    trends = editing_lists.breakdowns_of({**TRENDS, **by})
    retention = editing_lists.breakdowns_of({"kind": "RetentionQuery", **by})

    assert [one["key"] for one in trends] == ["via", ""]
    assert [one["key"] for one in retention] == ["via"]


@pytest.mark.parametrize(
    ("held", "form", "expected"),
    [
        pytest.param([], {"x0_event": "x"}, [LEFT_OUT], id="added, over the whole funnel"),
        pytest.param(
            [{**LEFT_OUT, "properties": []}],
            {"x0_event": "x", "x0_from": "1", "x0_to": "2", "x1_event": ""},
            [{**LEFT_OUT, "properties": [], "funnelFromStep": 1}],
            id="moved, its filters kept",
        ),
        pytest.param(
            [LEFT_OUT],
            {"x0_event": "x", "x0_from": "7", "x0_to": "9"},
            [{**LEFT_OUT, "funnelFromStep": 1}],
            id="steps that are gone",
        ),
        pytest.param([LEFT_OUT], {"x0_event": ""}, None, id="cleared"),
    ],
)
def test_exclusions_of_a_funnel_are_edited_by_hand(held, form, expected):
    query = {**FUNNEL, "funnelsFilter": {"exclusions": held}}

    made = editing.edited(query, {"order": "ordered", "has_exclusions": "1", **form})

    assert decode(made)
    assert made["funnelsFilter"].get("exclusions") == expected
    assert [one["event"] for one in editing_lists.exclusions_of(made)][-1] == ""


@pytest.mark.parametrize(
    ("text", "expected"), [("1, 3 7", [1, 3, 7]), ("", None)], ids=["some", "none"]
)
def test_brackets_of_a_retention_are_edited_by_hand(text, expected):
    query = editing.blank("retention")
    query["retentionFilter"]["retentionCustomBrackets"] = [2, 2]

    made = editing.edited(
        query, {"period": "Week", "type": "retention_recurring", "brackets": text}
    )

    assert decode(made)
    assert made["retentionFilter"].get("retentionCustomBrackets") == expected


@pytest.mark.parametrize("text", ["1, x", "0", "1.5", "-2"])
def test_a_bracket_that_is_no_length_is_named(text):
    form = {"period": "Week", "type": "retention_recurring", "brackets": text}

    with pytest.raises(InvalidInput, match="length of a bracket"):
        editing.edited(editing.blank("retention"), form)
