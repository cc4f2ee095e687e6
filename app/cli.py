"""The ``timetracker`` command: parse, call, print.

Progress and notes go to standard error, results to standard output. Exit codes: 0 done,
1 refused with a message, 2 wrong usage.
"""

import logging
import sys
from collections.abc import Callable
from functools import wraps
from typing import Any

import click
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from app.config import VERSION, Config, from_environment
from app.errors import TimeTrackerError


def deliberate(command: Callable[..., Any]) -> Callable[..., Any]:
    """Let a deliberate error end the command with its message instead of a traceback."""

    @wraps(command)
    def run(*args: Any, **kwargs: Any) -> Any:
        try:
            return command(*args, **kwargs)
        except TimeTrackerError as error:
            raise click.ClickException(str(error)) from error

    return run


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
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


@main.command()
@click.option("--host", help="Address to listen on.  [env: HOST; default: 127.0.0.1]")
@click.option("--port", type=int, help="TCP port.  [env: PORT; default: 8080]")
@click.option("--threads", default=8, show_default=True, help="Requests answered at once.")
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
    click.echo(f"TimeTracker {VERSION} at http://{host}:{port}", err=True)
    Granian(
        "app:serving",
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        factory=True,
        workers=1,
        blocking_threads=threads,
        log_level=LogLevels(config.LOG_LEVEL),
        log_access=False,
        backpressure=threads * 8,
    ).serve()
