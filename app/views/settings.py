"""Administration, Settings: the rules of this installation, and which of them are fixed.

What the environment has set is shown as it is, with the name of its variable; the rest
can be changed here and counts from the next request on. Everything else an operator can
set stands below, so that nobody has to log in to the server to read it.
"""

from http import HTTPStatus
from typing import Any
from zoneinfo import available_timezones

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app import settings as rules
from app.audit import Object, record
from app.config import STEPS, VARIABLES
from app.errors import TimeTrackerError
from app.languages import gettext as _
from app.languages import ngettext
from app.telemetry.send import track_event
from app.variables import BOOLEAN
from app.views import context, forms
from app.views.context import commit, db, now
from app.views.pages import STATUS

blueprint = Blueprint("admin", __name__, url_prefix="/admin")

HERE = tuple(name for name in rules.CHANGEABLE if name != "LOCK_BEFORE")
"""What this page changes; the lock date has a page of its own."""


@blueprint.get("/settings")
def settings() -> str:
    """Show the rules in force."""
    context.demand("administer")
    return _page(None)


def _page(error: TimeTrackerError | None) -> str:
    config = current_app.config
    return render_template(
        "settings.html",
        values={**rules.values(db(), config), **(_typed() if error else {})},
        fixed=config["SET_IN_ENVIRONMENT"],
        error=error,
        zones=sorted(available_timezones()),
        steps=[(n, ngettext("%(n)s minute", "%(n)s minutes", n)) for n in STEPS if n],
        others=_others(),
    )


def _typed() -> dict[str, Any]:
    """Return what was typed, so that one wrong field does not lose the others."""
    ticks = {name for name in HERE if VARIABLES[name].metadata["kind"] is BOOLEAN}
    return {**forms.kept(), **{name: forms.ticked(name) for name in ticks}}


def _others() -> list[dict[str, Any]]:
    """Return the variables that only the environment sets; secrets without their value."""
    config = current_app.config
    return [
        {
            "name": name,
            "secret": field.metadata["kind"].secret,
            "value": _shown(config[name]),
            "note": field.metadata["note"],
            "is_set": name in config["SET_IN_ENVIRONMENT"],
        }
        for name, field in VARIABLES.items()
        if name not in rules.CHANGEABLE
    ]


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, tuple):
        return ", ".join(str(part) for part in value)
    return str(value)


@blueprint.post("/settings")
def save() -> Response | tuple[str, int]:
    """Keep the rules that were changed."""
    admin = context.demand("administer")
    config = current_app.config
    before = rules.values(db(), config)
    try:
        changed = rules.save(db(), config, _given())
    except TimeTrackerError as error:
        db().rollback()
        return _page(error), STATUS.get(error.code, 422)
    if changed:
        db().flush()
        after = rules.values(db(), config)
        record(
            db(), context.actor(), "settings.changed", now(), on=Object(type="settings"),
            changes={name: (before[name], after[name]) for name in changed},
        )  # fmt: skip
    commit()
    if changed:
        track_event(admin.id, "admin.settings_updated", {"fields": sorted(changed)})
    context.say(_("Saved") if changed else _("Nothing was changed"))
    return redirect(url_for("admin.settings"), code=HTTPStatus.SEE_OTHER)


def _given() -> dict[str, Any]:
    """Return what the form says of every rule that is not fixed by the environment."""
    fixed = current_app.config["SET_IN_ENVIRONMENT"]
    given = {}
    for name in HERE:
        if name in fixed:
            continue
        if VARIABLES[name].metadata["kind"] is BOOLEAN:
            given[name] = forms.ticked(name)
        elif name in request.form:
            given[name] = rules.read(name, forms.text(name))
    return given
