"""Users: who there is, what they may, and whether a password lets them in.

A role is held per project: a *viewer* looks, an *editor* also saves, an *admin* also
changes the project and its members, an *owner* also deletes it. An administrator of the
server is owner everywhere; there is always at least one, and a project that has owners
keeps one.
"""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal, get_args

from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from hedgerow.errors import Conflict, InvalidInput, NotAuthenticated, NotFound, TooManyTries
from hedgerow.meta import credentials
from hedgerow.meta.database import Metadata
from hedgerow.meta.tables import LoginAttempt, Membership, User

Role = Literal["viewer", "editor", "admin", "owner"]
ROLES: tuple[Role, ...] = get_args(Role)
"""From the least to the most."""

EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,253}")

TRIES = 10
"""Failed tries to sign in for one address or one account …"""

TRIES_WITHIN = timedelta(minutes=15)
"""… in this time; after them the next ones wait."""


def reaches(role: Role | None, needed: Role) -> bool:
    """Return whether ``role`` includes ``needed``."""
    return role is not None and ROLES.index(role) >= ROLES.index(needed)


def is_set_up(session: Session) -> bool:
    """Return whether there is an account at all; before that, anybody may make one."""
    return session.scalar(select(User.id).limit(1)) is not None


def create_user(
    session: Session,
    email: str,
    password: str | None,
    *,
    now: datetime,
    name: str = "",
    is_admin: bool = False,
) -> User:
    """Make an account; without a password it signs in elsewhere or by a one-time link.

    Raises InvalidInput, and Conflict when the address is taken.
    """
    address = email.strip().lower()
    if not EMAIL.fullmatch(address):
        raise InvalidInput(
            f"{email!r} is no e-mail address.", hint="Write name@example.org.", attr="email"
        )
    if user_by_email(session, address) is not None:
        raise Conflict(
            f"There is an account for {address} already.",
            hint="Sign in with it, or use another address.",
            attr="email",
        )
    user = User(
        email=address,
        name=name.strip(),
        password_hash=None if password is None else credentials.password_hash(password),
        is_admin=is_admin,
        created_at=now,
    )
    session.add(user)
    session.flush()
    return user


def change_password(session: Session, user_id: int, password: str) -> None:
    """Set a new password. The edge closes the other sessions (``access.close_all``)."""
    user_by_id(session, user_id).password_hash = credentials.password_hash(password)


def set_admin(session: Session, user_id: int, *, is_admin: bool) -> None:
    """Make or unmake an administrator; the last one stays."""
    user = user_by_id(session, user_id)
    if user.is_admin and not is_admin:
        _keep_an_administrator(session)
    user.is_admin = is_admin


def set_active(session: Session, user_id: int, *, is_active: bool) -> None:
    """Let somebody in again, or no more; the last administrator stays."""
    user = user_by_id(session, user_id)
    if user.is_admin and user.is_active and not is_active:
        _keep_an_administrator(session)
    user.is_active = is_active


def users(session: Session) -> Sequence[User]:
    """Return all accounts in the order of their addresses."""
    return session.scalars(select(User).order_by(User.email)).all()


def user_by_id(session: Session, user_id: int) -> User:
    """Return an account, or raise NotFound."""
    user = session.get(User, user_id)
    if user is None:
        raise NotFound(f"There is no user {user_id}.", hint="Look at the list of members.")
    return user


def user_by_email(session: Session, email: str) -> User | None:
    """Return the account of an address, in whatever case it is written."""
    return session.scalar(select(User).where(User.email == email.strip().lower()))


def sign_in(
    metadata: Metadata, email: str, password: str, *, address: str, now: datetime
) -> User:
    """Return whose password this is.

    Raises NotAuthenticated, in the same words whether account or password is wrong, and
    TooManyTries. ``address`` is that of the browser. A failed try is kept whatever
    happens next, so this takes the database rather than a session.
    """
    email = email.strip().lower()
    with metadata.writing() as session:
        _forget_old_tries(session, now)
        tries = session.scalar(
            select(func.count())
            .select_from(LoginAttempt)
            .where(or_(LoginAttempt.email == email, LoginAttempt.address == address))
        )
        user = user_by_email(session, email)
        blocked = (tries or 0) >= TRIES
        fits = not blocked and credentials.password_fits(
            password, user.password_hash if user and user.is_active else None
        )
        if user is not None and fits:
            session.execute(delete(LoginAttempt).where(LoginAttempt.email == email))
            user.last_seen_at = now
            return user
        if not blocked:
            session.add(LoginAttempt(at=now, email=email, address=address))
    if blocked:
        raise TooManyTries(
            f"There were {TRIES} failed tries to sign in.",
            hint=f"Wait {TRIES_WITHIN // timedelta(minutes=1)} minutes and try again.",
        )
    raise NotAuthenticated(
        "E-mail and password do not belong together.",
        hint="Check both, or ask an administrator for a link to choose a new password.",
    )


def role_of(session: Session, user: User, project_id: int) -> Role | None:
    """Return what somebody is in a project; None: they are not in it."""
    if user.is_admin:
        return "owner"
    row = session.get(Membership, (user.id, project_id))
    return None if row is None else _role(row.role)


def set_role(session: Session, user_id: int, project_id: int, role: Role) -> None:
    """Put somebody into a project, or change what they are there; an owner remains."""
    row = session.get(Membership, (user_id, project_id))
    if row is None:
        session.add(Membership(user_id=user_id, project_id=project_id, role=role))
        return
    if row.role == "owner" != role:
        _keep_an_owner(session, project_id)
    row.role = role


def remove_member(session: Session, user_id: int, project_id: int) -> None:
    """Take somebody out of a project; an owner remains."""
    row = session.get(Membership, (user_id, project_id))
    if row is None:
        raise NotFound(f"User {user_id} is not in this project.", hint="Nothing to remove.")
    if row.role == "owner":
        _keep_an_owner(session, project_id)
    session.delete(row)


def members(session: Session, project_id: int) -> list[tuple[User, Role]]:
    """Return who is in a project and as what, in the order of their addresses."""
    found = session.execute(
        select(User, Membership.role)
        .join(Membership, Membership.user_id == User.id)
        .where(Membership.project_id == project_id)
        .order_by(User.email)
    )
    return [(user, _role(role)) for user, role in found]


def _role(text: str) -> Role:
    return next(role for role in ROLES if role == text)


def _forget_old_tries(session: Session, now: datetime) -> None:
    session.execute(delete(LoginAttempt).where(LoginAttempt.at < now - TRIES_WITHIN))


def _keep_an_administrator(session: Session) -> None:
    left = session.scalar(
        select(func.count()).select_from(User).where(User.is_admin, User.is_active)
    )
    if left == 1:
        raise Conflict(
            "This is the last administrator.", hint="Make somebody else one first."
        )


def _keep_an_owner(session: Session, project_id: int) -> None:
    left = session.scalar(
        select(func.count())
        .select_from(Membership)
        .where(Membership.project_id == project_id, Membership.role == "owner")
    )
    if left == 1:
        raise Conflict(
            "This is the last owner of the project.", hint="Make somebody else one first."
        )
