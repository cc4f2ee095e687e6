"""Versions in filters by a project's own order: ``version_gte`` and its like (``fleet`` §1.5).

No SQL ever parses a version. The texts that the property has are known beforehand
(``QueryContext.versions``); here they are read, and the condition names those that hold.
Missing and unordered ones match no operator, ``version_neq`` included.
"""

import operator
from collections.abc import Callable, Iterator
from typing import Any, get_args

from sqlglot import exp

from hedgerow.errors import InvalidQuery
from hedgerow.model.projects import Project
from hedgerow.model.versions import Key, Scheme, parse
from hedgerow.query.definitions_filters import PropertyFilter
from hedgerow.query.sources import Property, Source
from hedgerow.query.trees import Tree

COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "version_eq": operator.eq,
    "version_neq": operator.ne,
    "version_gt": operator.gt,
    "version_gte": operator.ge,
    "version_lt": operator.lt,
    "version_lte": operator.le,
}
VERSION_OPERATORS = frozenset(COMPARISONS) | {"version_between"}
SCOPES = frozenset({"event", "person"})
"""Whose versions can be compared."""

NO_VERSIONS = frozenset({"true", "false"})
"""What booleans read as; with lists and objects they say no version."""


def in_order(found: Property, where: PropertyFilter, source: Source) -> Tree:
    """Return the condition that a property's version is so. Raises InvalidQuery."""
    scope = "event" if where.type in {None, "feature"} else str(where.type)
    texts = source.context.versions.get((scope, str(where.key)))
    if scope not in SCOPES or texts is None:
        raise InvalidQuery(
            f"{where.operator!r} cannot compare properties of type {scope!r} here.",
            hint="Use it with event and person properties, or use the semver operators.",
            attr="operator",
        )
    scheme = scheme_of(source.context.project)
    holds = _test(where, scheme)
    known = ((text, parse(text, scheme).key) for text in texts if is_version(text))
    matching = [text for text, key in known if key is not None and holds(key)]
    if not matching:
        return exp.false()
    bound = [source.values.bind(text) for text in matching]
    return exp.In(this=found.text.copy(), expressions=bound)


def is_version(text: str) -> bool:
    """Return whether a property's text can say a version at all."""
    return text not in NO_VERSIONS and text[:1] not in {"[", "{"}


def scheme_of(project: Project) -> Scheme:
    """Return how a project's versions are read."""
    scheme: Scheme = project.fleet.get("version_scheme", "auto")
    return scheme if scheme in get_args(Scheme) else "auto"


def compared(raw: object) -> Iterator[tuple[str, str]]:
    """Yield the (scope, property) pairs whose versions a query's JSON compares."""
    if isinstance(raw, dict):
        if raw.get("operator") in VERSION_OPERATORS and "key" in raw:
            type_ = raw.get("type") or "event"
            yield ("event" if type_ == "feature" else str(type_)), str(raw["key"])
        for inner in raw.values():
            yield from compared(inner)
    elif isinstance(raw, list | tuple):
        for inner in raw:
            yield from compared(inner)


def _test(where: PropertyFilter, scheme: Scheme) -> Callable[[Key], bool]:
    if where.operator == "version_between":
        low, high = _bounds(where.value, scheme)
        return lambda key: low <= key <= high
    value = where.value
    if isinstance(value, list):
        if len(value) != 1:
            raise _no_version(value, "one version, such as 3.1.0")
        value = value[0]
    limit, compare = _key(value, scheme), COMPARISONS[str(where.operator)]
    return lambda key: compare(key, limit)


def _bounds(value: object, scheme: Scheme) -> tuple[Key, Key]:
    if not isinstance(value, list) or len(value) != 2:
        raise _no_version(value, "two versions, such as [2.0, 3.1.0]")
    low, high = (_key(one, scheme) for one in value)
    if low > high:
        raise _no_version(value, "the lower version first")
    return low, high


def _key(value: object, scheme: Scheme) -> Key:
    key = parse(value, scheme).key
    if key is None:
        raise _no_version(value, "a version that has a place in the order, such as 3.1.0")
    return key


def _no_version(value: object, wanted: str) -> InvalidQuery:
    return InvalidQuery(
        f"{value!r} cannot be compared as a version.", hint=f"Give {wanted}.", attr="value"
    )
