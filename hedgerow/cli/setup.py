"""``hedgerow init``: set up without a browser."""

import json
import sys
from secrets import token_urlsafe

import click

from hedgerow.cli.help import Taught
from hedgerow.cli.options import Options, everywhere
from hedgerow.errors import Conflict
from hedgerow.meta import access, accounts, audit, projects
from hedgerow.meta.projects import ProjectFields
from hedgerow.serve.house import utc_now


@click.command(cls=Taught)
@click.option("--email", required=True, help="Of the administrator, who signs in with it.")
@click.option(
    "--password-stdin",
    is_flag=True,
    help="Read the password from standard input; else one is made up and shown.",
)
@click.option("--project", default="My project", show_default=True, help="Its name.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")
@everywhere
@click.pass_obj
def init(
    options: Options, email: str, project: str, *, password_stdin: bool, as_json: bool
) -> None:
    r"""Make the first administrator, project and API key, without a browser.

    Refuses when this has been done before. The key has scope * for all projects, later
    ones too; it is shown once.

    \b
    Example:
      echo 'a long password' | hedgerow init --email me@example.org --password-stdin --json
    """
    password = sys.stdin.readline().rstrip("\r\n") if password_stdin else token_urlsafe(12)
    now = utc_now()
    with options.metadata() as metadata, metadata.writing() as session:
        if accounts.is_set_up(session):
            raise Conflict(
                f"Hedgerow is set up already in {options.folder}.",
                hint="Make more with: hedgerow project, hedgerow user, hedgerow key.",
            )
        user = accounts.create_user(session, email, password, now=now, is_admin=True)
        made = projects.create(session, ProjectFields(name=project), now)
        accounts.set_role(session, user.id, made.id, "owner")
        wish = access.KeyRequest(label="init", scopes=["*"])
        _, key = access.make_key(session, user, wish, now)
        by = audit.actor(None, now)
        audit.note(session, by, "created", ("user", user.id), after={"email": user.email})
        audit.note(
            session,
            by,
            "created",
            ("project", made.id),
            project_id=made.id,
            after={"name": made.name},
        )
        shown = {"project_id": made.id, "project_token": made.api_token, "api_key": key}
    if not password_stdin:
        click.echo(f"Password of {user.email}, shown once: {password}", err=True)
    if as_json:
        click.echo(json.dumps(shown))
        return
    click.echo(f"Administrator  {user.email}")
    click.echo(f"Project        {made.id}, {made.name}")
    click.echo(f"Token          {made.api_token}  (for SDKs; public)")
    click.echo(f"API key        {key}  (for scripts; secret, shown once)")
    click.echo("Start it with: hedgerow serve")
