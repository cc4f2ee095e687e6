"""THE table: every address of the API, what it does, and what a token needs for it.

A row makes the Flask route, the checks of scope and role, the reading of body and query,
and its part of the OpenAPI document. To add an address, write a function and its row.
"""

from collections.abc import Sequence
from http import HTTPStatus
from types import ModuleType
from typing import Any

from app.api import (
    admin,
    clients,
    entries,
    entries_many,
    exports,
    imports,
    me,
    projects,
    rates,
    reports,
    shown,
    tags,
    tasks,
    timer,
    users,
    users_gone,
)
from app.api.call import Endpoint, Handler
from app.api.shapes import Field, Shape
from app.people.roles import Act

ABOUT_ME = (
    Endpoint(method="GET", path="/me", does=me.read_me, scope="read", answer=me.ME),
    Endpoint(
        method="PATCH",
        path="/me",
        does=me.change_me,
        scope="time:write",
        body=me.ME_CHANGE,
        answer=me.ME,
        also=(404,),
    ),
)


def _timer(name: str, does: Handler, body: Shape = timer.NOTHING) -> Endpoint:
    return Endpoint(
        method="POST",
        path=f"/timer/{name}",
        does=does,
        scope="time:write",
        act="track",
        body=body,
        answer=shown.ENTRY,
        also=(404,),
    )


TIMER = (
    Endpoint(
        method="GET",
        path="/timer",
        does=timer.read_timer,
        scope="read",
        answer=shown.ENTRY,
        empty=True,
    ),
    _timer("start", timer.start_timer, timer.START),
    _timer("pause", timer.pause_timer),
    _timer("resume", timer.resume_timer),
    _timer("stop", timer.stop_timer),
    _timer("discard", timer.discard_timer),
)


def _entry(method: str, path: str, does: Handler, body: Shape, *, status: int) -> Endpoint:
    return Endpoint(
        method=method,
        path=path,
        does=does,
        scope="time:write",
        act="track",
        body=body,
        answer=None if status == 204 else shown.ENTRY,
        status=status,
        also=(404,),
    )


ENTRIES = (
    Endpoint(
        method="GET",
        path="/entries",
        does=entries.list_entries,
        scope="read",
        query=entries.LISTED,
        answer=shown.ENTRY,
        listing=True,
    ),
    _entry("POST", "/entries", entries.create_entry, entries.ENTRY_NEW, status=201),
    Endpoint(
        method="POST",
        path="/entries/bulk",
        does=entries_many.bulk_entries,
        scope="time:write",
        act="track",
        body=entries_many.BULK,
        answer=entries_many.BULK_DONE,
        also=(404, 412),
    ),
    Endpoint(
        method="GET",
        path="/entries/changes",
        does=entries_many.list_changes,
        scope="read",
        query=entries_many.CHANGES,
        answer=entries_many.CHANGED,
    ),
    Endpoint(
        method="GET",
        path="/entries/{entry}",
        does=entries.read_entry,
        scope="read",
        answer=shown.ENTRY,
    ),
    _entry(
        "PATCH", "/entries/{entry}", entries.change_entry, entries.ENTRY_CHANGE, status=200
    ),
    _entry("DELETE", "/entries/{entry}", entries.delete_entry, timer.NOTHING, status=204),
)


def _things(
    one: str, of: ModuleType, act: Act, *, listed: dict[str, Field], shape: Shape
) -> tuple[Endpoint, ...]:
    """Return the rows that clients, projects, tasks, tags and rates have alike."""
    many = f"/{one}s"
    this = f"{many}/{{{one}}}"
    new: Shape = getattr(of, f"{one.upper()}_NEW")
    change: Shape = getattr(of, f"{one.upper()}_CHANGE")
    made: Shape = getattr(of, f"{one.upper()}_MADE", shape)
    reads = act if one == "rate" else None

    def row(
        method: str, path: str, name: str, body: Shape | None = None, status: int = 200
    ) -> Endpoint:
        return Endpoint(
            method=method,
            path=path,
            does=getattr(of, name),
            scope="read" if method == "GET" else "manage:write",
            act=reads if method == "GET" else act,
            body=timer.NOTHING if body is None and method == "POST" else body,
            query=listed if name == f"list_{one}s" else {},
            listing=name == f"list_{one}s",
            answer={201: made, 204: None}.get(status, shape),
            status=status,
            also=(404,),
        )

    rows = (
        row("GET", many, f"list_{one}s"),
        row("POST", many, f"create_{one}", new, 201),
        row("GET", this, f"read_{one}"),
        row("PATCH", this, f"change_{one}", change),
        row("DELETE", this, f"delete_{one}", status=204),
    )
    if one == "rate":  # a rate is not put away: a later one takes its place
        return rows
    return (
        *rows,
        row("POST", f"{this}/archive", f"archive_{one}"),
        row("POST", f"{this}/unarchive", f"unarchive_{one}"),
    )


WORK = (
    *_things("client", clients, "work.create", listed=clients.LISTED, shape=clients.CLIENT),
    *_things(
        "project", projects, "work.create", listed=projects.LISTED, shape=projects.PROJECT
    ),
    *_things("task", tasks, "tasks.create", listed=tasks.LISTED, shape=tasks.TASK),
    *_things("tag", tags, "work.create", listed=clients.LISTED, shape=tags.TAG),
    *_things("rate", rates, "rates.manage", listed=rates.LISTED, shape=rates.RATE),
)

REPORTS = (
    Endpoint(
        method="POST",
        path="/reports/query",
        does=reports.query_report,
        scope="reports",
        act="reports.own",
        body=reports.QUESTION,
        answer=reports.REPORT,
        asks=True,
    ),
)

EXPORTS = (
    Endpoint(
        method="GET",
        path="/exports/{dataset}.{format}",
        words={"dataset": exports.DATASETS, "format": tuple(exports.TYPES)},
        does=exports.export_dataset,
        scope="reports",
        query=exports.ASKED,
        media=tuple(exports.TYPES.values()),
        switch="ENABLE_EXPORTS",
        also=(413, 422),
    ),
)


def _import(method: str, path: str, does: Handler, **more: Any) -> Endpoint:
    return Endpoint(
        method=method,
        path=f"/imports{path}",
        does=does,
        scope="read" if method == "GET" else "time:write",
        act="import.own",
        answer=imports.IMPORT,
        switch="ENABLE_IMPORTS",
        **more,
    )


IMPORTS = (
    _import("GET", "", imports.list_imports, query=imports.LISTED, listing=True),
    _import(
        "POST",
        "",
        imports.create_import,
        body=imports.IMPORT_NEW,
        status=201,
        takes_file=True,
    ),
    _import("GET", "/{batch}", imports.read_import),
    _import("POST", "/{batch}/commit", imports.commit_import, body=timer.NOTHING),
    _import("POST", "/{batch}/undo", imports.undo_import, body=timer.NOTHING),
)


def _admin(
    method: str,
    path: str,
    does: Handler,
    answer: Shape | None,
    *,
    query: dict[str, Field] | None = None,
    body: Shape | None = None,
    listing: bool = False,
) -> Endpoint:
    return Endpoint(
        method=method,
        path=path,
        does=does,
        scope="admin",
        act="administer",
        query=query or {},
        body=body,
        answer=answer,
        status=HTTPStatus.NO_CONTENT if answer is None else HTTPStatus.OK,
        listing=listing,
    )


ADMIN = (
    _admin("GET", "/users", users.list_users, users.USER, query=users.USERS, listing=True),
    Endpoint(
        method="POST",
        path="/users",
        does=users.create_user,
        scope="admin",
        act="administer",
        body=users.USER_NEW,
        answer=users.MADE,
        status=201,
        secret=True,
    ),
    _admin("GET", "/users/{user}", users.read_user, users.USER),
    _admin("PATCH", "/users/{user}", users.change_user, users.USER, body=users.USER_CHANGE),
    _admin("DELETE", "/users/{user}", users_gone.delete_user, None),
    _admin(
        "POST",
        "/users/{user}/anonymise",
        users_gone.anonymise_user,
        users.USER,
        body=timer.NOTHING,
    ),
    _admin("GET", "/audit", admin.list_audit, admin.LINE, query=admin.AUDIT, listing=True),
    _admin("GET", "/settings", admin.read_settings, admin.SETTINGS),
    _admin(
        "PATCH",
        "/settings",
        admin.change_settings,
        admin.SETTINGS,
        body=admin.SETTINGS_CHANGE,
    ),
    _admin(
        "GET",
        "/telemetry/preview",
        admin.preview_telemetry,
        admin.PREVIEW,
        query=admin.LAYER,
    ),
)

ENDPOINTS: Sequence[Endpoint] = (
    *ABOUT_ME,
    *TIMER,
    *ENTRIES,
    *WORK,
    *REPORTS,
    *EXPORTS,
    *IMPORTS,
    *ADMIN,
)
