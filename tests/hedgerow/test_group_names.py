"""Group types from the sixth on are asked for by name; the first five also by number."""

import pytest

from hedgerow.errors import InvalidQuery
from hedgerow.insights.answer import Asking, answer
from tests import world

TYPES = ["company", "team", "site", "plan", "shop", "region", 'o\'clock "7"']
LAST = TYPES[-1]


@pytest.fixture(scope="module")
def sold(store):
    """Ann and Bob do things for groups of seven types; cid for none."""
    project = world.a_project()
    groups = [
        {"type": kind, "key": key, "properties": {"size": size}}
        for kind in TYPES
        for key, size in (("a", "big"), ("b", "small"))
    ]
    events = [
        {"event": "sold", "distinct_id": who, "groups": dict.fromkeys(TYPES, key)}
        for who, key in (("ann", "a"), ("ann", "b"), ("bob", "a"))
    ]
    events.append({"event": "sold", "distinct_id": "cid"})
    world.load(store, project, groups=groups, events=events, group_types=TYPES)
    return world.context(store, project)


def results(store, context, query):
    return answer(query, context, store, Asking())["results"]


def sales(node=None, **more):
    return {
        "kind": "TrendsQuery",
        "series": [{"kind": "EventsNode", "event": "sold", **(node or {})}],
        "trendsFilter": {"display": "BoldNumber"},
        **more,
    }


def big(kind):
    return {"type": "group", "key": "size", "value": "big", "group_type_index": kind}


@pytest.mark.parametrize("kind", ["company", 0, "region", LAST])
def test_events_are_filtered_by_a_groups_property(kind, sold, store):
    found = results(store, sold, sales(properties=[big(kind)]))

    assert found[0]["aggregated_value"] == 2


@pytest.mark.parametrize("kind", ["company", 0, "region", LAST])
def test_groups_are_counted(kind, sold, store):
    node = {"math": "unique_group", "math_group_type_index": kind}

    assert results(store, sold, sales(node))[0]["aggregated_value"] == 2


@pytest.mark.parametrize("kind", ["company", 0, "region", LAST])
def test_figures_are_broken_down_by_a_groups_property(kind, sold, store):
    by = {
        "breakdown": "size",
        "breakdown_type": "group",
        "breakdown_group_type_index": kind,
    }

    found = results(store, sold, sales(breakdownFilter=by))

    told = {row["breakdown_value"]: row["aggregated_value"] for row in found}
    assert told == {"big": 2, "small": 1, "$$_posthog_breakdown_null_$$": 1}


@pytest.mark.parametrize("kind", ["company", 0, "region", LAST])
def test_groups_have_lifecycles_and_are_listed(kind, sold, store):
    step = {"kind": "EventsNode", "event": "sold"}
    query = {
        "kind": "LifecycleQuery",
        "series": [step],
        "aggregation_group_type_index": kind,
    }
    day = results(store, sold, query)[0]["days"][-1]
    source = {
        "kind": "InsightActorsQuery",
        "source": query,
        "day": day,
        "status": "resurrecting",
    }

    found = results(store, sold, {"kind": "ActorsQuery", "source": source})

    new = results(store, sold, query)
    told = {row["status"]: row["data"][-1] for row in new}
    assert told["new"] + told["resurrecting"] == 2
    assert len(found) == told["resurrecting"]


@pytest.mark.parametrize(
    ("kind", "said"),
    [
        pytest.param("galaxy", "no group type 'galaxy'", id="an unknown name"),
        pytest.param(5, "is 0 to 4, not 5", id="a number beyond the five"),
    ],
)
def test_what_is_no_group_type_is_refused_by_name(kind, said, sold, store):
    with pytest.raises(InvalidQuery, match=said) as refused:
        results(store, sold, sales(properties=[big(kind)]))

    assert refused.value.attr == "properties[0].group_type_index"


@pytest.mark.parametrize("kind", [0, "company", LAST])
def test_experiments_count_groups_of_any_type(kind, store):
    variants = {"a": "control", "b": "test", "c": "test"}
    events = [
        {
            "event": name,
            "distinct_id": "ann",
            "timestamp": f"2026-03-0{day}T10:00:00Z",
            "groups": dict.fromkeys(TYPES, key),
            "properties": {"variant": variant},
        }
        for key, variant in variants.items()
        for day, name in ((2, "seen"), (3, "sold"))
    ]
    project = world.a_project()
    world.load(store, project, events=events, group_types=TYPES)
    query = {
        "kind": "ExperimentQuery",
        "experiment": {
            "variants": ["control", "test"],
            "variant_property": "variant",
            "exposure": {"event": "seen"},
            "start_date": "2026-03-01",
            "end_date": "2026-03-10",
            "aggregation_group_type_index": kind,
        },
        "metric": {
            "kind": "ExperimentMetric",
            "metric_type": "mean",
            "source": {"kind": "EventsNode", "event": "sold"},
        },
    }
    told = answer(query, world.context(store, project), store, Asking())["results"]
    assert told["baseline"]["number_of_samples"] == 1
    assert told["variant_results"][0]["number_of_samples"] == 2
