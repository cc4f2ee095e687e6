"""All events of a simulation, in order of time."""

from collections.abc import Iterator
from datetime import datetime
from random import Random
from typing import Any

import msgspec

from hedgerow.simulate.fleet import Life, lives, report
from hedgerow.simulate.rhythm import Span
from hedgerow.simulate.users import User, people, work


class Story(msgspec.Struct, frozen=True, kw_only=True):
    """Everybody in a simulation, and the days it spans."""

    span: Span
    seed: int
    fleet: list[Life]
    users: list[User]


def story(
    *, installations: int, users: int, days: int, seed: int, until: datetime
) -> Story:
    """Return who takes part: the same for the same arguments."""
    span = Span(until=until, days=days)
    # one source of chance for each part, so that more users do not change the fleet
    fleet = lives(Random(f"{seed}:fleet"), max(installations, 1), span)
    return Story(
        span=span,
        seed=seed,
        fleet=fleet[:installations],
        users=people(Random(f"{seed}:users"), users, fleet, span),
    )


def events(told: Story) -> Iterator[dict[str, Any]]:
    """Yield every event up to ``until``, in order of time within each day.

    A day holds the local day of every zone; so two neighbouring days overlap by some hours
    at their ends, as the arrival of real events does.
    """
    last = told.span.until.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    for day in range(told.span.days + 1):  # in the east the next local day has begun
        rng = Random(f"{told.seed}:{day}")
        today: list[dict[str, Any]] = []
        for life in told.fleet:
            today.extend(report(rng, life, day, told.span))
        for user in told.users:
            today.extend(work(rng, user, day, told.span))
        today.sort(key=lambda event: event["timestamp"])
        yield from (event for event in today if event["timestamp"] <= last)
