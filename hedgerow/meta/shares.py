"""Links that show a dashboard to whoever has them: read-only, revocable.

A link may want a password and may end at a time. Its token is kept as a hash, so it can
be shown only when it is made.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from hedgerow.errors import NotAuthenticated, NotFound
from hedgerow.meta import credentials
from hedgerow.meta.tables import Dashboard, DashboardShare


def share(
    session: Session,
    dashboard: Dashboard,
    *,
    now: datetime,
    password: str | None = None,
    expires_at: datetime | None = None,
    created_by: int | None = None,
) -> str:
    """Make a link to a dashboard and return its token, which is never shown again."""
    token = credentials.link_token()
    session.add(
        DashboardShare(
            dashboard_id=dashboard.id,
            token_hash=credentials.digest(token),
            hint=token[-4:],
            password_hash=None if not password else credentials.password_hash(password),
            expires_at=expires_at,
            created_by=created_by,
            created_at=now,
        )
    )
    return token


def shares(session: Session, dashboard_id: int) -> Sequence[DashboardShare]:
    """Return the links of a dashboard, newest first."""
    return session.scalars(
        select(DashboardShare)
        .where(DashboardShare.dashboard_id == dashboard_id)
        .order_by(DashboardShare.id.desc())
    ).all()


def shared(session: Session, token: str, now: datetime) -> tuple[DashboardShare, Dashboard]:
    """Return a link and its dashboard. Raises NotFound when it is revoked or has ended."""
    found = session.execute(
        select(DashboardShare, Dashboard)
        .join(Dashboard, Dashboard.id == DashboardShare.dashboard_id)
        .where(DashboardShare.token_hash == credentials.digest(token), ~Dashboard.deleted)
    ).one_or_none()
    if found is None or (found[0].expires_at is not None and found[0].expires_at <= now):
        raise NotFound(
            "This link does not show anything any more.",
            hint="Ask whoever gave it to you for a new one.",
        )
    return found[0], found[1]


def unlock(link: DashboardShare, password: str) -> None:
    """Raise NotAuthenticated unless the link wants no password, or this one."""
    if link.password_hash and not credentials.password_fits(password, link.password_hash):
        raise NotAuthenticated("This is not the password of the link.", hint="Try again.")


def unshare(session: Session, dashboard_id: int, share_id: int) -> None:
    """Revoke a link. Raises NotFound."""
    row = session.get(DashboardShare, share_id)
    if row is None or row.dashboard_id != dashboard_id:
        raise NotFound(f"There is no link {share_id}.", hint="It may be revoked already.")
    session.delete(row)
