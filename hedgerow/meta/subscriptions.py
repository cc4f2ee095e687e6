"""Subscriptions as people keep them, each time they were due, and the mails that go out.

As with alerts: that one was due, its mails, and when it is due next are kept in one
transaction, and a mail is claimed before it leaves. One that was claimed when the process
died may have left, so it is never sent again but marked as unclear.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from hedgerow.errors import InvalidInput, NotFound
from hedgerow.meta import boards, outgoing, recurrences
from hedgerow.meta.alerts import KEPT, MOST_EMAILS, may_read
from hedgerow.meta.recurrences import Frequency, Recurrence, Weekday
from hedgerow.meta.tables_subscriptions import (
    Subscription,
    SubscriptionDelivery,
    SubscriptionMessage,
)
from hedgerow.model.projects import Project


class Wish(msgspec.Struct, frozen=True, kw_only=True):
    """A subscription as somebody wishes it."""

    title: str = ""
    insight_id: int | None = None
    dashboard_id: int | None = None
    emails: Sequence[str] = ()
    frequency: Frequency
    interval: int = 1
    byweekday: Sequence[Weekday] = ()
    bysetpos: int | None = None
    start_date: datetime
    until_date: datetime | None = None
    enabled: bool = True


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """What is mailed: the same figures as text and as HTML."""

    subject: str
    text: str
    html: str
    trouble: str = ""
    """Which figures are missing, and why; empty: none."""


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A mail that is due, with what it belongs to."""

    message: SubscriptionMessage
    delivery: SubscriptionDelivery
    row: Subscription


def subscriptions(
    session: Session,
    project_id: int,
    *,
    insight_id: int | None = None,
    dashboard_id: int | None = None,
    limit: int = 100,
    offset: int = 0,
) -> tuple[Sequence[Subscription], int]:
    """Return a project's subscriptions, or those of one thing, and how many there are."""
    wanted = select(Subscription).where(Subscription.project_id == project_id)
    if insight_id is not None:
        wanted = wanted.where(Subscription.insight_id == insight_id)
    if dashboard_id is not None:
        wanted = wanted.where(Subscription.dashboard_id == dashboard_id)
    total = session.scalar(select(func.count()).select_from(wanted.subquery())) or 0
    named = wanted.order_by(Subscription.title, Subscription.id).limit(limit).offset(offset)
    return session.scalars(named).all(), total


def subscription(session: Session, project_id: int, number: int) -> Subscription:
    """Return one subscription. Raises NotFound."""
    row = session.get(Subscription, number)
    if row is None or row.project_id != project_id:
        raise NotFound(
            f"There is no subscription {number} in this project.",
            hint="It may have been deleted.",
        )
    return row


def create(
    session: Session, project: Project, wish: Wish, now: datetime, *, created_by: int | None
) -> Subscription:
    """Keep a new subscription. Raises InvalidInput, NotFound."""
    _check(session, project, wish)
    row = Subscription(
        project_id=project.id,
        insight_id=wish.insight_id,
        dashboard_id=wish.dashboard_id,
        created_by=created_by,
        created_at=now,
        **_changing(project, wish, now),
    )
    session.add(row)
    session.flush()
    return row


def change(
    session: Session, project: Project, row: Subscription, wish: Wish, now: datetime
) -> None:
    """Change a subscription; what was missed while it rested is not caught up on."""
    _check(session, project, wish)
    for name, value in _changing(project, wish, now).items():
        setattr(row, name, value)


def wish_of(row: Subscription) -> Wish:
    """Return a subscription as it stands, to wish for a part of it differently."""
    names: Any = Wish.__struct_fields__
    return Wish(**{name: getattr(row, name) for name in names})


def recurrence(wish: Wish | Subscription) -> Recurrence:
    """Return when a subscription comes back."""
    names: Any = Recurrence.__struct_fields__
    return Recurrence(**{name: getattr(wish, name) for name in names})


def said(row: Subscription, project: Project) -> str:
    """Return when a subscription is sent, in words."""
    return recurrences.said(recurrence(row), project.timezone)


def noted(row: Subscription) -> dict[str, Any]:
    """Return what the audit log keeps of a subscription."""
    kept: dict[str, Any] = msgspec.to_builtins(wish_of(row))
    return kept


def _changing(project: Project, wish: Wish, now: datetime) -> dict[str, Any]:
    kept = {
        name: getattr(wish, name)
        for name in wish.__struct_fields__
        if name not in {"insight_id", "dashboard_id"}
    }
    return {
        **kept,
        "title": wish.title.strip(),
        "emails": list(dict.fromkeys(one.strip().lower() for one in wish.emails)),
        "byweekday": [day for day in recurrences.DAYS if day in wish.byweekday],
        "next_delivery_date": recurrences.following(
            recurrence(wish), now, project.timezone
        ),
        "updated_at": now,
    }


def _check(session: Session, project: Project, wish: Wish) -> None:
    if (wish.insight_id is None) == (wish.dashboard_id is None):
        raise InvalidInput(
            "A subscription is of an insight or of a dashboard, and not of both.",
            hint="Give 'insight' or 'dashboard'.",
            attr="dashboard",
        )
    if wish.insight_id is not None:
        boards.insight(session, project.id, wish.insight_id)
    if wish.dashboard_id is not None:
        boards.dashboard(session, project.id, wish.dashboard_id)
    if len(wish.title.strip()) > boards.NAME_MAX:
        raise InvalidInput(
            f"The title has {len(wish.title)} characters.",
            hint=f"Use at most {boards.NAME_MAX}.",
            attr="title",
        )
    if not 1 <= len(wish.emails) <= MOST_EMAILS:
        raise InvalidInput(
            f"There are {len(wish.emails)} addresses to mail to.",
            hint=f"Give 1 to {MOST_EMAILS}.",
            attr="target_value",
        )
    for address in wish.emails:
        if not may_read(session, project.id, address):
            raise InvalidInput(
                f"{address!r} is nobody of this project.",
                hint="Add them under Settings, Members; figures are mailed to members only.",
                attr="target_value",
            )
    recurrences.check(recurrence(wish), project.timezone)


def leave(row: Subscription, address: str) -> None:
    """Mail no more to ``address``; where nobody is left, mail no more at all."""
    row.emails = [one for one in row.emails if one != address.lower()]
    row.enabled = row.enabled and bool(row.emails)


def due(session: Session, now: datetime) -> Sequence[Subscription]:
    """Return what is to be sent, the longest overdue first."""
    return session.scalars(
        select(Subscription)
        .where(Subscription.enabled, Subscription.next_delivery_date <= now)
        .order_by(Subscription.next_delivery_date, Subscription.id)
    ).all()


def record(
    session: Session, project: Project, seen: Subscription, now: datetime
) -> SubscriptionDelivery | None:
    """Keep that one was due, with its mails; None: it changed meanwhile.

    However long the server was away, what was missed is sent once.
    """
    row = session.get(Subscription, seen.id)
    if row is None or row.next_delivery_date != seen.next_delivery_date or not row.enabled:
        return None
    delivery = SubscriptionDelivery(subscription_id=row.id, at=now)
    session.add(delivery)
    session.flush()
    people = [one for one in row.emails if may_read(session, row.project_id, one)]
    for address in people:
        mail = SubscriptionMessage(delivery_id=delivery.id, target=address, due_at=now)
        session.add(mail)
    if not people:
        delivery.trouble = "Nobody it is mailed to is in the project any more."
    row.next_delivery_date = recurrences.following(recurrence(row), now, project.timezone)
    old = SubscriptionDelivery.subscription_id == row.id
    session.execute(
        delete(SubscriptionDelivery).where(old, SubscriptionDelivery.at < now - KEPT)
    )
    return delivery


def history(
    session: Session, number: int, *, limit: int = 50
) -> list[tuple[SubscriptionDelivery, list[SubscriptionMessage]]]:
    """Return the last times a subscription was due, newest first, each with its mails."""
    found = session.scalars(
        select(SubscriptionDelivery)
        .where(SubscriptionDelivery.subscription_id == number)
        .order_by(SubscriptionDelivery.at.desc(), SubscriptionDelivery.id.desc())
        .limit(limit)
    ).all()
    mails = session.scalars(
        select(SubscriptionMessage)
        .where(SubscriptionMessage.delivery_id.in_([one.id for one in found]))
        .order_by(SubscriptionMessage.id)
    ).all()
    return [(one, [each for each in mails if each.delivery_id == one.id]) for one in found]


def waiting(session: Session, now: datetime) -> Waiting | None:
    """Return the next mail that is due, unclaimed: its figures are asked for first."""
    found = session.execute(
        select(SubscriptionMessage, SubscriptionDelivery, Subscription)
        .join(
            SubscriptionDelivery,
            SubscriptionDelivery.id == SubscriptionMessage.delivery_id,
        )
        .join(Subscription, Subscription.id == SubscriptionDelivery.subscription_id)
        .where(SubscriptionMessage.state == "waiting", SubscriptionMessage.due_at <= now)
        .order_by(SubscriptionMessage.due_at, SubscriptionMessage.id)
        .limit(1)
    ).one_or_none()
    if found is None:
        return None
    message, delivery, row = found
    return Waiting(message=message, delivery=delivery, row=row)


def claim(session: Session, message_id: int, trouble: str) -> bool:
    """Claim a mail that waits: from now on nobody else sends it.

    ``trouble`` is noted with its delivery. False: another was quicker.
    """
    row = session.get(SubscriptionMessage, message_id)
    if row is None or row.state != "waiting":
        return False
    outgoing.claim(row)
    delivery = session.get(SubscriptionDelivery, row.delivery_id)
    if delivery is not None:
        delivery.trouble = trouble[: outgoing.ERROR_MAX]
    return True


def give_up(session: Session, delivery_id: int, why: str) -> None:
    """Note that there is nothing to send: what was subscribed to cannot be shown."""
    delivery = session.get(SubscriptionDelivery, delivery_id)
    if delivery is not None:
        delivery.trouble = why[: outgoing.ERROR_MAX]
    session.execute(
        update(SubscriptionMessage)
        .where(
            SubscriptionMessage.delivery_id == delivery_id,
            SubscriptionMessage.state == "waiting",
        )
        .values(state="failed", error=why[: outgoing.ERROR_MAX])
    )
