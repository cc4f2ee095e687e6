"""Property filters → conditions (``insights-trends`` §5).

Each condition states what it does with rows that lack the property, for that is where
products disagree: every negative operator keeps them, except ``not_between`` and
``semver_neq``. A filter that cannot be applied is refused, never dropped.

The definition of a property (text, number, boolean, time) governs comparisons; text
operators and ``is_set`` look at the text, whatever the definition.
"""

from collections.abc import Callable, Iterable

import msgspec
from sqlglot import exp

from hedgerow.errors import InvalidQuery
from hedgerow.query import expressions, membership
from hedgerow.query.definitions_filters import (
    WITHOUT_VALUE,
    PropertyFilter,
    Scalar,
    Where,
)
from hedgerow.query.filters_order import VERSION_OPERATORS, in_order
from hedgerow.query.filters_values import (
    check_pattern,
    exact,
    instant_of,
    numeric,
    pair,
    scalars,
    text_of,
)
from hedgerow.query.filters_versions import SEMVER_OPERATORS, compare
from hedgerow.query.sources import Property, Source, table
from hedgerow.query.trees import Tree

NEGATIVE = {
    "is_not": "exact",
    "not_in": "in",
    "not_icontains": "icontains",
    "not_icontains_multi": "icontains_multi",
    "not_regex": "regex",
    "is_not_set": "is_set",
}
"""Operators that mean "not so", which includes rows without the property."""

COHORTS = frozenset({"cohort", "static-cohort", "precalculated-cohort"})
COMPARISONS: dict[str, Callable[[Tree, Tree], Tree]] = {
    "gt": lambda value, limit: exp.GT(this=value, expression=limit),
    "gte": lambda value, limit: exp.GTE(this=value, expression=limit),
    "min": lambda value, limit: exp.GTE(this=value, expression=limit),
    "lt": lambda value, limit: exp.LT(this=value, expression=limit),
    "lte": lambda value, limit: exp.LTE(this=value, expression=limit),
    "max": lambda value, limit: exp.LTE(this=value, expression=limit),
}
INSTANTS: dict[str, Callable[[Tree, Tree], Tree]] = {
    "is_date_exact": lambda value, limit: exp.EQ(this=value, expression=limit),
    "is_date_before": lambda value, limit: exp.LT(this=value, expression=limit),
    "is_date_after": lambda value, limit: exp.GT(this=value, expression=limit),
}


def conditions(
    where: Where,
    source: Source,
    *,
    path: str = "properties",
    test_accounts: bool | None = False,
) -> list[Tree]:
    """Return the conditions of ``properties``, all of which must hold.

    ``test_accounts`` adds the project's test account filters. Raises InvalidQuery.
    """
    found = []
    if isinstance(where, PropertyFilter):
        found.append(predicate(where, source, path))
    else:
        found += [
            predicate(one, source, f"{path}[{index}]")
            for index, one in enumerate(where or ())
        ]
    if test_accounts:
        raw = source.context.project.test_account_filters
        found += [
            predicate(_of_project(one), source, f"test_account_filters[{index}]")
            for index, one in enumerate(raw)
        ]
    return found


def _of_project(raw: object) -> PropertyFilter:
    try:
        return msgspec.convert(raw, PropertyFilter)
    except msgspec.ValidationError as error:
        raise InvalidQuery(
            f"The project's test account filter {raw!r} cannot be read: {error}.",
            hint="Correct it in the project's settings.",
            attr="filterTestAccounts",
        ) from error


def predicate(where: PropertyFilter, source: Source, path: str = "properties") -> Tree:
    """Return the condition that one filter or group of filters states.

    Raises InvalidQuery, its ``attr`` beginning with ``path``.
    """
    if where.type in {"AND", "OR"}:
        return _group(where, source, path)
    try:
        return exp.paren(_leaf(where, source))
    except InvalidQuery as error:
        attr = f"{path}.{error.attr}" if error.attr else path
        raise InvalidQuery(error.what, hint=error.hint, attr=attr) from error


def _group(where: PropertyFilter, source: Source, path: str) -> Tree:
    parts = [
        predicate(one, source, f"{path}.values[{index}]")
        for index, one in enumerate(where.values or ())
    ]
    if not parts:
        return exp.true()
    return exp.paren(exp.and_(*parts) if where.type == "AND" else exp.or_(*parts))


def _leaf(where: PropertyFilter, source: Source) -> Tree:
    if where.type in COHORTS:
        return exp.true() if where.value == [] else _cohort(where, source)
    key = str(where.key)
    if where.type == "hogql":
        return expressions.condition(key, source)
    operator = where.operator or "exact"
    if operator not in WITHOUT_VALUE and where.value is None:
        raise InvalidQuery(
            f"The filter on {key!r} with operator {operator!r} has no value.",
            hint="Give it a 'value', or use is_set or is_not_set.",
            attr="value",
        )
    if operator not in WITHOUT_VALUE and where.value == []:
        return exp.true()
    if where.type == "person" and key == "distinct_id":
        return _distinct_ids(operator, where, source)
    type_ = where.type or "event"
    return compared(
        source.property(type_, key, where.group_type_index), operator, where, source
    )


def compared(found: Property, operator: str, where: PropertyFilter, source: Source) -> Tree:
    """Return the condition that an operator states about a property."""
    if operator in NEGATIVE:
        holds = _positive(found, NEGATIVE[operator], where, source)
        return exp.not_(_certain(holds))
    return _positive(found, operator, where, source)


def _certain(condition: Tree) -> Tree:
    """Return the condition with "unknown" made false."""
    return exp.func("coalesce", condition, exp.false())


def _positive(
    found: Property, operator: str, where: PropertyFilter, source: Source
) -> Tree:
    """Return a condition that is false or NULL for rows without the property."""
    if operator == "is_set":
        return exp.not_(exp.Is(this=found.text, expression=exp.null()))
    if operator in SEMVER_OPERATORS:
        return compare(found, operator, where.value, source)
    if operator in {"between", "not_between"}:
        return _between(found, operator, where, source)
    if operator in VERSION_OPERATORS:
        return in_order(found, where, source)
    wanted = scalars(where.value)
    if operator in {"exact", "in"}:
        return exact(found, wanted, source)
    test = _TESTS.get(operator, _ordered)
    return any_of(test(found, operator, one, source) for one in wanted)


def any_of(parts: Iterable[Tree]) -> Tree:
    """Return whether any of the conditions holds."""
    return exp.or_(*parts)


def _contains(found: Property, _: str, value: Scalar, source: Source) -> Tree:
    return source.dialect.contains(found.text.copy(), source.values.bind(text_of(value)))


def _matches(found: Property, _: str, value: Scalar, source: Source) -> Tree:
    pattern = source.values.bind(check_pattern(text_of(value)))
    return source.dialect.matches(found.text.copy(), pattern)


def _at(found: Property, operator: str, value: Scalar, source: Source) -> Tree:
    at = instant_of(text_of(value), source)
    return INSTANTS[operator](found.instant.copy(), source.values.bind(at))


def _ordered(found: Property, operator: str, value: Scalar, source: Source) -> Tree:
    compare_ = COMPARISONS[operator]
    if found.kind == "DateTime":
        at = instant_of(text_of(value), source)
        return compare_(found.instant.copy(), source.values.bind(at))
    limit = numeric(value)
    if limit is None:
        return exp.false()
    return compare_(found.number.copy(), source.values.bind(limit))


_TESTS: dict[str, Callable[[Property, str, Scalar, Source], Tree]] = {
    "icontains": _contains,
    "icontains_multi": _contains,
    "regex": _matches,
    **dict.fromkeys(INSTANTS, _at),
}
"""What an operator asks of one value; all others compare numbers."""


def _between(found: Property, operator: str, where: PropertyFilter, source: Source) -> Tree:
    low, high = (source.values.bind(one) for one in pair(where.value))
    number = found.number
    if operator == "between":
        return exp.and_(number >= low, number.copy() <= high)
    return exp.or_(number < low, number.copy() > high)


def _distinct_ids(operator: str, where: PropertyFilter, source: Source) -> Tree:
    """Return a condition on any of the person's distinct ids; negative: on none of them."""
    positive = NEGATIVE.get(operator, operator)
    text = exp.column("distinct_id", table="d")
    one = Property(text=text, number=source.dialect.number(text.copy()), instant=exp.null())
    holds = _positive(one, positive, where, source)
    ids = table(
        "distinct_ids",
        "d",
        source.context,
        source.values,
        exp.column("person_key", table="d"),
    ).where(holds)
    found = exp.In(this=source.person_key(), query=ids.subquery())
    return exp.not_(found) if operator in NEGATIVE else found


def _cohort(where: PropertyFilter, source: Source) -> Tree:
    """Return whether the row's person is, now, in any of the cohorts named."""
    operator = where.operator or "in"
    if operator not in {"in", "not_in", "exact", "is_not"}:
        raise InvalidQuery(
            f"A cohort cannot be compared by {operator!r}.",
            hint="Use in or not_in.",
            attr="operator",
        )
    inside = any_of(membership.in_cohort(one, source) for one in scalars(where.value))
    outside = operator in {"not_in", "is_not"} or bool(where.negation)
    return exp.not_(exp.paren(inside)) if outside else inside
