"""``hedgerow fleet``: the figures of the installations, and the list of releases."""

import csv
import sys
from collections.abc import Iterator, Sequence
from typing import Any

import click
import msgspec

from hedgerow.cli.help import Taught, TaughtGroup
from hedgerow.cli.options import Options, everywhere, project_named
from hedgerow.cli.questions import answered, show
from hedgerow.errors import InvalidInput
from hedgerow.insights.fleet.exporting import main_table
from hedgerow.insights.fleet.figures import FIGURES
from hedgerow.insights.fleet.releases_import import with_releases
from hedgerow.insights.fleet.settings import Release, settings_of
from hedgerow.insights.fleet.settings_checks import checked
from hedgerow.meta import audit, fleets
from hedgerow.serve.house import utc_now


class Figures(TaughtGroup):
    """A group in which every figure is a command."""

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return a command of the group, or that of a figure."""
        name = cmd_name.replace("-", "_")
        if name in FIGURES:
            return _figure(name)
        return super().get_command(ctx, cmd_name)


@click.group(cls=Figures)
def fleet() -> None:
    r"""Show a figure of the fleet, or keep its list of releases.

    Every figure is a command: active, states, flow, versions, adoption, lag, paths,
    behind, distribution, eol, survival, errors, features, regularity, clones, installations
    and more. Its parameters are options.

    \b
    Example:
      hedgerow fleet versions --window-days 7
      hedgerow fleet distribution --property platform --csv
    """


def _figure(name: str) -> click.Command:
    """Return the command that shows one figure."""

    @click.command(
        name.replace("_", "-"),
        cls=Taught,
        help=f"""Show the figure {name}.

\\b
Example:
  hedgerow fleet {name.replace("_", "-")} --as-of -7d
""",
        context_settings={"ignore_unknown_options": True},
    )
    @click.argument("params", nargs=-1, type=click.UNPROCESSED)
    @click.option(
        "--project", envvar="HEDGEROW_PROJECT", help="Number or name, if several."
    )
    @click.option("--csv", "as_csv", is_flag=True, help="Print the main table as CSV.")
    @click.option("--json", "as_json", is_flag=True, help="Print the whole answer.")
    @everywhere
    @click.pass_obj
    def figure(
        options: Options,
        params: tuple[str, ...],
        *,
        project: str | None,
        as_csv: bool,
        as_json: bool,
    ) -> None:
        query = {"kind": "FleetQuery", "figure": name, "params": dict(_pairs(params))}
        answer = answered(options, project, query)
        if as_json:
            show(answer, "json", sys.stdout)
            return
        columns, rows = main_table(name, answer["results"])
        if as_csv:
            writer = csv.writer(sys.stdout)
            writer.writerow(columns)
            writer.writerows(rows)
            return
        show({"columns": columns, "results": rows}, "table", sys.stdout)

    return figure


def _pairs(words: Sequence[str]) -> Iterator[tuple[str, Any]]:
    """Yield the parameters among words such as ``--window-days 7``. Raises InvalidInput."""
    left = list(words)
    while left:
        word = left.pop(0)
        if not word.startswith("--"):
            raise InvalidInput(
                f"{word!r} belongs to no option.", hint="Write --name value.", attr=word
            )
        name, said, value = word.removeprefix("--").partition("=")
        if not said:
            value = left.pop(0) if left and not left[0].startswith("--") else "true"
        yield name.replace("-", "_"), _value(value)


def _value(text: str) -> Any:
    """Return a number, a truth or a JSON list as what it is; all else is text."""
    if text[:1] in {"[", "{"} or text in {"true", "false"} or text.isdecimal():
        try:
            return msgspec.json.decode(text)
        except msgspec.DecodeError:
            return text
    return text


@fleet.group(cls=TaughtGroup)
def releases() -> None:
    r"""Keep the list of releases that figures measure by.

    \b
    Example:
      hedgerow fleet releases add 3.1.0
    """


@releases.command("add", cls=Taught)
@click.argument("version")
@click.option("--date", "day", help="Day it came out.  [default: today]")
@click.option("--project", envvar="HEDGEROW_PROJECT", help="Number or name, if several.")
@everywhere
@click.pass_obj
def add(options: Options, version: str, *, day: str | None, project: str | None) -> None:
    r"""Add a release to the list; one of the same version is replaced.

    \b
    Example:
      hedgerow fleet releases add 3.1.0 --date 2026-03-12
    """
    now = utc_now()
    new = Release(version=version, released_at=day or now.date().isoformat())
    with options.metadata() as metadata:
        row = project_named(metadata, project)
        kept = with_releases(settings_of(row.fleet), [new])
        changed = {**row.fleet, "releases": [msgspec.to_builtins(one) for one in kept]}
        checked(settings_of(changed))
        with metadata.writing() as session:
            fleets.save(session, row.id, changed, audit.actor(None, now))
    click.echo(f"{version} is on the list, released {new.released_at}.")
