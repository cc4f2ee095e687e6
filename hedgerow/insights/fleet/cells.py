"""Which cell of a public table an installation is in (``fleet`` §4.1).

No text that came from an installation gets through but short plain words; versions only as
they stand in the makers' list.
"""

import re
from collections import Counter
from typing import Any

from hedgerow.errors import InvalidQuery
from hedgerow.insights.fleet.distribution import PLAIN_UTC, first_two, minutes_of
from hedgerow.insights.fleet.observations import Installation
from hedgerow.insights.fleet.params import Asked, date_of
from hedgerow.insights.fleet.population import Fleet
from hedgerow.insights.fleet.releases import Released
from hedgerow.insights.fleet.reports import statement
from hedgerow.insights.fleet.settings import PUBLISHABLE
from hedgerow.insights.fleet.suppression import LAST, Table, table
from hedgerow.model.ports import Statement

DEVELOPMENT, UNKNOWN = LAST
UNLISTED = "unlisted"
BAND_MINUTES = 180
_PLAIN = re.compile(r"[A-Za-z0-9 ._-]{1,40}")
_RESERVED = frozenset({"other", "unlisted"})
"""Words of the page itself, which nobody may bring in."""

PUBLIC = """
    SELECT k, ARG_MAX(platform, (at, arrived)) FILTER (WHERE platform <> '') AS platform,
      ARG_MAX(deployment, (at, arrived)) FILTER (WHERE deployment <> '') AS deployment,
      ARG_MAX(python, (at, arrived)) FILTER (WHERE python <> '') AS python,
      ARG_MAX(zone, (at, arrived)) FILTER (WHERE zone <> '') AS zone,
      ARG_MAX(auth, (at, arrived)) FILTER (WHERE auth <> '') AS auth,
      ARG_MAX(COALESCE(public, ''), (at, arrived)) = 'false' AS hidden
    FROM reported WHERE kind = 'beat' GROUP BY k"""
COLUMNS = {
    "platform": 0,
    "deployment_method": 1,
    "python_minor": 2,
    "utc_offset": 3,
    "auth_method": 4,
}
HIDDEN = 5

Cells = dict[int, str]
"""Each installation's cell, by its key."""


def public(asked: Asked) -> Statement:
    """Return the question for what the tables tell of each installation of the window."""
    settings = asked.settings
    more = {
        "platform": settings.platform_property,
        "deployment": settings.deployment_property,
        "python": settings.python_property,
        "zone": settings.timezone_property,
        "auth": settings.auth_property,
        "public": "fleet_public",
    }
    return statement(PUBLIC, asked, since=asked.window_start, more=more)


def checked(name: str | None, attr: str) -> str:
    """Return the name of a table. Raises InvalidQuery for what may never be published."""
    if name not in PUBLISHABLE:
        raise InvalidQuery(
            f"{name!r} cannot be published.",
            hint=f"Use one of {', '.join(PUBLISHABLE)}.",
            attr=attr,
        )
    return name


def cells(fleet: Fleet, name: str) -> Cells:
    """Return the cells of everybody who may be counted in public."""
    rows = {one.key: row for one, row in fleet.rows("public")}
    return {
        one.key: _cell(one, rows[one.key], name, fleet)
        for one in fleet.active()
        if one.key in rows and not rows[one.key][HIDDEN]
    }


def public_table(fleet: Fleet, name: str, k: int) -> Table:
    """Return a table as anybody may see it."""
    return table_of(Counter(cells(fleet, name).values()), name, k, fleet)


def table_of(counts: Counter[str], name: str, k: int, fleet: Fleet) -> Table:
    """Return what may be seen of counts; versions stand in their order."""
    order = None
    if name == "version":
        order = [*(one.label for one in _listed(fleet)), *LAST]
    return table(counts, k, order)


def _listed(fleet: Fleet) -> list[Released]:
    if fleet.source != "list":
        return []
    day = fleet.asked.as_of
    return [one for one in fleet.releases if one.stable and one.day <= day]


def _cell(one: Installation, row: tuple[Any, ...], name: str, fleet: Fleet) -> str:
    if name == "version":
        version = one.version_at(fleet.asked.as_of)
        if version is None:
            return UNKNOWN
        listed = {release.ord: release.label for release in _listed(fleet)}
        return listed.get(version.ord, DEVELOPMENT)
    text = row[COLUMNS[name]]
    if name == "utc_offset":
        return band(text, date_of(fleet.asked.as_of).year)
    return plain(first_two(text) if name == "python_minor" else text)


def plain(text: str | None) -> str:
    """Return a text that may be shown, or what stands for it."""
    if not text or text.lower() == UNKNOWN:
        return UNKNOWN
    if text.strip().lower() in _RESERVED or not _PLAIN.fullmatch(text):
        return UNLISTED
    return text


def band(zone: str | None, year: int) -> str:
    """Return the three hours of standard time that a zone lies in."""
    if zone in PLAIN_UTC:
        return "UTC"
    minutes = minutes_of(zone, year)
    if minutes is None:
        return UNKNOWN
    low = minutes // BAND_MINUTES * BAND_MINUTES
    return f"UTC{_clock(low)} to {_clock(low + BAND_MINUTES - 1)}"


def _clock(minutes: int) -> str:
    sign = "-" if minutes < 0 else "+"
    return f"{sign}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
