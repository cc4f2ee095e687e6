"""What paths answer: sessions, anchors, items, and paths around a funnel's step."""

import random

import pytest

from hedgerow.errors import InvalidQuery
from hedgerow.insights import paths
from hedgerow.insights.answer import Asking, answer
from hedgerow.insights.path_sessions import Visit, edges, shown
from hedgerow.query.definitions import decode
from tests import world

DATES = {"date_from": "2024-01-01", "date_to": "2024-01-31"}
FUNNEL = {
    "kind": "FunnelsQuery",
    "series": [{"kind": "EventsNode", "event": name} for name in ("a", "b", "c")],
    "dateRange": DATES,
    "funnelsFilter": {"funnelWindowInterval": 1, "funnelWindowIntervalUnit": "hour"},
}


def asked(**fields):
    return {"kind": "PathsQuery", "dateRange": DATES, "pathsFilter": fields}


def did(who, event, minute, **properties):
    at = f"2024-01-02T{8 + minute // 60:02}:{minute % 60:02}:00Z"
    return {"event": event, "distinct_id": who, "timestamp": at, "properties": properties}


def ask(store, project, raw):
    return answer(raw, world.context(store, project), store, Asking())["results"]


def pairs(rows):
    return [(row["source"], row["target"], row["value"]) for row in rows]


def who(store, project, raw):
    source = {"kind": "InsightActorsQuery", "source": raw}
    query = {
        "kind": "ActorsQuery",
        "source": source,
        "select": ["distinct_ids", "event_count"],
    }
    return sorted((row[0][0], row[1]) for row in ask(store, project, query))


def test_half_an_hour_begins_a_new_session(store, project):
    events = [did("ann", name, minute) for name, minute in (("a", 0), ("b", 29), ("c", 59))]
    world.load(store, project, events=events)
    assert pairs(ask(store, project, asked())) == [("1_a", "2_b", 1)]


def test_repeats_collapse_onto_the_last(store, project):
    events = [did("ann", name, minute) for name, minute in (("a", 0), ("a", 3), ("b", 5))]
    world.load(store, project, events=events)
    (row,) = ask(store, project, asked())
    assert row["average_conversion_time"] == 120_000


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({}, [("1_/x", "2_Home", 1), ("2_Home", "3_own", 1)]),
        ({"includeEventTypes": ["custom_event"]}, []),
        ({"excludeEvents": ["own"]}, [("1_/x", "2_Home", 1), ("2_Home", "3_own", 1)]),
        (
            {"excludeEvents": ["$screen"]},
            [("1_/x", "2_$screen", 1), ("2_$screen", "3_own", 1)],
        ),
        (
            {"includeEventTypes": ["$pageview", "custom_event"], "excludeEvents": ["/x"]},
            [],
        ),
        (
            {"localPathCleaningFilters": [{"regex": "H.me", "alias": "start"}]},
            [("1_/x", "2_start", 1), ("2_start", "3_own", 1)],
        ),
        (
            {"localPathCleaningFilters": [{"regex": "H(.)me", "alias": r"<\d\1>"}]},
            [("1_/x", r"2_<\do>", 1), (r"2_<\do>", "3_own", 1)],
        ),
        (
            {"pathReplacements": True},
            [("1_<letter>", "2_Home", 1), ("2_Home", "3_own", 1)],
        ),
        (
            {"pathGroupings": ["o*", "o*e", "w*"]},
            [("1_/x", "2_o*e", 1), ("2_o*e", "3_w*", 1)],
        ),
    ],
    ids=[
        "each kind by its name",
        "one type alone",
        "exclusions need types",
        "or keep plain names",
        "with types they drop items",
        "own cleaning rules",
        "an alias names groups, other backslashes stand",
        "the project's rules",
        "the last grouping found wins",
    ],
)
def test_items(store, fields, found):
    rules = [{"alias": "<letter>", "regex": "/[a-z]"}]
    project = world.a_project(path_cleaning_filters=rules)
    events = [
        did("ann", "$pageview", 0, **{"$current_url": "/x/"}),
        did("ann", "$screen", 1, **{"$screen_name": "Home"}),
        did("ann", "own", 2),
    ]
    world.load(store, project, events=events)
    assert pairs(ask(store, project, asked(**fields))) == found


def crowd(store, project, seed):
    chance = random.Random(seed)
    events = []
    for number in range(60):
        minute = 0
        for _ in range(chance.randrange(1, 12)):
            minute += chance.choice([1, 2, 29, 30, 45])
            events.append(did(f"u{number}", chance.choice("abcd"), minute))
    world.load(store, project, events=events)


ANCHORS = {
    "neither": {},
    "start": {"startPoint": "b", "stepLimit": 3},
    "end": {"endPoint": "c", "stepLimit": 2},
    "both": {"startPoint": "a", "endPoint": "d", "stepLimit": 3},
    "both, even": {"startPoint": "a", "endPoint": "d", "stepLimit": 2},
    "the same": {"startPoint": "a", "endPoint": "a"},
    "one step": {"startPoint": "a", "endPoint": "d", "stepLimit": 1},
}


@pytest.mark.parametrize("fields", ANCHORS.values(), ids=ANCHORS)
def test_the_windows_agree_with_the_procedure(store, project, fields):
    crowd(store, project, 1)
    raw = asked(edgeLimit=1000, **fields)
    sql = "SELECT person_key, epoch_us(timestamp), event FROM events WHERE project_id = ?"
    people = {}
    for person, at, item in world.rows(store, f"{sql} ORDER BY 1, 2, uuid", project.id):
        people.setdefault(person, []).append(Visit(at, item))
    anchor = paths.anchor(decode(raw).paths_filter)
    parts = [
        part
        for visits in people.values()
        for part in shown(visits, paths.SESSION_US, anchor)
    ]
    wanted = {
        (*key, edge.count, edge.total_us / edge.count / 1000)
        for key, edge in edges(parts).items()
    }
    found = {tuple(row.values()) for row in ask(store, project, raw)}
    assert found == wanted


def test_people_of_an_edge_add_up_to_its_value(store, project):
    crowd(store, project, 2)
    for row in ask(store, project, asked(edgeLimit=5)):
        raw = asked(pathStartKey=row["source"], pathEndKey=row["target"])
        assert sum(count for _, count in who(store, project, raw)) == row["value"]


def test_who_leaves_at_an_item(store, project):
    events = [did("ann", "a", 0), did("ann", "b", 1), did("bob", "a", 0)]
    world.load(store, project, events=events)
    assert who(store, project, asked(pathDropoffKey="1_a")) == [("bob", 1)]
    assert who(store, project, asked(pathStartKey="1_a")) == [("ann", 1)]
    assert who(store, project, asked(pathEndKey="1_a")) == [("ann", 1), ("bob", 1)]


AROUND = {
    "before": (
        "funnel_path_before_step",
        2,
        [("1_o", "2_a", 1), ("2_a", "3_p", 1), ("3_p", "4_b", 1)],
    ),
    "after": ("funnel_path_after_step", 2, [("1_b", "2_q", 1)]),
    "between": ("funnel_path_between_steps", 2, [("1_a", "2_p", 1), ("2_p", "3_b", 1)]),
    "after those who stopped": ("funnel_path_after_step", -2, [("1_y", "2_z", 1)]),
    "before those who stopped": (
        "funnel_path_before_step",
        -3,
        [("1_o", "2_a", 1), ("2_a", "3_p", 1), ("3_p", "4_b", 1)],
    ),
}


@pytest.mark.parametrize(("kind", "number", "found"), AROUND.values(), ids=AROUND)
def test_paths_around_a_step_of_a_funnel(store, project, kind, number, found):
    events = [did("ann", name, 10 * place) for place, name in enumerate("oapbq")]
    events += [did("bob", "a", 0), did("bob", "x", 5)]
    events += [did("bob", "y", 60), did("bob", "z", 100), did("cid", "b", 0)]
    world.load(store, project, events=events)
    around = {"funnelPathType": kind, "funnelSource": FUNNEL, "funnelStep": number}
    raw = asked() | {"funnelPathsFilter": around}
    assert pairs(ask(store, project, raw)) == found
    first = raw | {"pathsFilter": {"pathStartKey": found[0][0]}}
    name = "bob" if number == -2 else "ann"
    assert who(store, project, first) == [(name, 1)]


@pytest.mark.parametrize(
    ("fields", "attr"),
    [
        ({"aggregation_group_type_index": 0}, "aggregation_group_type_index"),
        ({"samplingFactor": 0.1}, "samplingFactor"),
        (
            {
                "funnelPathsFilter": {
                    "funnelPathType": "funnel_path_between_steps",
                    "funnelSource": FUNNEL,
                    "funnelStep": 1,
                }
            },
            "funnelPathsFilter.funnelStep",
        ),
        (
            {"pathsFilter": {"localPathCleaningFilters": [{"alias": "x"}]}},
            "pathsFilter.localPathCleaningFilters",
        ),
        ({"pathsFilter": {"stepLimit": 0}}, "pathsFilter.stepLimit"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(store, project, fields, attr):
    with pytest.raises(InvalidQuery) as refused:
        ask(store, project, asked() | fields)
    assert refused.value.attr == attr
