"""``hedgerow project``, ``user`` and ``key``: administration from the machine itself.

These change the metadata only, so they work beside a running server, which notices within
seconds.
"""

from datetime import timedelta
from secrets import token_urlsafe

import click

from hedgerow.cli.help import TaughtGroup
from hedgerow.cli.options import Options, everywhere, project_named
from hedgerow.errors import NotFound
from hedgerow.meta import access, accounts, audit, projects
from hedgerow.meta.accounts import ROLES, Role
from hedgerow.meta.database import Metadata
from hedgerow.meta.projects import ProjectFields
from hedgerow.meta.tables import User
from hedgerow.serve import running
from hedgerow.serve.house import utc_now


@click.group(cls=TaughtGroup)
def project() -> None:
    r"""Make, list and change projects.

    \b
    Example:
      hedgerow project create 'Web shop' --timezone Europe/Berlin
    """


@project.command("list")
@everywhere
@click.pass_obj
def list_projects(options: Options) -> None:
    r"""List all projects with their tokens.

    \b
    Example:
      hedgerow project list
    """
    with options.metadata() as metadata, metadata.reading() as session:
        for row in projects.of_user(session, 0, is_admin=True):
            click.echo(f"{row.id:>5}  {row.api_token}  {row.timezone:<20}  {row.name}")


@project.command("create")
@click.argument("name")
@click.option("--timezone", default="UTC", show_default=True, help="An IANA name.")
@everywhere
@click.pass_obj
def create_project(options: Options, name: str, timezone: str) -> None:
    r"""Make a project called NAME and print its number and token.

    \b
    Example:
      hedgerow project create 'Web shop' --timezone Europe/Berlin
    """
    now = utc_now()
    with options.metadata() as metadata, metadata.writing() as session:
        row = projects.create(session, ProjectFields(name=name, timezone=timezone), now)
        audit.note(
            session,
            audit.actor(None, now),
            "created",
            ("project", row.id),
            project_id=row.id,
            after={"name": row.name},
        )
        click.echo(f"{row.id}  {row.api_token}")


@project.command("rotate-token")
@click.argument("name")
@everywhere
@click.pass_obj
def rotate_token(options: Options, name: str) -> None:
    r"""Give the project NAME (or number) a new token; the old one lets nothing in any more.

    \b
    Example:
      hedgerow project rotate-token 1
    """
    now = utc_now()
    with options.metadata() as metadata:
        wanted = project_named(metadata, name)
        with metadata.writing() as session:
            row = projects.rotate_token(session, wanted.id)
            by = audit.actor(None, now)
            audit.note(session, by, "rotated token", ("project", row.id), project_id=row.id)
            click.echo(row.api_token)


@click.group(cls=TaughtGroup)
def user() -> None:
    r"""Make, list and change who may sign in.

    \b
    Example:
      hedgerow user create ann@example.org --project 1 --role editor
    """


@user.command("list")
@everywhere
@click.pass_obj
def list_users(options: Options) -> None:
    r"""List everybody who may sign in.

    \b
    Example:
      hedgerow user list
    """
    with options.metadata() as metadata, metadata.reading() as session:
        for row in accounts.users(session):
            what = "administrator" if row.is_admin else "user"
            click.echo(f"{row.id:>5}  {what:<13}  {row.email}{_state(row)}")


@user.command("create")
@click.argument("email")
@click.option(
    "--admin", is_flag=True, help="Administrator of the server: owner everywhere."
)
@click.option("--project", "wanted", help="Number or name of a project to be put into.")
@click.option(
    "--role", type=click.Choice(ROLES), default="viewer", show_default=True, help="There."
)
@everywhere
@click.pass_obj
def create_user(
    options: Options, email: str, wanted: str | None, role: Role, *, admin: bool
) -> None:
    r"""Make an account for EMAIL with a password that is shown once.

    \b
    Example:
      hedgerow user create ann@example.org --project 1 --role editor
    """
    password, now = token_urlsafe(12), utc_now()
    with options.metadata() as metadata:
        place = None if wanted is None else project_named(metadata, wanted)
        with metadata.writing() as session:
            row = accounts.create_user(session, email, password, now=now, is_admin=admin)
            if place is not None:
                accounts.set_role(session, row.id, place.id, role)
            by = audit.actor(None, now)
            audit.note(session, by, "created", ("user", row.id), after={"email": row.email})
    click.echo(f"{row.email}  {password}")


@user.command("password")
@click.argument("email")
@everywhere
@click.pass_obj
def reset_password(options: Options, email: str) -> None:
    r"""Give EMAIL a new password, shown once, and sign them out everywhere.

    \b
    Example:
      hedgerow user password ann@example.org
    """
    password = token_urlsafe(12)
    with options.metadata() as metadata:
        row = _user(metadata, email)
        with metadata.writing() as session:
            accounts.change_password(session, row.id, password)
            access.close_all(session, row.id)
            by = audit.actor(None, utc_now())
            audit.note(session, by, "new password", ("user", row.id))
    click.echo(f"{row.email}  {password}")


@user.command("link")
@click.argument("email")
@everywhere
@click.pass_obj
def password_link(options: Options, email: str) -> None:
    r"""Print a link with which EMAIL chooses a new password, once, within 7 days.

    Earlier links end; the password of now works until the link is used.

    \b
    Example:
      hedgerow user link ann@example.org
    """
    now = utc_now()
    with options.metadata() as metadata:
        row = _user(metadata, email)
        with metadata.writing() as session:
            token = access.make_link(session, "password", now, user_id=row.id)
            audit.note(session, audit.actor(None, now), "link for", ("user", row.id))
    click.echo(f"{running.address(options.settings)}/password/{token}")


@click.group(cls=TaughtGroup)
def key() -> None:
    r"""Make, list and revoke personal API keys.

    \b
    Example:
      hedgerow key create me@example.org --scope query:read --label dashboards
    """


@key.command("list")
@click.argument("email")
@everywhere
@click.pass_obj
def list_keys(options: Options, email: str) -> None:
    r"""List the keys of EMAIL; their texts are not kept.

    \b
    Example:
      hedgerow key list me@example.org
    """
    with options.metadata() as metadata:
        row = _user(metadata, email)
        with metadata.reading() as session:
            for one in access.keys_of(session, row.id):
                used = (
                    "never used" if one.last_used_at is None else f"{one.last_used_at:%F}"
                )
                scopes = " ".join(one.scopes)
                click.echo(f"{one.id:>5}  …{one.hint}  {used:<10}  {one.label}  {scopes}")


@key.command("create")
@click.argument("email")
@click.option("--label", required=True, help="What it is for.")
@click.option("--scope", "scopes", multiple=True, required=True, help="May be repeated.")
@click.option("--project", "wanted", multiple=True, help="Limit it to these projects.")
@click.option("--days", type=click.IntRange(1), help="Days until it expires; else never.")
@everywhere
@click.pass_obj
def create_key(
    options: Options,
    email: str,
    *,
    label: str,
    scopes: tuple[str, ...],
    wanted: tuple[str, ...],
    days: int | None,
) -> None:
    r"""Make a key that acts for EMAIL, and print it: it is shown once.

    \b
    Example:
      hedgerow key create me@example.org --label report --scope query:read --days 90
    """
    now = utc_now()
    with options.metadata() as metadata:
        row = _user(metadata, email)
        wish = access.KeyRequest(
            label=label,
            scopes=list(scopes),
            expires_at=None if days is None else now + timedelta(days=days),
            projects=[project_named(metadata, one).id for one in wanted] or None,
        )
        with metadata.writing() as session:
            made, text = access.make_key(session, row, wish, now)
            by = audit.actor(None, now)
            audit.note(session, by, "created", ("key", made.id), after={"label": label})
    click.echo(text)


@key.command("revoke")
@click.argument("email")
@click.argument("number", type=int)
@everywhere
@click.pass_obj
def revoke_key(options: Options, email: str, number: int) -> None:
    r"""Make the key NUMBER of EMAIL worthless from now on.

    \b
    Example:
      hedgerow key revoke me@example.org 3
    """
    with options.metadata() as metadata:
        row = _user(metadata, email)
        with metadata.writing() as session:
            access.revoke_key(session, number, row.id)
            audit.note(session, audit.actor(None, utc_now()), "revoked", ("key", number))
    click.echo(f"Key {number} is revoked.")


def _user(metadata: Metadata, email: str) -> User:
    with metadata.reading() as session:
        found = accounts.user_by_email(session, email)
    if found is None:
        raise NotFound(
            f"There is no account for {email!r}.", hint="See: hedgerow user list"
        )
    return found


def _state(row: User) -> str:
    return "" if row.is_active else "  (may not sign in)"
