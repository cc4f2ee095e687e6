"""Releases from somebody's list: JSON or CSV, also in a code host's own words (§1.6)."""

import csv
import io
from collections.abc import Iterable
from typing import Any

import msgspec

from hedgerow.errors import InvalidInput
from hedgerow.insights.fleet.settings import FleetSettings, Release
from hedgerow.model.versions import Scheme, parse

ENTRIES_MAX = 10_000
FIELDS = frozenset(Release.__struct_fields__)

Skipped = list[dict[str, str]]


def entries(body: bytes) -> tuple[list[Release], Skipped]:
    """Return the releases of a list, and what was skipped with the reason.

    Raises InvalidInput where it is no list at all.
    """
    found: list[Release] = []
    skipped: Skipped = []
    for raw in _rows(body):
        version = str(raw.get("version") or raw.get("tag_name") or "")
        if raw.get("draft") is True:
            skipped.append({"version": version, "reason": "It is a draft."})
            continue
        try:
            found.append(msgspec.convert(_plain(raw), Release))
        except msgspec.ValidationError as error:
            skipped.append({"version": version, "reason": f"{error}."})
    return found, skipped


def same(one: Release, scheme: Scheme) -> Any:
    """Return what releases of equal versions have in common."""
    return parse(one.version, scheme).key or one.version


def with_releases(settings: FleetSettings, new: Iterable[Release]) -> list[Release]:
    """Return the list with some entries new, or in place of those of the same version."""
    by_version = {same(one, settings.version_scheme): one for one in settings.releases}
    by_version |= {same(one, settings.version_scheme): one for one in new}
    return list(by_version.values())


def _rows(body: bytes) -> list[dict[str, Any]]:
    try:
        text = body.decode("utf-8-sig").strip()
    except UnicodeDecodeError as error:
        raise InvalidInput("The list is not UTF-8.", hint="Send it as UTF-8.") from error
    if text.startswith(("[", "{")):
        try:
            found = msgspec.json.decode(text)
        except msgspec.DecodeError as error:
            raise InvalidInput(
                f"The list is no JSON: {error}.", hint="Send a JSON list, or CSV."
            ) from error
        rows = found if isinstance(found, list) else [found]
    else:
        rows = [
            {name: value for name, value in row.items() if value}
            for row in csv.DictReader(io.StringIO(text))
        ]
    if (
        not rows
        or len(rows) > ENTRIES_MAX
        or not all(isinstance(one, dict) for one in rows)
    ):
        raise InvalidInput(
            f"The list has {len(rows)} entries.",
            hint=f"Send 1 to {ENTRIES_MAX}, each with version and released_at.",
        )
    return rows


def _plain(raw: dict[str, Any]) -> dict[str, Any]:
    """Return an entry in our words; what a code host says besides is left out."""
    if "tag_name" not in raw:
        return raw
    return {
        "version": raw["tag_name"],
        "released_at": raw.get("published_at"),
        "channel": "beta" if raw.get("prerelease") else "stable",
        "notes_url": raw.get("html_url"),
    }
