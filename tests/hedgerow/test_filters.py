"""Property filters: what each operator finds, and what happens to who lacks the property."""

import pytest

from hedgerow.errors import InvalidQuery
from hedgerow.model.projects import Cohort
from tests.hedgerow.asking import Asked, did
from tests.world import a_project

AT = "2026-03-10T12:00:00Z"
PLANS = {"ann": "free", "bob": "team", "cat": None, "dan": "Free trial", "eve": "100%"}
AGES = {"ann": 5, "bob": 7.5, "cat": None, "dan": "12", "eve": "old"}
FLAGS = {"ann": True, "bob": False, "cat": None, "dan": "true", "eve": "yes"}
VERSIONS = {
    "ann": "1.2.3",
    "bob": "v1.10.0-rc.1",
    "cat": None,
    "dan": "2.0",
    "eve": "0.0.3",
}
TIMES = {"ann": "2024-02-03", "bob": "2024-02-03T08:30:00Z", "cat": None, "dan": "soon"}
SERIALS = {"ann": 9007199254740993, "bob": 9007199254740992, "cat": 1}


@pytest.fixture(scope="module")
def world(store):
    sets = {
        "plan": PLANS, "age": AGES, "paid": FLAGS, "version": VERSIONS,
        "seen": TIMES, "serial": SERIALS,
    }  # fmt: skip
    events = []
    for name in ("ann", "bob", "cat", "dan", "eve"):
        known = {
            key: values[name]
            for key, values in sets.items()
            if values.get(name) is not None
        }
        events.append(did(name, "opened", AT, **known))
    return Asked(store, a_project(timezone="Europe/Berlin"), events=events)


def found(world, *filters, **query):
    """Return who is left of ann, bob, cat, dan and eve."""
    rows = world.trend(
        event="opened",
        dateRange={"date_from": "2026-03-01"},
        properties=list(filters) or query.get("properties"),
        breakdownFilter={"breakdown": "distinct_id", "breakdown_type": "event_metadata"},
    )
    return " ".join(sorted(row["breakdown_value"] for row in rows))


@pytest.mark.parametrize(
    ("key", "operator", "value", "who"),
    [
        pytest.param("plan", "exact", "free", "ann", id="exact"),
        pytest.param("plan", None, ["free", "team"], "ann bob", id="exact is the default and takes several"),
        pytest.param("plan", "is_not", "free", "bob cat dan eve", id="is_not keeps who has no plan"),
        pytest.param("plan", "is_not", ["free", "team"], "cat dan eve", id="is_not none of several"),
        pytest.param("plan", "exact", [], "ann bob cat dan eve", id="an empty list is no condition"),
        pytest.param("plan", "exact", "' OR 1=1 --", "", id="a value is never read as SQL"),
        pytest.param("plan", "icontains", "FREE", "ann dan", id="icontains ignores case"),
        pytest.param("plan", "icontains", ["team", "trial"], "bob dan", id="icontains any of"),
        pytest.param("plan", "icontains", "%", "eve", id="icontains takes % literally"),
        pytest.param("plan", "not_icontains", "free", "bob cat eve", id="not_icontains keeps who has no plan"),
        pytest.param("plan", "icontains_multi", ["team"], "bob", id="icontains_multi"),
        pytest.param("plan", "regex", "^[a-z]+$", "ann bob", id="regex minds case"),
        pytest.param("plan", "not_regex", "free", "bob cat dan eve", id="not_regex keeps who has no plan"),
        pytest.param("plan", "is_set", None, "ann bob dan eve", id="is_set"),
        pytest.param("plan", "is_not_set", None, "cat", id="is_not_set"),
        pytest.param("plan", "in", ["free"], "ann", id="in"),
        pytest.param("plan", "not_in", ["free"], "bob cat dan eve", id="not_in"),
        pytest.param("age", "exact", "5", "ann", id="a number as text"),
        pytest.param("age", "exact", [5.0, 12], "ann dan", id="text that is a number counts"),
        pytest.param("age", "is_not", 5, "bob cat dan eve", id="is_not among numbers"),
        pytest.param("age", "gt", 5, "bob dan", id="gt"),
        pytest.param("age", "gte", "5", "ann bob dan", id="gte of text"),
        pytest.param("age", "lt", 7.5, "ann", id="lt"),
        pytest.param("age", "lte", 7.5, "ann bob", id="lte"),
        pytest.param("age", "min", 12, "dan", id="min is gte"),
        pytest.param("age", "max", 5, "ann", id="max is lte"),
        pytest.param("age", "gt", "old", "", id="text that is no number is no limit"),
        pytest.param("age", "between", [5, 7.5], "ann bob", id="between holds both ends"),
        pytest.param("age", "not_between", [5, 7.5], "dan", id="not_between drops who has none"),
        pytest.param("age", "icontains", "ol", "eve", id="text operators read text among numbers"),
        pytest.param("age", "is_set", None, "ann bob dan eve", id="is_set of whatever type"),
        pytest.param("paid", "exact", True, "ann dan", id="true"),
        pytest.param("paid", "exact", ["true"], "ann dan", id="true as a listed text"),
        pytest.param("paid", "is_not", "true", "bob cat eve", id="not true"),
        pytest.param("paid", "exact", "false", "bob", id="false"),
        pytest.param("paid", "exact", "yes", "", id="no boolean is yes"),
        pytest.param("version", "semver_eq", "1.2.3", "ann", id="semver_eq"),
        pytest.param("version", "semver_neq", "1.2.3", "bob eve", id="semver_neq drops junk and null"),
        pytest.param("version", "semver_gt", "1.2", "ann bob", id="semver_gt compares numbers"),
        pytest.param("version", "semver_gte", "1.10", "bob", id="a pre-release is its version"),
        pytest.param("version", "semver_lt", "1", "eve", id="semver_lt"),
        pytest.param("version", "semver_lte", "1.2.3", "ann eve", id="semver_lte"),
        pytest.param("version", "semver_tilde", "1.2.1", "ann", id="semver_tilde"),
        pytest.param("version", "semver_tilde", "1", "ann bob", id="semver_tilde of a major"),
        pytest.param("version", "semver_caret", "1.2.3", "ann bob", id="semver_caret"),
        pytest.param("version", "semver_caret", "0.0.3", "eve", id="semver_caret of nothing but a patch"),
        pytest.param("version", "semver_wildcard", "1.2.*", "ann", id="semver_wildcard"),
        pytest.param("version", "semver_wildcard", "1.*", "ann bob", id="semver_wildcard of a major"),
        pytest.param("seen", "is_date_exact", "2024-02-03", "ann", id="a date is its local midnight"),
        pytest.param("seen", "is_date_after", "2024-02-03", "bob", id="after a date matches later that day"),
        pytest.param("seen", "is_date_before", "2024-02-03T09:00:00Z", "ann bob", id="before a time"),
        pytest.param("seen", "is_date_before", "-1d", "ann bob", id="before a relative time"),
        pytest.param("serial", "exact", "9007199254740993", "ann", id="long integers keep their digits"),
    ],
)  # fmt: skip
def test_an_event_property_is_compared(world, key, operator, value, who):
    where = {"key": key, "value": value, "type": "event"}

    assert found(world, where | ({"operator": operator} if operator else {})) == who


@pytest.mark.parametrize(
    ("where", "attr"),
    [
        pytest.param({"key": "plan", "operator": "exact"}, "properties[0].value", id="no value"),
        pytest.param({"key": "plan", "operator": "is", "value": "x"}, "properties[0].operator", id="an unknown operator"),
        pytest.param({"key": "plan", "type": "element", "value": "x"}, "properties[0].type", id="an unknown type"),
        pytest.param({"key": "plan", "type": "session", "value": "x"}, "properties[0].key", id="sessions"),
        pytest.param({"key": "plan", "type": "group", "value": "x"}, "properties[0]", id="a group filter without its type"),
        pytest.param({"key": "plan", "value": "x", "colour": 1}, "properties[0].colour", id="an unknown field"),
        pytest.param({"key": "plan", "operator": "regex", "value": "(a"}, "properties[0].value", id="an invalid pattern"),
        pytest.param({"key": "plan", "operator": "regex", "value": "(?=a)"}, "properties[0].value", id="a pattern that RE2 has not"),
        pytest.param({"key": "age", "operator": "between", "value": [7, 5]}, "properties[0].value", id="a range the wrong way round"),
        pytest.param({"key": "age", "operator": "between", "value": [7]}, "properties[0].value", id="half a range"),
        pytest.param({"key": "seen", "operator": "is_date_after", "value": "soon"}, "properties[0].value", id="no date"),
        pytest.param({"key": "version", "operator": "semver_gt", "value": "new"}, "properties[0].value", id="no version"),
        pytest.param({"key": "id", "type": "cohort", "value": 404}, "properties[0].value", id="no such cohort"),
        pytest.param({"key": "nope(1)", "type": "hogql"}, "properties[0]", id="no such function"),
        pytest.param({"key": "plan", "operator": "exact", "value": [None]}, "properties[0].value", id="null in a list"),
        pytest.param({"type": "AND", "values": [{"key": "x"}]}, "properties[0].values[0].value", id="deep in a group"),
    ],
)  # fmt: skip
def test_a_filter_that_cannot_be_applied_is_refused_by_name(world, where, attr):
    with pytest.raises(InvalidQuery) as refused:
        found(world, where)

    assert refused.value.attr == attr


def leaf(key, value):
    return {"key": key, "value": value, "type": "event"}


@pytest.mark.parametrize(
    ("group", "who"),
    [
        pytest.param({"type": "OR", "values": []}, "ann bob cat dan eve", id="an empty group matches all"),
        pytest.param({"type": "OR", "values": [leaf("plan", "free"), leaf("age", 12)]}, "ann dan", id="either"),
        pytest.param({"type": "AND", "values": [leaf("plan", "free"), leaf("age", 12)]}, "", id="both"),
        pytest.param(
            {"type": "AND", "values": [{"type": "OR", "values": [leaf("plan", "free"), leaf("plan", "team")]}, leaf("age", 5)]},
            "ann",
            id="nested",
        ),
    ],
)  # fmt: skip
def test_groups_of_filters_combine(world, group, who):
    assert found(world, properties=group) == who


@pytest.mark.parametrize(
    ("text", "who"),
    [
        pytest.param("properties.plan = 'free'", "ann", id="equal"),
        pytest.param("properties.plan != 'free'", "bob cat dan eve", id="unequal keeps null"),
        pytest.param("properties.age > 6 or properties.paid", "ann bob dan", id="or"),
        pytest.param("not (properties.plan = 'free')", "bob cat dan eve", id="not"),
        pytest.param("properties.plan IS NULL", "cat", id="is null"),
        pytest.param("properties.plan in ('free', 'team')", "ann bob", id="in"),
        pytest.param("properties.plan =~ '^f'", "ann", id="matches"),
        pytest.param("properties.plan !~ '^f'", "bob dan eve", id="does not match"),
        pytest.param("timestamp >= '2026-03-10 13:00:00'", "ann bob cat dan eve", id="a text beside a time is local"),
        pytest.param("timestamp > '2026-03-10 13:00:00'", "", id="and exact"),
        pytest.param("toHour(timestamp) = 13", "ann bob cat dan eve", id="hours are local"),
    ],
)  # fmt: skip
def test_expressions_filter(world, text, who):
    assert found(world, {"key": text, "type": "hogql"}) == who


@pytest.fixture(scope="module")
def people(store):
    persons = [
        {"distinct_ids": ["ann", "ann@work"], "properties": {"role": "admin", "team": "x"}},
        {"distinct_ids": ["bob"], "properties": {"role": "member"}},
        {"distinct_ids": ["cat"], "properties": {}},
    ]
    groups = [{"type": "company", "key": "acme", "properties": {"size": 5}}]
    events = [
        did("ann", "opened", AT, groups={"company": "acme"}),
        did("bob", "opened", AT, groups={"company": "unknown"}),
        did("cat", "opened", AT),
    ]
    criteria = {"type": "AND", "values": [{"type": "person", "key": "role", "operator": "exact", "value": "admin"}]}  # fmt: skip
    admins = Cohort(id=71, name="admins", filters={"properties": criteria})
    project = a_project()
    return Asked(
        store, project, persons=persons, groups=groups, events=events,
        group_types=["company"], cohorts=[admins],
    )  # fmt: skip


@pytest.mark.parametrize(
    ("where", "who"),
    [
        pytest.param({"type": "person", "key": "role", "value": "admin"}, "ann", id="a person's property"),
        pytest.param({"type": "person", "key": "role", "value": "admin", "operator": "is_not"}, "bob cat", id="is_not keeps persons without it"),
        pytest.param({"type": "person", "key": "distinct_id", "value": "ann@work"}, "ann", id="any of the distinct ids"),
        pytest.param({"type": "person", "key": "distinct_id", "value": "ann@work", "operator": "is_not"}, "bob cat", id="none of the distinct ids"),
        pytest.param({"type": "group", "group_type_index": 0, "key": "size", "value": 5}, "ann", id="a group's property"),
        pytest.param({"type": "group", "group_type_index": 0, "key": "size", "value": 5, "operator": "is_not"}, "bob cat", id="is_not keeps events without the group"),
        pytest.param({"type": "group", "group_type_index": 3, "key": "size", "operator": "is_not_set"}, "ann bob cat", id="a group type that is not there"),
        pytest.param({"type": "event_metadata", "key": "$group_0", "value": "acme"}, "ann", id="a group's key"),
        pytest.param({"type": "event_metadata", "key": "distinct_id", "value": "bob"}, "bob", id="a column"),
        pytest.param({"type": "event_metadata", "key": "timestamp", "value": "2026-03-10T12:00:00Z", "operator": "is_date_exact"}, "ann bob cat", id="a column of time"),
        pytest.param({"type": "cohort", "key": "id", "value": 71}, "ann", id="a cohort"),
        pytest.param({"type": "cohort", "key": "id", "value": "71", "operator": "not_in"}, "bob cat", id="outside of a cohort"),
        pytest.param({"type": "cohort", "key": "id", "value": 71, "negation": True}, "bob cat", id="the older spelling"),
        pytest.param({"type": "hogql", "key": "person_id IN COHORT 'admins'"}, "ann", id="a cohort by name in an expression"),
        pytest.param({"type": "hogql", "key": "person.properties.role = 'member' and group_0.properties.size is null"}, "bob", id="an expression over all three"),
    ],
)  # fmt: skip
def test_persons_groups_and_cohorts_are_filtered(people, where, who):
    assert found(people, where) == who


def test_person_properties_can_be_those_of_the_events_time(store):
    project = a_project()
    asked = Asked(store, project, events=[])
    for day, plan in ((1, "free"), (2, "pro")):
        at = f"2026-03-0{day}T12:00:00Z"
        event = {
            "event": "opened",
            "distinct_id": "ann",
            "timestamp": at,
            "$set": {"plan": plan},
        }
        Asked(store, project, events=[event])
    query = {"event": "opened", "dateRange": {"date_from": "2026-03-01"}}
    plan = {"type": "person", "key": "plan", "value": "free"}

    now = asked.trend(**query, properties=[plan])
    then = asked.trend(
        **query,
        properties=[plan],
        modifiers={"personsOnEventsMode": "person_id_override_properties_on_events"},
    )

    assert (now[0]["count"], then[0]["count"]) == (0, 1)


def test_test_accounts_are_left_out_when_asked(store):
    filters = [
        {"key": "email", "type": "event", "operator": "not_icontains", "value": "@ours"}
    ]
    project = a_project(test_account_filters=filters)
    events = [did("ann", "opened", AT, email="ann@ours"), did("bob", "opened", AT)]
    asked = Asked(store, project, events=events)

    counts = [
        asked.trend(event="opened", filterTestAccounts=on)[0]["count"]
        for on in (False, True)
    ]

    assert counts == [2, 1]
