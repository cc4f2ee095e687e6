"""Settings of the fleet: what a heartbeat is called, releases, ends of support, the public page."""

from collections.abc import Callable
from typing import Any

import msgspec
from starlette.datastructures import UploadFile
from starlette.responses import Response

from hedgerow.errors import HedgerowError, InvalidInput
from hedgerow.insights.fleet.releases_import import entries
from hedgerow.insights.fleet.settings import (
    PUBLISHABLE,
    Release,
    settings_of,
)
from hedgerow.insights.fleet.settings_checks import check_release, checked
from hedgerow.meta import audit, fleets
from hedgerow.model.versions import parse
from hedgerow.web.settings_pages import render
from hedgerow.web.visits import Visit

NAMES = (
    ("heartbeat_event", "Heartbeat", "The event that says: I am alive."),
    ("install_event", "Install", "Empty: there is none."),
    ("update_event", "Update", "Empty: there is none."),
    ("version_property", "Version", "Several with commas: the first one present counts."),
    ("environment_property", "Environment", ""),
    ("exclude_environments", "Left out environments", "With commas."),
    ("platform_property", "Platform", ""),
    ("deployment_property", "Deployment", ""),
    ("timezone_property", "Time zone", ""),
)
"""Field, what the form calls it, what it says of it."""

LISTS = frozenset({"exclude_environments", "version_property"})
OPTIONAL = frozenset({"install_event", "update_event"})
DAYS = (
    ("heartbeat_interval_hours", "Hours between heartbeats"),
    ("silent_after_days", "Silent after days"),
    ("gone_after_days", "Gone after days"),
)


def page(visit: Visit) -> Response:
    """GET …/settings/fleet"""
    return _page(visit)


def _page(visit: Visit, error: HedgerowError | None = None) -> Response:
    settings = settings_of(visit.here.fleet)
    plain = msgspec.to_builtins(settings)
    return render(
        visit,
        "fleet",
        "settings_fleet.html",
        error=error,
        settings=settings,
        names=[(key, text, hint, _typed(plain[key])) for key, text, hint in NAMES],
        days=[(key, text, visit.here.fleet.get(key)) for key, text in DAYS],
        limits=(settings.silent_after, settings.gone_after),
        releases=sorted(settings.releases, key=lambda one: one.released_at, reverse=True),
        publishable=PUBLISHABLE,
    )


def _typed(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(str(one) for one in value)
    return str(value) if value is not None else ""


def change(visit: Visit) -> Response:
    """POST …/settings/fleet — names, a release more or less, ends of support, the page."""
    act = ACTS.get(visit.text("do"))
    try:
        if act is None:
            raise InvalidInput(
                f"There is nothing called {visit.text('do')!r} to do here.",
                hint="Reload the page.",
            )
        fleet, notice = act(visit, dict(visit.here.fleet))
        checked(settings_of(fleet))
        with visit.services.metadata.writing() as session:
            fleets.save(session, visit.here.id, fleet, audit.actor(visit.who, visit.now))
    except HedgerowError as error:
        return _page(visit, error)
    visit.services.directory.refresh()
    return visit.go(visit.path("settings/fleet"), notice=notice)


Act = tuple[dict[str, Any], str]


def _names(visit: Visit, fleet: dict[str, Any]) -> Act:
    for key, _, _ in NAMES:
        typed = visit.text(key)
        parts = [part.strip() for part in typed.split(",") if part.strip()]
        if key in LISTS:
            fleet[key] = parts
        elif typed or key in OPTIONAL:
            fleet[key] = typed or None
        else:
            raise InvalidInput(f"{key} is empty.", hint="Give a name.", attr=key)
    for key, text in DAYS:
        typed = visit.text(key)
        if typed and not typed.isdecimal():
            raise InvalidInput(
                f"{text}: {typed!r} is no number.", hint="Give a whole number.", attr=key
            )
        fleet.pop(key, None)
        if typed:
            fleet[key] = int(typed)
    return fleet, "Saved"


def _release(visit: Visit, fleet: dict[str, Any]) -> Act:
    one = Release(
        version=visit.text("version"),
        released_at=visit.text("released_at") or visit.local_now.date().isoformat(),
        channel=visit.text("channel", "stable"),
    )
    check_release(one)
    return _with(fleet, [one]), f"{one.version} is on the list"


def _yank(visit: Visit, fleet: dict[str, Any]) -> Act:
    version = visit.text("version")
    today = visit.local_now.date().isoformat()
    found = [one for one in settings_of(fleet).releases if one.version == version]
    if not found:
        raise InvalidInput(f"There is no release {version!r}.", hint="Reload the page.")
    yanked = None if found[0].yanked_at else today
    changed = msgspec.structs.replace(found[0], yanked_at=yanked)
    return _with(fleet, [changed]), f"{version} is {'yanked' if yanked else 'out again'}"


def _drop(visit: Visit, fleet: dict[str, Any]) -> Act:
    version = visit.text("version")
    kept = [one for one in settings_of(fleet).releases if one.version != version]
    fleet["releases"] = [msgspec.to_builtins(one) for one in kept]
    return fleet, f"{version} is off the list"


def _import(visit: Visit, fleet: dict[str, Any]) -> Act:
    file = visit.form.get("file")
    if not isinstance(file, UploadFile) or not file.filename:
        raise InvalidInput("There is no file.", hint="Choose one.", attr="file")
    found, skipped = entries(file.file.read())
    for one in found:
        check_release(one)
    left = f", {len(skipped)} left out" if skipped else ""
    return _with(fleet, found), f"{len(found)} releases taken in{left}"


def _with(fleet: dict[str, Any], new: list[Release]) -> dict[str, Any]:
    """Return the settings with releases new or different; equal versions are one."""
    settings = settings_of(fleet)
    scheme = settings.version_scheme
    kept = {parse(one.version, scheme).key or one.version: one for one in settings.releases}
    kept |= {parse(one.version, scheme).key or one.version: one for one in new}
    return {**fleet, "releases": [msgspec.to_builtins(one) for one in kept.values()]}


def _support(visit: Visit, fleet: dict[str, Any]) -> Act:
    series, ends = visit.text("series"), visit.text("ends")
    eol = dict(settings_of(fleet).eol)
    if ends:
        eol[series] = ends
    else:
        eol.pop(series, None)
    return {**fleet, "eol": eol}, "Saved"


def _public(visit: Visit, fleet: dict[str, Any]) -> Act:
    typed = visit.text("k", "10")
    if not typed.isdecimal():
        raise InvalidInput(f"{typed!r} is no number.", hint="Give 5 or more.", attr="k")
    tables = [name for name in PUBLISHABLE if visit.text(f"table_{name}")]
    page = {
        **fleet.get("public", {}),
        "enabled": bool(visit.text("enabled")),
        "slug": visit.text("slug") or None,
        "product": visit.text("product") or None,
        "k": int(typed),
        "tables": tables,
    }
    return {**fleet, "public": page}, "Saved"


ACTS: dict[str, Callable[[Visit, dict[str, Any]], Act]] = {
    "names": _names,
    "release": _release,
    "yank": _yank,
    "drop": _drop,
    "import": _import,
    "support": _support,
    "public": _public,
}
