"""An installation that asks to be forgotten, with a proof and without."""

import base64
import hashlib
from datetime import UTC, datetime, timedelta

import pytest

from hedgerow.api.forgetting import AT_MOST, Tries
from hedgerow.errors import TooManyTries

PROOF = b"forty-eight bytes that only this machine holds.."
OURS = hashlib.sha256(PROOF).hexdigest()


def beat(who, **properties):
    return {
        "event": "telemetry.health",
        "distinct_id": who,
        "timestamp": "2026-03-01T10:00:00Z",
        "properties": properties,
    }


def forget(client, api, who, *, secret=PROOF, **more):
    body = {
        "api_key": api.token,
        "distinct_id": who,
        "proof": base64.b64encode(secret).decode(),
        **more,
    }
    return client.post("/i/v0/forget", json=body)


def test_who_proves_it_is_forgotten_with_all_it_sent(client, api):
    api.capture(beat(OURS), beat(OURS), beat("other"))

    answer = forget(client, api, OURS)

    assert answer.status_code == 200
    assert answer.json()["deleted_events"] == 2
    assert len(answer.json()["receipt"]) > 20
    left = api.get("/events")["results"]
    assert [one["distinct_id"] for one in left] == ["other"]
    assert api.get("/fleet/installations")["results"]["count"] == 1


def test_a_hash_among_the_persons_properties_proves_it_too(client, api):
    api.capture(beat("cellar", **{"$set": {"forget_hash": OURS}}))

    assert forget(client, api, "cellar").json()["deleted_events"] == 1


@pytest.mark.parametrize("who", [OURS, "nobody"])
def test_a_wrong_proof_is_refused_whether_the_id_is_known_or_not(client, api, who):
    api.capture(beat(OURS))

    answer = forget(client, api, who, secret=b"guessed")

    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    assert api.get("/fleet/installations")["results"]["count"] == 1


def test_an_unknown_id_gets_a_receipt_as_well(client, api):
    answer = forget(client, api, OURS)

    assert (answer.status_code, answer.json()["deleted_events"]) == (200, 0)


@pytest.mark.parametrize(
    ("change", "status", "attr"),
    [
        ({"api_key": "phc_nobody"}, 401, "api_key"),
        ({"proof": "%%%"}, 400, "proof"),
        ({"colour": "red"}, 400, "colour"),
    ],
)
def test_a_wish_that_cannot_be_read_is_refused_by_name(client, api, change, status, attr):
    answer = forget(client, api, OURS, **change)

    assert (answer.status_code, answer.json()["attr"]) == (status, attr)


def test_ten_wishes_a_minute_are_enough():
    tries, now = Tries(), datetime(2026, 3, 1, tzinfo=UTC)
    for second in range(AT_MOST):
        tries.count("192.0.2.1", now + timedelta(seconds=second))

    with pytest.raises(TooManyTries):
        tries.count("192.0.2.1", now + timedelta(seconds=30))
    tries.count("192.0.2.2", now + timedelta(seconds=30))
    tries.count("192.0.2.1", now + timedelta(seconds=60))
