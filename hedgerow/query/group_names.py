"""Group types by name: there may be any number, and PostHog's field holds but five.

Wherever a query says ``group_type_index`` (``math_group_type_index``, …) it may give the
type's name instead of its number, and reach those from the sixth on: these have no column
on events, and are read from ``$groups``. Inside, a type is a number: its index, or for later
ones its place in the order of first sight. Clients never see the latter.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from hedgerow.errors import InvalidQuery
from hedgerow.model.people import GroupType

FIELD = "group_type_index"
INDEXED = 5
"""How many types have a number that queries may use."""


def numbered(raw: Any, types: Sequence[GroupType] | None, path: str = "") -> Any:
    """Return a query with numbers in the places of names of group types.

    Without ``types`` any name will do: the query is only looked at. Raises InvalidQuery.
    """
    if isinstance(raw, Mapping):
        return {
            name: _number(value, types, _below(path, name))
            if str(name).endswith(FIELD)
            else numbered(value, types, _below(path, name))
            for name, value in raw.items()
        }
    if isinstance(raw, list):
        return [numbered(one, types, f"{path}[{place}]") for place, one in enumerate(raw)]
    return raw


def name_of(types: Sequence[GroupType], number: int) -> str:
    """Return the name of a type; empty where the project has none of that number."""
    for place, one in enumerate(types):
        if number == (place if one.index is None else one.index):
            return one.name
    return ""


def _below(path: str, name: Any) -> str:
    return f"{path}.{name}" if path else str(name)


def _number(value: Any, types: Sequence[GroupType] | None, path: str) -> Any:
    if isinstance(value, int) and not isinstance(value, bool) and value >= INDEXED:
        raise InvalidQuery(
            f"{FIELD!r} is 0 to {INDEXED - 1}, not {value}.",
            hint="Give a later group type by its name.",
            attr=path,
        )
    if not isinstance(value, str):
        return value
    if types is None:
        return 0
    for place, one in enumerate(types):
        if one.name == value:
            return place if one.index is None else one.index
    known = ", ".join(one.name for one in types) or "none yet"
    raise InvalidQuery(
        f"The project has no group type {value!r}.",
        hint=f"It has: {known}.",
        attr=path,
    )
