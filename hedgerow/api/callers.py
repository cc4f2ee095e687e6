"""Who calls, and whether they may.

A personal API key acts for its user and can do no more than they can: it needs the scope
of the route, and its user the role that goes with the scope in the project.
"""

import threading
from datetime import datetime

import msgspec

from hedgerow.api.parts import Parts
from hedgerow.errors import InvalidInput, NotAllowed, NotAuthenticated, NotFound
from hedgerow.meta import access, accounts, projects
from hedgerow.meta.accounts import Role
from hedgerow.meta.audit import Actor, actor
from hedgerow.meta.tables import ApiKey, User
from hedgerow.model.projects import Project

CURRENT = "@current"
"""In an address: the only project a key reaches."""

_ROLES: dict[str, Role] = {"read": "viewer", "write": "editor", "admin": "admin"}


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Somebody with a valid key, and what a handler needs to answer them."""

    parts: Parts
    user: User
    key: ApiKey
    now: datetime
    cancel: threading.Event = msgspec.field(default_factory=threading.Event)
    """Set when the caller has hung up."""

    url: str = ""
    """The request's address, for links to further pages."""

    body: bytes = b""
    """The request's body as it came."""

    of_path: Project | None = None

    @property
    def project(self) -> Project:
        """The project of the address; only routes below one ask for it."""
        if self.of_path is None:
            raise NotFound(
                "This address names no project.", hint="Use /api/projects/<id>/…"
            )
        return self.of_path

    @property
    def actor(self) -> Actor:
        """Who goes into the audit log."""
        return actor(self.user, self.now)


def caller_of(parts: Parts, header: str | None, now: datetime) -> tuple[ApiKey, User]:
    """Return the key of an ``Authorization`` header and its user.

    Raises NotAuthenticated.
    """
    kind, _, text = (header or "").partition(" ")
    if kind.lower() != "bearer" or not text.strip():
        raise NotAuthenticated(
            "No personal API key came with this request.",
            hint="Send 'Authorization: Bearer phx_…'; make a key under Settings.",
        )
    text = text.strip()
    if text.startswith("phc_"):
        raise NotAuthenticated(
            "This is a project token; it only lets events in.",
            hint="Send a personal API key, which begins with 'phx_'.",
        )
    with parts.metadata.reading() as session:
        found = access.key_of(session, text, now)
    if found is None:
        raise NotAuthenticated(
            f"The key {text[:8]}… is unknown, revoked or expired.",
            hint="Make a new one under Settings.",
        )
    key, user = found
    if access.is_due(key.last_used_at, now):
        with parts.metadata.writing() as session:
            access.touch_key(session, key.id, now)
    return key, user


def require_scope(key: ApiKey, scope: str) -> None:
    """Raise NotAllowed unless the key carries ``scope``, or one that includes it."""
    what, _, verb = scope.partition(":")
    including = {
        "read": {f"{what}:read", f"{what}:write"},
        "write": {f"{what}:write"},
        "admin": {f"{what}:admin"},
    }[verb]
    if what == "project":
        including.add("project:admin")
    if "*" not in key.scopes and not including.intersection(key.scopes):
        raise NotAllowed(
            f"This key lacks the scope {scope!r}.", hint="Use or make a key that has it."
        )


def require_role(parts: Parts, user: User, project: Project, role: Role) -> None:
    """Raise NotAllowed unless somebody is at least ``role`` in a project."""
    with parts.metadata.reading() as session:
        held = accounts.role_of(session, user, project.id)
    if not accounts.reaches(held, role):
        raise NotAllowed(
            f"{user.email} is {held or 'not a member'} in project {project.id}, not {role}.",
            hint="Ask an owner of the project for the role.",
        )


def role_for(scope: str) -> Role:
    """Return the role that a scope takes inside a project."""
    return _ROLES[scope.partition(":")[2]]


def project_of(parts: Parts, key: ApiKey, user: User, text: str) -> Project:
    """Return the project that an address names, if the key reaches it.

    Raises NotFound, NotAllowed, and InvalidInput for ``@current`` of a key that reaches
    several.
    """
    if text == CURRENT:
        return _only_project(parts, key, user)
    found = parts.directory.project_of_id(int(text)) if text.isdecimal() else None
    if found is None:
        raise NotFound(
            f"There is no project {text!r}.", hint="GET /api/projects lists yours."
        )
    if key.projects is not None and found.id not in key.projects:
        raise NotAllowed(
            f"This key does not reach project {found.id}.", hint="Use one that does."
        )
    return found


def projects_of(parts: Parts, key: ApiKey, user: User) -> list[Project]:
    """Return the projects a key reaches, oldest first."""
    with parts.metadata.reading() as session:
        rows = projects.of_user(session, user.id, is_admin=user.is_admin)
    return [
        projects.plain(row)
        for row in rows
        if key.projects is None or row.id in key.projects
    ]


def _only_project(parts: Parts, key: ApiKey, user: User) -> Project:
    reached = projects_of(parts, key, user)
    if len(reached) != 1:
        raise InvalidInput(
            f"'@current' is the only project of a key; this one reaches {len(reached)}.",
            hint="Write the project's number instead.",
            attr="project_id",
        )
    return reached[0]
