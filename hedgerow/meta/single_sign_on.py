"""Who somebody from the identity provider is here, and which roles they get.

Claims that were checked (signature, issuer, audience, times, nonce: ``web.oidc_provider``)
→ a user. People are known by issuer and subject; by a verified address only where the
operator says so. Roles follow the claim at every sign-in (``meta.role_maps``). Refusals
tell the visitor what to do and the log which setting would let them in.
"""

import logging
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from hedgerow.errors import Conflict, NotAuthenticated
from hedgerow.meta import accounts, audit, credentials, role_maps
from hedgerow.meta.audit import Actor
from hedgerow.meta.role_maps import Claims, Grant, claim
from hedgerow.meta.tables import AuditEntry, Membership, ProjectRow, User
from hedgerow.meta.tables_signin import SignInBegun
from hedgerow.settings import Settings

BACK_WITHIN = timedelta(minutes=10)
"""Who has not come back from the provider by then begins again."""

KNOWN_FOR = timedelta(days=1)
"""So long is known where somebody wanted to go."""

SUBJECT = "single sign-on"
FAILURES = 100

log = logging.getLogger(__name__)


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator decided about people who come from the provider."""

    email_claim: str
    name_claim: str
    role_claim: str
    role_map: Mapping[str, Grant]
    auto_create: bool
    allowed_domains: frozenset[str]
    link_by_email: bool
    trust_email: bool


def rules(settings: Settings) -> Rules:
    """Return the rules of these settings. Raises BadSetting for a map that is none."""
    domains = settings.oidc_allowed_domains.lower().split(",")
    return Rules(
        email_claim=settings.oidc_email_claim,
        name_claim=settings.oidc_name_claim,
        role_claim=settings.oidc_role_claim,
        role_map=role_maps.read(settings.oidc_role_map),
        auto_create=settings.oidc_auto_create,
        allowed_domains=frozenset(one.strip() for one in domains if one.strip()),
        link_by_email=settings.oidc_link_by_email,
        trust_email=settings.oidc_trust_email,
    )


def begin(
    session: Session, browser: str, next_page: str, now: datetime
) -> tuple[str, str, str]:
    """Keep that a browser goes to the provider; return state, nonce and PKCE verifier."""
    session.execute(delete(SignInBegun).where(SignInBegun.created_at < now - KNOWN_FOR))
    state, nonce, verifier = (credentials.link_token() for _ in range(3))
    session.add(
        SignInBegun(
            state_hash=credentials.digest(state),
            browser_hash=credentials.digest(browser),
            nonce=nonce,
            verifier=verifier,
            next=next_page,
            created_at=now,
        )
    )
    return state, nonce, verifier


def came_back(
    session: Session, state: str, browser: str, now: datetime
) -> SignInBegun | None:
    """Return what was kept as this browser went, once; None: it did not, or long ago.

    Whether it is ``in_time`` is another question: where to go afterwards is known anyway.
    """
    row = session.get(SignInBegun, credentials.digest(state))
    if row is None or row.browser_hash != credentials.digest(browser):
        return None
    session.delete(row)
    return row if row.created_at >= now - KNOWN_FOR else None


def in_time(begun: SignInBegun, now: datetime) -> bool:
    """Return whether somebody came back soon enough to be let in."""
    return begun.created_at >= now - BACK_WITHIN


def note_failure(
    session: Session,
    claims: Claims | None,
    by: Rules,
    found: Mapping[str, Any],
    now: datetime,
) -> None:
    """Keep in the audit log that a sign-in failed, and what was ``found``.

    Anybody can make one fail: more than ``FAILURES`` an hour are not kept.
    """
    recent = session.scalar(
        select(func.count()).where(
            AuditEntry.subject == SUBJECT, AuditEntry.at > now - timedelta(hours=1)
        )
    )
    if (recent or 0) >= FAILURES:
        return
    address = claim(claims, by.email_claim) if claims else None
    who = address[:200] if isinstance(address, str) and address else "somebody unknown"
    actor = Actor(user_id=None, who=who, at=now)
    audit.note(session, actor, "failed at", (SUBJECT, ""), after=dict(found))


def sign_in(session: Session, claims: Claims, by: Rules, now: datetime) -> User:
    """Return whose claims these are: known, linked or made, with the roles they give.

    Raises NotAuthenticated where the rules keep them out.
    """
    grant = role_maps.granted(claims, by.role_claim, by.role_map) if by.role_map else None
    if by.role_map and grant is None:
        log.warning(
            "Single sign-on refused: no value of the claim %r is in HEDGEROW_OIDC_ROLE_MAP, "
            "and it has no '*'.",
            by.role_claim,
        )
        raise NotAuthenticated(
            "Your account at the provider has no role here.",
            hint="Ask an administrator; the server's log names the claim that is missing.",
        )
    actor = Actor(user_id=None, who=SUBJECT, at=now)
    user = _by_subject(session, claims) or _by_address(session, claims, by, actor)
    if user is None:
        user = _made(session, claims, by, actor)
    if not user.is_active:
        log.warning("Single sign-on refused: %s is switched off here.", user.email)
        raise NotAuthenticated(
            "Your account here is switched off.", hint="Ask an administrator for it."
        )
    if grant is not None:
        _give(session, user, grant, by, actor)
    user.last_seen_at = now
    return user


def _by_subject(session: Session, claims: Claims) -> User | None:
    return session.scalar(
        select(User).where(
            User.oidc_issuer == claims["iss"], User.oidc_subject == claims["sub"]
        )
    )


def verified_address(claims: Claims, by: Rules) -> str:
    """Return the address in lower case if the provider vouches for it, else empty."""
    address = claim(claims, by.email_claim)
    vouched = claims.get("email_verified") is True or (
        by.trust_email and "email_verified" not in claims
    )
    return address.strip().lower() if vouched and isinstance(address, str) else ""


def _by_address(session: Session, claims: Claims, by: Rules, actor: Actor) -> User | None:
    address = verified_address(claims, by)
    user = accounts.user_by_email(session, address) if address else None
    if user is None or not user.is_active or user.oidc_subject is not None:
        return None
    if not by.link_by_email:
        log.warning(
            "Single sign-on refused: %s has an account with a password. "
            "HEDGEROW_OIDC_LINK_BY_EMAIL=true would let them in with it.",
            address,
        )
        raise _no_account()
    user.oidc_issuer, user.oidc_subject = claims["iss"], claims["sub"]
    audit.note(session, actor, "linked", ("user", user.email))
    return user


def _made(session: Session, claims: Claims, by: Rules, actor: Actor) -> User:
    address = verified_address(claims, by)
    wrong = (
        "HEDGEROW_OIDC_AUTO_CREATE=true would make one"
        if not by.auto_create
        else f"the claim {by.email_claim!r} holds no verified address; "
        "HEDGEROW_OIDC_TRUST_EMAIL=true takes it where the provider does not say so"
        if not address
        else "the domain of their address is not in HEDGEROW_OIDC_ALLOWED_DOMAINS"
        if by.allowed_domains and address.rpartition("@")[2] not in by.allowed_domains
        else "their address belongs to another account"
        if accounts.user_by_email(session, address) is not None
        else ""
    )
    if wrong:
        log.warning("Single sign-on refused: this person has no account; %s.", wrong)
        raise _no_account()
    name = claim(claims, by.name_claim)
    user = accounts.create_user(
        session,
        address,
        None,
        now=actor.at,
        name=name[:200] if isinstance(name, str) else "",
    )
    user.oidc_issuer, user.oidc_subject = claims["iss"], claims["sub"]
    audit.note(session, actor, "created", ("user", user.email))
    return user


def _no_account() -> NotAuthenticated:
    return NotAuthenticated(
        "There is no account for you here.",
        hint="Ask an administrator to let you in; the server's log says how.",
    )


def _give(session: Session, user: User, grant: Grant, by: Rules, actor: Actor) -> None:
    """Give the roles and take those away that the map rules and the claim does not give."""
    if any(one.is_admin for one in by.role_map.values()) and (
        user.is_admin is not grant.is_admin
    ):
        try:
            accounts.set_admin(session, user.id, is_admin=grant.is_admin)
            after = {"is_admin": grant.is_admin}
            audit.note(session, actor, "changed", ("user", user.email), after=after)
        except Conflict:
            log.warning("%s is the last administrator and stays one.", user.email)
    for number in list(_ruled(session, by)):
        wanted = role_maps.higher(grant.everywhere, grant.projects.get(number))
        row = session.get(Membership, (user.id, number))
        held = row.role if row else None
        if held == wanted:
            continue
        try:
            if wanted is None:
                accounts.remove_member(session, user.id, number)
            else:
                accounts.set_role(session, user.id, number, wanted)
        except Conflict:
            log.warning("%s is the last owner of project %d; stays.", user.email, number)
            continue
        audit.note(
            session,
            actor,
            "changed",
            ("member", user.email),
            project_id=number,
            before={"role": held},
            after={"role": wanted},
        )


def _ruled(session: Session, by: Rules) -> Iterator[int]:
    """Yield the numbers of the projects whose roles the map decides."""
    named = {number for grant in by.role_map.values() for number in grant.projects}
    everywhere = any(grant.everywhere for grant in by.role_map.values())
    for number in session.scalars(select(ProjectRow.id).order_by(ProjectRow.id)):
        if everywhere or number in named:
            yield number
