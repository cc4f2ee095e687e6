"""My own page: zone, formats, target, shortcuts, privacy, sessions, password. And the palette."""

from http import HTTPStatus
from zoneinfo import available_timezones

from flask import (
    Blueprint,
    current_app,
    redirect,
    render_template,
    request,
    stream_with_context,
    url_for,
)
from flask import Response as FileResponse
from sqlalchemy import select
from werkzeug.wrappers import Response

from app import languages
from app.audit import record
from app.errors import InvalidInput, TimeTrackerError, said
from app.languages import gettext as _
from app.models.people import User, UserSession
from app.people import accounts, own_data, roles, sessions
from app.telemetry.context import browser
from app.telemetry.send import track_event
from app.tracking import durations, suggestions
from app.views import context, forms
from app.views.context import browser_session, commit, db, now
from app.views.pages import STATUS
from app.views.words import has

blueprint = Blueprint("profile", __name__, url_prefix="/profile")

SCREENS = (
    ("dashboard.today", "home", "Dashboard", "dashboard"),
    ("day.show", "clock", "Day", "day"),
    ("week.show", "week", "Week", "week"),
    ("entries.index", "list", "Entries", "entries"),
    ("reports.show", "report", "Reports", "reports"),
    ("projects.index", "folder", "Projects", "projects"),
    ("clients.index", "users", "Clients", ""),
    ("tasks.index", "check", "Tasks", ""),
    ("tags.index", "tag", "Tags", ""),
    ("imports.index", "upload", "Import", ""),
    ("entries.thrown", "trash", "Trash", ""),
    ("profile.show", "person", "Profile", ""),
)
"""Endpoint, icon, name, and the word that ``g`` and a letter go to."""

ADMIN_SCREENS = (
    ("users.index", "person", "Users", ""),
    ("admin.settings", "gear", "Settings", ""),
    ("lock.show", "lock", "Lock date", ""),
    ("privacy.show", "shield", "Privacy & analytics", ""),
    ("audit.index", "audit", "Audit", ""),
    ("system.page", "server", "System", ""),
)
"""The same, for administrators."""


@blueprint.get("")
def show() -> str:
    """Show what a person can choose for themselves."""
    return _page(None)


def _page(error: TimeTrackerError | None) -> str:
    person = context.user()
    rows = select(UserSession).where(
        UserSession.user_id == person.id, UserSession.expires_at > now()
    )
    row = browser_session().row
    return render_template(
        "profile.html",
        person=person,
        zones=sorted(available_timezones()),
        languages=languages.available(),
        sessions=list(db().scalars(rows.order_by(UserSession.last_seen_at.desc()))),
        this=row.id if row else "",
        browser=browser,
        error=error,
    )


@blueprint.post("")
def save() -> Response | tuple[str, int]:
    """Keep the choices."""
    person = context.user()
    try:
        _set(person)
    except TimeTrackerError as error:
        db().rollback()
        return _page(error), STATUS.get(error.code, 422)
    commit()
    context.say(_("Saved"))
    return redirect(url_for("profile.show"), code=HTTPStatus.SEE_OTHER)


def _set(person: User) -> None:
    name, where = forms.text("display_name"), forms.text("timezone")
    if where not in available_timezones():
        raise InvalidInput(
            said("There is no zone %(where)r.", where=where[:40]), attr="timezone"
        )
    target = forms.text("target")
    if forms.text("locale") in dict(languages.available()):
        person.locale = forms.text("locale")
    person.display_name = name[:200] or person.username
    person.timezone = where
    person.week_start = _among("week_start", (0, 1, 6))
    person.time_format = _among("time_format", (12, 24))
    person.duration_format = (
        "decimal" if forms.text("duration_format") == "decimal" else "h:mm"
    )
    person.theme = (
        forms.text("theme") if forms.text("theme") in {"light", "dark"} else "system"
    )
    person.weekly_target_minutes = durations.seconds(target) // 60 if target else None
    person.shortcuts_enabled = forms.ticked("shortcuts_enabled")
    person.analytics_opt_out = forms.ticked("analytics_opt_out")


def _among(name: str, allowed: tuple[int, ...]) -> int:
    value = forms.number_or_none(name)
    return value if value in allowed else allowed[1]


@blueprint.post("/password")
def password() -> Response | tuple[str, int]:
    """Change the password; it ends all other sessions."""
    person = context.user()
    form = request.form
    try:
        if not accounts.password_fits(person, form.get("password_now", "")):
            raise InvalidInput("That is not your present password.", attr="password_now")  # noqa: TRY301 - one place shows what is wrong
        if form.get("password", "") != form.get("password_again", ""):
            raise InvalidInput("The two passwords differ.", attr="password_again")  # noqa: TRY301 - as above
        least = current_app.config["PASSWORD_MIN_LENGTH"]
        accounts.set_password(person, form.get("password", ""), least=least)
    except InvalidInput as error:
        db().rollback()
        return _page(error), 422
    row = browser_session().row
    sessions.revoke_others(db(), person, row.id if row else None)
    record(db(), context.actor(), "auth.password_changed", now())
    commit()
    track_event(person.id, "auth.password_changed", {})
    context.say(_("Password changed; other sessions have ended"))
    return redirect(url_for("profile.show"), code=HTTPStatus.SEE_OTHER)


@blueprint.post("/sessions/<string:row>/end")
def end_session(row: str) -> Response:
    """End one of my other sessions."""
    person = context.user()
    found = db().get(UserSession, row)
    if found is not None and found.user_id == person.id:
        sessions.revoke(db(), [row])
        record(db(), context.actor(), "session.revoked", now())
        commit()
    return redirect(url_for("profile.show"), code=HTTPStatus.SEE_OTHER)


@blueprint.get("/my-data.json")
def own_data_file() -> Response:
    """Give everything that is known of whoever asks, as one file."""
    person = context.user()
    if not current_app.config["READ_ONLY"]:
        with context.database().writing() as writing:
            changes = {"dataset": (None, "own data")}
            record(writing, context.actor(), "export", now(), changes=changes)
    name = f"timetracker-{person.username}-{now():%Y-%m-%d}.json"
    quoted = "".join(
        c if c.isascii() and (c.isalnum() or c in "-._") else "_" for c in name
    )
    return FileResponse(
        stream_with_context(own_data.pieces(db(), person, now())),
        mimetype="application/json",
        headers={"Content-Disposition": f'attachment; filename="{quoted}"'},
    )


@blueprint.get("/more")
def more() -> str:
    """Show, on a phone, what the menu has beyond the dock."""
    context.user()
    return render_template("more.html", screens=_screens(""))


def _screens(text: str) -> list[tuple[str, str, str, str]]:
    wanted = text.strip().casefold()
    admin = roles.may(context.user(), "administer", context.settings())
    return [
        (url_for(endpoint), symbol, _(name), word)
        for endpoint, symbol, name, word in (*SCREENS, *(ADMIN_SCREENS if admin else ()))
        if _offered(endpoint) and wanted in _(name).casefold()
    ]


def _offered(endpoint: str) -> bool:
    """Return whether this installation has a screen, and this person may use it."""
    if endpoint == "imports.index" and not (
        current_app.config["ENABLE_IMPORTS"]
        and roles.may(context.user(), "import.own", context.settings())
    ):
        return False
    return has(endpoint)


@blueprint.get("/palette")
def palette() -> str:
    """Return what can be gone to or started by name."""
    person = context.user()
    text = request.args.get("q", "")
    name = "_palette_list.html" if request.args.get("list") else "_palette.html"
    return render_template(
        name,
        screens=_screens(text),
        works=suggestions.by_text(db(), person, text),
        projects=suggestions.to_choose(db(), person, text, limit=8),
        text=text,
    )
