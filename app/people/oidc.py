"""Who somebody from the identity provider is here, and which role they get.

Claims that were checked (signature, issuer, audience, times, nonce: ``views.oidc``) →
a user. People are known by issuer and subject; by a verified address only where the
operator says so. The role comes from a claim and a map; the highest wins. Refusals tell
the visitor little and the log which variable would let them in.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.errors import AccountRefused, Conflict
from app.models.people import ROLES, User
from app.people import accounts
from app.settings import Settings

Claims = Mapping[str, Any]

log = logging.getLogger("timetracker")


@dataclass(frozen=True, kw_only=True)
class Rules:
    """What the operator decided about accounts of the provider."""

    username_claim: str
    name_claim: str
    email_claim: str
    roles_claim: str
    role_map: tuple[tuple[str, str], ...]
    role_sync: str
    """``first``, ``raise`` or ``sync``."""
    keep_admins: tuple[str, ...]
    auto_create: bool
    allowed_domains: tuple[str, ...]
    link_by_email: bool


@dataclass(frozen=True)
class Known:
    """Who signs in."""

    user: User
    made: bool
    role_before: str


def rules(config: Mapping[str, Any]) -> Rules:
    """Take the rules from the configuration; a read-only installation changes nobody."""
    frozen = config["READ_ONLY"]
    return Rules(
        username_claim=config["OIDC_USERNAME_CLAIM"],
        name_claim=config["OIDC_NAME_CLAIM"],
        email_claim=config["OIDC_EMAIL_CLAIM"],
        roles_claim=config["OIDC_ROLES_CLAIM"],
        role_map=config["OIDC_ROLE_MAP"],
        role_sync="first" if frozen else config["OIDC_ROLE_SYNC"],
        keep_admins=config["OIDC_KEEP_ADMINS"],
        auto_create=config["OIDC_AUTO_CREATE"] and not frozen,
        allowed_domains=config["OIDC_ALLOWED_DOMAINS"],
        link_by_email=config["OIDC_LINK_BY_EMAIL"] and not frozen,
    )


def locks_out_admins(session: Session, config: Mapping[str, Any]) -> bool:
    """Return whether, with the provider down, no administrator could sign in."""
    if config["AUTH_METHOD"] == "local" or not config["ENABLE_OIDC"]:
        return False
    admins = select(User.username).where(
        User.role == "admin", User.is_active, User.password_hash.is_not(None)
    )
    found = set(session.scalars(admins))
    if config["AUTH_METHOD"] == "oidc" or not config["ENABLE_LOCAL_LOGIN"]:
        found &= set(config["OIDC_KEEP_ADMINS"])
    return not found


def claim(claims: Claims, path: str) -> Any:
    """Return the claim at a dotted path; None where there is none."""
    found: Any = claims
    if path in claims:
        return claims[path]  # a claim whose own name has dots, such as an address
    for part in path.split("."):
        if not isinstance(found, Mapping) or part not in found:
            return None
        found = found[part]
    return found


def words(value: Any) -> list[str]:
    """Return a claim that is a string or a list as a list of strings."""
    if isinstance(value, str):
        return [value]
    return [str(item) for item in value] if isinstance(value, list) else []


def role_of(claims: Claims, by: Rules) -> str:
    """Return the highest role the claims give; AccountRefused where they give none."""
    given = set(words(claim(claims, by.roles_claim)))
    roles = [role for name, role in by.role_map if name in given or name == "*"]
    if not roles:
        log.warning(
            "OIDC login refused: no value of the claim %s is in OIDC_ROLE_MAP, and it has "
            "no *. The claim has %d values.",
            by.roles_claim,
            len(given),
        )
        raise _refused("oidc_claim")
    return max(roles, key=ROLES.index)


def sign_in(session: Session, claims: Claims, by: Rules, settings: Settings) -> Known:
    """Return the user of these claims, linked, made or given another role as ruled."""
    role = role_of(claims, by)
    user = _by_subject(session, claims) or _by_address(session, claims, by)
    if user is None:
        made = _make(session, claims, by, settings)
        made.role = role
        session.flush()
        return Known(made, made=True, role_before=role)
    if not user.is_active:
        raise _refused("disabled")
    before = user.role
    _sync_role(session, user, role, by)
    return Known(user, made=False, role_before=before)


def _refused(reason: str) -> AccountRefused:
    return AccountRefused(
        "Signing in did not work.",
        reason=reason,
        hint="Ask an administrator of this installation; the log says why.",
    )


def _by_subject(session: Session, claims: Claims) -> User | None:
    return session.scalar(
        select(User).where(
            User.oidc_issuer == claims["iss"], User.oidc_subject == claims["sub"]
        )
    )


def verified_address(claims: Claims, by: Rules) -> str:
    """Return the mail address in lower case if the provider vouches for it, else empty."""
    address = claim(claims, by.email_claim)
    if claims.get("email_verified") is not True or not isinstance(address, str):
        return ""
    return address.strip().lower()


def _by_address(session: Session, claims: Claims, by: Rules) -> User | None:
    """Link the one local account of a verified address, where the operator allows it."""
    address = verified_address(claims, by)
    if not by.link_by_email or not address:
        return None
    found = session.scalars(
        select(User).where(func.lower(User.email) == address, User.oidc_subject.is_(None))
    ).all()
    if len(found) != 1:
        return None
    user = found[0]
    if user.is_active:
        user.oidc_issuer, user.oidc_subject = claims["iss"], claims["sub"]
    return user


def _make(session: Session, claims: Claims, by: Rules, settings: Settings) -> User:
    if not by.auto_create:
        log.warning(
            "OIDC login refused: this person has no account. OIDC_AUTO_CREATE=true would "
            "make one at the first login."
        )
        raise _refused("unknown_user")
    address = verified_address(claims, by)
    domain = address.rpartition("@")[2]
    if by.allowed_domains and domain not in {d.lower() for d in by.allowed_domains}:
        log.warning(
            "OIDC login refused: the verified domain is not in OIDC_ALLOWED_DOMAINS."
        )
        raise _refused("oidc_claim")
    new = accounts.NewUser(
        username=_free_name(session, claims, by),
        display_name=str(claim(claims, by.name_claim) or ""),
        email=address or None,
        signup_method="oidc",
        auth_method="oidc",
    )
    user = accounts.make(session, new, settings)
    user.oidc_issuer, user.oidc_subject = claims["iss"], claims["sub"]
    return user


def _free_name(session: Session, claims: Claims, by: Rules) -> str:
    """Return a user name from the claims that nobody has: ``ann``, else ``ann-2``."""
    wanted = claim(claims, by.username_claim) or claims["sub"]
    name = "".join(str(wanted).split())[:140] or "user"
    free, number = name, 1
    while accounts.by_name(session, free) is not None:
        number += 1
        free = f"{name}-{number}"
    return free


def _sync_role(session: Session, user: User, role: str, by: Rules) -> None:
    """Change the role as ``OIDC_ROLE_SYNC`` says; the last administrator always stays."""
    lower = ROLES.index(role) < ROLES.index(user.role)
    if role == user.role or by.role_sync == "first":
        return
    if lower and (by.role_sync == "raise" or user.username in by.keep_admins):
        return
    try:
        accounts.change_role(session, user, role)
    except Conflict:
        log.warning("OIDC would take the role of the last administrator; it stays.")
