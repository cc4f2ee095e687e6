"""A fleet's settings, its releases, and how versions are put in order (``fleet`` §5)."""

from collections.abc import Mapping
from typing import Any

import msgspec

from hedgerow.api.callers import Caller
from hedgerow.api.requests import converted
from hedgerow.errors import InvalidInput, NotFound
from hedgerow.insights.fleet.releases_import import entries, same, with_releases
from hedgerow.insights.fleet.settings import FleetSettings, Release, settings_of
from hedgerow.insights.fleet.settings_checks import check_release, checked
from hedgerow.meta import fleets
from hedgerow.model.versions import Scheme, order

VERSIONS_MAX = 10_000


class Ordering(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Version texts to be put in order."""

    versions: list[Any]
    scheme: Scheme | None = None
    """None: the project's."""


class ReleaseChange(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What is to be different about a release."""

    released_at: str | msgspec.UnsetType = msgspec.UNSET
    channel: str | msgspec.UnsetType = msgspec.UNSET
    yanked_at: str | msgspec.UnsetType | None = msgspec.UNSET
    notes_url: str | msgspec.UnsetType | None = msgspec.UNSET


class Imported(msgspec.Struct, kw_only=True):
    """What came of a list of releases."""

    added: int
    changed: int
    skipped: list[dict[str, str]]
    """``version`` and ``reason`` of each entry that was not taken."""


class Releases(msgspec.Struct, kw_only=True):
    """All releases, in the order in which they are kept."""

    results: list[Release]


def read_settings(caller: Caller, _body: None, _params: None) -> Mapping[str, Any]:
    """Show the fleet's settings, defaults filled in."""
    return _shown(caller, settings_of(caller.project.fleet))


def change_settings(
    caller: Caller, body: dict[str, Any], _params: None
) -> Mapping[str, Any]:
    """Change the settings that are given; a list of releases replaces the one before."""
    converted(body, FleetSettings)
    nested = {
        name: {**caller.project.fleet.get(name, {}), **value}
        for name, value in body.items()
        if name in {"public", "quorum"} and isinstance(value, dict)
    }
    return _shown(caller, _save(caller, {**caller.project.fleet, **body, **nested}))


def list_releases(caller: Caller, _body: None, _params: None) -> Releases:
    """List the releases."""
    return Releases(results=settings_of(caller.project.fleet).releases)


def add_release(caller: Caller, body: Release, _params: None) -> Release:
    """Add a release; one of the same version is replaced."""
    _taken(caller, [body])
    return body


def change_release(
    caller: Caller, body: ReleaseChange, _params: None, *, version: str
) -> Release:
    """Change a release, say when it was yanked."""
    settings = settings_of(caller.project.fleet)
    before = _release(settings, version)
    given = {
        name: value
        for name in body.__struct_fields__
        if (value := getattr(body, name)) is not msgspec.UNSET
    }
    after = msgspec.structs.replace(before, **given)
    _taken(caller, [after])
    return after


def delete_release(caller: Caller, _body: None, _params: None, *, version: str) -> None:
    """Take a release off the list."""
    settings = settings_of(caller.project.fleet)
    gone = _release(settings, version)
    _keep(caller, [one for one in settings.releases if one != gone])


def import_releases(caller: Caller, body: bytes, _params: None) -> Imported:
    """Import a list of releases, as JSON or CSV; a code host's own fields are understood."""
    found, skipped = entries(body)
    before = {_same(one, caller): one for one in _releases(caller)}
    good = []
    for one in found:
        try:
            check_release(one)
        except InvalidInput as error:
            skipped.append({"version": one.version, "reason": str(error)})
        else:
            good.append(one)
    added = [one for one in good if _same(one, caller) not in before]
    changed = [one for one in good if before.get(_same(one, caller), one) != one]
    _taken(caller, [*added, *changed])
    return Imported(added=len(added), changed=len(changed), skipped=skipped)


def order_versions(caller: Caller, body: Ordering, _params: None) -> Mapping[str, Any]:
    """Put version texts in order, and tell those that have none."""
    if len(body.versions) > VERSIONS_MAX:
        raise InvalidInput(
            f"There are {len(body.versions)} versions.",
            hint=f"Send at most {VERSIONS_MAX} at a time.",
            attr="versions",
        )
    scheme = body.scheme or settings_of(caller.project.fleet).version_scheme
    return order(body.versions, scheme)


def _releases(caller: Caller) -> list[Release]:
    return settings_of(caller.project.fleet).releases


def _release(settings: FleetSettings, version: str) -> Release:
    for one in settings.releases:
        if one.version == version:
            return one
    raise NotFound(
        f"There is no release {version!r} on the list.", hint="GET …/fleet/releases."
    )


def _same(one: Release, caller: Caller) -> Any:
    """Return what equal versions have in common."""
    return same(one, settings_of(caller.project.fleet).version_scheme)


def _taken(caller: Caller, new: list[Release]) -> None:
    """Keep the list with some entries new or different."""
    _keep(caller, with_releases(settings_of(caller.project.fleet), new))


def _keep(caller: Caller, releases: list[Release]) -> None:
    plain = [msgspec.to_builtins(one) for one in releases]
    _save(caller, {**caller.project.fleet, "releases": plain})


def _save(caller: Caller, fleet: dict[str, Any]) -> FleetSettings:
    settings = checked(settings_of(fleet))
    with caller.parts.metadata.writing() as session:
        fleets.save(session, caller.project.id, fleet, caller.actor)
    caller.parts.directory.refresh()
    return settings


def _shown(caller: Caller, settings: FleetSettings) -> Mapping[str, Any]:
    told = msgspec.to_builtins(settings)
    told["silent_after_days"] = settings.silent_after
    told["gone_after_days"] = settings.gone_after
    return {**told, "warnings": _never_seen(caller, settings)}


def _never_seen(caller: Caller, settings: FleetSettings) -> list[dict[str, str]]:
    """Return which of the events and properties named nobody has ever sent."""
    kinds = caller.parts.reader.kinds(caller.project.id)
    seen = {name for scope, name in kinds if scope == "event"}
    named = {
        name: value
        for name, value in msgspec.to_builtins(settings).items()
        if name.endswith("_property") and not name.startswith(("person_", "first_"))
    }
    found = []
    for name, value in named.items():
        texts = value if isinstance(value, list) else [value]
        if not seen.intersection(texts):
            found.append({"field": name, "warning": "never seen", "value": texts[0]})
    query = {"kind": "EventNamesQuery", "limit": 1000}
    answer = caller.parts.ask(caller.project.id, query)["results"]
    events = {one["name"] if isinstance(one, dict) else one for one in answer}
    for name in ("heartbeat_event", "install_event", "update_event"):
        event = getattr(settings, name)
        if event is not None and event not in events:
            found.append({"field": name, "warning": "never seen", "value": event})
    return found
