"""Counting by masks gives what the long way gives: retention by cells, lifecycle by windows."""

import random
from datetime import timedelta

import pytest

from hedgerow.insights import lifecycle, lifecycle_masks, retention, retention_masks
from hedgerow.insights.answer import Asking, answer
from hedgerow.query.definitions import decode
from tests import world

START = {"id": "signed up", "type": "events"}
BACK = {"id": "came", "type": "events"}
TABLES = {
    "one event for both": ({"targetEntity": BACK, "returningEntity": BACK}, {}),
    "two events": ({"targetEntity": START, "returningEntity": BACK}, {}),
    "by value": (
        {"targetEntity": BACK, "returningEntity": BACK},
        {"breakdownFilter": {"breakdown": "plan", "breakdown_type": "event"}},
    ),
    "fewer columns than rows": ({"targetEntity": BACK, "returningEntity": BACK}, {}),
    "more rows than a long has bits": (
        {"targetEntity": BACK, "returningEntity": BACK, "totalIntervals": 100},
        {},
    ),
}


@pytest.fixture(scope="module")
def busy(store):
    """A project in which twenty people do this and that for a hundred days."""
    chance = random.Random(7)
    project = world.a_project()
    events = [
        {
            "event": chance.choice(["signed up", "came", "came"]),
            "distinct_id": f"p{chance.randrange(20)}",
            "timestamp": world.NOW - timedelta(hours=chance.randrange(2400)),
            "properties": {"plan": chance.choice(["free", "paid"])},
        }
        for _ in range(400)
    ]
    world.load(store, project, events=events)
    return project


@pytest.mark.parametrize("name", TABLES)
def test_retention_by_masks_is_that_by_cells(name, busy, store, monkeypatch):
    chosen, more = TABLES[name]
    range_ = {"date_from": "-30d"} if name.startswith("fewer") else None
    query = {
        "kind": "RetentionQuery",
        "dateRange": range_,
        "retentionFilter": {"period": "Day", **chosen},
        **more,
    }
    context = world.context(store, busy)
    assert any(
        retention_masks.fits(one) for one in retention._asked(decode(query), context)
    )

    by_masks = answer(query, context, store, Asking())["results"]
    monkeypatch.setattr(retention_masks, "fits", lambda asked: False)
    by_cells = answer(query, context, store, Asking())["results"]

    assert by_masks == by_cells
    assert any(cell["count"] for row in by_masks for cell in row["values"][1:])


@pytest.mark.parametrize("interval", ["day", "week"])
def test_lifecycle_by_masks_is_that_by_windows(interval, busy, store, monkeypatch):
    query = {
        "kind": "LifecycleQuery",
        "series": [{"kind": "EventsNode", "event": "came"}],
        "dateRange": {"date_from": "-90d"},
        "interval": interval,
    }
    context = world.context(store, busy)

    def told():
        figures = answer(query, context, store, Asking())["results"]
        source = {
            "kind": "InsightActorsQuery",
            "source": query,
            "day": figures[0]["days"][3],
        }
        people = [
            answer(
                {"kind": "ActorsQuery", "source": source | {"status": status}},
                context,
                store,
                Asking(),
            )["results"]
            for status in lifecycle.STATUSES
        ]
        return figures, people

    by_masks = told()
    monkeypatch.setattr(lifecycle_masks, "fits", lambda asked, context: False)
    by_windows = told()

    assert by_masks == by_windows
    assert all(any(row["data"]) for row in by_masks[0])
    listed = [len(people) for people in by_masks[1]]
    assert listed == [abs(row["data"][3]) for row in by_masks[0]]
