"""A property filter as it is written in a query's JSON (``insights-trends`` §5).

One struct stands for both the leaf ``{"key", "value", "operator", "type"}`` and the group
``{"type": "AND" | "OR", "values": [filter | group, …]}``: on the wire they differ in
``type`` alone. Only the shape is checked here, so that an error names its path; what an
operator needs of its value is checked in ``query.filters``.
"""

from typing import Any, Literal

import msgspec

Operator = Literal[
    "exact",
    "is_not",
    "icontains",
    "not_icontains",
    "icontains_multi",
    "not_icontains_multi",
    "regex",
    "not_regex",
    "gt",
    "gte",
    "lt",
    "lte",
    "min",
    "max",
    "between",
    "not_between",
    "is_set",
    "is_not_set",
    "is_date_exact",
    "is_date_before",
    "is_date_after",
    "in",
    "not_in",
    "semver_eq",
    "semver_neq",
    "semver_gt",
    "semver_gte",
    "semver_lt",
    "semver_lte",
    "semver_tilde",
    "semver_caret",
    "semver_wildcard",
    "version_eq",
    "version_neq",
    "version_gt",
    "version_gte",
    "version_lt",
    "version_lte",
    "version_between",
]

FilterType = Literal[
    "event",
    "feature",
    "event_metadata",
    "person",
    "group",
    "cohort",
    "static-cohort",
    "precalculated-cohort",
    "hogql",
    "session",
    "AND",
    "OR",
]

WITHOUT_VALUE = frozenset({"is_set", "is_not_set"})
"""Operators whose ``value`` is ignored."""

Scalar = str | int | float | bool


class PropertyFilter(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A condition on a property, or with type ``AND``/``OR`` a group of conditions."""

    key: str | int | None = None
    """Name of the property, the column, or the HogQL expression."""

    value: Scalar | list[Scalar | None] | None = None
    """One value or several; an empty list is no condition."""

    operator: Operator | None = None
    """None: ``exact``, for cohorts ``in``."""

    type: FilterType | None = "event"
    group_type_index: int | None = None
    """0 to 4, or a name (``group_names``); required with type ``group``."""

    negation: bool | None = None
    """Older spelling of ``not_in`` for cohorts."""

    values: "list[PropertyFilter] | None" = None
    """The members of a group."""

    label: str | None = None
    """Display only."""

    cohort_name: str | None = None
    """Display only."""

    def __post_init__(self) -> None:
        """Refuse halves: a leaf without a key, a group with one."""
        if self.type in {"AND", "OR"}:
            if self.key is not None or self.operator is not None or self.value is not None:
                raise ValueError(
                    f"A group of type {self.type!r} takes 'values' only; "
                    "put 'key', 'operator' and 'value' into its members"
                )
            return
        if self.values is not None and self.key is None:
            raise ValueError('A group of filters needs "type": "AND" or "OR"')
        if self.values is not None:
            raise ValueError("A filter with a 'key' has no 'values'; use 'value'")
        if self.key is None:
            raise ValueError("A property filter needs a 'key', the name of the property")
        if self.type == "group" and self.group_type_index is None:
            raise ValueError("A filter of type 'group' needs 'group_type_index', 0 to 4")
        if self.group_type_index is not None and self.group_type_index < 0:
            raise ValueError(f"'group_type_index' is 0 to 4, not {self.group_type_index}")


def leaf(raw: dict[str, Any], path: str) -> PropertyFilter:
    """Return the filter of a JSON object kept elsewhere (test accounts, cohort leaves).

    Raises msgspec.ValidationError; ``path`` is only for the reader of its text.
    """
    try:
        return msgspec.convert(raw, PropertyFilter)
    except msgspec.ValidationError as error:
        raise msgspec.ValidationError(f"{error} (in {path})") from error


Where = list[PropertyFilter] | PropertyFilter | None
"""``properties`` of a query: a list (ANDed), a group, or none."""
