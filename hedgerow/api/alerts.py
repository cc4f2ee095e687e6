"""Alerts: told by mail or webhook when a saved insight, or the fleet, is out of bounds."""

from datetime import datetime
from typing import Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from hedgerow.api.callers import Caller
from hedgerow.api.endpoints import Listing, Page, listing
from hedgerow.errors import InvalidInput
from hedgerow.insights import alert_rules
from hedgerow.insights.alert_rules import Condition, Rule, Threshold, Watched
from hedgerow.insights.fleet.ready_alerts import READY
from hedgerow.meta import alerts, audit, boards
from hedgerow.meta.alerts import Interval, Wish
from hedgerow.meta.tables_alerts import Alert

Checked = list[dict[str, Any]]


class NewAlert(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """An alert to be made, on an insight or by a rule for the fleet."""

    name: str
    insight: int | None = None
    """Number of a saved insight of trends."""

    fleet_rule: str | None = None
    """Instead of an insight: one of the ready-made ones, such as ``version_errs``."""

    condition: Condition = Condition()
    threshold: Threshold = Threshold()
    config: Watched = Watched()
    calculation_interval: Interval = "daily"
    enabled: bool = True
    emails: list[str] = msgspec.field(default_factory=list)
    """Addresses of members of the project."""

    webhook_url: str = ""


class AlertFields(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What changes about an alert."""

    name: str | UnsetType = UNSET
    condition: Condition | UnsetType = UNSET
    threshold: Threshold | UnsetType = UNSET
    config: Watched | UnsetType = UNSET
    calculation_interval: Interval | UnsetType = UNSET
    enabled: bool | UnsetType = UNSET
    emails: list[str] | UnsetType = UNSET
    webhook_url: str | UnsetType = UNSET
    snoozed_until: datetime | UnsetType | None = UNSET
    """With its zone; null: look again."""


class AlertAnswer(msgspec.Struct, kw_only=True):
    """An alert as it is shown."""

    id: int
    name: str
    insight: int | None
    fleet_rule: str | None
    condition: Condition | None
    threshold: Threshold | None
    config: Watched | None
    calculation_interval: str
    enabled: bool
    emails: list[str]
    webhook_url: str
    state: Literal["Firing", "Not firing", "Errored", "Snoozed"]
    last_text: str
    snoozed_until: datetime | None
    last_checked_at: datetime | None
    next_check_at: datetime
    created_by: int | None
    created_at: datetime
    updated_at: datetime
    checks: Checked
    """The last looks, newest first; empty in lists."""


def list_alerts(caller: Caller, _body: None, page: Page) -> Listing:
    """List alerts by name."""
    with caller.parts.metadata.reading() as session:
        rows, total = alerts.alerts(
            session, caller.project.id, limit=page.limit, offset=page.offset
        )
    shown = [_shown(row, caller.now, []) for row in rows]
    return listing(caller.url, page, shown, total=total)


def create_alert(caller: Caller, body: NewAlert, _params: None) -> AlertAnswer:
    """Make an alert; it is looked at within a minute."""
    rule = Rule(condition=body.condition, threshold=body.threshold, config=body.config)
    if (body.insight is None) == (body.fleet_rule is None):
        raise InvalidInput(
            "An alert needs an insight or a rule for the fleet, and not both.",
            hint="Give 'insight' or 'fleet_rule'.",
            attr="insight",
        )
    if body.fleet_rule is not None and body.fleet_rule not in READY:
        raise InvalidInput(
            f"There is no rule {body.fleet_rule!r}.",
            hint=f"Use one of {', '.join(READY)}.",
            attr="fleet_rule",
        )
    wish = Wish(
        name=body.name,
        insight_id=body.insight,
        fleet_rule=body.fleet_rule,
        definition={} if body.insight is None else _definition(caller, body.insight, rule),
        calculation_interval=body.calculation_interval,
        enabled=body.enabled,
        emails=body.emails,
        webhook_url=body.webhook_url,
    )
    with caller.parts.metadata.writing() as session:
        row = alerts.create(
            session, caller.project, wish, caller.now, created_by=caller.user.id
        )
        _note(caller, session, "created", row)
    return _shown(row, caller.now, [])


def read_alert(caller: Caller, _body: None, _params: None, *, alert_id: int) -> AlertAnswer:
    """Show an alert with its last looks."""
    with caller.parts.metadata.reading() as session:
        row = alerts.alert(session, caller.project.id, alert_id)
        looks = alerts.history(session, row.id)
    checks = [
        {
            "at": check.at,
            "state": check.state,
            "value": check.value,
            "text": check.text,
            "told": [
                {"target": one.target, "state": one.state, "error": one.error}
                for one in told
            ],
        }
        for check, told in looks
    ]
    return _shown(row, caller.now, checks)


def change_alert(
    caller: Caller, body: AlertFields, _params: None, *, alert_id: int
) -> AlertAnswer:
    """Change an alert, snooze it, or switch it off."""
    given = {
        name: getattr(body, name)
        for name in body.__struct_fields__
        if getattr(body, name) is not UNSET
    }
    with caller.parts.metadata.reading() as session:
        row = alerts.alert(session, caller.project.id, alert_id)
    parts = {
        name: given.pop(name)
        for name in ("condition", "threshold", "config")
        if name in given
    }
    if parts and row.insight_id is None:
        raise InvalidInput(
            f"The rule {row.fleet_rule!r} has no bounds to change.",
            hint="Make an alert on an insight.",
            attr=next(iter(parts)),
        )
    if parts and row.insight_id is not None:
        rule = msgspec.structs.replace(msgspec.convert(row.definition, Rule), **parts)
        given["definition"] = _definition(caller, row.insight_id, rule)
    snoozed = given.pop("snoozed_until", UNSET)
    if isinstance(snoozed, datetime) and snoozed.tzinfo is None:
        raise InvalidInput(
            f"snoozed_until is {snoozed.isoformat()!r}.",
            hint="Give its zone, such as 2026-03-01T12:00:00Z.",
            attr="snoozed_until",
        )
    with caller.parts.metadata.writing() as session:
        row = alerts.alert(session, caller.project.id, alert_id)
        if given:
            wish = msgspec.structs.replace(alerts.wish_of(row), **given)
            alerts.change(session, caller.project, row, wish, caller.now)
        if snoozed is None:
            alerts.wake(row, caller.now)
        elif snoozed is not UNSET:
            alerts.snooze(row, snoozed)
        _note(caller, session, "changed", row)
    return _shown(row, caller.now, [])


def delete_alert(caller: Caller, _body: None, _params: None, *, alert_id: int) -> None:
    """Delete an alert with its history."""
    with caller.parts.metadata.writing() as session:
        row = alerts.alert(session, caller.project.id, alert_id)
        _note(caller, session, "deleted", row)
        session.delete(row)


def _definition(caller: Caller, insight_id: int, rule: Rule) -> dict[str, Any]:
    """Return a rule as it is kept, once the insight can be asked with it."""
    alert_rules.check(rule)
    with caller.parts.metadata.reading() as session:
        insight = boards.insight(session, caller.project.id, insight_id)
    alert_rules.question(insight.query, rule)
    kept: dict[str, Any] = msgspec.to_builtins(rule)
    return kept


def _note(caller: Caller, session: Any, action: str, row: Alert) -> None:
    by = audit.actor(caller.user, caller.now)
    after = alerts.noted(row)
    subject = ("alert", row.id)
    audit.note(session, by, action, subject, project_id=caller.project.id, after=after)


def _shown(row: Alert, now: datetime, checks: Checked) -> AlertAnswer:
    rule = msgspec.convert(row.definition, Rule) if row.insight_id is not None else None
    same = (
        "id", "name", "fleet_rule", "calculation_interval", "enabled", "emails",
        "webhook_url", "last_text", "snoozed_until", "last_checked_at", "next_check_at",
        "created_by", "created_at", "updated_at",
    )  # fmt: skip
    return AlertAnswer(
        insight=row.insight_id,
        condition=rule.condition if rule else None,
        threshold=rule.threshold if rule else None,
        config=rule.config if rule else None,
        state=alerts.state_of(row, now),
        checks=checks,
        **{name: getattr(row, name) for name in same},
    )
