"""Rounding is a way to look at time. The table is that of the design."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.models.work import Client, Project
from app.tracking.rounding import METHODS, STEPS, Rule, in_force, rounded, shared


def time(text):
    parts = [int(part) for part in text.split(":")]
    return parts[0] * 3600 + parts[1] * 60 + (parts[2] if len(parts) > 2 else 0)


@pytest.mark.parametrize(
    ("worked", "nearest", "up", "down", "six"),
    [
        ("0:07:29", "0:00", "0:15", "0:00", "0:12"),
        ("0:07:30", "0:15", "0:15", "0:00", "0:12"),
        ("0:15:00", "0:15", "0:15", "0:15", "0:18"),
        ("0:15:01", "0:15", "0:30", "0:15", "0:18"),
        ("0:18:00", "0:15", "0:30", "0:15", "0:18"),
    ],
)
def test_worked_time_is_rounded_as_the_rule_says(worked, nearest, up, down, six):
    seconds = time(worked)

    assert rounded(seconds, Rule(minutes=15)) == time(nearest)
    assert rounded(seconds, Rule(minutes=15, method="up")) == time(up)
    assert rounded(seconds, Rule(minutes=15, method="down")) == time(down)
    assert rounded(seconds, Rule(minutes=6, method="up")) == time(six)


def test_anything_over_nothing_counts_at_least_the_minimum():
    rule = Rule(minimum=10)

    assert [rounded(s, rule) for s in (0, 1, 599, 601)] == [0, 600, 600, 601]


def test_client_then_project_may_override_each_value():
    client = Client(name="C", rounding_minutes=6)
    project = Project(name="P", rounding_method="up")

    assert in_force(Rule(minutes=15), client, project) == Rule(minutes=6, method="up")
    assert in_force(Rule(minutes=15), None, None) == Rule(minutes=15)


RULES = st.builds(
    Rule,
    minutes=st.sampled_from(STEPS),
    method=st.sampled_from(METHODS),
    minimum=st.integers(0, 60),
)
SECONDS = st.integers(0, 200_000)


@given(SECONDS, RULES)
def test_rounding_twice_is_rounding_once(seconds, rule):
    once = rounded(seconds, rule)

    assert rounded(once, rule) == once


@given(st.integers(0, 500), RULES)
def test_an_exact_multiple_never_changes(times, rule):
    seconds = times * max(rule.minutes, 1) * 60
    if seconds >= rule.minimum * 60:
        assert rounded(seconds, rule) == seconds


@given(
    st.integers(0, 100_000),
    st.dictionaries(st.integers(0, 9), st.integers(1, 90_000), min_size=1),
)
def test_shares_add_up_to_the_whole_and_keep_their_order(whole, parts):
    shares = shared(whole, parts)

    assert sum(shares.values()) == whole
    assert all(
        shares[a] >= shares[b] - 1 for a in parts for b in parts if parts[a] >= parts[b]
    )
