"""Functions whose meaning hangs on the kinds of what they are given.

The largest of times is a time, and the largest of texts a text; ``toTypeName`` tells
ClickHouse's name of a type; ``arrayReduce`` is an aggregate over the elements of an array.
"""

from collections.abc import Callable
from typing import Any

from sqlglot import exp

from hedgerow.errors import InvalidQuery
from hedgerow.query.expressions_functions import filled
from hedgerow.query.expressions_translation import Translation, Typed, shown
from hedgerow.query.trees import Tree, text_literal

TIMES = ("instant", "time", "date")
NUMBER_TYPES = """
    CASE TYPEOF(a) WHEN 'BIGINT' THEN 'Int64' WHEN 'INTEGER' THEN 'Int32'
      WHEN 'HUGEINT' THEN 'Int128' WHEN 'SMALLINT' THEN 'Int16' WHEN 'TINYINT' THEN 'Int8'
      ELSE 'Float64' END"""
REDUCED = {
    "sum": ("COALESCE(LIST_SUM(a), 0)", "number"),
    "avg": ("LIST_AVG(a)", "number"),
    "count": ("LIST_COUNT(a)", "number"),
    "min": ("LIST_MIN(a)", "element"),
    "max": ("LIST_MAX(a)", "element"),
    "any": ("LIST_FIRST(a)", "element"),
    "anyLast": ("LIST_LAST(a)", "element"),
    "uniq": ("LIST_UNIQUE(a)", "number"),
    "uniqExact": ("LIST_UNIQUE(a)", "number"),
    "median": ("LIST_MEDIAN(a)", "number"),
    "stddevPop": ("LIST_STDDEV_POP(a)", "number"),
    "stddevSamp": ("LIST_STDDEV_SAMP(a)", "number"),
    "varPop": ("LIST_VAR_POP(a)", "number"),
    "varSamp": ("LIST_VAR_SAMP(a)", "number"),
    "groupArray": ("a", "array"),
    "groupUniqArray": ("LIST_DISTINCT(a)", "array"),
}
"""Aggregates of ``arrayReduce``, and what they give."""


def _extreme(name: str) -> Callable[[Translation, list[Any]], Typed]:
    def found(translation: Translation, nodes: list[Any]) -> Typed:
        values = [translation.typed(one) for one in nodes]
        kinds = {one.kind.partition("@")[0] for one in values} - {"any"}
        kind = kinds.pop() if len(kinds) == 1 else ""
        if kind not in {"text", "date"}:
            kind = "instant" if kind in TIMES or kinds & set(TIMES) else ""
        if not kind:
            return translation.call(name, nodes)
        arguments = [translation.converted(one, kind) for one in values]
        return Typed(translation.source.dialect.function(name, arguments), kind)

    return found


def _type_name(translation: Translation, nodes: list[Any]) -> Typed:
    of = translation.typed(nodes[0])
    if of.kind == "number":
        return Typed(filled(NUMBER_TYPES, [of.tree]), "text")
    return Typed(text_literal(_named(of.kind, translation.zone)), "text")


def _named(kind: str, zone: str) -> str:
    plain, _, own = kind.partition("@")
    if kind.startswith("["):
        return f"Array({_named(kind[1:-1], zone)})"
    if plain == "instant":
        return f"DateTime64(6, '{zone}')"
    if plain == "time":
        return f"DateTime('{own or zone}')"
    return {"bool": "Bool", "date": "Date", "number": "Float64"}.get(plain, "String")


def _reduced(translation: Translation, nodes: list[Any]) -> Typed:
    name = nodes[0].name if isinstance(nodes[0], exp.Literal) else shown(nodes[0])
    if name not in REDUCED:
        raise InvalidQuery(
            f"arrayReduce() cannot be of {name!r}.",
            hint=f"Use one of {', '.join(REDUCED)}.",
        )
    template, gives = REDUCED[name]
    of = translation.typed(nodes[1])
    array: Tree = translation.converted(of, "[any]")
    element = of.kind[1:-1] if of.kind.startswith("[") else "any"
    kind = {"element": element, "array": of.kind}.get(gives, gives)
    return Typed(filled(template, [array]), kind)


SPECIAL: dict[str, tuple[int, int, Callable[[Translation, list[Any]], Typed]]] = {
    "greatest": (1, 1000, _extreme("greatest")),
    "least": (1, 1000, _extreme("least")),
    "toTypeName": (1, 1, _type_name),
    "arrayReduce": (2, 2, _reduced),
}
"""Least and most arguments, and what it becomes."""
