"""Users: made, found, given a password, put away. The last administrator stays.

Passwords are argon2id (64 MiB, 3 rounds). Checking one takes the same time whether the
name exists or not, so that answers do not say who has an account.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import Conflict, InvalidInput, NotFound, said
from app.models.database import name_key
from app.models.people import ROLES, OneTimeLink, User
from app.settings import Settings

LONGEST_PASSWORD = 256
LINK_LASTS = timedelta(hours=24)
SETUP_LASTS = timedelta(days=3650)

COMMONEST = frozenset(
    {
        "password1234",
        "passwordpassword",
        "123456789012",
        "1234567890123",
        "12345678901234",
        "qwertyuiop12",
        "qwertyuiopas",
        "qwerty123456",
        "qwertyqwerty",
        "iloveyou1234",
        "adminadmin12",
        "administrator",
        "administrator1",
        "letmeinletmein",
        "welcome12345",
        "password12345",
        "password123456",
        "1q2w3e4r5t6y",
        "timetracker1",
        "timetracker123",
        "abcdefghijkl",
        "abcd1234abcd",
        "changemechangeme",
        "aaaaaaaaaaaa",
    }
)
"""Refused however long they are."""

_hasher = PasswordHasher(time_cost=3, memory_cost=65536, parallelism=1)  # 64 MiB
_NOBODY = _hasher.hash(secrets.token_hex(16))
"""What a password is compared with where there is no account."""


@dataclass(frozen=True, kw_only=True)
class NewUser:
    """What is needed to make somebody."""

    username: str
    display_name: str = ""
    email: str | None = None
    role: str = "user"
    password: str | None = None
    signup_method: str = "admin"
    auth_method: str = "local"
    timezone: str | None = None
    """None takes the installation's."""


def make(
    session: Session, new: NewUser, settings: Settings, *, least_password: int = 12
) -> User:
    """Add a user and return it; InvalidInput names the field that cannot be taken."""
    username = free_name(session, new.username)
    if new.role not in ROLES:
        raise InvalidInput(
            said("There is no role %(role)r.", role=new.role), hint=said("Take one of %(roles)s.", roles=", ".join(ROLES)),
            attr="role",
        )  # fmt: skip
    user = User(
        username=username,
        display_name=new.display_name.strip()[:200] or username,
        email=checked_address(new.email),
        role=new.role,
        signup_method=new.signup_method,
        auth_method=new.auth_method,
        timezone=new.timezone or settings.timezone,
        locale=settings.locale,
        week_start=settings.week_start,
    )
    if new.password is not None:
        set_password(user, new.password, least=least_password)
    session.add(user)
    session.flush()
    return user


def free_name(session: Session, name: str, *, of: User | None = None) -> str:
    """Return the user name that ``name`` makes if nobody but ``of`` has it."""
    username = name.strip()
    if not 1 <= len(username) <= 150 or any(c.isspace() for c in username):
        raise InvalidInput(
            said("%(username)r cannot be a user name.", username=username),
            hint="Use 1 to 150 characters without spaces.",
            attr="username",
        )
    if by_name(session, username) not in {None, of}:
        raise InvalidInput(
            said("Somebody is called %(username)r already.", username=username), hint="Take another name.",
            attr="username",
        )  # fmt: skip
    return username


def checked_address(text: str | None) -> str | None:
    """Return a mail address without blanks around it; None where there is none."""
    address = (text or "").strip()
    if not address:
        return None
    name, at, domain = address.rpartition("@")
    odd = any(c.isspace() or c in "<>,;" for c in address)
    if not (name and at and "." in domain.strip(".")) or odd or len(address) > 254:
        raise InvalidInput(
            said("%(address)r is no mail address.", address=address[:60]),
            hint="Write it like ann@example.org.",
            attr="email",
        )
    return address


def by_name(session: Session, username: str) -> User | None:
    """Return the user of this name, case aside."""
    return session.scalar(select(User).where(User.username_key == name_key(username)))


def anyone(session: Session) -> bool:
    """Return whether this installation has a user at all; if not, it is a first run."""
    return session.scalar(select(User.id).limit(1)) is not None


def set_password(user: User, password: str, *, least: int = 12) -> None:
    """Give the user a password, or raise InvalidInput saying what is wrong with it."""
    if not least <= len(password) <= LONGEST_PASSWORD:
        raise InvalidInput(
            said("The password has %(password)s characters.", password=len(password)),
            hint=said(
                "Use %(least)s to %(longest_password)s; a few words are easiest to remember.",
                least=least,
                longest_password=LONGEST_PASSWORD,
            ),
            attr="password",
        )
    same = name_key(password)
    if same in COMMONEST or same in {name_key(user.username), name_key(user.email or "")}:
        raise InvalidInput(
            "This password would be guessed first.",
            hint="Do not use a common one, the user name or the mail address.",
            attr="password",
        )
    user.password_hash = _hasher.hash(password)


def password_fits(user: User | None, password: str) -> bool:
    """Return whether this is the user's password; as slow for a user who does not exist."""
    known = user.password_hash if user is not None else None
    try:
        _hasher.verify(known or _NOBODY, password[:LONGEST_PASSWORD])
    except (VerificationError, InvalidHashError):
        return False
    if user is None or known is None:
        return False
    if _hasher.check_needs_rehash(known):
        user.password_hash = _hasher.hash(password)
    return True


def make_link(session: Session, user: User | None, purpose: str, now: datetime) -> str:
    """Return a new one-time token for ``purpose``; earlier ones of the same kind end."""
    query = select(OneTimeLink).where(
        OneTimeLink.purpose == purpose,
        OneTimeLink.user_id == (user.id if user else None),
        OneTimeLink.used_at.is_(None),
    )
    for old in session.scalars(query):
        old.used_at = now
    token = secrets.token_urlsafe(24)
    lasts = SETUP_LASTS if purpose == "setup" else LINK_LASTS
    session.add(
        OneTimeLink(
            user_id=user.id if user else None,
            purpose=purpose,
            token_hash=_hashed(token),
            expires_at=now + lasts,
        )
    )
    return token


def open_link(session: Session, token: str, purpose: str, now: datetime) -> OneTimeLink:
    """Return the unused link of this token, or raise NotFound."""
    link = session.scalar(
        select(OneTimeLink).where(
            OneTimeLink.token_hash == _hashed(token), OneTimeLink.purpose == purpose
        )
    )
    if link is None or link.used_at is not None or link.expires_at <= now:
        raise NotFound(
            "This link was used, has expired, or never existed.",
            hint="Ask an administrator for a new one.",
        )
    return link


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def keep_an_admin(session: Session, user: User) -> None:
    """Raise Conflict if without ``user`` nobody could administer this installation."""
    if user.role != "admin" or not user.is_active:
        return
    admins = select(User.id).where(User.role == "admin", User.is_active)
    found = session.scalars(admins.order_by(User.id).with_for_update()).all()
    if set(found) <= {user.id}:  # locked: two who go at once must not both be last but one
        raise Conflict(
            said(
                "%(display_name)r is the last administrator.",
                display_name=user.display_name,
            ),
            hint="Make somebody else an administrator first.",
        )


def change_role(session: Session, user: User, role: str) -> str:
    """Give the user another role and return the one before."""
    if role not in ROLES:
        raise InvalidInput(
            said("There is no role %(role)r.", role=role),
            hint=said("Take one of %(roles)s.", roles=", ".join(ROLES)),
            attr="role",
        )
    before = user.role
    if role != "admin":
        keep_an_admin(session, user)
    user.role = role
    return before


def deactivate(session: Session, user: User) -> None:
    """Keep somebody from signing in; their entries stay."""
    keep_an_admin(session, user)
    user.is_active = False
