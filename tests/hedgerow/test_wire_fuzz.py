"""Whatever bytes arrive, they are read or refused on purpose; and both looks agree.

A body that ``check`` lets pass goes into the inbox and is acknowledged, so ``decode`` must
be able to read it. ``bench/fuzz.py`` spoils a million bodies of real SDKs the same way.
"""

import base64
import gzip
import json
import zlib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import asdict

from hedgerow.capture import plain
from hedgerow.capture.verdicts import V1Request
from hedgerow.capture.wire import Hints, check, decode
from hedgerow.errors import BadCapture

WORDS = st.sampled_from(
    [
        "event",
        "distinct_id",
        "$distinct_id",
        "uuid",
        "properties",
        "token",
        "api_key",
        "$token",
        "batch",
        "sent_at",
        "$set",
        "$set_once",
        "$unset",
        "offset",
        "timestamp",
        "$ip",
        "$cookieless_mode",
        "data",
        "options",
        "created_at",
    ]
)
ODD = ["", " ", "x" * 300, "a\0", "\ud800", "é", "😀", "{"]
TELLING = ["phc_a", "phx_a", "$performance_event", "2026-11-23T10:00:00Z"]
TEXTS = st.sampled_from([*ODD, *TELLING, "790334ad-b111-4c44-9641-91a24400b0af"])
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | TEXTS | st.text()
VALUES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=6),
    max_leaves=30,
)
EVENTS = st.fixed_dictionaries(
    {"event": TEXTS | LEAVES, "distinct_id": TEXTS | LEAVES},
    optional={
        "token": st.just("phc_a") | LEAVES,
        "uuid": TEXTS,
        "properties": st.dictionaries(WORDS, VALUES, max_size=4) | LEAVES,
        "$set": VALUES,
        "offset": st.integers() | st.floats(),
        "timestamp": TEXTS,
        "options": VALUES,
    },
)
BODIES = st.one_of(
    VALUES,
    EVENTS,
    st.lists(EVENTS, max_size=4),
    st.fixed_dictionaries(
        {"batch": st.lists(EVENTS, max_size=4)},
        optional={"api_key": st.just("phc_a") | LEAVES, "created_at": TEXTS},
    ),
).map(lambda value: json.dumps(value).encode())
WRAPPINGS = st.sampled_from(
    [bytes, gzip.compress, zlib.compress, base64.b64encode, lambda body: b"data=" + body]
)
HINTS = st.builds(
    Hints,
    path=st.sampled_from(["v0", "engage", "ai"]),
    form=st.booleans(),
    compression=st.sampled_from(["", "gzip-js", "lz64", "base64", "odd"]),
    content_encoding=st.sampled_from(["", "gzip", "deflate", "odd"]),
    sent_ms=st.none() | st.integers(),
    ip=st.none() | st.just("::1"),
)
SAID = V1Request(token="phc_a", sdk="posthog-python/7", sent_at="2026-11-23T10:00:00Z")


def _read(look, hints, body):
    try:
        return look(hints, body)
    except BadCapture as refused:
        return refused


def _agree(hints, body):
    checked, decoded = _read(check, hints, body), _read(decode, hints, body)
    if isinstance(checked, BadCapture):
        too_large = checked.code == "event_too_large"
        assert too_large or isinstance(decoded, BadCapture), decoded
        return
    assert not isinstance(decoded, BadCapture), decoded
    assert checked.token == decoded.token
    assert checked.events >= len(decoded.events)
    assert decode(hints, body) == decoded


@given(HINTS, BODIES, WRAPPINGS, st.integers(0, 40))
def test_json_of_any_kind_is_read_or_refused_alike_by_both_looks(hints, body, wrap, cut):
    wrapped = wrap(body)

    _agree(hints, wrapped)
    _agree(hints, wrapped[: len(wrapped) - cut])


@given(HINTS, st.binary(max_size=400))
def test_bytes_of_any_kind_are_read_or_refused_alike_by_both_looks(hints, body):
    _agree(hints, body)
    _agree(hints, b"\x1f\x8b\x08" + body)


@given(BODIES)
def test_the_newer_protocol_reads_or_refuses_alike_too(body):
    _agree(Hints(path="v1", v1=SAID), body)


USUAL = st.fixed_dictionaries(
    {
        "event": TEXTS,
        "distinct_id": TEXTS,
        "uuid": st.just("790334ad-b111-4c44-9641-91a24400b0af"),
    },
    optional={
        "properties": st.dictionaries(WORDS, VALUES, max_size=4),
        "$set": st.dictionaries(WORDS, LEAVES, max_size=2),
        "$set_once": st.dictionaries(WORDS, LEAVES, max_size=2),
        "$unset": st.lists(WORDS, max_size=2),
        "offset": st.integers(0, 9) | st.none(),
        "timestamp": TEXTS | st.none(),
    },
)
USUAL_BODIES = st.fixed_dictionaries(
    {"batch": st.lists(USUAL, min_size=1, max_size=3), "api_key": st.just("phc_a")},
    optional={"sent_at": TEXTS},
).map(lambda value: json.dumps(value).encode())


@given(USUAL_BODIES)
def test_the_usual_batch_is_read_as_any_other(body):
    def fields():
        try:
            request = decode(Hints(seed="0" * 32), body)
        except BadCapture as error:
            return error.code, error.attr
        events = [asdict(event) for event in request.events]
        return asdict(msgspec.structs.replace(request, events=[])), events

    straight = fields()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plain, "batch", lambda _: None)
        by_the_rules = fields()

    assert straight == by_the_rules


def test_the_usual_batch_is_recognised():
    event = {"event": "a", "distinct_id": "b", "$set": {"c": 1}, "$unset": ["d"]}
    event |= {"uuid": "790334ad-b111-4c44-9641-91a24400b0af", "offset": 5}

    (read,) = plain.batch(json.dumps({"api_key": "phc_a", "batch": [event]}).encode()).batch

    assert (read.set, read.unset, read.offset_ms) == ({"c": 1}, ("d",), 5)
