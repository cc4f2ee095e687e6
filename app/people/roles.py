"""Who may do what: the table of roles, asked in one place, deny by default.

``may`` answers for the person alone. What also depends on the object (own entries,
projects led) is asked with ``leads``: the ids of the projects this person leads.
Something a person may not even see is ``NotFound``, not ``NotAllowed``.
"""

from collections.abc import Collection
from typing import Literal

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import NotAllowed, said
from app.models.people import ROLES, User
from app.models.work import ProjectMember
from app.settings import Settings

Act = Literal[
    "track",
    "work.create",
    "work.manage",
    "tasks.create",
    "reports.own",
    "reports.all",
    "rates.see",
    "rates.manage",
    "entries.others",
    "import.own",
    "import.others",
    "administer",
]
"""``work`` is clients, projects and tags."""

LEAST: dict[Act, str] = {
    "track": "user",
    "work.create": "user",
    "work.manage": "manager",
    "tasks.create": "user",
    "reports.own": "user",
    "reports.all": "manager",
    "rates.see": "user",
    "rates.manage": "manager",
    "entries.others": "manager",
    "import.own": "user",
    "import.others": "manager",
    "administer": "admin",
}
"""The least role that may do it; two of them a switch takes from users."""


def rank(role: str) -> int:
    """Return the place of a role in the rising order; unknown ones are below all."""
    return ROLES.index(role) if role in ROLES else -1


def may(user: User | None, act: Act, settings: Settings) -> bool:
    """Return whether this person may do this at all."""
    if user is None or not user.is_active:
        return False
    if user.role == "user":
        if act == "work.create" and not settings.users_create_projects:
            return False
        if act == "rates.see" and not settings.users_see_rates:
            return False
    return rank(user.role) >= rank(LEAST[act])


def demand(user: User | None, act: Act, settings: Settings) -> None:
    """Raise NotAllowed unless this person may do this."""
    if not may(user, act, settings):
        role = user.role if user else "nobody"
        raise NotAllowed(
            said("This needs more than the role %(role)r has.", role=role),
            hint="Ask an administrator of this installation.",
        )


def led_by(session: Session, user: User) -> set[int]:
    """Return the ids of the projects this person leads."""
    query = select(ProjectMember.project_id).where(
        ProjectMember.user_id == user.id, ProjectMember.is_lead
    )
    return set(session.scalars(query))


def may_touch_entry(
    user: User, owner_id: int, project_id: int | None, *, leads: Collection[int]
) -> bool:
    """Return whether this person may see and change an entry of ``owner_id``."""
    if owner_id == user.id:
        return rank(user.role) >= rank("user")
    return rank(user.role) >= rank("manager") or project_id in leads
