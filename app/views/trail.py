"""Administration, Audit: who changed what, when and from where, with filters."""

from datetime import UTC, date, datetime, time, timedelta

from flask import Blueprint, current_app, render_template, request

from app import audit
from app.audit import Asked
from app.tracking.days import zone
from app.views import context, forms
from app.views.context import db

blueprint = Blueprint("audit", __name__, url_prefix="/admin/audit")

FIELDS = ("who", "about", "q", "from", "to")
"""Of the filter, as the address has them."""


def _asked() -> Asked:
    """Return the filter that the address holds; days are those of who reads."""
    given = request.args
    return Asked(
        actor_id=forms.number_or_none("who", given),
        about=given.get("about", ""),
        text=given.get("q", ""),
        since=_midnight(given.get("from", ""), 0),
        until=_midnight(given.get("to", ""), 1),
        before=forms.number_or_none("before", given),
    )


def _midnight(text: str, days_later: int) -> datetime | None:
    try:
        chosen = date.fromisoformat(text) + timedelta(days=days_later)
    except (ValueError, OverflowError):
        return None
    where = zone(context.user().timezone)
    return datetime.combine(chosen, time(), where).astimezone(UTC)


@blueprint.get("")
def index() -> str:
    """Show a page of the trail, the newest first."""
    context.demand("administer")
    asked = _asked()
    lines = audit.read(db(), asked, most=audit.PER_PAGE + 1)
    people = audit.actors(db())
    more = len(lines) > audit.PER_PAGE
    return render_template(
        "audit.html",
        lines=lines[: audit.PER_PAGE],
        older=lines[audit.PER_PAGE - 1].id if more else None,
        names={person.id: person.display_name for person in people},
        people=people,
        subjects=audit.subjects(db()),
        asked=asked,
        given={key: request.args.get(key, "") for key in FIELDS},
        days=current_app.config["AUDIT_RETENTION_DAYS"],
    )
