"""Subscriptions: what is mailed when, the editor, and each time it was sent."""

from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy.orm import Session
from starlette.responses import Response

from hedgerow.errors import HedgerowError, InvalidInput
from hedgerow.meta import alerts, audit, boards, recurrences, subscriptions
from hedgerow.meta.subscriptions import Wish
from hedgerow.meta.tables_subscriptions import Subscription
from hedgerow.web.visits import Visit

FREQUENCIES = (
    ("daily", "days"), ("weekly", "weeks"), ("monthly", "months"), ("yearly", "years"),
)  # fmt: skip
PLACES = (
    ("", "the day of the start, or each of these"), ("1", "the first of these"),
    ("2", "the second"), ("3", "the third"), ("4", "the fourth"), ("-1", "the last"),
)  # fmt: skip
MORNING = time(9)
DONE = {"on": "It is mailed again", "off": "It rests"}


def listing(visit: Visit) -> Response:
    """GET …/subscriptions — all, or those of ``?dashboard=`` or ``?insight=``."""
    with visit.services.metadata.reading() as session:
        insight_id, dashboard_id, subject = _subject(visit, session)
        rows, _ = subscriptions.subscriptions(
            session,
            visit.here.id,
            insight_id=insight_id,
            dashboard_id=dashboard_id,
            limit=1000,
        )
        shown = [(row, *_of(session, row)) for row in rows]
    return visit.render(
        "subscriptions.html",
        here="alerts",
        rows=shown,
        said=lambda row: subscriptions.said(row, visit.here),
        subject=subject,
        of=_query(visit),
    )


def new(visit: Visit) -> Response:
    """GET …/subscriptions/new — of ``?dashboard=`` or ``?insight=``."""
    return _form(visit, None)


def create(visit: Visit) -> Response:
    """POST …/subscriptions"""
    try:
        with visit.services.metadata.writing() as session:
            wish = _wish(visit, session, None)
            row = subscriptions.create(
                session, visit.here, wish, visit.now, created_by=visit.who.id
            )
            _note(visit, session, "created", row)
    except HedgerowError as error:
        return _form(visit, None, error)
    return visit.go(visit.path(f"subscriptions/{row.id}"), notice="Kept")


def page(visit: Visit) -> Response:
    """GET …/subscriptions/{subscription_id} — the editor, and its history."""
    return _form(visit, _row(visit))


def change(visit: Visit) -> Response:
    """POST …/subscriptions/{subscription_id}"""
    found = _row(visit)
    try:
        with visit.services.metadata.writing() as session:
            row = subscriptions.subscription(session, visit.here.id, found.id)
            wish = _wish(visit, session, row)
            subscriptions.change(session, visit.here, row, wish, visit.now)
            _note(visit, session, "changed", row)
    except HedgerowError as error:
        return _form(visit, found, error)
    return visit.go(visit.path(f"subscriptions/{found.id}"), notice="Saved")


def act(visit: Visit) -> Response:
    """POST …/subscriptions/{subscription_id}/act — switch, try out or delete."""
    found, what = _row(visit), visit.text("do")
    if what == "try":
        tried = visit.services.try_subscription(found, visit.who.email)
        return _form(visit, found, tried=tried)
    if what not in {"on", "off", "delete"}:
        raise InvalidInput(
            f"{what!r} cannot be done with a subscription.", hint="Use the page's buttons."
        )
    with visit.services.metadata.writing() as session:
        row = subscriptions.subscription(session, visit.here.id, found.id)
        if what == "delete":
            _note(visit, session, "deleted", row)
            session.delete(row)
            return visit.go(visit.path("subscriptions"), notice="It is mailed no more")
        row.enabled = what == "on"
        row.next_delivery_date = recurrences.following(
            subscriptions.recurrence(row), visit.now, visit.here.timezone
        )
        _note(visit, session, "changed", row)
    return visit.go(visit.path(f"subscriptions/{found.id}"), notice=DONE[what])


def leave(visit: Visit) -> Response:
    """POST …/subscriptions/{subscription_id}/leave — be mailed no more, whatever one's role."""
    found = _row(visit)
    with visit.services.metadata.writing() as session:
        row = subscriptions.subscription(session, visit.here.id, found.id)
        subscriptions.leave(row, visit.who.email)
        _note(visit, session, "changed", row)
    return visit.go(
        visit.path(f"subscriptions/{found.id}"), notice="You are mailed no more"
    )


def _row(visit: Visit) -> Subscription:
    number = int(visit.request.path_params["subscription_id"])
    with visit.services.metadata.reading() as session:
        return subscriptions.subscription(session, visit.here.id, number)


def _subject(visit: Visit, session: Session) -> tuple[int | None, int | None, str]:
    """Return insight, dashboard and name of what the address or the form names."""
    board, short_id = visit.text("dashboard"), visit.text("insight")
    if board:
        number = int(board) if board.isdecimal() and len(board) < 10 else 0
        row = boards.dashboard(session, visit.here.id, number)
        return None, row.id, row.name or "Untitled"
    if short_id:
        insight = boards.insight_of_short_id(session, visit.here.id, short_id)
        return insight.id, None, insight.name or "Untitled"
    return None, None, ""


def _query(visit: Visit) -> str:
    board, short_id = visit.text("dashboard"), visit.text("insight")
    return f"?dashboard={board}" if board else f"?insight={short_id}" if short_id else ""


def _of(session: Session, row: Subscription) -> tuple[str, str]:
    """Return name and path of what is mailed; both empty where it is deleted."""
    try:
        if row.insight_id is not None:
            insight = boards.insight(session, row.project_id, row.insight_id)
            return insight.name or "Untitled", f"insights/{insight.short_id}"
        board = boards.dashboard(session, row.project_id, row.dashboard_id or 0)
    except HedgerowError:
        return "", ""
    return board.name or "Untitled", f"dashboards/{board.id}"


def _form(
    visit: Visit,
    row: Subscription | None,
    error: HedgerowError | None = None,
    *,
    tried: list[tuple[str, str]] | None = None,
) -> Response:
    """Return the editor of a new subscription, or a kept one with its history."""
    with visit.services.metadata.reading() as session:
        subject = _of(session, row) if row else (_subject(visit, session)[2], "")
        history = subscriptions.history(session, row.id) if row else []
        people = alerts.readers(session, visit.here.id)
        choices = _choices(session, visit.here.id) if not subject[0] and not row else []
    return visit.render(
        "subscription.html",
        status=400 if error else 200,
        here="alerts",
        error=error,
        row=row,
        subject=subject,
        said=subscriptions.said(row, visit.here) if row else "",
        history=history,
        people=people,
        choices=choices,
        values=_values(visit, row, sent=error is not None),
        days=recurrences.DAYS,
        frequencies=FREQUENCIES,
        places=PLACES,
        sends_mail=bool(visit.services.settings.smtp_host),
        tried=tried,
    )


def _choices(session: Session, project_id: int) -> list[tuple[str, str]]:
    """Return every dashboard and insight that can be mailed, as the form names them."""
    rows = boards.dashboards(session, project_id, limit=1000)[0]
    found = [(f"dashboard:{one.id}", one.name or "Untitled") for one in rows]
    saved = boards.insights(session, project_id, limit=1000)[0]
    return found + [(f"insight:{one.short_id}", one.name or "Untitled") for one in saved]


def _values(visit: Visit, row: Subscription | None, *, sent: bool) -> dict[str, Any]:
    """Return what stands in the form: as sent, as kept, or as one begins."""
    usual: dict[str, Any] = {
        "title": "", "of": "", "interval": "1", "frequency": "weekly", "byweekday": [],
        "bysetpos": "", "until": "", "start_time": f"{MORNING:%H:%M}",
        "start_day": (visit.local_now + timedelta(days=1)).date().isoformat(),
        "emails": [visit.who.email],
        "dashboard": visit.text("dashboard"), "insight": visit.text("insight"),
    }  # fmt: skip
    if sent:
        told: dict[str, Any] = {name: visit.text(name) for name in visit.form}
        told["emails"] = visit.form.getlist("emails")
        told["byweekday"] = visit.form.getlist("byweekday")
    elif row is None:
        told = {}
    else:
        start = row.start_date.astimezone(visit.zone)
        until = row.until_date.astimezone(visit.zone) if row.until_date else None
        told = {
            "title": row.title, "interval": row.interval, "frequency": row.frequency,
            "byweekday": row.byweekday, "bysetpos": str(row.bysetpos or ""),
            "start_day": f"{start:%Y-%m-%d}", "start_time": f"{start:%H:%M}",
            "until": f"{until:%Y-%m-%d}" if until else "", "emails": row.emails,
        }  # fmt: skip
    return usual | told


def _wish(visit: Visit, session: Session, row: Subscription | None) -> Wish:
    """Return what the form wishes. Raises InvalidInput, NotFound."""
    text = visit.text
    if row is not None:
        insight_id, dashboard_id = row.insight_id, row.dashboard_id
    elif kind_and_key := text("of"):
        kind, _, key = kind_and_key.partition(":")
        insight_id, dashboard_id = _chosen(visit, session, kind, key)
    else:
        insight_id, dashboard_id, _ = _subject(visit, session)
    frequency: Any = text("frequency")
    if frequency not in dict(FREQUENCIES):
        raise _no("frequency", frequency, "Choose one of the list.")
    days: Any = [str(day) for day in visit.form.getlist("byweekday")]
    if unknown := [day for day in days if day not in recurrences.DAYS]:
        raise _no("byweekday", unknown[0], "Choose from the list.")
    place = text("bysetpos")
    if place not in dict(PLACES):
        raise _no("bysetpos", place, "Choose one of the list.")
    takes_days = frequency in {"weekly", "monthly"}
    every = text("interval") or "1"
    until = text("until")
    return Wish(
        title=text("title"),
        insight_id=insight_id,
        dashboard_id=dashboard_id,
        emails=[str(one) for one in visit.form.getlist("emails")],
        frequency=frequency,
        interval=int(every) if every.isdecimal() and len(every) < 6 else 0,
        byweekday=days if takes_days else [],
        bysetpos=int(place) if place and frequency == "monthly" else None,
        start_date=_moment(visit, text("start_day"), text("start_time") or "09:00"),
        until_date=_moment(visit, until, "23:59") if until else None,
        enabled=row.enabled if row else True,
    )


def _chosen(
    visit: Visit, session: Session, kind: str, key: str
) -> tuple[int | None, int | None]:
    if kind == "insight":
        return boards.insight_of_short_id(session, visit.here.id, key).id, None
    return None, int(key) if key.isdecimal() and len(key) < 10 else 0


def _moment(visit: Visit, day: str, clock: str) -> datetime:
    """Return a day and a time of the form in the project's zone. Raises InvalidInput."""
    try:
        at = datetime.combine(date.fromisoformat(day), time.fromisoformat(clock))
    except ValueError as error:
        raise _no(
            "start_date", f"{day} {clock}".strip(), "Choose a day and a time."
        ) from error
    return at.replace(tzinfo=visit.zone)


def _no(name: str, value: str, hint: str) -> InvalidInput:
    return InvalidInput(f"{value!r} cannot be used here.", hint=hint, attr=name)


def _note(visit: Visit, session: Session, action: str, row: Subscription) -> None:
    by = audit.actor(visit.who, visit.now)
    after = subscriptions.noted(row)
    subject = ("subscription", row.id)
    audit.note(session, by, action, subject, project_id=visit.here.id, after=after)
