"""Answers: kept while they are true, refused by name, with their envelope."""

import pytest

from hedgerow.errors import InvalidQuery, QueryTimedOut
from hedgerow.insights.cached import Cache
from tests.hedgerow.asking import Asked, did
from tests.world import a_project, load

QUERY = {"kind": "TrendsQuery", "series": [{"kind": "EventsNode", "event": "opened"}]}
AT = "2026-03-14T10:00:00Z"


@pytest.fixture
def asked(store):
    return Asked(store, a_project(), events=[did("ann", "opened", AT)])


def test_the_same_question_is_answered_from_what_was_kept(asked):
    cache = Cache()

    first, second = (asked.whole(QUERY, cache=cache) for _ in range(2))

    assert (first["is_cached"], second["is_cached"]) == (False, True)
    assert first["results"] == second["results"]
    assert first["cache_key"] == second["cache_key"]


def test_new_data_make_an_old_answer_unfindable(asked):
    cache = Cache()
    asked.whole(QUERY, cache=cache)

    load(asked.store, asked.project, events=[did("bob", "opened", AT)])

    told = asked.whole(QUERY, cache=cache)
    assert (told["is_cached"], told["results"][0]["count"]) == (False, 2)


def test_force_blocking_computes(asked):
    cache = Cache()
    asked.whole(QUERY, cache=cache)

    assert not asked.whole(QUERY, cache=cache, refresh="force_blocking")["is_cached"]


def test_force_cache_answers_nothing_that_is_not_kept(asked):
    assert asked.whole(QUERY, cache=Cache(), refresh="force_cache")["results"] is None


def test_the_least_recently_asked_is_given_up_first():
    cache = Cache(most=2)
    for key in ("a", "b"):
        cache.keep(key, {"results": key})
    cache.find("a")
    cache.keep("c", {"results": "c"})

    assert [cache.find(key) is not None for key in ("a", "b", "c")] == [True, False, True]


def test_a_question_out_of_time_is_refused(asked):
    with pytest.raises(QueryTimedOut):
        asked.whole(QUERY, timeout_s=0)


def test_wrappers_are_answered_as_what_they_hold(asked):
    wrapped = {"kind": "InsightVizNode", "source": QUERY, "showTable": True}

    assert asked.results(wrapped) == asked.results(QUERY)


@pytest.mark.parametrize(
    ("query", "attr"),
    [
        pytest.param({"kind": "NopeQuery"}, "kind", id="an unknown kind"),
        pytest.param(QUERY | {"colour": 1}, "colour", id="an unknown field"),
        pytest.param(QUERY | {"conversionGoal": {}}, "conversionGoal", id="a goal"),
        pytest.param([], "query", id="no object"),
    ],
)
def test_what_cannot_be_answered_is_refused_by_name(asked, query, attr):
    with pytest.raises(InvalidQuery) as refused:
        asked.whole(query)

    assert refused.value.attr == attr
