"""The ``timetracker`` command: parse, call, print.

Progress and notes go to standard error, results to standard output. Exit codes: 0 done,
1 refused with a message, 2 wrong usage.
"""

import logging
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from functools import wraps
from pathlib import Path
from typing import Any

import click
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels
from sqlalchemy.orm import Session

from app import demo, upkeep
from app.audit import Actor, Object, record
from app.config import VERSION, Config, from_environment
from app.errors import Conflict, NotFound, TimeTrackerError
from app.models import Database, schema
from app.models.database import open_database
from app.models.people import ROLES, User
from app.people import accounts
from app.reports import slicing
from app.settings import Settings, in_force
from app.telemetry import daily, preview
from app.telemetry.reporter import Reporter
from app.views.live import MOST


def deliberate(command: Callable[..., Any]) -> Callable[..., Any]:
    """Let a deliberate error end the command with its message instead of a traceback."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except TimeTrackerError as error:
            raise click.ClickException(str(error)) from error

    return run


class Taught(click.Group):
    r"""A group in whose help examples stay as they are written.

    Click folds every paragraph but those that begin with a backspace; docstrings write it
    as ``\b``, readable.
    """

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        """Add a command, its help made what click wants."""
        cmd.help = (cmd.help or "").replace("\\b\n", "\b\n")
        super().add_command(cmd, name)

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the group's own help."""
        self.help = (self.help or "").replace("\\b\n", "\b\n")
        super().format_help_text(ctx, formatter)


@click.group(cls=Taught, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="timetracker")
def main() -> None:
    r"""A self-hosted time tracker.

    Settings are environment variables; docs/settings.md lists them all.

    \b
    Example:
      DATA_DIR=/srv/time timetracker serve
    """


def log_to_stderr(config: Config) -> None:
    """Print one line an event, as people or programs read it."""
    form = (
        '{"time":"%(asctime)s","level":"%(levelname)s","name":"%(name)s","message":"%(message)s"}'
        if config.LOG_FORMAT == "json"
        else "%(asctime)s %(levelname)-7s %(message)s"
    )
    logging.basicConfig(level=config.LOG_LEVEL.upper(), format=form, stream=sys.stderr)
    logging.getLogger("alembic").setLevel(
        logging.WARNING
    )  # every start would tell of plans


@main.command()
@click.option("--host", help="Address to listen on.  [env: HOST; default: 127.0.0.1]")
@click.option("--port", type=int, help="TCP port.  [env: PORT; default: 8080]")
@click.option("--threads", type=click.IntRange(2 * MOST), default=8, show_default=True,
              help="Requests answered at once; at most four tell open pages of changes.")  # fmt: skip
@deliberate
def serve(host: str | None, port: int | None, threads: int) -> None:
    r"""Serve TimeTracker; the database is brought up to date first.

    \b
    Example:
      timetracker serve --port 8080
    """
    config = from_environment()
    log_to_stderr(config)
    host, port = host or config.HOST, port or config.PORT
    database = open_database(config)
    moment = datetime.now(UTC)
    done = upkeep.upgrade(database, config.DATA_DIR, moment, keep=config.BACKUP_KEEP)
    demo.prepare(database, moment, is_demo=config.DEMO_MODE)
    database.close()
    click.echo(done, err=True)
    click.echo(f"TimeTracker {VERSION} at http://{host}:{port}", err=True)
    Granian(
        "app:serving",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        factory=True,
        workers=1,
        blocking_threads=threads,
        log_level=LogLevels.debug if config.LOG_LEVEL == "debug" else LogLevels.error,
        log_access=False,
        backpressure=threads * 8,
    ).serve()


def _opened() -> tuple[Config, Database]:
    """Return configuration and database, for commands that need no web application."""
    config = from_environment()
    return config, open_database(config)


@main.command()
@deliberate
def upgrade() -> None:
    r"""Bring the database up to date, after a copy of it.

    Running it again is safe: an up-to-date database stays as it is.

    \b
    Example:
      timetracker upgrade
    """
    config, database = _opened()
    moment = datetime.now(UTC)
    click.echo(upkeep.upgrade(database, config.DATA_DIR, moment, keep=config.BACKUP_KEEP))


@main.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@deliberate
def backup(file: Path) -> None:
    r"""Copy the SQLite database to FILE while TimeTracker goes on serving.

    \b
    Example:
      timetracker backup /backup/time.db
    """
    _, database = _opened()
    click.echo(f"{upkeep.backup(database, file)} written.")


@main.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.confirmation_option(prompt="This replaces all data of this installation. Go on?")
@deliberate
def restore(file: Path) -> None:
    r"""Put the backup FILE in place of the database; stop TimeTracker first.

    \b
    Example:
      timetracker restore /backup/time.db
    """
    config, database = _opened()
    upkeep.restore(database, file)
    moment = datetime.now(UTC)
    upkeep.upgrade(database, config.DATA_DIR, moment, keep=config.BACKUP_KEEP)
    click.echo(f"{file} restored.")


@main.command()
@deliberate
def check() -> None:
    r"""Verify sums, breaks, references and the file; changes nothing.

    Exit code 1 where something is wrong.

    \b
    Example:
      timetracker check
    """
    config, database = _opened()
    schema.refuse_newer(database)
    problems = list(upkeep.check(database))
    if schema.current(database) == schema.newest():
        problems += upkeep.check_sums(database, _rules(config, database))
    for problem in problems:
        click.echo(problem)
    if problems:
        raise click.ClickException(f"{len(problems)} problems found.")
    click.echo("All is well.")


def _rules(config: Config, database: Database) -> Settings:
    with database.reading() as session:
        return in_force(session, config.mapping())


@main.command()
@deliberate
def sums() -> None:
    r"""Throw away the sums that reports keep and add up all entries anew.

    Reports are right meanwhile, only slower; entries are not changed.

    \b
    Example:
      timetracker sums
    """
    config, database = _opened()
    schema.migrate(database)
    with database.writing() as session:
        slicing.forget(session)
    number = slicing.bring_up_to_date(database, _rules(config, database))
    click.echo(f"{number} sums of days and of people's months made.")


@main.group(cls=Taught)
def user() -> None:
    """Make users and administrators, or a link to set a password."""


@user.command("add")
@click.argument("name")
@click.option("--role", type=click.Choice(ROLES), default="user", show_default=True)
@click.option("--display-name", default="", help="Name shown; empty: the user name.")
@deliberate
def user_add(name: str, role: str, display_name: str) -> None:
    r"""Make the user NAME and print a link to choose a password.

    \b
    Example:
      timetracker user add ann --role manager
    """
    config, database = _opened()
    schema.migrate(database)
    with database.writing() as session:
        new = accounts.NewUser(username=name, role=role, display_name=display_name)
        settings = in_force(session, vars(config))
        person = accounts.make(session, new, settings)
        token = accounts.make_link(session, person, "password", datetime.now(UTC))
    click.echo(_link(config, token))


@user.command("reset-link")
@click.argument("name")
@deliberate
def user_reset_link(name: str) -> None:
    r"""Print a link with which the user NAME can choose a new password (24 hours, once).

    \b
    Example:
      timetracker user reset-link ann
    """
    config, database = _opened()
    with database.writing() as session:
        person = _known(session, name)
        token = accounts.make_link(session, person, "password", datetime.now(UTC))
    click.echo(_link(config, token))


@user.command("promote")
@click.argument("name")
@deliberate
def user_promote(name: str) -> None:
    r"""Make the user NAME an active administrator.

    \b
    Example:
      timetracker user promote ann
    """
    _, database = _opened()
    with database.writing() as session:
        person = _known(session, name)
        before = accounts.change_role(session, person, "admin")
        person.is_active = True
        record(
            session,
            Actor(user_id=None, via="cli"),
            "user.role_changed",
            datetime.now(UTC),
            on=Object(type="user", id=person.id, label=person.display_name),
            changes={"role": (before, "admin")},
        )
    click.echo(f"{name} is an administrator now.")


def _known(session: Session, name: str) -> User:
    person = accounts.by_name(session, name)
    if person is None:
        raise NotFound(f"There is no user {name!r}.", hint="See Administration, Users.")
    return person


def _link(config: Config, token: str) -> str:
    where = config.PUBLIC_URL.rstrip("/") or f"http://{config.HOST}:{config.PORT}"
    return f"{where}/password/{token}"


@main.command("demo")
@click.option("--reset", is_flag=True, help="Begin anew where sample data are already.")
@deliberate
def sample_data(*, reset: bool) -> None:
    r"""Fill an empty database with sample data: five people, three months of work.

    \b
    Example:
      DATA_DIR=./try timetracker demo
    """
    _, database = _opened()
    schema.migrate(database)
    moment = datetime.now(UTC)
    with database.writing() as session:
        if reset and accounts.anyone(session):
            demo.begin_anew(session, moment)
        elif accounts.anyone(session):
            raise Conflict(
                "The database is not empty.",
                hint="Name another DATA_DIR; sample data begin anew with --reset.",
            )
        else:
            demo.fill(session, moment)
    for name, shown, role, _ in demo.PEOPLE:
        click.echo(f"{name:8} {role:8} {shown}")
    click.echo(f"Everybody's password: {demo.PASSWORD}")


@main.group(cls=Taught)
def telemetry() -> None:
    """Read what would be reported, or send what is due."""


@telemetry.command("preview")
@click.option("--layer", type=click.Choice(["base", "detailed"]), default="base",
              show_default=True, help="Consent to read the messages of.")  # fmt: skip
@deliberate
def telemetry_preview(layer: str) -> None:
    r"""Print the next messages of this installation, exactly; nothing is sent.

    \b
    Example:
      timetracker telemetry preview
    """
    config, database = _opened()
    schema.migrate(database)
    click.echo(preview.as_text(_reporter(config, database), layer, datetime.now(UTC)))


@telemetry.command("send")
@deliberate
def telemetry_send() -> None:
    r"""Send what is due, as far as consent permits; safe to run again.

    \b
    Example:
      timetracker telemetry send
    """
    config, database = _opened()
    schema.migrate(database)
    reporter = _reporter(config, database)
    sent = daily.tell(reporter, datetime.now(UTC))
    reporter.flush()
    verdict = reporter.watch.look()
    click.echo(f"{sent} messages sent. Consent: {verdict.layer} ({verdict.by}).")


def _reporter(config: Config, database: Database) -> Reporter:
    reporter = Reporter(config.mapping(), database)
    reporter.start()
    return reporter


if __name__ == "__main__":
    main()
