"""Version texts have an order that makers of software would agree with."""

import json
from itertools import chain
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version as Reference

from hedgerow.model.versions import order, parse

SHARED = Path(__file__).parents[2].parent / "shared" / "contract" / "fleet.json"
CASES = json.loads(SHARED.read_text())["version_order"]
TEXTS = st.one_of(
    st.text("0123456789.-_+abrcvdevpost ~!:g", max_size=14),
    st.from_regex(r"\A[0-3](\.[0-3]){0,3}((a|b|rc)[0-3])?(\.post[0-3])?(\.dev[0-3])?\Z"),
    st.sampled_from(
        ["latest", "unknown", "3.0.0", "v3", "2024-11-03", "20241103", "abc1234"]
    ),
)
PEP440 = st.from_regex(
    r"\A([1-2]!)?[0-9](\.[0-9]{1,2}){0,3}((a|b|rc)[0-9])?(\.post[0-9])?(\.dev[0-9])?\Z"
)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_known_orders(case):
    texts = [*case.get("ascending", []), *chain(*case.get("equal", []))]
    texts += [*case.get("unordered", []), *case.get("missing", [])]
    told = order(texts[::-1], case["scheme"])
    ranks = {text: place for place, rank in enumerate(told["ordered"]) for text in rank}

    places = [ranks[text] for text in case.get("ascending", [])]
    assert places == sorted(set(places))
    for equal in case.get("equal", []):
        assert len({ranks[text] for text in equal}) == 1
    for kind in ("unordered", "missing"):
        assert set(case.get(kind, [])) <= set(told[kind])


@given(TEXTS, TEXTS, TEXTS)
def test_the_order_is_total_and_transitive(a, b, c):
    keys = [parse(text).key for text in (a, b, c)]
    if None in keys:
        return
    low, middle, high = sorted(keys)

    assert low <= middle <= high
    assert low <= high


@given(PEP440, PEP440)
def test_auto_agrees_with_the_reference_on_python_versions(a, b):
    ours, theirs = (parse(a).key, parse(b).key), (Reference(a), Reference(b))

    assert (ours[0] < ours[1]) == (theirs[0] < theirs[1])
    assert (ours[0] == ours[1]) == (theirs[0] == theirs[1])


@given(PEP440, PEP440)
def test_the_python_scheme_agrees_with_the_reference(a, b):
    ours = parse(a, "pep440").key < parse(b, "pep440").key

    assert ours == (Reference(a) < Reference(b))


@given(st.one_of(TEXTS, st.text(max_size=300), st.integers(), st.none(), st.booleans()))
def test_any_value_is_ordered_unordered_or_missing(value):
    for scheme in ("auto", "semver", "pep440"):
        read = parse(value, scheme)

        assert (read.key is not None) == (read.kind == "ordered")


def test_every_text_is_told_once():
    told = order(["3.0", "v3.0.0", "3.0", "latest", None, "latest"])

    assert told == {
        "ordered": [["3.0", "v3.0.0"]],
        "unordered": ["latest"],
        "missing": [None],
    }
