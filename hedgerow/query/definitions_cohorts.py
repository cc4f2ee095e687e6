"""A cohort's criteria as they are written (``insights-retention-cohorts`` §4.1, §4.2).

``decode`` turns ``filters`` (or the older ``groups``) into a tree of groups and leaves,
strictly: an unknown field is refused by name. ``check`` says whether the tree as a whole may
be a cohort: it must not come out negated, and what it refers to must not lead back to it.
"""

from collections.abc import Mapping
from typing import Any, Literal

import msgspec

from hedgerow.errors import InvalidQuery
from hedgerow.query.definitions_filters import (
    WITHOUT_VALUE,
    Operator,
    PropertyFilter,
    Scalar,
)

Unit = Literal["hour", "day", "week", "month", "year"]
Behaviour = Literal[
    "performed_event",
    "performed_event_multiple",
    "performed_event_first_time",
    "performed_event_regularly",
    "performed_event_sequence",
    "stopped_performing_event",
    "restarted_performing_event",
]
CountOperator = Literal["gte", "lte", "gt", "lt", "eq", "exact"]
Number = int | str
COHORT_TYPES = frozenset({"cohort", "static-cohort", "precalculated-cohort"})
MOST_PERIODS = 400


class _Leaf(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    type: str
    negation: bool | None = False


class PersonLeaf(_Leaf, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person property; ``person_metadata`` reads ``created_at`` instead."""

    key: str
    operator: Operator = "exact"
    value: Scalar | list[Scalar | None] | None = None


class CohortLeaf(_Leaf, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Members of another cohort."""

    value: int | str
    key: Literal["id"] = "id"
    operator: Literal["in", "not_in", "exact"] | None = None


class BehaviourLeaf(_Leaf, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What somebody did, how often, and when. Windows run back from now."""

    key: str
    """Name of the event."""

    value: Behaviour
    event_type: Literal["events"] = "events"
    event_filters: list[PropertyFilter] | None = None
    time_value: Number | None = None
    time_interval: Unit | None = None
    explicit_datetime: str | None = None
    explicit_datetime_to: str | None = None
    operator: CountOperator | None = None
    operator_value: int | None = None
    min_periods: int | None = None
    total_periods: int | None = None
    seq_event: str | None = None
    seq_event_type: Literal["events"] | None = "events"
    seq_time_value: Number | None = None
    seq_time_interval: Unit | None = None


class FleetLeaf(_Leaf, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something of an installation (fleet §5)."""

    key: Literal["state", "releases_behind", "days_behind", "version"]
    operator: Operator
    value: Scalar | list[Scalar] | None = None

    @property
    def name(self) -> str:
        """By what the context knows who meets it."""
        return repr((self.key, self.operator, self.value))


Leaf = PersonLeaf | CohortLeaf | BehaviourLeaf | FleetLeaf


class Group(msgspec.Struct, frozen=True):
    """Criteria of which all (AND) or any (OR) must hold."""

    type: Literal["AND", "OR"]
    parts: "tuple[Group | Leaf, ...]"


class Criteria(msgspec.Struct, frozen=True):
    """A whole definition."""

    root: Group
    filter_test_accounts: bool = False


NOTHING = Group("AND", ())
_STRUCTS: dict[str, type[Leaf]] = {
    "person": PersonLeaf,
    "person_metadata": PersonLeaf,
    "behavioral": BehaviourLeaf,
    "fleet": FleetLeaf,
    **dict.fromkeys(COHORT_TYPES, CohortLeaf),
}


def decode(filters: Any, groups: Any = None) -> Criteria:
    """Return the criteria of a cohort object. Raises InvalidQuery with the field's path."""
    if not filters and groups:
        return Criteria(_older(groups))
    if not filters:
        return Criteria(NOTHING)
    if not isinstance(filters, Mapping):
        raise _refused("filters must be an object.", "filters")
    unknown = sorted(set(filters) - {"properties", "filterTestAccounts"})
    if unknown:
        raise _refused(f"filters has no field {unknown[0]!r}.", f"filters.{unknown[0]}")
    tree = filters.get("properties") or {}
    root = _group(tree, "filters.properties") if tree else NOTHING
    return Criteria(root, bool(filters.get("filterTestAccounts")))


def _refused(what: str, attr: str, hint: str = "See the cohort fields.") -> InvalidQuery:
    return InvalidQuery(what, hint=hint, attr=attr)


def _group(raw: Any, path: str) -> Group:
    if not isinstance(raw, Mapping) or raw.get("type") not in ("AND", "OR"):
        raise _refused(
            f"{path} must be a group.",
            path,
            'Write {"type": "AND" or "OR", "values": […]}.',
        )
    unknown = sorted(set(raw) - {"type", "values"})
    if unknown:
        raise _refused(f"A group has no field {unknown[0]!r}.", f"{path}.{unknown[0]}")
    values = raw.get("values")
    if not isinstance(values, list):
        raise _refused(f"{path}.values must be a list.", f"{path}.values")
    parts = (_part(one, f"{path}.values[{i}]") for i, one in enumerate(values))
    return Group(raw["type"], tuple(parts))


def _part(raw: Any, path: str) -> Group | Leaf:
    kind = raw.get("type") if isinstance(raw, Mapping) else None
    return _group(raw, path) if kind in ("AND", "OR") else _leaf(raw, path)


def _leaf(raw: Any, path: str) -> Leaf:
    kind = raw.get("type") if isinstance(raw, Mapping) else None
    struct = _STRUCTS.get(str(kind))
    if struct is None:
        known = ", ".join(sorted(_STRUCTS))
        raise _refused(
            f"No criterion is of type {kind!r}.", f"{path}.type", f"Use one of {known}."
        )
    try:
        leaf = msgspec.convert(raw, struct)
    except msgspec.ValidationError as wrong:
        raise _refused(f"{wrong} (in {path}).", path) from wrong
    _complete(leaf, path)
    return leaf


def _complete(leaf: Leaf, path: str) -> None:
    """Refuse a leaf that says too little to be answered."""
    match leaf:
        case PersonLeaf(operator=operator, value=None) if operator not in WITHOUT_VALUE:
            raise _refused(f"{operator!r} needs a value.", f"{path}.value")
        case PersonLeaf(type="person_metadata", key=key) if key != "created_at":
            raise _refused(
                f"A person has no {key!r} of its own.", f"{path}.key", "Use created_at."
            )
        case CohortLeaf(value=value) if not str(value).isdigit():
            raise _refused(
                f"A cohort is named by its number, not {value!r}.", f"{path}.value"
            )
        case BehaviourLeaf():
            _behaviour(leaf, path)
        case _:
            pass


def _behaviour(leaf: BehaviourLeaf, path: str) -> None:
    if leaf.explicit_datetime is None:
        units(leaf.time_value, leaf.time_interval, f"{path}.time_value")
    match leaf.value:
        case "performed_event_multiple":
            _at_least_one(leaf.operator_value, f"{path}.operator_value")
        case "performed_event_regularly":
            _regular(leaf, path)
        case "performed_event_sequence":
            units(leaf.seq_time_value, leaf.seq_time_interval, f"{path}.seq_time_value")
            if not leaf.seq_event:
                raise _refused("A sequence needs a second event.", f"{path}.seq_event")
        case "stopped_performing_event" | "restarted_performing_event":
            _shorter(leaf, path)
        case "performed_event" | "performed_event_first_time":
            pass


def _at_least_one(value: int | None, attr: str) -> None:
    if value is None or value < 1:
        raise _refused(f"{attr} must be at least 1, not {value}.", attr, "Count from one.")


def _regular(leaf: BehaviourLeaf, path: str) -> None:
    _at_least_one(leaf.operator_value, f"{path}.operator_value")
    _at_least_one(leaf.min_periods, f"{path}.min_periods")
    _at_least_one(leaf.total_periods, f"{path}.total_periods")
    least, total = leaf.min_periods or 0, leaf.total_periods or 0
    if least > total:
        raise _refused(
            f"{least} of {total} periods is never met.",
            f"{path}.min_periods",
            "Ask for fewer.",
        )
    if total > MOST_PERIODS:
        raise _refused(
            f"{total} periods are too many.",
            f"{path}.total_periods",
            f"At most {MOST_PERIODS}.",
        )


SECONDS = {
    "hour": 3600,
    "day": 86_400,
    "week": 604_800,
    "month": 2_592_000,
    "year": 31_536_000,
}
"""A month of 30 days, a year of 365: what sequences and comparisons of windows use."""


def _shorter(leaf: BehaviourLeaf, path: str) -> None:
    attr = f"{path}.seq_time_value"
    count, unit = units(leaf.seq_time_value, leaf.seq_time_interval, attr)
    if leaf.explicit_datetime is not None:
        return
    whole, whole_unit = units(leaf.time_value, leaf.time_interval, f"{path}.time_value")
    if count * SECONDS[unit] >= whole * SECONDS[whole_unit]:
        raise _refused(
            "The seq_time window must be shorter than the time window.",
            attr,
            "Make it shorter.",
        )


def units(value: Number | None, unit: Unit | None, attr: str) -> tuple[int, Unit]:
    """Return how many of which unit; text such as ``"30"`` is a number too."""
    try:
        count = int(value) if value is not None else 0
    except ValueError:
        count = 0
    if count < 1 or unit is None:
        raise _refused(
            f"{attr} needs a number of at least 1 and a unit, not {value!r} {unit!r}.", attr
        )
    return count, unit


def _older(groups: Any) -> Group:
    """Return the tree of the older form: an OR of ANDs."""
    if not isinstance(groups, list):
        raise _refused("groups must be a list.", "groups")
    return Group(
        "OR", tuple(_older_group(one, f"groups[{i}]") for i, one in enumerate(groups))
    )


def _older_group(raw: Any, path: str) -> Group:
    if not isinstance(raw, Mapping):
        raise _refused(f"{path} must be an object.", path)
    if "properties" in raw:
        properties = raw["properties"]
        if isinstance(properties, Mapping) and "values" not in properties:
            properties = [
                {"key": k, "value": v, "operator": "exact"} for k, v in properties.items()
            ]
        elif isinstance(properties, Mapping):
            properties = properties["values"]
        return Group("AND", _older_leaves(properties, f"{path}.properties"))
    unknown = sorted(set(raw) - {"days", "event_id", "count", "count_operator", "label"})
    if unknown or not raw.get("event_id"):
        name = unknown[0] if unknown else "event_id"
        raise _refused(f"{path} cannot be read: look at {name!r}.", f"{path}.{name}")
    done = {
        "type": "behavioral",
        "key": raw["event_id"],
        "value": "performed_event_multiple",
        "time_value": raw.get("days"),
        "time_interval": "day",
        "operator": raw.get("count_operator") or "eq" if raw.get("count") else "gte",
        "operator_value": raw.get("count") or 1,
    }
    return Group("AND", (_leaf(done, path),))


def _older_leaves(properties: Any, path: str) -> tuple[Leaf, ...]:
    """Return the leaves of an older group: persons', whatever type they name."""
    if not isinstance(properties, list):
        raise _refused(f"{path} must be a list.", path)
    found = []
    for i, one in enumerate(properties):
        where = f"{path}[{i}]"
        if not isinstance(one, Mapping):
            raise _refused(f"{where} must be an object.", where)
        found.append(_leaf({"operator": "exact", **one, "type": "person"}, where))
    return tuple(found)


def is_negated(part: Group | Leaf) -> bool:
    """Return whether a part says who is left out rather than who is in (§4.3)."""
    if not isinstance(part, Group):
        negative = isinstance(part, CohortLeaf) and part.operator == "not_in"
        return bool(part.negation) != negative
    kept = [is_negated(one) for one in part.parts if not is_empty(one)]
    return bool(kept) and (all(kept) if part.type == "AND" else any(kept))


def is_empty(part: Group | Leaf) -> bool:
    """Return whether a part has no leaf in it."""
    return isinstance(part, Group) and all(is_empty(one) for one in part.parts)


def references(part: Group | Leaf) -> set[int]:
    """Return the numbers of the cohorts a part names."""
    if isinstance(part, Group):
        return set().union(*(references(one) for one in part.parts))
    return {int(part.value)} if isinstance(part, CohortLeaf) else set()


def check(filters: Any, groups: Any = None) -> Criteria:
    """Return the criteria of a cohort about to be saved. Raises InvalidQuery."""
    criteria = decode(filters, groups)
    if is_negated(criteria.root):
        raise InvalidQuery(
            "A cohort needs at least one criterion that is not negated, "
            "at a place where it limits the rest.",
            hint="Add whom to start from, then take away.",
            attr="filters.properties",
        )
    return criteria
