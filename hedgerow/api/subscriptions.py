"""Subscriptions: an insight or a dashboard, mailed to members of the project when due."""

from datetime import datetime
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from hedgerow.api.callers import Caller
from hedgerow.api.endpoints import Listing, Page, listing
from hedgerow.meta import audit, subscriptions
from hedgerow.meta.recurrences import Frequency, Weekday
from hedgerow.meta.subscriptions import Wish
from hedgerow.meta.tables_subscriptions import Subscription

Delivered = list[dict[str, Any]]


class Which(Page, frozen=True, forbid_unknown_fields=True):
    """Which subscriptions: all, or those of one thing."""

    insight: int | None = None
    dashboard: int | None = None


class NewSubscription(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A subscription to be made, of an insight or of a dashboard."""

    insight: int | None = None
    dashboard: int | None = None
    title: str = ""
    target_type: Literal["email"] = "email"
    target_value: str
    """Addresses of members of the project, with commas between them."""

    frequency: Frequency
    interval: int = 1
    byweekday: list[Weekday] = msgspec.field(default_factory=list)
    bysetpos: int | None = None
    """Of the weekdays of a month only this one: 1 to 4, or -1 for the last."""

    start_date: datetime
    """With its zone; its time of day in the project's zone is that of all."""

    until_date: datetime | None = None
    enabled: bool = True


class SubscriptionFields(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What changes about a subscription."""

    title: str | UnsetType = UNSET
    target_type: Literal["email"] | UnsetType = UNSET
    target_value: str | UnsetType = UNSET
    frequency: Frequency | UnsetType = UNSET
    interval: int | UnsetType = UNSET
    byweekday: list[Weekday] | UnsetType | None = UNSET
    bysetpos: int | UnsetType | None = UNSET
    start_date: datetime | UnsetType = UNSET
    until_date: datetime | UnsetType | None = UNSET
    enabled: bool | UnsetType = UNSET


class SubscriptionAnswer(msgspec.Struct, kw_only=True):
    """A subscription as it is shown."""

    id: int
    insight: int | None
    dashboard: int | None
    title: str
    target_type: Literal["email"]
    target_value: str
    frequency: str
    interval: int
    byweekday: list[str]
    bysetpos: int | None
    start_date: datetime
    until_date: datetime | None
    enabled: bool
    summary: str
    """When it is sent, in words."""

    next_delivery_date: datetime | None
    """Null: it has come to its end."""

    created_by: int | None
    created_at: datetime
    updated_at: datetime
    deliveries: Delivered
    """The last times it was due, newest first, with each mail; empty in lists."""


def list_subscriptions(caller: Caller, _body: None, which: Which) -> Listing:
    """List subscriptions by title."""
    with caller.parts.metadata.reading() as session:
        rows, total = subscriptions.subscriptions(
            session,
            caller.project.id,
            insight_id=which.insight,
            dashboard_id=which.dashboard,
            limit=which.limit,
            offset=which.offset,
        )
    shown = [_shown(caller, row, []) for row in rows]
    return listing(caller.url, which, shown, total=total)


def create_subscription(
    caller: Caller, body: NewSubscription, _params: None
) -> SubscriptionAnswer:
    """Make a subscription; it is mailed at its start, or as soon after as it is due."""
    wish = Wish(
        insight_id=body.insight,
        dashboard_id=body.dashboard,
        emails=_addresses(body.target_value),
        **{name: getattr(body, name) for name in _SAME},
    )
    with caller.parts.metadata.writing() as session:
        row = subscriptions.create(
            session, caller.project, wish, caller.now, created_by=caller.user.id
        )
        _note(caller, session, "created", row)
    return _shown(caller, row, [])


def read_subscription(
    caller: Caller, _body: None, _params: None, *, subscription_id: int
) -> SubscriptionAnswer:
    """Show a subscription with its last deliveries."""
    with caller.parts.metadata.reading() as session:
        row = subscriptions.subscription(session, caller.project.id, subscription_id)
        found = subscriptions.history(session, row.id)
    deliveries = [
        {
            "at": one.at,
            "error": one.trouble,
            "mails": [
                {"target": mail.target, "state": mail.state, "error": mail.error}
                for mail in mails
            ],
        }
        for one, mails in found
    ]
    return _shown(caller, row, deliveries)


def change_subscription(
    caller: Caller, body: SubscriptionFields, _params: None, *, subscription_id: int
) -> SubscriptionAnswer:
    """Change a subscription, pause it, or let it go on."""
    given = {
        name: getattr(body, name)
        for name in body.__struct_fields__
        if getattr(body, name) is not UNSET and name != "target_type"
    }
    if "target_value" in given:
        given["emails"] = _addresses(given.pop("target_value"))
    if "byweekday" in given:
        given["byweekday"] = given["byweekday"] or []
    with caller.parts.metadata.writing() as session:
        row = subscriptions.subscription(session, caller.project.id, subscription_id)
        wish = msgspec.structs.replace(subscriptions.wish_of(row), **given)
        subscriptions.change(session, caller.project, row, wish, caller.now)
        _note(caller, session, "changed", row)
    return _shown(caller, row, [])


def delete_subscription(
    caller: Caller, _body: None, _params: None, *, subscription_id: int
) -> None:
    """Delete a subscription with its history."""
    with caller.parts.metadata.writing() as session:
        row = subscriptions.subscription(session, caller.project.id, subscription_id)
        _note(caller, session, "deleted", row)
        session.delete(row)


def _addresses(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]


def _note(caller: Caller, session: Any, action: str, row: Subscription) -> None:
    by = audit.actor(caller.user, caller.now)
    after = subscriptions.noted(row)
    subject = ("subscription", row.id)
    audit.note(session, by, action, subject, project_id=caller.project.id, after=after)


_SAME = (
    "title", "frequency", "interval", "byweekday", "bysetpos", "start_date", "until_date",
    "enabled",
)  # fmt: skip


def _shown(caller: Caller, row: Subscription, deliveries: Delivered) -> SubscriptionAnswer:
    return SubscriptionAnswer(
        id=row.id,
        insight=row.insight_id,
        dashboard=row.dashboard_id,
        target_type="email",
        target_value=",".join(row.emails),
        summary=f"sent {subscriptions.said(row, caller.project)}",
        next_delivery_date=row.next_delivery_date,
        created_by=row.created_by,
        created_at=row.created_at,
        updated_at=row.updated_at,
        deliveries=deliveries,
        **{name: getattr(row, name) for name in _SAME},
    )
