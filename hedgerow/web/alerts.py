"""Alerts: what is watched, its state, the editor, and what each look came to."""

from datetime import timedelta
from typing import Any

import msgspec
from sqlalchemy.orm import Session
from starlette.responses import Response

from hedgerow.errors import HedgerowError, InvalidInput
from hedgerow.insights import alert_rules
from hedgerow.insights.alert_rules import (
    Bounds,
    Condition,
    Configuration,
    Rule,
    Threshold,
    Watched,
)
from hedgerow.insights.fleet.ready_alerts import READY
from hedgerow.meta import alerts, audit, boards
from hedgerow.meta.alerts import Wish
from hedgerow.meta.tables_alerts import Alert
from hedgerow.web.visits import Visit

KINDS = (
    ("absolute_value", "The number is outside of these bounds"),
    ("relative_increase", "It rose by more than, from one interval to the next"),
    ("relative_decrease", "It fell by more than, from one interval to the next"),
    ("anomaly", "It is unusual, compared with the 28 before"),
)
INTERVALS = (
    ("hourly", "every hour"),
    ("daily", "every day at 6:00"),
    ("weekly", "on Mondays at 6:00"),
    ("monthly", "on the first of the month at 6:00"),
)
SNOOZES = {"day": timedelta(days=1), "week": timedelta(days=7)}
DONE = {
    "on": "It is watched again",
    "off": "It is not watched any more",
    "wake": "It is watched again",
    "look": "It is looked at within a minute",
}


def listing(visit: Visit) -> Response:
    """GET …/alerts — all of them, those that fire first."""
    with visit.services.metadata.reading() as session:
        rows, _ = alerts.alerts(session, visit.here.id, limit=1000)
        names = {
            one.id: (one.name or "Untitled", one.short_id)
            for one in boards.insights(session, visit.here.id, limit=1000)[0]
        }
    order: dict[str, int] = {alerts.FIRING: 0, alerts.ERRORED: 1}
    rows = sorted(rows, key=lambda row: order.get(row.state, 2) if row.enabled else 3)
    held = {row.fleet_rule for row in rows}
    return visit.render(
        "alerts.html",
        here="alerts",
        rows=rows,
        insights=names,
        state_of=alerts.state_of,
        intervals=dict(INTERVALS),
        ready=[one for key, one in READY.items() if key not in held],
        rules=READY,
    )


def new(visit: Visit) -> Response:
    """GET …/alerts/new — ``?insight=`` names the insight that is watched."""
    return _form(visit, None)


def create(visit: Visit) -> Response:
    """POST …/alerts"""
    try:
        with visit.services.metadata.writing() as session:
            wish = _wish(visit, session, None)
            row = alerts.create(
                session, visit.here, wish, visit.now, created_by=visit.who.id
            )
            _note(visit, session, "created", row)
    except HedgerowError as error:
        return _form(visit, None, error)
    return visit.go(visit.path(f"alerts/{row.id}"), notice="Kept; it is looked at soon")


def set_up_fleet(visit: Visit) -> Response:
    """POST …/alerts/fleet — the ready-made ones that are not here yet, told to oneself."""
    with visit.services.metadata.writing() as session:
        rows, _ = alerts.alerts(session, visit.here.id, limit=1000)
        held = {row.fleet_rule for row in rows}
        for key, ready in READY.items():
            if key in held:
                continue
            wish = Wish(
                name=ready.title,
                fleet_rule=key,
                enabled=ready.on,
                emails=[visit.who.email],
            )
            row = alerts.create(
                session, visit.here, wish, visit.now, created_by=visit.who.id
            )
            _note(visit, session, "created", row)
    return visit.go(visit.path("alerts"), notice="The fleet's alerts are set up")


def page(visit: Visit) -> Response:
    """GET …/alerts/{alert_id} — its state, the editor, and its history."""
    return _form(visit, _row(visit))


def change(visit: Visit) -> Response:
    """POST …/alerts/{alert_id}"""
    found = _row(visit)
    try:
        with visit.services.metadata.writing() as session:
            row = alerts.alert(session, visit.here.id, found.id)
            wish = _wish(visit, session, row)
            alerts.change(session, visit.here, row, wish, visit.now)
            _note(visit, session, "changed", row)
    except HedgerowError as error:
        return _form(visit, found, error)
    return visit.go(visit.path(f"alerts/{found.id}"), notice="Saved")


def act(visit: Visit) -> Response:
    """POST …/alerts/{alert_id}/act — mute, switch, look, try out or delete."""
    found, what = _row(visit), visit.text("do")
    if what == "try":
        return _form(visit, found, tried=visit.services.try_alert(found))
    with visit.services.metadata.writing() as session:
        row = alerts.alert(session, visit.here.id, found.id)
        if what == "delete":
            _note(visit, session, "deleted", row)
            session.delete(row)
            return visit.go(visit.path("alerts"), notice=f"{row.name} is deleted")
        _do(visit, row, what)
        _note(visit, session, "changed", row)
    return visit.go(visit.path(f"alerts/{found.id}"), notice=DONE.get(what, "Muted"))


def _do(visit: Visit, row: Alert, what: str) -> None:
    """Mute an alert, switch it, or look at it soon. Raises InvalidInput."""
    if what == "snooze":
        for_how_long = SNOOZES.get(visit.text("for"), SNOOZES["day"])
        alerts.snooze(row, visit.now + for_how_long)
    elif what == "wake":
        alerts.wake(row, visit.now)
    elif what == "off":
        row.enabled = False
    elif what == "on":
        row.enabled = True
        alerts.begin_anew(row, visit.now)
    elif what == "look":
        row.next_check_at = visit.now
    else:
        raise InvalidInput(
            f"{what!r} cannot be done with an alert.", hint="Use the page's buttons."
        )


def _row(visit: Visit) -> Alert:
    number = int(visit.request.path_params["alert_id"])
    with visit.services.metadata.reading() as session:
        return alerts.alert(session, visit.here.id, number)


def _form(
    visit: Visit,
    row: Alert | None,
    error: HedgerowError | None = None,
    *,
    tried: list[tuple[str, str]] | None = None,
) -> Response:
    """Return the editor of a new alert, or a kept one with its history."""
    settings = visit.services.settings
    with visit.services.metadata.reading() as session:
        history = alerts.history(session, row.id) if row else []
        found = boards.insights(session, visit.here.id, limit=1000)[0]
        people = alerts.readers(session, visit.here.id)
    rule = msgspec.convert(row.definition, Rule) if row and row.insight_id else Rule()
    return visit.render(
        "alert.html",
        status=400 if error else 200,
        here="alerts",
        error=error,
        alert=row,
        state=alerts.state_of(row, visit.now) if row else "",
        ready=READY.get(row.fleet_rule or "") if row else None,
        watched=next((one for one in found if row and one.id == row.insight_id), None),
        history=history,
        insights=[one for one in found if _can_be_watched(one.query)],
        people=people,
        values=_values(visit, row, rule, sent=error is not None),
        kinds=KINDS,
        intervals=INTERVALS,
        sends_mail=bool(settings.smtp_host),
        tried=tried,
    )


def _can_be_watched(query: dict[str, Any]) -> bool:
    try:
        alert_rules.question(query, Rule())
    except InvalidInput:
        return False
    return True


def _values(visit: Visit, row: Alert | None, rule: Rule, *, sent: bool) -> dict[str, Any]:
    """Return what stands in the form: as sent, as kept, or as one begins."""
    if sent:
        told: dict[str, Any] = {name: visit.text(name) for name in visit.form}
        told["emails"] = visit.form.getlist("emails")
    elif row is None:
        told = {"insight": visit.text("insight"), "emails": [visit.who.email]}
    else:
        told = _kept(row, rule)
    usual = {
        "name": "", "insight": "", "kind": "absolute_value", "unit": "absolute",
        "lower": "", "upper": "", "series": "0", "ongoing": "", "every": "daily",
        "webhook_url": "", "emails": [],
    }  # fmt: skip
    return usual | told


def _kept(row: Alert, rule: Rule) -> dict[str, Any]:
    bounds, unit = rule.threshold.configuration.bounds, rule.threshold.configuration.type
    times = 100 if unit == "percentage" else 1
    return {
        "name": row.name,
        "kind": rule.condition.type,
        "unit": unit,
        "lower": "" if bounds.lower is None else f"{bounds.lower * times:g}",
        "upper": "" if bounds.upper is None else f"{bounds.upper * times:g}",
        "series": str(rule.config.series_index),
        "ongoing": "1" if rule.config.check_ongoing_interval else "",
        "every": row.calculation_interval,
        "webhook_url": row.webhook_url,
        "emails": row.emails,
    }


def _wish(visit: Visit, session: Session, row: Alert | None) -> Wish:
    """Return what the form wishes. Raises InvalidInput."""
    text = visit.text
    wish: dict[str, Any] = {
        "name": text("name"),
        "calculation_interval": _one_of(text("every") or "daily", INTERVALS, "interval"),
        "enabled": row.enabled if row else True,
        "emails": [str(one) for one in visit.form.getlist("emails")],
        "webhook_url": text("webhook_url"),
    }
    if row is not None and row.insight_id is None:
        return Wish(fleet_rule=row.fleet_rule, **wish)
    insight = (
        boards.insight(session, visit.here.id, row.insight_id)
        if row is not None and row.insight_id is not None
        else boards.insight_of_short_id(session, visit.here.id, text("insight"))
    )
    rule = _rule(visit)
    alert_rules.check(rule)
    alert_rules.question(insight.query, rule)
    kept = msgspec.to_builtins(rule)
    return Wish(insight_id=insight.id, definition=kept, **wish)


def _rule(visit: Visit) -> Rule:
    text = visit.text
    kind: Any = _one_of(text("kind") or "absolute_value", KINDS, "condition")
    relative = kind in {"relative_increase", "relative_decrease"}
    percent = relative and text("unit") == "percentage"
    bounds = Bounds(
        lower=None if relative or kind == "anomaly" else _number(text("lower"), "lower"),
        upper=_number(text("upper"), "upper", 100 if percent else 1),
    )
    series = text("series") or "0"
    return Rule(
        condition=Condition(type=kind),
        threshold=Threshold(
            configuration=Configuration(
                type="percentage" if percent else "absolute", bounds=bounds
            )
        ),
        config=Watched(
            series_index=int(series) if series.isdecimal() and len(series) < 4 else -1,
            check_ongoing_interval=text("ongoing") == "1",
        ),
    )


def _one_of(value: str, choices: tuple[tuple[str, str], ...], what: str) -> str:
    if value not in dict(choices):
        raise InvalidInput(
            f"There is no {what} {value!r}.", hint="Choose one of the list.", attr=what
        )
    return value


def _number(text: str, name: str, parts: int = 1) -> float | None:
    if not text:
        return None
    try:
        return float(text.replace(",", ".")) / parts
    except ValueError as error:
        raise InvalidInput(
            f"{text!r} is no number.", hint="Write digits such as 12.5.", attr=name
        ) from error


def _note(visit: Visit, session: Session, action: str, row: Alert) -> None:
    by = audit.actor(visit.who, visit.now)
    subject = ("alert", row.id)
    audit.note(
        session, by, action, subject, project_id=visit.here.id, after=alerts.noted(row)
    )
