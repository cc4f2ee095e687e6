"""One question, one answer: groups, rounding, money, and that all of it adds up."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import InvalidInput
from app.models.work import Client, Project, Rate, Tag
from app.reports import answer, filters
from app.reports.filters import Question
from app.settings import Settings
from app.tracking import entries
from app.tracking.entries import Act, Times
from app.tracking.timers import About
from app.work.rates import NewRate, Price, Rates, Subject, add, amount

NOON = datetime(2025, 6, 3, 10, 0, tzinfo=UTC)
TODAY = date(2025, 6, 3)  # a Tuesday


@pytest.mark.parametrize(
    ("word", "first", "last"),
    [
        ("today", "2025-06-03", "2025-06-03"),
        ("yesterday", "2025-06-02", "2025-06-02"),
        ("this_week", "2025-06-02", "2025-06-08"),
        ("last_week", "2025-05-26", "2025-06-01"),
        ("this_month", "2025-06-01", "2025-06-30"),
        ("last_month", "2025-05-01", "2025-05-31"),
        ("this_quarter", "2025-04-01", "2025-06-30"),
        ("last_quarter", "2025-01-01", "2025-03-31"),
        ("this_year", "2025-01-01", "2025-12-31"),
        ("last_year", "2024-01-01", "2024-12-31"),
        ("last_7_days", "2025-05-28", "2025-06-03"),
        ("last_90_days", "2025-03-06", "2025-06-03"),
    ],
)
def test_relative_ranges_are_asked_anew_each_day(word, first, last):
    found = filters.days(Question(range=word), TODAY, 1)

    assert [day.isoformat() for day in found] == [first, last]


@pytest.mark.parametrize(
    ("given_", "attr"),
    [
        ({"projekt": "1"}, "projekt"),
        ({"range": "someday"}, "range"),
        ({"projects": "1,x"}, "projects"),
        ({"group": "project,project"}, "group"),
        ({"group": "a,b,c"}, "group"),
        ({"billable": "maybe"}, "billable"),
        ({"range": "custom", "first": "2025-01-01"}, "first"),
        ({"first": "tomorrow"}, "first"),
    ],
)
def test_a_word_that_is_not_understood_is_refused_by_name(given_, attr):
    with pytest.raises(InvalidInput) as refused:
        filters.parse(given_)

    assert refused.value.attr == attr


QUESTIONS = st.builds(
    Question,
    range=st.sampled_from([word for word in filters.RANGES if word != "custom"]),
    users=st.lists(st.integers(1, 99), max_size=3, unique=True).map(tuple),
    projects=st.lists(st.integers(0, 99), max_size=3, unique=True).map(tuple),
    billable=st.sampled_from([None, True, False]),
    tag_mode=st.sampled_from(filters.TAG_MODES),
    archived=st.booleans(),
    group=st.sampled_from([("project",), ("client", "project"), ("tag", "day")]),
    rounding=st.sampled_from(filters.ROUNDINGS),
    sort=st.sampled_from(filters.SORTS),
)


@given(QUESTIONS)
def test_what_stands_in_the_address_is_the_question_again(question):
    assert filters.parse(filters.as_query(question)) == question


@pytest.fixture
def world(session, ann):
    """A client with two projects, one with rules and rates of its own."""
    client = Client(name="Meridian", currency="EUR")
    paid = Project(name="Training", client=client, billable=True)
    own = Project(name="Internal", billable=False)
    red, blue = Tag(name="red"), Tag(name="blue")
    session.add_all([client, paid, own, red, blue])
    session.flush()
    session.add_all(
        [
            Rate(scope="default", amount=8000, currency="EUR", valid_from=date(2020, 1, 1)),
            Rate(
                scope="project", project_id=paid.id, amount=9500, currency="EUR",
                valid_from=date(2025, 1, 1),
            ),
        ]
    )  # fmt: skip
    rules = Act(user=ann, now=NOON, settings=Settings(timezone="Europe/Berlin"))

    def work(minutes, project=paid, days_ago=0, tags=(), hour=8):
        start = NOON.replace(hour=hour) - timedelta(days=days_ago)
        times = Times(started_at=start, ended_at=start + timedelta(minutes=minutes))
        about = About(
            project_id=project.id if project else None, tag_ids=[t.id for t in tags]
        )
        return entries.make(session, ann, about, times, rules).entry

    return work, paid, own, red, blue


RULES = Settings(timezone="Europe/Berlin", users_see_rates=True)


def ask(session, ann, settings=RULES, **fields):
    question = Question(**{"range": "last_30_days", **fields})
    return answer.summary(session, ann, question, NOON, settings)


def test_time_and_money_add_up_for_each_project(session, ann, world):
    work, paid, own, *_ = world
    work(90)
    work(30, own, days_ago=1)
    found = ask(session, ann)

    assert found.total.seconds == 7200
    assert found.groups[paid.id].sums.amounts == {"EUR": 14250}
    assert found.groups[own.id].sums.amounts == {}
    assert found.total.amounts == {"EUR": 14250}


def test_billable_time_without_a_rate_is_a_problem_not_a_zero(session, ann, world):
    work, *_ = world
    work(60)
    session.query(Rate).delete()

    total = ask(session, ann).total
    assert (total.amounts, total.unpriced) == ({}, 3600)


def test_by_tag_an_entry_with_two_counts_twice_and_the_total_once(session, ann, world):
    work, _, _, red, blue = world
    work(60, tags=(red, blue))
    work(30, days_ago=1)
    found = ask(session, ann, group=("tag",))

    assert {key: group.sums.seconds for key, group in found.groups.items()} == {
        red.id: 3600, blue.id: 3600, None: 1800,
    }  # fmt: skip
    assert found.total.seconds == 5400


def test_rounding_is_shown_beside_exact_time_and_is_never_stored(session, ann, world):
    work, paid, *_ = world
    entry = work(23)
    rules = replace(RULES, rounding_minutes=15, rounding_method="up")
    found = ask(session, ann, rules)

    assert (found.total.seconds, found.total.rounded) == (1380, 1800)
    assert found.total.amounts == {"EUR": 4750}
    assert entry.seconds == 1380
    assert ask(session, ann, rules, rounding="exact").total.rounded == 1380
    paid.rounding_minutes = 0
    session.flush()
    assert ask(session, ann, rules).total.rounded == 1380


def test_an_entry_across_midnight_is_divided_and_its_parts_add_up(session, ann, world):
    work, *_ = world
    work(210, days_ago=1, hour=20)  # 22:00 to 1:30 in Berlin
    found = ask(session, ann, group=("day",))

    assert [found.groups[d].sums.seconds for d in (TODAY - timedelta(1), TODAY)] == [
        7200,
        5400,
    ]
    today = ask(session, ann, range="today")
    assert today.total.seconds == 5400


def test_a_fixed_zone_moves_days(session, ann, world):
    work, *_ = world
    work(60, days_ago=1, hour=20)
    there = ask(session, ann, group=("day",), zone="Pacific/Auckland")

    assert list(there.groups) == [TODAY]


@pytest.mark.parametrize(
    "group", [("project",), ("user", "day"), ("client", "week"), ("billable",)]
)
def test_sums_of_groups_are_the_total_for_every_grouping_without_tags(
    session, ann, world, group
):
    work, paid, own, *_ = world
    for n in range(12):
        work(7 + 13 * n, (paid, own, None)[n % 3], days_ago=n, hour=n + 2)
    rules = Settings(timezone="Europe/Berlin", rounding_minutes=6)
    found = ask(session, ann, rules, group=group)

    for name in ("seconds", "rounded", "billable"):
        parts = [getattr(g.sums, name) for g in found.groups.values()]
        assert sum(parts) == getattr(found.total, name)
        for g in found.groups.values():
            under = [getattr(u.sums, name) for u in g.under.values()]
            assert not under or sum(under) == getattr(g.sums, name)
    assert sum(s.seconds for s in found.buckets.values()) == found.total.seconds


def test_nobody_reports_on_others_but_managers(session, ann, world, make_user):
    work, *_ = world
    work(60)

    assert ask(session, make_user("bob")).total.seconds == 0
    assert ask(session, make_user("max", role="manager")).total.seconds == 3600


def rate(scope, amount_, since="2025-01-01", **references):
    day = date.fromisoformat(since)
    return Rate(scope=scope, amount=amount_, currency="EUR", valid_from=day, **references)


@pytest.mark.parametrize(
    ("rates", "found"),
    [
        pytest.param([], None, id="no rate"),
        pytest.param([rate("default", 1)], 1, id="the default"),
        pytest.param([rate("default", 1), rate("user", 2, user_id=1)], 2, id="the person's"),
        pytest.param([rate("user", 2, user_id=1), rate("client", 3, client_id=7)], 3,
                     id="the client's"),
        pytest.param([rate("client", 3, client_id=7), rate("project", 4, project_id=5)], 4,
                     id="the project's"),
        pytest.param([rate("project", 4, project_id=5), rate("task", 5, task_id=9)], 5,
                     id="the task's"),
        pytest.param([rate("task", 5, task_id=9),
                      rate("project_user", 6, project_id=5, user_id=1)], 6,
                     id="the person's on the project"),
        pytest.param([rate("default", 1), rate("default", 8, "2025-06-01")], 8, id="the newest"),
        pytest.param([rate("default", 1), rate("default", 8, "2025-06-04")], 1,
                     id="a later one leaves the past alone"),
        pytest.param([rate("user", 2, user_id=2)], None, id="of somebody else"),
    ],
)  # fmt: skip
def test_the_first_scope_that_has_a_rate_wins(rates, found):
    price = Rates(rates, "EUR").on(Subject(1, 5, 7, 9), TODAY)

    assert (price.amount if price else None) == found


def test_an_entrys_own_rate_beats_all_in_the_currency_it_would_have_had():
    rates = Rates(
        [Rate(scope="default", amount=1, currency="CHF", valid_from=TODAY)], "EUR"
    )

    assert rates.of_entry(Subject(1, None, None, None), TODAY, 50) == Price(50, "CHF")


@pytest.mark.parametrize(("seconds", "cents"), [(3600, 9500), (1, 3), (0, 0), (1800, 4750)])
def test_an_amount_is_half_up_to_the_minor_unit(seconds, cents):
    assert amount(seconds, Price(9500, "EUR")) == cents


def test_rates_of_a_client_are_in_its_currency(session, world):
    _, paid, *_ = world
    new = NewRate(
        scope="project", project_id=paid.id, amount=1, currency="USD", valid_from=TODAY
    )

    with pytest.raises(InvalidInput, match="billed in EUR"):
        add(session, new)
