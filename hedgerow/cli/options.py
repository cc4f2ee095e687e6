"""What every command may be told, and how it reaches the data.

A data folder has one user at a time. While a server runs on it, commands that ask or
change events go through that server's HTTP interface, with a key made for the moment;
otherwise they open the folder themselves.
"""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import msgspec

from hedgerow.errors import InvalidInput, NotFound
from hedgerow.meta import access, projects
from hedgerow.meta.accounts import users
from hedgerow.meta.database import Metadata, open_metadata
from hedgerow.meta.tables import ProjectRow
from hedgerow.serve.house import utc_now
from hedgerow.serve.running import RUNNING
from hedgerow.settings import Settings, read

MOMENT = timedelta(hours=6)
"""How long the key of one command can be used, should it not be revoked at its end."""


class Options:
    """What was said before or after the command's name."""

    def __init__(self) -> None:
        self.data = ""

    @property
    def settings(self) -> Settings:
        """The environment's settings, with ``--data`` above them."""
        found = read()
        return msgspec.structs.replace(found, data=self.data) if self.data else found

    @property
    def folder(self) -> Path:
        """The data folder."""
        return Path(self.settings.data)

    @contextmanager
    def metadata(self) -> Iterator[Metadata]:
        """Open the metadata; they may be used beside a running server."""
        settings = self.settings
        found = open_metadata(Path(settings.data), settings.database_url)
        try:
            yield found
        finally:
            found.close()

    def running(self) -> str | None:
        """Return the address of the server on this folder; None: none runs."""
        note = self.folder / RUNNING
        if not note.exists():
            return None
        said = json.loads(note.read_text())
        try:
            os.kill(said["pid"], 0)
        except ProcessLookupError:  # it was killed, and could not clean up
            return None
        except PermissionError:  # it runs, as somebody else
            pass
        return str(said["local_url"])


def everywhere(command: Callable[..., Any]) -> Callable[..., Any]:
    """Let a command take ``--data``, before its name or after it."""

    def remember(context: click.Context, _: click.Parameter, value: str | None) -> None:
        if value:
            context.ensure_object(Options).data = value

    option: Callable[[Callable[..., Any]], Callable[..., Any]] = click.option(
        "--data",
        metavar="DIR",
        callback=remember,
        expose_value=False,
        help="Folder of all data.  [env: HEDGEROW_DATA; default: hedgerow-data]",
    )
    return option(command)


def project_named(metadata: Metadata, wanted: str | None) -> ProjectRow:
    """Return a project by number, name or token; none said: the only one.

    Raises NotFound, and InvalidInput where the choice is not clear.
    """
    with metadata.reading() as session:
        rows = projects.of_user(session, 0, is_admin=True)
    if wanted is None:
        if len(rows) == 1:
            return rows[0]
        raise InvalidInput(
            f"There are {len(rows)} projects.",
            hint="Name one with --project.",
            attr="project",
        )
    exact = [row for row in rows if wanted in {str(row.id), row.api_token}]
    found = exact or [row for row in rows if row.name == wanted]
    if not found:
        raise NotFound(
            f"There is no project {wanted!r}.", hint="See: hedgerow project list"
        )
    if len(found) > 1:
        raise InvalidInput(
            f"{len(found)} projects are called {wanted!r}.",
            hint="Use the number instead.",
            attr="project",
        )
    return found[0]


@contextmanager
def key_for_now(metadata: Metadata) -> Iterator[str]:
    """Give a key that is worth nothing once the command ends.

    Raises NotFound where nobody has an account.
    """
    now = datetime.now(UTC)
    with metadata.writing() as session:
        admin = next(
            (one for one in users(session) if one.is_admin and one.is_active), None
        )
        if admin is None:
            raise NotFound("Nobody has an account here yet.", hint="See: hedgerow init")
        wish = access.KeyRequest(
            label="command line", scopes=["*"], expires_at=utc_now() + MOMENT
        )
        row, text = access.make_key(session, admin, wish, now)
    try:
        yield text
    finally:
        with metadata.writing() as session:
            access.revoke_key(session, row.id, row.user_id)
