"""The last check: whatever is asked, only the catalogue leaves, and only with consent."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.telemetry import catalog
from app.telemetry.blocks import LAYERS
from app.telemetry.catalog import EVENTS, properties_of
from app.telemetry.consent import Verdict
from app.telemetry.definitions import LONGEST, Event, prop, text
from app.telemetry.gate import check

FINGERPRINT = "c6" * 32
ALL = Verdict("detailed", "choice", catalog.CONSENT_VERSION)


def message(name, properties=None, subject="7"):
    return {
        "event": name,
        "distinct_id": subject,
        "timestamp": "2026-03-02T10:30:00+00:00",
        "uuid": "6c1f0d0e-52a4-5b7e-9d34-0f8a1c2b3d4e",
        "properties": properties or {},
    }


@pytest.mark.parametrize("event", EVENTS.values(), ids=lambda event: event.name)
@pytest.mark.parametrize("layer", LAYERS)
def test_an_event_leaves_only_where_its_layer_is_consented_to(event, layer):
    subject = "7" if event.subject == "user" else FINGERPRINT
    verdict = Verdict(layer, "choice", catalog.CONSENT_VERSION)

    passed = check(message(event.name, subject=subject), event.sinks[0], verdict)

    assert (passed.message is not None) is (
        LAYERS.index(layer) >= LAYERS.index(event.layer)
    )


@pytest.mark.parametrize("event", EVENTS.values(), ids=lambda event: event.name)
def test_the_makers_never_receive_a_users_id(event):
    passed = check(message(event.name, subject="7"), "telemetry", ALL)

    assert passed.message is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
KNOWN = sorted({name for event in EVENTS.values() for name in properties_of(event)})


@given(
    name=st.sampled_from(sorted(EVENTS)) | st.text(),
    properties=st.dictionaries(st.sampled_from(KNOWN) | st.text(), JSON, max_size=6),
    sink=st.sampled_from(["analytics", "telemetry"]),
    subject=st.sampled_from(["7", FINGERPRINT, "ann@example.org", "", "c6c6c6c6c6c6-7"]),
)
def test_whatever_is_asked_only_the_catalogue_leaves(name, properties, sink, subject):
    passed = check(message(name, properties, subject), sink, ALL)

    if passed.message is not None:
        event = EVENTS[passed.message["event"]]
        allowed = properties_of(event, sink)
        assert sink in event.sinks
        for key, value in passed.message["properties"].items():
            assert allowed[key].kind.holds(value)
        assert set(passed.message) == {
            "event", "distinct_id", "timestamp", "uuid", "properties",
        }  # fmt: skip


@given(st.text(min_size=LONGEST + 1, max_size=LONGEST + 50))
def test_no_long_string_leaves(long):
    for event in EVENTS.values():
        for known in properties_of(event).values():
            assert not known.kind.holds(long)


def test_there_is_no_kind_for_free_text():
    sentence = "Write to ann@example.org about the offer!"

    for event in EVENTS.values():
        for known in properties_of(event).values():
            assert not known.kind.holds(sentence), known.name
            assert not known.kind.holds([sentence]), known.name
            assert not known.kind.holds({known.name: sentence}), known.name


def test_what_the_sdk_adds_goes_without_a_complaint():
    added = {
        "$os": "Linux",
        "$os_version": "12",
        "$os_distro": "Debian",
        "$python_runtime": "CPython",
        "$python_version": "3.12.0",
        "$release_id": "r1",
        "$lib": "posthog-python",
        "$lib_version": "7.91.1",
        "$geoip_disable": True,
        "$is_server": True,
    }

    passed = check(message("auth.logout", added), "analytics", ALL)

    assert passed.mistakes == ()
    assert set(passed.message["properties"]) == {
        "$lib", "$lib_version", "$geoip_disable", "$is_server",
    }  # fmt: skip


def test_the_browsers_system_is_put_back():
    passed = check(
        message("auth.logout", {"$os": "Linux"}), "analytics", ALL, system="Windows"
    )

    assert passed.message["properties"] == {"$os": "Windows"}


def test_what_is_newer_than_the_consent_stays_home(monkeypatch):
    event = Event(
        name="plugin.used", when="a plug-in was used", layer="detailed", subject="user",
        sinks=("analytics",), blocks="D",
        own=(prop("kind", text("[a-z]+", "a word")), prop("more", text("[a-z]+", "a word"), since=2)),
    )  # fmt: skip
    monkeypatch.setitem(EVENTS, event.name, event)
    given_then = Verdict("detailed", "choice", 1)
    given_now = Verdict("detailed", "choice", 2)
    sent = message("plugin.used", {"kind": "a", "more": "b"})

    assert check(sent, "analytics", given_then).message["properties"] == {"kind": "a"}
    assert check(sent, "analytics", given_now).message["properties"] == sent["properties"]
    assert check(sent, "analytics", given_then).mistakes == ()


def test_a_plug_in_may_register_its_own_event(monkeypatch):
    monkeypatch.setattr(catalog, "EVENTS", EVENTS)
    event = Event(
        name="plugin.opened", when="opened", layer="detailed", subject="user",
        sinks=("analytics",),
    )  # fmt: skip
    catalog.register(event)
    try:
        assert check(message("plugin.opened"), "analytics", ALL).message is not None
    finally:
        del EVENTS["plugin.opened"]


@pytest.mark.parametrize(
    "subject",
    [
        pytest.param("7", id="a number"),
        pytest.param("c6c6c6c6c6c6-7", id="a number of one of several installations"),
    ],
)
def test_a_user_is_a_number(subject):
    assert check(message("auth.logout", subject=subject), "analytics", ALL).message


@pytest.mark.parametrize("subject", ["ann", "ann@example.org", "7 ", "-1", "", "None"])
def test_a_user_is_never_a_name(subject):
    passed = check(message("auth.logout", subject=subject), "analytics", ALL)

    assert passed.message is None


def test_names_of_dropped_things_are_short_and_hold_no_value():
    passed = check(message("auth.logout", {"note": "secret"}), "analytics", ALL)

    assert passed.mistakes == ("auth.logout.note",)
    assert all(set(m) <= set(string.printable) for m in passed.mistakes)
