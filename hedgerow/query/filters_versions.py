"""Versions in filters: semantic versions compared part by part (§5.3).

A property matches no ``semver_*`` operator, not even a negative one, unless it is
``X.Y.Z`` with at most ``-pre`` or ``+build`` behind, which are ignored. A filter's value may
leave out trailing parts, which are 0.
"""

import re

from sqlglot import exp

from hedgerow.errors import InvalidQuery
from hedgerow.query.patterns import SEMVER
from hedgerow.query.sources import Property, Source
from hedgerow.query.trees import Tree, text_literal

COMPARISONS: dict[str, type[exp.Binary]] = {
    "semver_eq": exp.EQ,
    "semver_neq": exp.NEQ,
    "semver_gt": exp.GT,
    "semver_gte": exp.GTE,
    "semver_lt": exp.LT,
    "semver_lte": exp.LTE,
}
RANGES = frozenset({"semver_tilde", "semver_caret", "semver_wildcard"})
SEMVER_OPERATORS = frozenset(COMPARISONS) | RANGES

Parts = tuple[int, int, int]

_VALUE = re.compile(r"\s*v?(\d{1,18}(?:\.\d{1,18}){0,2})(?:[-+].*)?\s*")
_WILDCARD = re.compile(r"\s*v?(\d{1,18}(?:\.\d{1,18})?)(?:\.[*xX])+\s*")


def compare(found: Property, operator: str, value: object, source: Source) -> Tree:
    """Return the condition that a version operator states. Raises InvalidQuery."""
    text = value[0] if isinstance(value, list) and len(value) == 1 else value
    if not isinstance(text, str | int | float) or isinstance(text, bool):
        raise _no_version(value, "1.2.3")
    known = source.dialect.matches(found.text.copy(), text_literal(SEMVER))
    version = source.dialect.version(found.text)
    if operator in COMPARISONS:
        limit = _bound(_padded(_parts(str(text))), source)
        return exp.and_(known, COMPARISONS[operator](this=version, expression=limit))
    low, high = _limits(operator, str(text))
    return exp.and_(
        known,
        exp.GTE(this=version, expression=_bound(low, source)),
        exp.LT(this=version.copy(), expression=_bound(high, source)),
    )


def _limits(operator: str, text: str) -> tuple[Parts, Parts]:
    """Return the half-open range of ``~``, ``^`` or ``1.2.*``."""
    if operator == "semver_wildcard":
        match = _WILDCARD.fullmatch(text)
        if match is None:
            raise _no_version(text, "1.2.*")
        parts = [int(part) for part in match[1].split(".")]
        return _padded(parts), _after(parts, len(parts))
    parts = _parts(text)
    if operator == "semver_tilde":
        return _padded(parts), _after(parts, min(len(parts), 2))
    low = _padded(parts)
    place = next((index for index, part in enumerate(low) if part), 2)
    return low, _after(list(low), place + 1)


def _after(parts: list[int], count: int) -> Parts:
    """Return the first version after all that share the first ``count`` parts."""
    return _padded([*parts[: count - 1], parts[count - 1] + 1])


def _parts(text: str) -> list[int]:
    match = _VALUE.fullmatch(text)
    if match is None:
        raise _no_version(text, "1.2.3")
    return [int(part) for part in match[1].split(".")]


def _padded(parts: list[int]) -> Parts:
    first, second, third = (*parts, 0, 0, 0)[:3]
    return first, second, third


def _bound(parts: Parts, source: Source) -> Tree:
    return exp.Array(expressions=[source.values.bind(part) for part in parts])


def _no_version(value: object, example: str) -> InvalidQuery:
    return InvalidQuery(
        f"{value!r} is not a version.", hint=f"Write it as {example}.", attr="value"
    )
