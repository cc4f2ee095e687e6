"""Settings: the project, its members, API keys, how events come in, who changed what."""

from typing import Any

from starlette.responses import Response

from hedgerow.errors import HedgerowError, InvalidInput
from hedgerow.insights import listings
from hedgerow.meta import access, accounts, audit, projects
from hedgerow.meta.access import KeyRequest
from hedgerow.meta.accounts import ROLES
from hedgerow.meta.projects import ProjectFields
from hedgerow.web import ranges, vocabulary
from hedgerow.web.people import run
from hedgerow.web.visits import Visit

TABS = (
    ("", "Project"),
    ("members", "Members"),
    ("keys", "API keys"),
    ("privacy", "Privacy"),
    ("fleet", "Fleet"),
    ("signon", "Sign-on"),
    ("ingestion", "Ingestion"),
    ("system", "System"),
    ("log", "Changes"),
)
SCOPES = (
    ("query:read", "Ask questions"),
    ("*", "Everything you may"),
)


def render(visit: Visit, tab: str, template: str, **values: Any) -> Response:
    """Return one tab of the settings."""
    return visit.render(template, here="settings", tabs=TABS, tab=tab, **values)


def project(visit: Visit) -> Response:
    """GET …/settings"""
    return _project(visit)


def _project(visit: Visit, error: HedgerowError | None = None) -> Response:
    filters = visit.here.test_account_filters
    return render(
        visit,
        "",
        "settings_project.html",
        error=error,
        filters=[ranges.said(one) for one in filters],
        operators=ranges.OPERATORS,
        display=", ".join(visit.here.person_display_properties),
    )


def change(visit: Visit) -> Response:
    """POST …/settings — name, time zone, week, display, internal users."""
    text, form = visit.text, visit.form
    fields: dict[str, Any] = {}
    if "name" in form:
        fields = {
            "name": text("name"),
            "timezone": text("timezone"),
            "week_start_day": int(text("week_start_day") or 0),
            "person_display_properties": [
                part.strip() for part in text("display").split(",") if part.strip()
            ],
        }
    filters = list(visit.here.test_account_filters)
    if text("f_key"):
        filters.append(
            ranges.made(text("f_key"), text("f_scope"), text("f_operator"), text("f_value"))
        )
        fields["test_account_filters"] = filters
    if text("drop").isdecimal():
        filters.pop(int(text("drop")))
        fields["test_account_filters"] = filters
    try:
        with visit.services.metadata.writing() as session:
            before = projects.plain(projects.by_id(session, visit.here.id))
            row = projects.change(session, visit.here.id, ProjectFields(**fields))
            _note(
                visit,
                session,
                "changed",
                ("project", row.id),
                before={name: getattr(before, name) for name in fields},
                after=fields,
            )
    except HedgerowError as error:
        return _project(visit, error)
    visit.services.directory.refresh()
    return visit.go(visit.path("settings"), notice="Saved")


def rotate(visit: Visit) -> Response:
    """POST …/settings/token — a new project token; the old one lets nothing in any more."""
    with visit.services.metadata.writing() as session:
        projects.rotate_token(session, visit.here.id)
        _note(visit, session, "rotated", ("project token", visit.here.id))
    visit.services.directory.refresh()
    return visit.go(visit.path("settings"), notice="There is a new token")


def delete(visit: Visit) -> Response:
    """POST …/settings/delete — the project, all its events and all that was saved in it."""
    if visit.text("confirm") != visit.here.name:
        raise InvalidInput(
            f"{visit.text('confirm')!r} is not the name of this project.",
            hint="Type the name to delete it; this cannot be undone.",
            attr="confirm",
        )
    number, name = visit.here.id, visit.here.name
    visit.services.command(number, {"do": "delete_project"})
    with visit.services.metadata.writing() as session:
        projects.remove(session, number)
        by = audit.actor(visit.who, visit.now)
        audit.note(session, by, "deleted", ("project", number), before={"name": name})
    visit.services.directory.refresh()
    return visit.go("/", notice=f"{name} is deleted")


def members(visit: Visit) -> Response:
    """GET …/settings/members"""
    return _members(visit)


def _members(
    visit: Visit, *, link: str = "", error: HedgerowError | None = None
) -> Response:
    with visit.services.metadata.reading() as session:
        found = accounts.members(session, visit.here.id)
        administrators = [user for user in accounts.users(session) if user.is_admin]
    return render(
        visit,
        "members",
        "settings_members.html",
        members=found,
        administrators=administrators,
        roles=ROLES,
        link=link,
        error=error,
    )


def invite(visit: Visit) -> Response:
    """POST …/settings/members — somebody new gets a link to choose a password."""
    link, role = "", _role(visit)
    try:
        with visit.services.metadata.writing() as session:
            user = accounts.user_by_email(session, visit.text("email"))
            if user is None:
                user = accounts.create_user(
                    session, visit.text("email"), None, now=visit.now
                )
                token = access.make_link(session, "password", visit.now, user_id=user.id)
                link = f"{visit.public_url}/password/{token}"
            accounts.set_role(session, user.id, visit.here.id, role)
            _note(visit, session, "added", ("member", user.email), after={"role": role})
    except HedgerowError as error:
        return _members(visit, error=error)
    return _members(visit, link=link)


def _role(visit: Visit) -> accounts.Role:
    wanted = next((role for role in ROLES if role == visit.text("role")), None)
    if wanted is None:
        raise InvalidInput(
            f"There is no role {visit.text('role')!r}.",
            hint="Choose one of the list.",
            attr="role",
        )
    if not visit.may(wanted):
        raise InvalidInput(
            f"Your role {visit.role!r} cannot give the role {wanted!r}.",
            hint="Ask an owner.",
            attr="role",
        )
    return wanted


def member(visit: Visit) -> Response:
    """POST …/settings/members/{user_id} — another role, no role, or a new password link."""
    number = int(visit.request.path_params["user_id"])
    link = ""
    try:
        with visit.services.metadata.writing() as session:
            user = accounts.user_by_id(session, number)
            held = accounts.role_of(session, user, visit.here.id)
            if held is not None and not visit.may(held):
                raise InvalidInput(
                    f"{user.email} is {held!r}; you are {visit.role!r}.",
                    hint="Ask an owner.",
                )
            match visit.text("do"):
                case "remove":
                    accounts.remove_member(session, number, visit.here.id)
                case "link":
                    token = access.make_link(session, "password", visit.now, user_id=number)
                    link = f"{visit.public_url}/password/{token}"
                case _:
                    accounts.set_role(session, number, visit.here.id, _role(visit))
            _note(visit, session, visit.text("do") or "changed", ("member", user.email))
    except HedgerowError as error:
        return _members(visit, error=error)
    return _members(visit, link=link)


def keys(visit: Visit) -> Response:
    """GET …/settings/keys — one's own keys."""
    return _keys(visit)


def _keys(visit: Visit, *, made: str = "", error: HedgerowError | None = None) -> Response:
    with visit.services.metadata.reading() as session:
        found = access.keys_of(session, visit.who.id)
    return render(
        visit,
        "keys",
        "settings_keys.html",
        keys=found,
        made=made,
        error=error,
        scopes=SCOPES,
    )


def make_key(visit: Visit) -> Response:
    """POST …/settings/keys — a new key, told once."""
    wish = KeyRequest(
        label=visit.text("label"),
        scopes=[visit.text("scope")],
        projects=[visit.here.id] if visit.text("only_here") else None,
    )
    try:
        with visit.services.metadata.writing() as session:
            row, text = access.make_key(session, visit.who, wish, visit.now)
            _note(visit, session, "created", ("key", row.id), after={"label": row.label})
    except HedgerowError as error:
        return _keys(visit, error=error)
    return _keys(visit, made=text)


def revoke_key(visit: Visit) -> Response:
    """POST …/settings/keys/{key_id}/revoke"""
    with visit.services.metadata.writing() as session:
        row = access.revoke_key(
            session, int(visit.request.path_params["key_id"]), visit.who.id
        )
        _note(visit, session, "revoked", ("key", row.id), before={"label": row.label})
    return visit.go(visit.path("settings/keys"), notice=f"{row.label} is worthless now")


def ingestion(visit: Visit) -> Response:
    """GET …/settings/ingestion — how far the writer is, warnings, the last requests."""
    state = visit.services.ingestion(visit.here.id)
    context = visit.services.context(visit.here.id)
    warnings = listings.warnings_result(run(visit, listings.warnings(context, limit=50)))
    return render(
        visit,
        "ingestion",
        "settings_ingestion.html",
        state=state,
        last=vocabulary.instant(state["last_event_at"])
        if state.get("last_event_at")
        else None,
        warnings=warnings,
        aside=[
            {**one, "at": vocabulary.instant(one["at"])}
            for one in state.get("set_aside_latest", ())
        ],
        sightings=visit.services.sightings(visit.here.id),
        strangers=visit.services.sightings(None)[:20] if visit.may("admin") else [],
    )


def log(visit: Visit) -> Response:
    """GET …/settings/log — who changed what; administrators see the server's, too."""
    offset = int(visit.text("offset")) if visit.text("offset").isdecimal() else 0
    with visit.services.metadata.reading() as session:
        rows = audit.entries(
            session,
            visit.here.id,
            and_server=visit.who.is_admin,
            limit=101,
            offset=offset,
        )
    return render(
        visit,
        "log",
        "settings_log.html",
        rows=rows[:100],
        older=f"?offset={offset + 100}" if len(rows) > 100 else "",
    )


def _note(
    visit: Visit,
    session: Any,
    action: str,
    subject: tuple[str, Any],
    **values: dict[str, Any],
) -> None:
    by = audit.actor(visit.who, visit.now)
    audit.note(session, by, action, subject, project_id=visit.here.id, **values)
