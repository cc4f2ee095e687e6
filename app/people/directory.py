"""Everybody who has an account: found, changed, put away, removed.

Removing somebody comes in two forms. Who never recorded time is *deleted*: the row goes,
with tokens, sessions, filters and whatever else was theirs alone. Who did is
*anonymised*: the account becomes "Former user 7" and can never sign in again, every
entry and every sum stays. ``belongings`` counts beforehand what would go and what would
stay; the same figures are the receipt afterwards.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session

from app.errors import Count, InvalidInput, NotFound, Referenced, said
from app.models.database import name_key
from app.models.entries import Pin, TimeEntry, UndoStep
from app.models.people import ApiToken, OneTimeLink, User, UserSession
from app.models.records import AuditLog, IdempotencyKey, OutgoingMail
from app.models.saved import ColumnSet, ImportBatch, ImportMapping, SavedFilter
from app.models.work import ProjectMember, Rate, Task
from app.people import accounts, sessions

PER_PAGE = 50

STATES = ("active", "inactive", "all")

GOES = (ApiToken, UserSession, OneTimeLink, SavedFilter, ColumnSet, ImportMapping, Pin,
        UndoStep, IdempotencyKey, ProjectMember)  # fmt: skip
"""Tables of what is a person's alone: it goes with the person either way."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """Which users a list shows."""

    text: str = ""
    role: str = ""
    state: str = "active"
    start: int = 0
    """How many to leave out at the front."""


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What an administrator says about an account; the password is its owner's matter."""

    username: str
    display_name: str
    email: str | None


@dataclass(frozen=True, kw_only=True)
class Belongings:
    """How much hangs on an account, by what becomes of it when the person goes."""

    entries: int
    """Stay: recorded time is never removed with a person. Those in the trash count."""
    imports: int
    """Stay: they say where entries came from."""
    made_for_others: int
    """Stay; that this person typed them is forgotten."""
    rates: int
    """Stay while entries do: their amounts depend on them."""
    tasks: int
    """Stay, assigned to nobody."""
    gone: int
    """Tokens, sessions, links, filters, layouts, pins, undo steps, memberships."""

    @property
    def hold(self) -> bool:
        """Whether the account can only be anonymised."""
        return bool(self.entries or self.imports)


def find(session: Session, number: int) -> User:
    """Return the user of this number."""
    user = session.get(User, number)
    if user is None:
        raise NotFound(
            said("There is no user number %(number)s.", number=number),
            hint="It may be deleted.",
        )
    return user


def listed(session: Session, wanted: Wanted) -> tuple[list[User], int]:
    """Return a page of users by name, and how many there are altogether."""
    conditions = list(_conditions(session, wanted))
    total = session.scalar(select(func.count(User.id)).where(*conditions)) or 0
    query = (
        select(User)
        .where(*conditions)
        .order_by(func.lower(User.display_name), User.id)
        .offset(max(0, wanted.start))
        .limit(PER_PAGE)
    )
    return list(session.scalars(query)), total


def _conditions(session: Session, wanted: Wanted) -> list[ColumnElement[bool]]:
    found: list[ColumnElement[bool]] = []
    text = name_key(wanted.text)
    if text:
        found.append(User.id.in_(_called(session, text)))
    if wanted.role:
        found.append(User.role == wanted.role)
    if wanted.state != "all":
        found.append(User.is_active.is_(wanted.state != "inactive"))
    return found


def _called(session: Session, text: str) -> list[int]:
    """Return the numbers of users with this in a name or address, case aside.

    Compared here: SQLite folds the case of unaccented letters only.
    """
    query = select(User.id, User.username_key, User.display_name, User.email)
    return [
        number
        for number, key, name, address in session.execute(query)
        if text in key or text in name_key(name) or text in name_key(address or "")
    ]


def change(session: Session, user: User, wanted: Changes) -> dict[str, tuple[str, str]]:
    """Set names and address; return field → (old, new) of what changed."""
    name = accounts.free_name(session, wanted.username, of=user)
    new = {
        "username": name,
        "display_name": wanted.display_name.strip()[:200] or name,
        "email": accounts.checked_address(wanted.email),
    }
    changed = {
        field: (getattr(user, field) or "", value or "")
        for field, value in new.items()
        if getattr(user, field) != value
    }
    for field in changed:
        setattr(user, field, new[field])
    session.flush()
    return changed


def reactivate(user: User) -> None:
    """Let somebody sign in again; an anonymised account is nobody's any more."""
    if is_anonymous(user):
        raise InvalidInput(
            said(
                "%(display_name)r was anonymised: nobody can sign in as them again.",
                display_name=user.display_name,
            ),
            hint="Make a new account.",
        )
    user.is_active = True


def belongings(session: Session, user: User) -> Belongings:
    """Count what hangs on an account."""

    def count(table: type, condition: ColumnElement[bool]) -> int:
        return session.scalar(select(func.count()).select_from(table).where(condition)) or 0

    return Belongings(
        entries=count(TimeEntry, TimeEntry.user_id == user.id),
        imports=count(ImportBatch, ImportBatch.user_id == user.id),
        made_for_others=count(
            TimeEntry,
            (TimeEntry.created_by_id == user.id) & (TimeEntry.user_id != user.id),
        ),
        rates=count(Rate, Rate.user_id == user.id),
        tasks=count(Task, Task.assignee_id == user.id),
        gone=sum(count(table, table.user_id == user.id) for table in GOES),
    )


def remove(session: Session, user: User) -> None:
    """Delete an account that holds no time; Referenced where it does."""
    accounts.keep_an_admin(session, user)
    holds = belongings(session, user)
    if holds.hold:
        raise Referenced(
            said(
                "%(name)r cannot be deleted. It holds entries: %(entries)s, "
                "imports: %(imports)s.",
                name=user.display_name,
                entries=Count(holds.entries),
                imports=Count(holds.imports),
            ),
            hint="Anonymise the account instead: the entries stay, the name goes.",
        )
    _take_away(session, user)
    session.execute(delete(Rate).where(Rate.user_id == user.id))
    session.delete(user)
    session.flush()


def anonymise(session: Session, user: User, now: datetime) -> str:
    """Take from an account what says who it was; return the name it has now.

    The audit trail keeps its lines, under that name and without addresses.
    """
    accounts.keep_an_admin(session, user)
    _take_away(session, user)
    user.username = f"former-user-{user.id}"
    user.display_name = f"Former user {user.id}"
    user.email = user.password_hash = None
    user.oidc_issuer = user.oidc_subject = None
    user.is_active = False
    user.analytics_opt_out = True
    user.last_seen_at = user.first_login_at = user.last_login_at = None
    about = (AuditLog.object_type == "user") & (AuditLog.object_id == user.id)
    session.execute(update(AuditLog).where(about).values(object_label=user.display_name))
    session.execute(update(AuditLog).where(AuditLog.actor_id == user.id).values(ip=None))
    user.updated_at = now
    session.flush()
    return user.display_name


def is_anonymous(user: User) -> bool:
    """Return whether this account was anonymised."""
    return user.username == f"former-user-{user.id}" and not user.is_active


def _take_away(session: Session, user: User) -> None:
    """Remove what is this person's alone, and the traces of their sign-ins."""
    for table in GOES:
        session.execute(delete(table).where(table.user_id == user.id))
    sessions.forgive_everywhere(session, user.username)
    if user.email:
        session.execute(delete(OutgoingMail).where(OutgoingMail.address == user.email))
    session.execute(
        update(Task).where(Task.assignee_id == user.id).values(assignee_id=None)
    )
    session.execute(
        update(TimeEntry)
        .where(TimeEntry.created_by_id == user.id, TimeEntry.user_id != user.id)
        .values(created_by_id=None)
    )
