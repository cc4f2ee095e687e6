"""Alerts as people keep them, what each look came to, and the messages that go out.

A look, its change of state and its messages are kept in one transaction, together with
when to look next: a restart neither forgets nor repeats one. A message is claimed before it
leaves; one that was claimed when the process died may have left, so it is never sent again
but marked as unclear.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy import delete, func, or_, select
from sqlalchemy.orm import Session

from hedgerow.errors import InvalidInput, NotFound
from hedgerow.meta import accounts, credentials, outgoing
from hedgerow.meta.tables import User
from hedgerow.meta.tables_alerts import Alert, AlertCheck, AlertMessage
from hedgerow.model.projects import Project

Interval = Literal["hourly", "daily", "weekly", "monthly"]

State = Literal["Firing", "Not firing", "Errored"]

FIRING: State = "Firing"
QUIET: State = "Not firing"
ERRORED: State = "Errored"

AT_HOUR = 6
"""Of the project's time: when the day's looks are taken."""

AFTER_THE_HOUR = timedelta(minutes=5)
"""An hourly look waits so long for the last events of the hour."""

KEPT = timedelta(days=90)
"""How long a look is kept, and with it its messages."""

MOST_EMAILS = 20


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """An alert as somebody wishes it; its rule has been checked."""

    name: str
    insight_id: int | None = None
    fleet_rule: str | None = None
    definition: Mapping[str, Any] = {}
    calculation_interval: Interval = "daily"
    enabled: bool = True
    emails: Sequence[str] = ()
    webhook_url: str = ""


class Look(msgspec.Struct, frozen=True, kw_only=True):
    """What a look came to."""

    state: State
    value: float | None
    text: str


class Leaving(msgspec.Struct, frozen=True, kw_only=True):
    """A claimed message with what it tells."""

    message: AlertMessage
    check: AlertCheck
    alert: Alert


def alerts(
    session: Session, project_id: int, *, limit: int = 100, offset: int = 0
) -> tuple[Sequence[Alert], int]:
    """Return a project's alerts by name, and how many there are in all."""
    wanted = select(Alert).where(Alert.project_id == project_id)
    total = session.scalar(select(func.count()).select_from(wanted.subquery())) or 0
    named = wanted.order_by(Alert.name, Alert.id).limit(limit).offset(offset)
    return session.scalars(named).all(), total


def alert(session: Session, project_id: int, alert_id: int) -> Alert:
    """Return one alert. Raises NotFound."""
    row = session.get(Alert, alert_id)
    if row is None or row.project_id != project_id:
        raise NotFound(
            f"There is no alert {alert_id} in this project.",
            hint="It may have been deleted.",
        )
    return row


def create(
    session: Session, project: Project, wish: Wish, now: datetime, *, created_by: int | None
) -> Alert:
    """Keep a new alert; it is looked at for the first time at once. Raises InvalidInput."""
    _check(session, project, wish)
    row = Alert(
        project_id=project.id,
        insight_id=wish.insight_id,
        fleet_rule=wish.fleet_rule,
        webhook_secret=credentials.link_token(),
        state=QUIET,
        last_text="",
        next_check_at=now,
        created_by=created_by,
        created_at=now,
        **_changing(wish, now),
    )
    session.add(row)
    session.flush()
    return row


def change(
    session: Session, project: Project, row: Alert, wish: Wish, now: datetime
) -> None:
    """Change an alert; another rule is looked at anew. Raises InvalidInput."""
    _check(session, project, wish)
    anew = row.definition != wish.definition or (wish.enabled and not row.enabled)
    for name, value in _changing(wish, now).items():
        setattr(row, name, value)
    if anew:
        begin_anew(row, now)
    else:
        row.next_check_at = next_check(wish.calculation_interval, now, project.timezone)


def begin_anew(row: Alert, now: datetime) -> None:
    """Forget what was seen and look at once: what fires then is told."""
    row.state, row.last_text, row.next_check_at = QUIET, "", now


def wish_of(row: Alert) -> Wish:
    """Return an alert as it stands, to wish for a part of it differently."""
    names: Any = Wish.__struct_fields__
    return Wish(**{name: getattr(row, name) for name in names})


def noted(row: Alert) -> dict[str, Any]:
    """Return what the audit log keeps of an alert."""
    return {**msgspec.to_builtins(wish_of(row)), "snoozed_until": row.snoozed_until}


def state_of(row: Alert, now: datetime) -> Any:
    """Return the state as it is shown: a snoozed alert says so."""
    return "Snoozed" if row.snoozed_until and row.snoozed_until > now else row.state


def _changing(wish: Wish, now: datetime) -> dict[str, Any]:
    return {
        "name": wish.name.strip(),
        "definition": dict(wish.definition),
        "calculation_interval": wish.calculation_interval,
        "enabled": wish.enabled,
        "emails": list(dict.fromkeys(one.strip().lower() for one in wish.emails)),
        "webhook_url": wish.webhook_url.strip(),
        "updated_at": now,
    }


def snooze(row: Alert, until: datetime) -> None:
    """Look no more until then; what still fires afterwards is told anew."""
    row.snoozed_until, row.state = until, QUIET


def wake(row: Alert, now: datetime) -> None:
    """Mute no longer, and look at once."""
    row.snoozed_until, row.state, row.next_check_at = None, QUIET, now


def _check(session: Session, project: Project, wish: Wish) -> None:
    if not 1 <= len(wish.name.strip()) <= 400:
        raise InvalidInput(
            f"The name has {len(wish.name)} characters.", hint="Use 1 to 400.", attr="name"
        )
    if len(wish.emails) > MOST_EMAILS:
        raise InvalidInput(
            f"{len(wish.emails)} addresses are too many.",
            hint=f"Use at most {MOST_EMAILS}.",
            attr="emails",
        )
    for address in wish.emails:
        if not may_read(session, project.id, address):
            raise InvalidInput(
                f"{address!r} is nobody of this project.",
                hint="Add them under Settings, Members; alerts are told to members only.",
                attr="emails",
            )
    try:
        parts = urlsplit(wish.webhook_url.strip())
        usable = parts.scheme in {"http", "https"} and bool(parts.hostname)
        usable = usable and not (parts.username or parts.password) and parts.port != 0
    except ValueError:
        usable = False
    if wish.webhook_url.strip() and not usable:
        raise InvalidInput(
            f"{wish.webhook_url[:200]!r} is no address for a webhook.",
            hint="Write https://…, without a name or password in it.",
            attr="webhook_url",
        )


def may_read(session: Session, project_id: int, address: str) -> bool:
    """Return whether an address belongs to somebody who may see the project."""
    user: User | None = accounts.user_by_email(session, address)
    return (
        user is not None
        and user.is_active
        and accounts.role_of(session, user, project_id) is not None
    )


def readers(session: Session, project_id: int) -> list[str]:
    """Return the addresses that may be told about a project, in order."""
    found = {user.email for user, _ in accounts.members(session, project_id)}
    found |= {user.email for user in accounts.users(session) if user.is_admin}
    return sorted(one for one in found if may_read(session, project_id, one))


def next_check(interval: str, now: datetime, timezone: str) -> datetime:
    """Return when to look next: after the hour, or at six in the project's morning."""
    if interval == "hourly":
        hour = now.replace(minute=0, second=0, microsecond=0)
        return (
            hour
            + AFTER_THE_HOUR
            + (timedelta(hours=1) if now >= hour + AFTER_THE_HOUR else timedelta())
        )
    local = now.astimezone(ZoneInfo(timezone))
    morning = local.replace(hour=AT_HOUR, minute=0, second=0, microsecond=0)
    days = 0 if morning > local else 1
    while not _is_day(interval, morning + timedelta(days=days)):
        days += 1
    return morning + timedelta(days=days)


def _is_day(interval: str, day: datetime) -> bool:
    if interval == "weekly":
        return day.weekday() == 0
    return day.day == 1 if interval == "monthly" else True


def due(session: Session, now: datetime) -> Sequence[Alert]:
    """Return the alerts to look at, the longest overdue first."""
    return session.scalars(
        select(Alert)
        .where(
            Alert.enabled,
            Alert.next_check_at <= now,
            or_(Alert.snoozed_until.is_(None), Alert.snoozed_until <= now),
        )
        .order_by(Alert.next_check_at, Alert.id)
    ).all()


def record(
    session: Session, project: Project, seen: Alert, look: Look, now: datetime
) -> AlertCheck | None:
    """Keep a look and, where the state changed, messages; None: it changed meanwhile."""
    row = session.get(Alert, seen.id)
    if row is None or row.next_check_at != seen.next_check_at or not row.enabled:
        return None
    check = AlertCheck(
        alert_id=row.id, at=now, state=look.state, value=look.value, text=look.text
    )
    session.add(check)
    session.flush()
    if look.state != row.state:
        for channel, target in targets(session, row):
            session.add(
                AlertMessage(check_id=check.id, channel=channel, target=target, due_at=now)
            )
    row.state, row.last_text, row.last_checked_at = look.state, look.text, now
    row.snoozed_until = None
    row.next_check_at = next_check(row.calculation_interval, now, project.timezone)
    session.execute(
        delete(AlertCheck).where(AlertCheck.alert_id == row.id, AlertCheck.at < now - KEPT)
    )
    return check


def targets(session: Session, row: Alert) -> list[tuple[str, str]]:
    """Return who is told now: members of today, and the webhook."""
    people = [one for one in row.emails if may_read(session, row.project_id, one)]
    hook = [("webhook", row.webhook_url)] if row.webhook_url else []
    return [*(("mail", one) for one in people), *hook]


def history(
    session: Session, alert_id: int, *, limit: int = 50
) -> list[tuple[AlertCheck, list[AlertMessage]]]:
    """Return the last looks of an alert, newest first, each with its messages."""
    checks = session.scalars(
        select(AlertCheck)
        .where(AlertCheck.alert_id == alert_id)
        .order_by(AlertCheck.at.desc(), AlertCheck.id.desc())
        .limit(limit)
    ).all()
    told = session.scalars(
        select(AlertMessage)
        .where(AlertMessage.check_id.in_([one.id for one in checks]))
        .order_by(AlertMessage.id)
    ).all()
    return [(one, [each for each in told if each.check_id == one.id]) for one in checks]


def claim(session: Session, now: datetime) -> Leaving | None:
    """Claim the next message that is due: from now on nobody else sends it."""
    found = session.execute(
        select(AlertMessage, AlertCheck, Alert)
        .join(AlertCheck, AlertCheck.id == AlertMessage.check_id)
        .join(Alert, Alert.id == AlertCheck.alert_id)
        .where(AlertMessage.state == "waiting", AlertMessage.due_at <= now)
        .order_by(AlertMessage.due_at, AlertMessage.id)
        .limit(1)
    ).one_or_none()
    if found is None:
        return None
    message, check, row = found
    outgoing.claim(message)
    return Leaving(message=message, check=check, alert=row)
