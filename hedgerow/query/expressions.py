"""HogQL expressions in filters, breakdowns and math → our trees.

The text is parsed, and every node is translated through a list of what is allowed: a name
that is not a column, a function that is not in the table, a subquery, are refused by name.
Nothing of the author's text reaches the engine but constants, and those as placeholders.

A property has the kind of its definition. ``timestamp`` is an instant; the parts of it
(``toHour``) are those of the project's wall clock, and a text compared with it is a local
time. ``=`` and ``!=`` treat NULL as a value; everything else is three-valued.
"""

from collections.abc import Callable
from difflib import get_close_matches
from typing import Any

import msgspec
from sqlglot import exp

from hedgerow.errors import InvalidQuery
from hedgerow.query import membership
from hedgerow.query.dates import moment
from hedgerow.query.expressions_functions import (
    AGGREGATES,
    SCALARS,
    SYNONYMS,
    Kind,
    Signature,
    is_aggregate,
    signature,
)
from hedgerow.query.expressions_parsing import parsed
from hedgerow.query.sources import Events, Property, Source
from hedgerow.query.trees import Tree

KINDS: dict[str, Kind] = {
    "String": "text",
    "Numeric": "number",
    "Boolean": "bool",
    "DateTime": "instant",
}
UNITS = frozenset({"SECOND", "MINUTE", "HOUR", "DAY", "WEEK", "MONTH", "QUARTER", "YEAR"})


class Typed(msgspec.Struct, frozen=True):
    """A translated expression and the kind of its value."""

    tree: Tree
    kind: Kind
    constant: str | None = None
    """The text of a text constant."""

    property: Property | None = None
    """The property it reads, which can be had as another kind."""


def condition(text: str, source: Source) -> Tree:
    """Return a boolean expression over single rows as a condition."""
    return exp.paren(_Translation(source).kind_of(parsed(text), "bool"))


def scalar(text: str, source: Source) -> Typed:
    """Return an expression over single rows."""
    return _Translation(source).typed(parsed(text))


def as_text(found: Typed, source: Source) -> Tree:
    """Return an expression's value as text, as breakdowns show it."""
    return _Translation(source).converted(found, "text")


def as_number(found: Typed, source: Source) -> Tree:
    """Return an expression's value as a number; NULL where it reads as none."""
    return _Translation(source).converted(found, "number")


def aggregate(text: str, source: Source) -> Tree:
    """Return an expression over the rows of a group as a number.

    Raises InvalidQuery where it holds no aggregate function.
    """
    tree = parsed(text)
    if not has_aggregate(tree):
        raise InvalidQuery(
            f"{text!r} sums nothing up.",
            hint="Use an aggregate function, such as avg(properties.price).",
            attr="math_hogql",
        )
    return _Translation(source, aggregates=True).kind_of(tree, "number")


def column(text: str, source: Source) -> Typed:
    """Return an expression of a listing: over single rows, or an aggregate."""
    tree = parsed(text)
    return _Translation(source, aggregates=has_aggregate(tree)).typed(tree)


def is_aggregated(text: str) -> bool:
    """Return whether an expression sums rows up."""
    return has_aggregate(parsed(text))


def aggregated_condition(text: str, source: Source) -> Tree:
    """Return a boolean expression over the rows of a group as a condition."""
    return exp.paren(_Translation(source, aggregates=True).kind_of(parsed(text), "bool"))


def has_aggregate(tree: Tree) -> bool:
    """Return whether a parsed expression calls an aggregate function."""
    calls = tree.find_all(exp.AnonymousAggFunc, exp.CombinedAggFunc, exp.ParameterizedAgg)
    named = (one for one in tree.find_all(exp.Anonymous) if is_aggregate(one.name))
    return any(True for _ in calls) or any(True for _ in named)


class _Translation:
    """One expression on its way; knows what its names stand for."""

    def __init__(self, source: Source, *, aggregates: bool = False) -> None:
        self.source, self.aggregates = source, aggregates
        self.zone = source.context.project.timezone

    def typed(self, node: Any) -> Typed:
        """Return a node translated. Raises InvalidQuery where it is not allowed."""
        translate = _BY_NODE.get(type(node))
        if translate is None:
            raise InvalidQuery(
                f"{_shown(node)} is not allowed in an expression.",
                hint="Use columns, constants, operators and functions.",
            )
        return translate(self, node)

    def kind_of(self, node: Any, kind: Kind) -> Tree:
        """Return a node as a value of one kind."""
        return self.converted(self.typed(node), kind)

    def converted(self, found: Typed, kind: Kind) -> Tree:
        """Return a value as another kind; NULL where it cannot be read as that."""
        if kind in {"any", found.kind} or found.kind == "any":
            return found.tree
        if found.property is not None and kind != "time":
            known = found.property
            reading = {"text": known.text, "number": known.number, "instant": known.instant}
            if kind in reading:
                return reading[kind].copy()
        reading_as = {
            "text": self._to_text,
            "number": self._to_number,
            "bool": self._to_bool,
            "instant": self._to_instant,
            "time": self._to_wall_clock,
            "date": self._to_wall_clock,
        }
        return reading_as[kind](found)

    def _to_text(self, found: Typed) -> Tree:
        if found.kind == "instant":
            local = self.source.dialect.local_time(found.tree, self.zone)
            return self.source.dialect.text(local)
        return self.source.dialect.text(found.tree)

    def _to_number(self, found: Typed) -> Tree:
        if found.kind == "bool":
            return exp.cast(found.tree, "bigint")
        return self.source.dialect.number(self.converted(found, "text"))

    def _to_bool(self, found: Typed) -> Tree:
        if found.kind == "number":
            return exp.NEQ(this=found.tree, expression=exp.Literal.number(0))
        return self.converted(found, "text").eq(exp.Literal.string("true"))

    def _to_instant(self, found: Typed) -> Tree:
        if found.constant is not None:
            return self.source.values.bind(
                moment(found.constant, self.source.context, "value").at
            )
        if found.kind in {"time", "date"}:
            return self.source.dialect.utc_time(found.tree, self.zone)
        return self.source.dialect.instant(self.converted(found, "text"), self.zone)

    def _to_wall_clock(self, found: Typed) -> Tree:
        if found.constant is not None:
            at = moment(found.constant, self.source.context, "value").at.replace(
                tzinfo=None
            )
            return self.source.values.bind(at)
        if found.kind in {"time", "date"}:
            return found.tree
        return self.source.dialect.local_time(self.converted(found, "instant"), self.zone)

    def call(self, name: str, nodes: list[Any]) -> Typed:
        """Return a function of the table with its arguments. Raises InvalidQuery."""
        name = SYNONYMS.get(name, name)
        known = signature(name)
        if known is None:
            raise _unknown_function(name)
        if is_aggregate(name) and not self.aggregates:
            raise InvalidQuery(
                f"{name}() sums many rows up, which is not possible here.",
                hint="Aggregates belong into math_hogql or a SELECT.",
            )
        if not known.least <= len(nodes) <= known.most():
            raise InvalidQuery(
                f"{name}() does not take {len(nodes)} arguments.",
                hint=f"It takes {known.least} to {known.most()}.",
            )
        found = [self.typed(node) for node in nodes]
        kinds = _kinds(name, known, len(nodes))
        arguments = [
            self.converted(one, kind) for one, kind in zip(found, kinds, strict=False)
        ]
        gives = known.gives
        if gives.startswith("like"):
            gives = found[int(gives[4:]) - 1].kind
            arguments = [
                self.converted(one, gives) if kind == "any" else argument
                for one, kind, argument in zip(found, kinds, arguments, strict=False)
            ]
        return Typed(self.source.dialect.function(name, arguments), gives)


def _kinds(name: str, known: Signature, count: int) -> list[Kind]:
    """Return the kind that each argument is taken as."""
    if name == "multiIf":
        return [*["bool", "any"] * (count // 2), "any"]
    return [*known.takes, *known.takes[-1:] * count][:count]


def _shown(node: Any) -> str:
    return repr(node.sql(dialect="clickhouse"))


def _unknown_function(name: str) -> InvalidQuery:
    near = get_close_matches(name, [*SCALARS, *AGGREGATES, *SYNONYMS], n=1, cutoff=0.3)
    hint = f"Did you mean {near[0]}?" if near else "See the list of functions."
    return InvalidQuery(f"There is no function {name}().", hint=hint)


def _paren(translation: _Translation, node: exp.Paren) -> Typed:
    inner = translation.typed(node.this)
    return msgspec.structs.replace(inner, tree=exp.paren(inner.tree))


def _column(translation: _Translation, node: exp.Column) -> Typed:
    names = [part.name for part in node.parts]
    return _named_value(translation, names, node)


def _bracket(translation: _Translation, node: exp.Bracket) -> Typed:
    """Return ``properties['a b']``."""
    key = node.expressions[0] if len(node.expressions) == 1 else None
    if isinstance(node.this, exp.Column) and isinstance(key, exp.Literal) and key.is_string:
        names = [part.name for part in node.this.parts]
        return _named_value(translation, [*names, key.name], node)
    raise InvalidQuery(
        f"{_shown(node)} is not allowed here.",
        hint="Write properties['name'] or properties.name.",
    )


def _named_value(translation: _Translation, names: list[str], node: Any) -> Typed:
    """Return what a dotted name stands for: a column or a property."""
    source = translation.source
    match names:
        case ["properties", key]:
            return _of_property(source.property(source.own, key))
        case ["properties", key, *rest] if isinstance(source, Events):
            text = source.dialect.json_text(source.column("properties"), key, *rest)
            return Typed(text, "text")
        case ["person", "properties", key] | ["pdi", "person", "properties", key]:
            return _of_property(source.property("person", key))
        case [group, "properties", key] if group in {
            f"group_{index}" for index in range(5)
        }:
            return _of_property(source.property("group", key, int(group[-1])))
        case ["person", "id"]:
            return _of_property(source.property("event_metadata", "person_id"))
        case ["person", "created_at"] if isinstance(source, Events):
            return Typed(source.person_column("created_at"), "instant")
        case [name] if name in source.names or name.startswith("$group_"):
            return _of_property(source.property("event_metadata", name))
    raise InvalidQuery(
        f"There is no column {_shown(node)}.",
        hint="Use properties.name, person.properties.name, group_0.properties.name, "
        f"or one of {', '.join(sorted(source.names))}.",
    )


def _of_property(found: Property) -> Typed:
    kind = KINDS[found.kind]
    if kind == "bool":
        truth = found.text.copy().eq(exp.Literal.string("true"))
        known = found.text.copy().isin(
            exp.Literal.string("true"), exp.Literal.string("false")
        )
        tree: Tree = exp.Case(ifs=[exp.If(this=known, true=truth)])
        return Typed(tree, kind, property=found)
    trees = {"text": found.text, "number": found.number, "instant": found.instant}
    return Typed(trees[kind].copy(), kind, property=found)


def _literal(translation: _Translation, node: exp.Literal) -> Typed:
    if node.is_string:
        return Typed(translation.source.values.bind(node.name), "text", constant=node.name)
    return Typed(node.copy(), "number")


def _negative(translation: _Translation, node: exp.Neg) -> Typed:
    return Typed(
        exp.Neg(this=exp.paren(translation.kind_of(node.this, "number"))), "number"
    )


def _logic(translation: _Translation, node: exp.And | exp.Or) -> Typed:
    sides = [translation.kind_of(side, "bool") for side in (node.this, node.expression)]
    return Typed(exp.paren(type(node)(this=sides[0], expression=sides[1])), "bool")


def _not(translation: _Translation, node: exp.Not) -> Typed:
    return Typed(exp.not_(exp.paren(translation.kind_of(node.this, "bool"))), "bool")


def _alike(translation: _Translation, nodes: list[Any]) -> list[Tree]:
    """Return values as one kind, so that they can be compared."""
    found = [translation.typed(node) for node in nodes]
    kinds = {one.kind for one in found if one.kind != "any"}
    for kind in ("instant", "time", "date", "number", "bool", "text"):
        if kind in kinds and (kind != "time" or "instant" not in kinds):
            return [translation.converted(one, kind) for one in found]
    return [one.tree for one in found]


def _equal(translation: _Translation, node: exp.EQ | exp.NEQ) -> Typed:
    left, right = _alike(translation, [node.this, node.expression])
    compare = exp.NullSafeEQ if isinstance(node, exp.EQ) else exp.NullSafeNEQ
    return Typed(exp.paren(compare(this=left, expression=right)), "bool")


def _ordered(translation: _Translation, node: exp.Binary) -> Typed:
    left, right = _alike(translation, [node.this, node.expression])
    return Typed(exp.paren(type(node)(this=left, expression=right)), "bool")


def _arithmetic(translation: _Translation, node: exp.Binary) -> Typed:
    if isinstance(node.expression, exp.Interval) and isinstance(node, exp.Add | exp.Sub):
        return _shifted(translation, node, node.expression)
    left, right = (
        exp.paren(translation.kind_of(side, "number"))
        for side in (node.this, node.expression)
    )
    return Typed(exp.paren(type(node)(this=left, expression=right)), "number")


def _joined(translation: _Translation, node: exp.DPipe) -> Typed:
    """Return one text after the other; NULL where either is."""
    left, right = (translation.kind_of(one, "text") for one in (node.this, node.expression))
    return Typed(exp.paren(exp.DPipe(this=left, expression=right)), "text")


def _shifted(translation: _Translation, node: exp.Binary, interval: exp.Interval) -> Typed:
    """Return a time plus or minus ``INTERVAL 7 DAY``."""
    moved = translation.typed(node.this)
    kind = moved.kind if moved.kind in {"time", "date", "instant"} else "instant"
    unit = str(interval.args.get("unit") or "").upper()
    amount = interval.this
    if (
        unit not in UNITS
        or not isinstance(amount, exp.Literal)
        or not amount.name.isdigit()
    ):
        raise InvalidQuery(
            f"{_shown(interval)} is not an interval.", hint="Write INTERVAL 7 DAY."
        )
    by = exp.Interval(this=exp.Literal.string(amount.name), unit=exp.var(unit))
    tree = type(node)(this=translation.converted(moved, kind), expression=by)
    return Typed(exp.paren(tree), kind)


def _is(translation: _Translation, node: exp.Is) -> Typed:
    tree = exp.Is(this=translation.typed(node.this).tree, expression=exp.null())
    if isinstance(node.expression, exp.Null):
        return Typed(exp.paren(tree), "bool")
    raise InvalidQuery(
        f"{_shown(node)} is not allowed.", hint="Use IS NULL or IS NOT NULL."
    )


def _in(translation: _Translation, node: exp.In) -> Typed:
    if not node.expressions:
        raise InvalidQuery(
            f"{_shown(node)} is not allowed.", hint="Give a list of constants in brackets."
        )
    first = node.expressions[0]
    if isinstance(first, exp.Anonymous) and first.name == "cohort":
        return Typed(
            membership.in_cohort(first.expressions[0].name, translation.source), "bool"
        )
    listed = node.expressions
    if len(listed) == 1 and isinstance(listed[0], exp.Tuple):
        listed = listed[0].expressions
    value, *members = _alike(translation, [node.this, *listed])
    return Typed(exp.paren(exp.In(this=value, expressions=members)), "bool")


def _between(translation: _Translation, node: exp.Between) -> Typed:
    parts = [node.this, node.args["low"], node.args["high"]]
    value, low, high = _alike(translation, parts)
    return Typed(exp.paren(exp.Between(this=value, low=low, high=high)), "bool")


def _if(translation: _Translation, node: exp.If) -> Typed:
    otherwise = node.args.get("false") or exp.null()
    return translation.call("if", [node.this, node.args["true"], otherwise])


def _case(translation: _Translation, node: exp.Case) -> Typed:
    subject = node.this
    pairs: list[Any] = []
    for branch in node.args["ifs"]:
        test = exp.EQ(this=subject, expression=branch.this) if subject else branch.this
        pairs += [test, branch.args["true"]]
    return translation.call("multiIf", [*pairs, node.args.get("default") or exp.null()])


def _coalesce(translation: _Translation, node: exp.Coalesce) -> Typed:
    return translation.call("coalesce", [node.this, *node.expressions])


def _named(translation: _Translation, node: exp.Func) -> Typed:
    """Return a call by name; ``count(DISTINCT x)`` is ``uniqExact(x)``."""
    name, arguments = str(node.this), list(node.expressions)
    if name == "now" and not arguments:
        now = translation.source.values.bind(translation.source.context.now)
        return Typed(now, "instant")
    if name in {"today", "yesterday"} and not arguments:
        day = moment(
            "dStart" if name == "today" else "1dStart", translation.source.context, name
        )
        return Typed(translation.source.values.bind(day.at.replace(tzinfo=None)), "date")
    if len(arguments) == 1 and isinstance(arguments[0], exp.Distinct):
        name, arguments = "uniqExact", arguments[0].expressions
    return translation.call(name, arguments)


def _parameterized(translation: _Translation, node: Any) -> Typed:
    """Return ``quantile(0.9)(x)``, exactly and interpolated."""
    share = node.expressions[0] if len(node.expressions) == 1 else None
    if not str(node.this).startswith("quantile") or not isinstance(share, exp.Literal):
        raise _unknown_function(str(node.this))
    if not translation.aggregates or len(node.args["params"]) != 1:
        raise InvalidQuery(
            f"{_shown(node)} is not possible here.",
            hint="Write quantile(0.9)(x) in math_hogql.",
        )
    number = translation.kind_of(node.args["params"][0], "number")
    return Typed(translation.source.dialect.quantile(number, float(share.name)), "number")


def _as_function(name: str) -> Callable[[_Translation, Any], Typed]:
    return lambda translation, node: translation.call(name, [node.this, node.expression])


_BY_NODE: dict[type, Callable[[_Translation, Any], Typed]] = {
    exp.Paren: _paren,
    exp.Column: _column,
    exp.Bracket: _bracket,
    exp.Literal: _literal,
    exp.Boolean: lambda _, node: Typed(node.copy(), "bool"),
    exp.Null: lambda _, __: Typed(exp.null(), "any"),
    exp.Neg: _negative,
    exp.And: _logic,
    exp.Or: _logic,
    exp.Not: _not,
    exp.EQ: _equal,
    exp.NEQ: _equal,
    exp.GT: _ordered,
    exp.GTE: _ordered,
    exp.LT: _ordered,
    exp.LTE: _ordered,
    exp.Add: _arithmetic,
    exp.Sub: _arithmetic,
    exp.Mul: _arithmetic,
    exp.Div: _arithmetic,
    exp.Mod: _arithmetic,
    exp.IntDiv: _as_function("intDiv"),
    exp.DPipe: _joined,
    exp.Like: _as_function("like"),
    exp.ILike: _as_function("ilike"),
    exp.RegexpLike: _as_function("match"),
    exp.Is: _is,
    exp.In: _in,
    exp.Between: _between,
    exp.If: _if,
    exp.Case: _case,
    exp.Coalesce: _coalesce,
    exp.Anonymous: _named,
    exp.AnonymousAggFunc: _named,
    exp.CombinedAggFunc: _named,
    exp.ParameterizedAgg: _parameterized,
}
