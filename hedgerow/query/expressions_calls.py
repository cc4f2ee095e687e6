"""Calls in expressions: by the table of functions, by their own rules, with parameters.

``called`` looks a name up: the moment of the question, functions with rules of their own
(``expressions_times``, ``expressions_lists``), and else the table (``expressions_table``).
"""

from typing import Any

import msgspec
from sqlglot import exp

from hedgerow.errors import InvalidQuery
from hedgerow.query import expressions_by_kind as by_kind
from hedgerow.query import expressions_lists as lists
from hedgerow.query import expressions_times as times
from hedgerow.query.dates import moment
from hedgerow.query.expressions_functions import only_where
from hedgerow.query.expressions_table import LATER
from hedgerow.query.expressions_translation import (
    Translation,
    Typed,
    shown,
    unknown_function,
)
from hedgerow.query.trees import call, number_literal

SPECIAL = times.SPECIAL | lists.SPECIAL | by_kind.SPECIAL
CASTS = {
    **dict.fromkeys(("Int8", "Int16", "Int32", "Int64", "Int128", "Int256"), "toInt"),
    **dict.fromkeys(("UInt8", "UInt16", "UInt32", "UInt64"), "toInt"),
    **dict.fromkeys(("Float32", "Float64", "Decimal"), "toFloat"),
    **dict.fromkeys(("String", "FixedString"), "toString"),
    **dict.fromkeys(("DateTime", "DateTime64"), "toDateTime"),
    **dict.fromkeys(("Date", "Date32"), "toDate"),
    "Bool": "toBool",
    "UUID": "toUUID",
}
"""Types that a value can be cast to, and by which function."""


def called(translation: Translation, node: exp.Func) -> Typed:
    """Return a call by name; ``count(DISTINCT x)`` is ``uniqExact(x)``."""
    name, arguments = str(node.this), list(node.expressions)
    if name in {"now", "today", "yesterday"} and not arguments:
        return _present(translation, name)
    if len(arguments) == 1 and isinstance(arguments[0], exp.Distinct):
        name, arguments = _distinct(name), arguments[0].expressions
    if len(arguments) == 1 and isinstance(arguments[0], exp.Star) and name == "count":
        arguments = []
    if name in SPECIAL and not _is_plain(name, arguments):
        return _special(translation, name, arguments)
    if name in LATER:
        raise _later(name)
    if name in {"cast", "CAST", "accurateCast", "accurateCastOrNull"}:
        return _cast_call(translation, name, arguments)
    return translation.call(name, arguments)


def _present(translation: Translation, name: str) -> Typed:
    """Return the moment of the question, or a day of the project's calendar."""
    context, values = translation.source.context, translation.source.values
    if name == "now":
        return Typed(values.bind(context.now), "instant")
    day = moment("dStart" if name == "today" else "1dStart", context, name)
    return Typed(values.bind(day.at.replace(tzinfo=None)), "date")


def _special(translation: Translation, name: str, arguments: list[Any]) -> Typed:
    least, most, made = SPECIAL[name]
    if not least <= len(arguments) <= most:
        raise InvalidQuery(
            f"{name}() does not take {len(arguments)} arguments.",
            hint=f"It takes {least} to {most}.",
        )
    return made(translation, arguments)


def _cast_call(translation: Translation, name: str, arguments: list[Any]) -> Typed:
    """Return ``cast(x, 'Int64')``, or ``cast(x AS Int64)`` as it is parsed."""
    if len(arguments) == 2 and isinstance(arguments[1], exp.Literal):
        return _cast_to(translation, arguments[0], arguments[1].name)
    if len(arguments) == 1 and isinstance(arguments[0], exp.Alias):
        return _cast_to(translation, arguments[0].this, arguments[0].alias)
    raise InvalidQuery(f"{name}() names no type.", hint="Write cast(x, 'Int64').")


def _distinct(name: str) -> str:
    """Return the aggregate of different values."""
    known = {"count": "uniqExact", "sum": "sumDistinct", "avg": "avgDistinct"}
    known |= {"groupArray": "groupUniqArray", "min": "min", "max": "max"}
    if name not in known:
        raise InvalidQuery(f"{name}(DISTINCT …) is not possible.", hint="Use count.")
    return known[name]


def _is_plain(name: str, arguments: list[Any]) -> bool:
    """Return whether a call is the plain one of the table, which its special form uses."""
    return name == "toDate" and len(arguments) == 1


def cast(translation: Translation, node: exp.Cast | exp.TryCast) -> Typed:
    """Return ``CAST(x AS Float64)`` and ``x::Float64``; NULL where it cannot be read."""
    return _cast_to(translation, node.this, node.to.sql(dialect="clickhouse"))


def _cast_to(translation: Translation, node: Any, kind: str) -> Typed:
    plain = kind.removeprefix("Nullable(").removesuffix(")")
    name = CASTS.get(plain.partition("(")[0])
    if name is None:
        raise InvalidQuery(
            f"{kind!r} is not a type to cast to.", hint=f"Use one of {', '.join(CASTS)}."
        )
    return called(translation, exp.Anonymous(this=name, expressions=[node]))


def parameterized(translation: Translation, node: Any) -> Typed:
    """Return ``quantile(0.9)(x)``, ``topK(3)(x)``, ``groupArray(10)(x)`` and their ``…If``."""
    name, parameters = str(node.this), list(node.expressions)
    if name.partition("(")[0] in LATER:
        raise _later(name)
    arguments, kept = list(node.args["params"]), None
    if name.endswith("If") and len(arguments) > 1:
        name, kept = name.removesuffix("If"), translation.kind_of(arguments.pop(), "bool")
    if not translation.aggregates or len(arguments) != 1:
        raise InvalidQuery(
            f"{shown(node)} is not possible here.",
            hint="Write quantile(0.9)(x) in math_hogql or a SELECT.",
        )
    shares = [_constant(one, node) for one in parameters]
    found = _with_parameters(translation, name, shares, arguments[0])
    if kept is None:
        return found
    return msgspec.structs.replace(found, tree=only_where(found.tree, kept))


def _with_parameters(
    translation: Translation, name: str, shares: list[float], argument: Any
) -> Typed:
    """Return an aggregate with constants of its own."""
    dialect = translation.source.dialect
    if name.startswith("quantile") and all(0 <= one <= 1 for one in shares):
        number = translation.kind_of(argument, "number")
        quantiles = [dialect.quantile(number.copy(), one) for one in shares]
        if name.startswith("quantiles"):
            return Typed(exp.Array(expressions=quantiles), "[number]")
        if len(quantiles) == 1:
            return Typed(quantiles[0], "number")
    most = int(shares[0]) if len(shares) == 1 and shares[0] >= 1 else 0
    if name in {"groupArray", "groupUniqArray"} and most:
        whole = translation.call(name, [argument])
        cut = call("list_slice", whole.tree, number_literal(1), number_literal(most))
        return msgspec.structs.replace(whole, tree=cut)
    if name in {"topK", "topKWeighted"} and 0 < most <= 1000:
        value = translation.typed(argument)
        top = call("approx_top_k", value.tree, number_literal(most))
        return Typed(top, f"[{value.kind}]")
    raise unknown_function(name)


def _constant(node: Any, whole: Any) -> float:
    try:
        return float(node.name)
    except ValueError as error:
        raise InvalidQuery(
            f"{shown(whole)} has a parameter that is no constant.", hint="Write a number."
        ) from error


def _later(name: str) -> InvalidQuery:
    return InvalidQuery(
        f"{name}() is not part of this product yet.",
        hint="Use a funnel, a retention or a path insight.",
    )
