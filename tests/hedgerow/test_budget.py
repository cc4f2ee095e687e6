"""One setting bounds the memory of the whole process: how it is shared out, and who is let in."""

import asyncio

import pytest

from hedgerow.capture import requests
from hedgerow.capture.admission import Admission
from hedgerow.errors import BadSetting, InboxUnavailable
from hedgerow.serve.budget import (
    HELD_OF_A_BATCH,
    HELPER_MIB,
    LEAST_MIB,
    MIB,
    PROGRAM_MIB,
    shares,
)
from hedgerow.serve.house import House
from hedgerow.settings import Settings


@pytest.mark.parametrize("memory_mib", [LEAST_MIB, 447, 448, 512, 1000, 4096, 65_536])
def test_all_shares_together_stay_below_the_setting(memory_mib):
    found = shares(memory_mib)

    taken = (
        (PROGRAM_MIB + found.engine_mib + HELPER_MIB * found.helper) * MIB
        + found.filter_bytes
        + HELD_OF_A_BATCH * found.batch_bytes
        + 2 * found.bodies_bytes
    )
    assert taken < memory_mib * MIB
    assert found.engine_mib > memory_mib // 4
    assert found.filter_bytes.bit_count() == 1


def test_too_little_memory_stops_the_start_and_says_how_much_is_enough(tmp_path):
    settings = Settings(data=str(tmp_path), memory_mib=LEAST_MIB - 1)

    with pytest.raises(BadSetting, match=rf"is {LEAST_MIB - 1};.* at least {LEAST_MIB}"):
        House(settings)


def test_bodies_are_let_in_as_long_as_there_is_room():
    async def arrive():
        admission = Admission(100)
        with (
            admission.room(60),
            admission.room(40),
            pytest.raises(InboxUnavailable, match="HEDGEROW_MEMORY_MIB"),
            admission.room(1),
        ):
            pass
        with admission.room(100):
            pass

    asyncio.run(arrive())


def test_one_body_alone_is_let_in_whatever_its_size():
    async def arrive():
        admission = Admission(100)
        with admission.room(1000), pytest.raises(InboxUnavailable), admission.room(1):
            pass

    asyncio.run(arrive())


def test_a_body_that_never_ends_gives_its_room_back(monkeypatch):
    monkeypatch.setattr(requests, "SLOWEST_S", 0.01)
    asked = requests.Asked(method="POST", path="/batch", query={}, headers={}, ip=None)

    async def begun():
        async def receive():
            await asyncio.sleep(0.001)
            return {"type": "http.request", "body": b"x", "more_body": True}

        admission = Admission(100)
        with pytest.raises(InboxUnavailable, match="did not arrive"), admission.room(100):
            await requests.with_body(asked, receive, 1_000_000)
        with admission.room(100):
            pass

    asyncio.run(begun())
