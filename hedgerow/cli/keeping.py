"""``hedgerow backup``, ``restore``, ``check``, ``expire`` and ``compact``."""

import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from hedgerow.cli.help import Taught
from hedgerow.cli.options import Options, everywhere
from hedgerow.serve import errands, keeping
from hedgerow.serve.house import House, utc_now

BACKUP_WAIT_S = 3600.0
EXPIRE_WAIT_S = 3600.0
COMPACT_WAIT_S = 120.0
"""Seconds for one piece, which the writer moves when nothing else waits."""


@click.command(cls=Taught)
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False))
@everywhere
@click.pass_obj
def backup(options: Options, folder: Path) -> None:
    r"""Copy everything, consistent, into a new FOLDER; also while the server runs.

    Metadata kept in a PostgreSQL are not part of it: back those up with pg_dump.

    \b
    Example:
      hedgerow backup /backups/monday
    """
    target = folder.absolute()
    if options.running():
        wanted = {"do": "backup", "folder": str(target)}
        manifest = errands.send(options.folder, wanted, BACKUP_WAIT_S)
    else:
        house = House(options.settings)
        try:
            manifest = keeping.backup(options.folder, target, house.store, utc_now())
        finally:
            house.close()
    for name, size in manifest["bytes"].items():
        click.echo(f"{size:>16,} bytes  {target / name}")


@click.command(cls=Taught)
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False, exists=True))
@everywhere
@click.pass_obj
def restore(options: Options, folder: Path) -> None:
    r"""Copy a backup from FOLDER into a new data folder; nothing is overwritten.

    \b
    Example:
      hedgerow restore /backups/monday --data /srv/hedgerow-new
    """
    manifest = keeping.restore(folder, options.folder)
    click.echo(f"Restored what was copied at {manifest['made_at']} to {options.folder}.")
    click.echo("Verify it with: hedgerow check")


@click.command(cls=Taught)
@everywhere
@click.pass_obj
def check(options: Options) -> None:
    r"""Verify folder, files, schema and inbox; change nothing; say what to do next.

    Ends with 1 when something is wrong.

    \b
    Example:
      hedgerow check --data /srv/hedgerow
    """
    if not options.folder.exists():
        click.echo(f"{options.folder} does not exist. Start with: hedgerow serve", err=True)
        sys.exit(1)
    wrong = list(keeping.damage(options.folder))
    url = options.running()
    if url is not None:
        click.echo(f"A server runs at {url}; it holds the events database.")
    else:
        wrong += _opened(options)
    for sentence in wrong:
        click.echo(sentence, err=True)
    if wrong:
        click.echo("Restore a backup into a new folder: hedgerow restore", err=True)
        sys.exit(1)
    click.echo("All is well.")


@click.command(cls=Taught)
@click.option("--dry-run", is_flag=True, help="Only count them.")
@everywhere
@click.pass_obj
def expire(options: Options, *, dry_run: bool) -> None:
    r"""Delete events older than their project keeps them.

    A running server does so by itself, once an hour. How many days a project keeps its
    events is said in its settings, under Privacy; as long as nothing is said, all stay.

    \b
    Example:
      hedgerow expire --dry-run
    """
    if options.running():
        wanted = {"do": "expire", "dry_run": dry_run}
        found = errands.send(options.folder, wanted, EXPIRE_WAIT_S)["projects"]
    else:
        house = House(options.settings)
        try:
            house.start()
            found = house.expire(dry_run=dry_run)
        finally:
            house.close()
    for one in found:
        says = "deleted" if one["deleted"] else "to delete" if one["events"] else "too old"
        click.echo(
            f"{one['events']:>14,} events {says} in {one['name']}, before {one['before']}"
        )
    if not found:
        click.echo("All projects keep their events for ever.")


@click.command(cls=Taught)
@everywhere
@click.pass_obj
def compact(options: Options) -> None:
    r"""Put settled events in order now, so that questions about one event read less.

    A running server does so by itself while nothing is to be written; this goes on without
    pauses, and can be stopped at any time. Days that ended less than two days ago, and
    databases too small to gain from it, are left as they are.

    \b
    Example:
      hedgerow compact
    """
    if options.running():
        _compact(lambda: errands.send(options.folder, {"do": "compact"}, COMPACT_WAIT_S))
        return
    house = House(options.settings)
    try:
        house.start()
        _compact(lambda: house.errands["compact"]({}))
    finally:
        house.close()


def _compact(step: Callable[[], Mapping[str, Any]]) -> None:
    """Move piece after piece and tell how it goes."""
    moved = 0
    while (done := step())["left"] is not None:
        moved += done["moved"]
        click.echo(
            f"{moved:>14,} events moved, {done['left']:,} left of their days", err=True
        )
    click.echo(
        f"{moved:,} events were put in order now; {done['in_order']:,} of "
        f"{done['events']:,} are. The others are too recent or too few."
    )


def _opened(options: Options) -> list[str]:
    """Open everything, say how much there is, and return what is wrong."""
    house = House(options.settings)
    try:
        size = house.store.size()
        waiting = house.inbox.pending(after=house.store.position()).count
        click.echo(f"{size.events:>14,} events")
        click.echo(f"{size.in_order:>14,} of them in order, for quick questions")
        click.echo(f"{size.persons:>14,} persons")
        click.echo(f"{len(house.directory.all()):>14,} projects")
        click.echo(f"{waiting:>14,} requests wait in the inbox; a start stores them")
    finally:
        house.close()
    return []
