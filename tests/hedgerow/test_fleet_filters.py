"""Filters that compare versions by the project's own order."""

import pytest

from hedgerow.errors import InvalidQuery
from hedgerow.insights.answer import Asking, answer
from hedgerow.model.projects import Cohort
from tests.world import a_project, context, load

TEXTS = ["2.9.0", "2.10", "v3.0", "3.1.0-dev", "3.1", "latest", "unknown", "true", None]


@pytest.fixture(scope="module")
def asked(store):
    """Somebody for each version text, whose person says the same."""
    project = a_project()
    load(
        store,
        project,
        events=[
            {
                "event": "telemetry.health",
                "distinct_id": str(text),
                "timestamp": "2026-03-10T10:00:00Z",
                "properties": {"version": text},
                "$set": {"current_version": text},
            }
            for text in TEXTS
        ],
    )
    return store, project


def people(asked, where, **more):
    store, project = asked
    source = {
        "kind": "TrendsQuery",
        "series": [{"kind": "EventsNode", "event": "telemetry.health", "math": "dau"}],
        "dateRange": {"date_from": "-30d"},
        "trendsFilter": {"display": "BoldNumber"},
        "properties": [where],
    }
    actors = {"kind": "InsightActorsQuery", "source": source}
    query = {"kind": "ActorsQuery", "source": actors, "select": ["actor"]}
    told = answer(query, context(store, project, **more), store, Asking())["results"]
    return sorted(one for (who,) in told for one in who["distinct_ids"])


@pytest.mark.parametrize(
    ("operator", "value", "expected"),
    [
        ("version_eq", "3.0.0", ["v3.0"]),
        ("version_neq", "3.0", ["2.10", "2.9.0", "3.1", "3.1.0-dev"]),
        ("version_gt", "3.0", ["3.1", "3.1.0-dev"]),
        ("version_gte", "v3.0", ["3.1", "3.1.0-dev", "v3.0"]),
        ("version_lt", "2.10.0", ["2.9.0"]),
        ("version_lte", "2.10.0", ["2.10", "2.9.0"]),
        ("version_gte", "3.1.0", ["3.1"]),
        ("version_between", ["2.10", "3.1.0-dev"], ["2.10", "3.1.0-dev", "v3.0"]),
        ("version_gt", "99", []),
        ("version_eq", [3.1], ["3.1"]),
    ],
)
@pytest.mark.parametrize(
    "which", [{"key": "version"}, {"key": "current_version", "type": "person"}]
)
def test_a_version_filter_goes_by_the_order_of_versions(
    asked, which, operator, value, expected
):
    assert people(asked, {**which, "operator": operator, "value": value}) == expected


@pytest.mark.parametrize(
    ("where", "attr"),
    [
        ({"key": "version", "operator": "version_gt", "value": "latest"}, "value"),
        ({"key": "version", "operator": "version_gt", "value": ["1", "2"]}, "value"),
        ({"key": "version", "operator": "version_between", "value": "1"}, "value"),
        ({"key": "version", "operator": "version_between", "value": ["2", "1"]}, "value"),
        (
            {
                "key": "event",
                "type": "event_metadata",
                "operator": "version_eq",
                "value": "1",
            },
            "operator",
        ),
    ],
)
def test_a_version_filter_that_cannot_be_is_refused_by_name(asked, where, attr):
    with pytest.raises(InvalidQuery) as refused:
        people(asked, where)

    assert refused.value.attr.endswith(attr)


def test_a_cohort_may_compare_versions(asked):
    leaf = {
        "type": "person",
        "key": "current_version",
        "operator": "version_gte",
        "value": "3.0",
    }
    filters = {"properties": {"type": "AND", "values": [leaf]}}
    cohorts = {7: Cohort(id=7, name="Up to date", filters=filters)}
    where = {"key": "id", "type": "cohort", "value": 7}

    assert people(asked, where, cohorts=cohorts) == ["3.1", "3.1.0-dev", "v3.0"]


FLEET = {
    "releases": [
        {"version": v, "released_at": f"2026-01-0{n}"} for n, v in enumerate("123", start=1)
    ]
}


@pytest.fixture(scope="module")
def installed(store):
    """Installations on three releases, one of them silent."""
    project = a_project(fleet=FLEET)
    said = {"one": ("1", "03-14"), "two": ("2", "03-14"), "three": ("3", "03-01")}
    load(
        store,
        project,
        events=[
            {
                "event": "telemetry.health",
                "distinct_id": who,
                "timestamp": f"2026-{day}T10:00:00Z",
                "properties": {"version": version},
            }
            for who, (version, day) in said.items()
        ],
    )
    return store, project


@pytest.mark.parametrize(
    ("key", "operator", "value", "expected"),
    [
        ("state", "exact", "silent", ["three"]),
        ("state", "is_not", ["silent"], ["one", "two"]),
        ("releases_behind", "gte", 1, ["one", "two"]),
        ("days_behind", "gt", 71, ["one"]),
        ("version", "version_lt", "2.1", ["one", "two"]),
        ("version", "exact", "9", []),
    ],
)
def test_a_cohort_may_ask_about_installations(installed, key, operator, value, expected):
    leaf = {"type": "fleet", "key": key, "operator": operator, "value": value}
    filters = {"properties": {"type": "AND", "values": [leaf]}}
    cohorts = {7: Cohort(id=7, name="Some", filters=filters)}
    where = {"key": "id", "type": "cohort", "value": 7}

    assert people(installed, where, cohorts=cohorts) == expected


@pytest.mark.parametrize(
    ("key", "operator", "value"),
    [
        ("state", "gt", "silent"),
        ("releases_behind", "exact", "x"),
        ("version", "gt", "main"),
    ],
)
def test_a_criterion_on_installations_that_cannot_be_is_refused(
    installed, key, operator, value
):
    leaf = {"type": "fleet", "key": key, "operator": operator, "value": value}
    filters = {"properties": {"type": "AND", "values": [leaf]}}
    cohorts = {7: Cohort(id=7, name="Some", filters=filters)}

    with pytest.raises(InvalidQuery):
        people(installed, {"key": "id", "type": "cohort", "value": 7}, cohorts=cohorts)
