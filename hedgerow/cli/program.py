"""``hedgerow`` and its commands, in the order of a first day."""

import logging
import sys

import click

from hedgerow.cli import (
    accounts,
    fleet,
    keeping,
    moving,
    questions,
    serving,
    setup,
    simulation,
)
from hedgerow.cli.help import TaughtGroup
from hedgerow.cli.options import Options, everywhere
from hedgerow.errors import HedgerowError


@click.group(cls=TaughtGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="hedgerow")
@everywhere
@click.pass_context
def hedgerow(context: click.Context) -> None:
    r"""Product analytics on one machine: receives events, answers questions.

    \b
    A first day:
      hedgerow serve                      start, and open the link it prints
      hedgerow query 'SELECT …'           ask from the command line
      hedgerow backup /backups/monday     copy everything, while running
    """
    context.ensure_object(Options)


for command in (
    serving.serve,
    setup.init,
    questions.query,
    fleet.fleet,
    moving.import_,
    moving.export,
    simulation.simulate,
    keeping.backup,
    keeping.restore,
    keeping.check,
    keeping.expire,
    keeping.compact,
    accounts.project,
    accounts.user,
    accounts.key,
):
    hedgerow.add_command(command)


def main() -> None:
    """Run a command; say what was refused on standard error, and end with 1 then."""
    logging.basicConfig(
        level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr
    )
    logging.getLogger("alembic").setLevel(logging.WARNING)
    try:
        hedgerow()
    except HedgerowError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(1)
