"""What an event changes about its person and its group.

For people: ``$set_once`` writes where there is nothing or null, then ``$set`` writes, then
``$unset`` removes. Some properties of an event describe the person as well: those are
*lifted*, the latest under their own name and the first ever as ``$initial_…``. A person is
not rewritten because of a page address alone: lifted values are taken along when something
else changes, or when the person has none yet.

For groups there is only ``$group_set``, key by key; for list-valued properties that a
project names, values *unite* instead of replacing each other, because many clients know a
part each.

Pure: dictionaries in, new dictionaries out.
"""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

LIFTED = frozenset(
    [
        "$app_build",
        "$app_name",
        "$app_namespace",
        "$app_version",
        "$browser",
        "$browser_version",
        "$device_type",
        "$current_url",
        "$pathname",
        "$os",
        "$os_name",
        "$os_version",
        "$referring_domain",
        "$referrer",
        "$screen_height",
        "$screen_width",
        "$viewport_height",
        "$viewport_width",
        "$raw_user_agent",
        "utm_source",
        "utm_medium",
        "utm_campaign",
        "utm_content",
        "utm_name",
        "utm_term",
        "gclid",
        "gad_source",
        "gclsrc",
        "dclid",
        "gbraid",
        "wbraid",
        "fbclid",
        "msclkid",
        "twclid",
        "li_fat_id",
        "mc_cid",
        "igshid",
        "ttclid",
        "rdt_cid",
        "irclid",
        "_kx",
        "epik",
        "qclid",
        "sccid",
    ]
)
GEO_PARTS = [
    "city_name",
    "country_name",
    "country_code",
    "continent_name",
    "continent_code",
    "postal_code",
    "latitude",
    "longitude",
    "accuracy_radius",
    "time_zone",
    "subdivision_1_code",
    "subdivision_1_name",
    "subdivision_2_code",
    "subdivision_2_name",
    "subdivision_3_code",
    "subdivision_3_name",
]
GEO = frozenset(f"$geoip_{part}" for part in GEO_PARTS)
INITIAL = {name: "$initial_" + name.removeprefix("$") for name in LIFTED | GEO}
OF_SERVERS = frozenset({"$os", "$os_version"})
"""Of a server's events these describe the server, not the person."""

MOST_REMEMBERED = 100
"""Keys of an event beyond which it is looked at anew each time, to bound the memory."""

_LIFTED_OR_GEO = LIFTED | GEO


def lifted(properties: dict[str, Any]) -> dict[str, Any]:
    """Return those properties of an event that describe its person as well."""
    keys = tuple(properties)
    names = _names_lifted(keys) if len(keys) <= MOST_REMEMBERED else _lifted_of(keys)
    if properties.get("$is_server") is True:
        return {name: properties[name] for name in names if name not in OF_SERVERS}
    return {name: properties[name] for name in names}


def _lifted_of(keys: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in keys if name in _LIFTED_OR_GEO)


_names_lifted = lru_cache(maxsize=4096)(_lifted_of)
"""An application sends a few dozen sets of keys, again and again."""


def changed(
    before: dict[str, Any],
    *,
    own: dict[str, Any],
    once: dict[str, Any],
    unset: Iterable[str] = (),
    lifted: dict[str, Any],
) -> dict[str, Any] | None:
    """Return a person's properties after an event; None: nothing worth writing.

    ``own`` is ``$set``, ``once`` is ``$set_once``. Nulls are stored.
    """
    removed = [name for name in unset if name in before]
    if not (own or once or removed) and lifted.keys() <= before.keys():
        return None
    after = dict(before)
    written = _filled(after, once, lifted)
    after.update(own)
    worth_writing = bool(removed) or _differs_in([*written, *own], before, after)
    worth_writing = worth_writing or bool(lifted.keys() - own.keys() - before.keys())
    after.update({name: value for name, value in lifted.items() if name not in own})
    for name in removed:
        del after[name]
    return after if worth_writing else None


def _filled(
    after: dict[str, Any], once: dict[str, Any], lifted: dict[str, Any]
) -> list[str]:
    """Write ``$set_once`` and initial values where there is nothing; return the names."""
    written = [name for name in once if after.get(name) is None]
    for name in written:
        after[name] = once[name]
    for name, value in lifted.items():
        initial = INITIAL[name]
        if after.get(initial) is None and initial not in once:
            after[initial] = value
            written.append(initial)
    return written


def _differs_in(
    names: Iterable[str], before: dict[str, Any], after: dict[str, Any]
) -> bool:
    """Whether properties differ in one of those names, all of which ``after`` has."""
    return any(
        name not in before or differs({name: before[name]}, {name: after[name]})
        for name in names
    )


def differs(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two sets of properties differ as JSON: ``1``, ``1.0`` and ``true`` do.

    What is nested too deeply to be compared counts as different.
    """
    if len(one) != len(other):
        return True
    try:
        return any(name not in other or not same(one[name], other[name]) for name in one)
    except RecursionError:
        return True


def same(one: Any, other: Any) -> bool:
    """Whether two JSON values are the same, types included, order of keys aside."""
    if type(one) is not type(other):
        return False
    if isinstance(one, dict):
        return not differs(one, other)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


def group_changed(
    before: dict[str, Any], group_set: dict[str, Any], *, union: Iterable[str] = ()
) -> dict[str, Any] | None:
    """Return a group's properties after ``$group_set``; None: they stay as they are.

    Those named by ``union`` keep their present values, in order, and gain the new ones.
    """
    after = before | group_set
    for name in union:
        if name in group_set:
            after[name] = united(_as_list(before.get(name)), _as_list(group_set[name]))
    return after if differs(before, after) else None


def united(present: list[Any], coming: list[Any]) -> list[Any]:
    """Return a list with what is in either, present values first, each once."""
    together: list[Any] = []
    for value in [*present, *coming]:
        if not any(same(value, other) for other in together):
            together.append(value)
    return together


def _as_list(value: Any) -> list[Any]:
    """Return a list-valued property's values; null has none, a lone value is one."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
