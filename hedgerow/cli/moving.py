"""``hedgerow import`` and ``hedgerow export``: events as files."""

import os
import sys
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, Literal
from urllib.parse import urlencode

import click
import msgspec

from hedgerow.api.events import exported, wanted_of
from hedgerow.capture import wire
from hedgerow.cli import reading, remote
from hedgerow.cli.help import TaughtGroup
from hedgerow.cli.options import Options, everywhere, key_for_now, project_named
from hedgerow.cli.reading import Record
from hedgerow.errors import HedgerowError, InvalidInput
from hedgerow.serve.house import House

BATCH = 500
"""Events kept per request."""

SHOWN = 10
"""Bad lines described one by one."""

Keep = Callable[[list[dict[str, Any]]], None]
Read = Callable[[BinaryIO], Iterator[Record]]


class Target(msgspec.Struct, frozen=True, kw_only=True):
    """Where events are loaded into; None: what the folder or its only project says."""

    project: str | None
    url: str | None
    token: str | None


@click.group("import", cls=TaughtGroup)
def import_() -> None:
    r"""Bring events in from a file.

    \b
    Example:
      hedgerow import ndjson events.jsonl
      hedgerow import csv events.csv
    """


def _into(command: Callable[..., Any]) -> Callable[..., Any]:
    """Let a command be told which project to load into."""
    named = click.option("--token", envvar="HEDGEROW_TOKEN", help="Token of the project.")
    there = click.option(
        "--url", envvar="HEDGEROW_URL", help="A server elsewhere; needs --token."
    )
    which = click.option(
        "--project", envvar="HEDGEROW_PROJECT", help="Number or name, if several."
    )
    return which(there(named(command)))


@import_.command("ndjson")
@click.argument("file", type=click.File("rb"))
@_into
@everywhere
@click.pass_obj
def import_ndjson(options: Options, /, file: BinaryIO, **to: str | None) -> None:
    r"""Load events from a JSON Lines FILE: event, distinct_id, timestamp, properties, uuid.

    Running it again is safe: an event is recognised by its uuid, or else by what its line
    says, and kept once. Lines that cannot be read are counted and described; the others
    are loaded.

    \b
    Example:
      hedgerow import ndjson --project 'Web shop' events.jsonl
    """
    _import(options, file, reading.json_lines, Target(**to))


@import_.command("csv")
@click.argument("file", type=click.File("rb"))
@_into
@everywhere
@click.pass_obj
def import_csv(options: Options, /, file: BinaryIO, **to: str | None) -> None:
    r"""Load events from a CSV FILE in UTF-8 whose first row names its columns.

    event and distinct_id are needed; timestamp, uuid and properties (JSON) are taken
    where they are. Every other column is a property: what is a number, true or false in
    JSON becomes one, an empty field is left out. Running it again is safe, as with
    ndjson, and what `hedgerow export` writes as CSV can be loaded.

    \b
    Example:
      hedgerow import csv --project 'Web shop' orders.csv
    """
    _import(options, file, reading.csv_rows, Target(**to))


@click.group(cls=TaughtGroup)
def export() -> None:
    r"""Write events out to a file.

    \b
    Example:
      hedgerow export events --format csv --output events.csv
    """


@export.command("events")
@click.option("--project", envvar="HEDGEROW_PROJECT", help="Number or name, if several.")
@click.option(
    "--format",
    "shape",
    type=click.Choice(["ndjson", "csv"]),
    default="ndjson",
    show_default=True,
    help="One JSON object a line, or a table.",
)
@click.option("--event", help="Only events of this name.")
@click.option("--after", help="Only what happened after: 2026-01-31, or -30d.")
@click.option("--before", help="Only what happened before.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Else to the terminal.",
)
@everywhere
@click.pass_obj
def export_events(
    options: Options,
    *,
    project: str | None,
    shape: Literal["ndjson", "csv"],
    event: str | None,
    after: str | None,
    before: str | None,
    output: Path | None,
) -> None:
    r"""Write every event of a project, oldest first, as it was sent.

    What it writes can be imported again, elsewhere or here.

    \b
    Example:
      hedgerow export events --after -30d --format csv --output last-month.csv
    """
    asked = {"event": event, "after": after, "before": before}
    given = {name: value for name, value in asked.items() if value is not None}
    with options.metadata() as metadata:
        row = project_named(metadata, project)
        url = options.running()
        if url is not None:
            with key_for_now(metadata) as key:
                _write(
                    remote.stream(
                        "GET", _address(url, row.id, {**given, "format": shape}), key
                    ),
                    output,
                )
            return
    house = House(options.settings)
    try:
        context = house.asking.context(row.id)
        _write(exported(house.store, context, wanted_of(**given), shape), output)
    finally:
        house.close()


def _import(options: Options, file: BinaryIO, read: Read, to: Target) -> None:
    """Load a file into a project and say what came of it."""
    token = to.token
    with options.metadata() as metadata:
        if token is None:
            token = project_named(metadata, to.project).api_token
    address = to.url or options.running()
    if address is not None:
        kept, bad = _load(file, read, _posting(address, token))
    else:
        house = House(options.settings)
        try:
            house.start()
            kept, bad = _load(file, read, _queueing(house, token))
            house.flush(600)
        finally:
            house.close()
    click.echo(f"{kept:,} events imported.")
    if bad:
        click.echo(f"{len(bad):,} lines were left out:", err=True)
        for sentence in bad[:SHOWN]:
            click.echo(f"  {sentence}", err=True)


def _load(file: BinaryIO, read: Read, keep: Keep) -> tuple[int, list[str]]:
    """Keep all events of a file; return how many, and what is wrong with the others."""
    size = os.fstat(file.fileno()).st_size if file.seekable() else 0
    kept, done, bad = 0, 0, list[str]()
    records = read(file)
    with click.progressbar(length=size, label="Importing", file=sys.stderr) as bar:
        while batch := list(islice(records, BATCH)):
            bad += [one for _, one in batch if isinstance(one, str)]
            events = [one for _, one in batch if not isinstance(one, str)]
            kept += _kept(events, keep, bad, batch[-1][0])
            place = file.tell() if size and not file.closed else 0
            bar.update(max(0, place - done))
            done = max(done, place)
    return kept, bad


def _kept(events: list[dict[str, Any]], keep: Keep, bad: list[str], number: int) -> int:
    """Keep a batch; when it is refused, its events one by one, to find which is wrong."""
    if not events:
        return 0
    try:
        keep(events)
    except InvalidInput as error:
        if len(events) == 1:
            bad.append(f"near line {number}: {error}")
            return 0
        middle = len(events) // 2
        first = _kept(events[:middle], keep, bad, number - len(events) + middle)
        return first + _kept(events[middle:], keep, bad, number)
    return len(events)


def _body(token: str, events: list[dict[str, Any]]) -> dict[str, Any]:
    return {"api_key": token, "historical_migration": True, "batch": events}


def _posting(url: str, token: str) -> Keep:
    """Return a way to keep events by a running server."""

    def keep(events: list[dict[str, Any]]) -> None:
        remote.call("POST", f"{url.rstrip('/')}/batch/", "", _body(token, events))

    return keep


def _queueing(house: House, token: str) -> Keep:
    """Return a way to keep events where no server runs: the same path without HTTP."""
    project = house.directory.project_of_token(token)
    if project is None:
        raise InvalidInput(f"No project has the token {token!r}.", hint="See its settings.")
    hints = wire.Hints(path="v0")

    def keep(events: list[dict[str, Any]]) -> None:
        body = msgspec.json.encode(_body(token, events))
        try:
            wire.check(hints, body)
        except HedgerowError as error:
            raise InvalidInput(error.what, hint=error.hint, attr=error.attr) from error
        raw = msgspec.json.encode(hints)
        house.inbox.append(project.id, "capture", house.clock(), raw, body).result()

    return keep


def _address(url: str, project_id: int, wanted: dict[str, str]) -> str:
    return f"{url}/api/projects/{project_id}/events/export?{urlencode(wanted)}"


def _write(chunks: Iterator[bytes], output: Path | None) -> None:
    """Write what comes, to a file in one step: half an export is never taken for one."""
    if output is None:
        for chunk in chunks:
            sys.stdout.buffer.write(chunk)
        return
    draft = output.with_name(f"{output.name}.part")
    with draft.open("wb") as file:
        for chunk in chunks:
            file.write(chunk)
    draft.rename(output)
