"""``hedgerow simulate``."""

import json
import sys
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any

import click

from hedgerow.cli.help import Taught
from hedgerow.cli.options import Options, everywhere, project_named
from hedgerow.errors import StoreUnavailable
from hedgerow.simulate.delivery import deliver
from hedgerow.simulate.story import events, story
from hedgerow.simulate.totals import Totals
from hedgerow.simulate.truth import Truth


@click.command(cls=Taught)
@click.option("--installations", type=click.IntRange(0), default=100, show_default=True)
@click.option("--users", type=click.IntRange(0), default=50, show_default=True)
@click.option("--days", type=click.IntRange(1, 1000), default=90, show_default=True)
@click.option(
    "--seed", type=int, default=1, show_default=True, help="Same seed, same story."
)
@click.option(
    "--until",
    type=click.DateTime(["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d"]),
    help="Its last moment, UTC; else now.",
)
@click.option(
    "--url", envvar="HEDGEROW_URL", help="Server to send it to; else the one here."
)
@click.option("--token", envvar="HEDGEROW_TOKEN", help="Project to send it to.")
@everywhere
@click.pass_obj
def simulate(
    options: Options,
    *,
    installations: int,
    users: int,
    days: int,
    seed: int,
    until: datetime | None,
    url: str | None,
    token: str | None,
) -> None:
    r"""Let a believable fleet and its users report, and print the exact totals it made.

    Needs a running server, since it enters by the capture path. Starting it again with the
    same numbers and --until stores nothing twice. Printed under "fleet" is what was decided
    about the installations beforehand: releases, who is silent, who runs what, how fast
    each release spreads, who went back, which ids two machines share. Figures agree with it
    in a project of UTC that knows these releases.

    \b
    Example:
      hedgerow simulate --installations 120 --users 60 --days 90 --seed 7
    """
    address = url or options.running()
    if address is None:
        raise StoreUnavailable(
            "No server runs on this data folder.",
            hint="Start one with `hedgerow serve`, or name one with --url.",
        )
    if token is None:
        with options.metadata() as metadata:
            token = project_named(metadata, None).api_token
    ends = (until or datetime.now(UTC)).replace(tzinfo=UTC)
    told = story(installations=installations, users=users, days=days, seed=seed, until=ends)
    totals = Totals(ends)
    with click.progressbar(
        events(told), label="Simulating", file=sys.stderr, show_eta=False, show_pos=True
    ) as made:
        deliver(counted(made, totals), url=address, token=token)
    told_all = {**totals.told(), "fleet": Truth(told).told()}
    click.echo(json.dumps(told_all, indent=2))


def counted(made: Iterable[dict[str, Any]], totals: Totals) -> Iterator[dict[str, Any]]:
    """Yield events, each taken into account on its way out."""
    for event in made:
        totals.count(event)
        yield event
