"""My API tokens: made, shown once, revoked. Not there where the API is switched off."""

from datetime import datetime, timedelta
from http import HTTPStatus

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app.audit import Object, record
from app.errors import InvalidInput, NotFound, TimeTrackerError, said
from app.languages import gettext as _
from app.models.people import ApiToken, User
from app.people import tokens
from app.people.tokens import SCOPES, Made
from app.telemetry.send import track_event
from app.views import context, forms
from app.views.context import commit, db, now
from app.views.pages import STATUS

blueprint = Blueprint("api_tokens", __name__, url_prefix="/profile/tokens")

LIVES = (7, 30, 90, 365, 0)
"""Days offered for the life of a token; 0 is for ever."""


@blueprint.before_request
def _is_there() -> None:
    if not current_app.config["ENABLE_API"]:
        raise NotFound("There is nothing at this address.", hint="The API is switched off.")


def _lives() -> list[int]:
    """Return the lives an operator allows, the default among them."""
    usual, most = (
        current_app.config["API_TOKEN_DEFAULT_DAYS"],
        current_app.config["API_TOKEN_MAX_DAYS"],
    )
    offered = {*LIVES, min(usual, most) if most and usual else usual or most}
    if most:
        offered = {days for days in offered if 0 < days <= most} | {most}
    return sorted(offered, key=lambda days: days or 10**9)


def _scope_words() -> list[tuple[str, str]]:
    words = {
        "read": _("See entries, projects and lists"),
        "time:write": _("Run the timer; make, change and delete entries"),
        "manage:write": _("Change clients, projects, tasks, tags and rates"),
        "reports": _("Ask reports and download exports"),
        "admin": _("Users, settings, audit and telemetry"),
    }
    person = context.user()
    return [(s, words[s]) for s in SCOPES if s != "admin" or person.is_admin]


def _page(*, made: Made | None = None, error: TimeTrackerError | None = None) -> str:
    person = context.user()
    usual = current_app.config["API_TOKEN_DEFAULT_DAYS"]
    typed = forms.kept() if error is not None else {}
    return render_template(
        "tokens.html",
        listed=tokens.of_user(db(), person),
        now=now(),
        made=made,
        error=error,
        typed=typed,
        scopes=_scope_words(),
        chosen=request.form.getlist("scope") if error is not None else ["read"],
        lives=_lives(),
        life=int(typed.get("days") or 0) if error is not None else usual,
    )


@blueprint.get("")
def index() -> str:
    """List my tokens."""
    return _page()


@blueprint.post("")
def make() -> str | tuple[str, int]:
    """Make a token and show it this once."""
    person = context.user()
    try:
        made = tokens.make(
            db(),
            person,
            forms.text("name"),
            request.form.getlist("scope"),
            expires_at=_end(),
        )
    except TimeTrackerError as error:
        db().rollback()
        return _page(error=error), STATUS.get(error.code, 422)
    _noted("api_token.created", made.token)
    commit()
    _told("api_token.created", person, made.token)
    return _page(made=made)


def _end() -> datetime | None:
    days = forms.number_or_none("days") or 0
    if days not in _lives():
        raise InvalidInput(
            said("A token cannot live %(days)s days here.", days=days),
            hint="Choose one of the lives offered.",
            attr="days",
        )
    return now() + timedelta(days=days) if days else None


@blueprint.post("/<int:number>/revoke")
def revoke(number: int) -> Response:
    """End a token at once."""
    person = context.user()
    token = tokens.revoke(db(), person, number, now())
    _noted("api_token.revoked", token)
    commit()
    _told("api_token.revoked", person, token)
    context.say(_("%(name)s is revoked", name=token.name))
    return redirect(url_for("api_tokens.index"), code=HTTPStatus.SEE_OTHER)


def _noted(action: str, token: ApiToken) -> None:
    target = Object(type="api_token", id=token.id, label=token.name)
    scopes = {"scopes": (None, ", ".join(token.scopes))}
    record(db(), context.actor(), action, now(), on=target, changes=scopes)


def _told(name: str, person: User, token: ApiToken) -> None:
    own = {"scopes": list(token.scopes), "expires": token.expires_at is not None}
    track_event(person.id, name, own)
