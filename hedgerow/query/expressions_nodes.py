"""What each node of a parsed HogQL expression becomes: ``BY_NODE`` is all that is allowed."""

import re
from typing import Any

import msgspec
from sqlglot import exp

from hedgerow.errors import InvalidQuery
from hedgerow.query import membership
from hedgerow.query.expressions_calls import called, cast, parameterized
from hedgerow.query.expressions_functions import Kind
from hedgerow.query.expressions_lists import array, element_of_tuple, indexed, tuple_
from hedgerow.query.expressions_times import Interval, between, interval, shifted
from hedgerow.query.expressions_translation import (
    Translate,
    Translation,
    Typed,
    shown,
)
from hedgerow.query.sources import Events, Property, Source
from hedgerow.query.trees import Tree

KINDS: dict[str, Kind] = {
    "String": "text",
    "Numeric": "number",
    "Boolean": "bool",
    "DateTime": "instant",
}
NUMBER = re.compile(r"\d{1,300}(\.\d{0,300})?([eE][+-]?\d{1,3})?|\.\d{1,300}")
TIMES = ("instant", "time", "date")


def _paren(translation: Translation, node: exp.Paren) -> Typed:
    inner = translation.typed(node.this)
    return msgspec.structs.replace(inner, tree=exp.paren(inner.tree))


def _column(translation: Translation, node: exp.Column) -> Typed:
    names = [part.name for part in node.parts]
    return _named_value(translation, names, node)


def _bracket(translation: Translation, node: exp.Bracket) -> Typed:
    """Return ``properties['a b']``, or an element of an array."""
    key = node.expressions[0] if len(node.expressions) == 1 else None
    if isinstance(node.this, exp.Column) and isinstance(key, exp.Literal) and key.is_string:
        names = [part.name for part in node.this.parts]
        return _named_value(translation, [*names, key.name], node)
    return indexed(translation, node)


def _local(translation: Translation, node: exp.Identifier) -> Typed:
    """Return a parameter of a lambda."""
    if node.name in translation.locals:
        return translation.locals[node.name]
    return _named_value(translation, [node.name], node)


def _named_value(translation: Translation, names: list[str], node: Any) -> Typed:
    found = named_value(translation.source, names)
    if found is not None:
        return found
    raise InvalidQuery(
        f"There is no column {shown(node)}.",
        hint="Use properties.name, person.properties.name, group_0.properties.name, "
        f"or one of {', '.join(sorted(translation.source.names))}.",
    )


def named_value(source: Source, names: list[str]) -> Typed | None:
    """Return what a dotted name stands for, a column or a property; None: nothing."""
    match names:
        case ["properties", key]:
            return of_property(source.property(source.own, key))
        case ["properties", key, *rest] if isinstance(source, Events):
            text = source.dialect.json_text(source.column("properties"), key, *rest)
            return Typed(text, "text")
        case ["person", "properties", key] | ["pdi", "person", "properties", key]:
            return of_property(source.property("person", key))
        case [group, "properties", key] if group in {
            f"group_{index}" for index in range(5)
        }:
            return of_property(source.property("group", key, int(group[-1])))
        case ["person", "id"]:
            return of_property(source.property("event_metadata", "person_id"))
        case ["person", "created_at"] if isinstance(source, Events):
            return Typed(source.person_column("created_at"), "instant")
        case [name] if name in source.names or name.startswith("$group_"):
            return of_property(source.property("event_metadata", name))
    return None


def of_property(found: Property) -> Typed:
    """Return a property as the kind of its definition."""
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


def _literal(translation: Translation, node: exp.Literal) -> Typed:
    if node.is_string:
        return Typed(translation.source.values.bind(node.name), "text", constant=node.name)
    if not NUMBER.fullmatch(node.name):
        raise InvalidQuery(f"{node.name!r} is not a number.", hint="Write 12 or 1.5.")
    return Typed(exp.Literal.number(node.name), "number")


def _negative(translation: Translation, node: exp.Neg) -> Typed:
    return Typed(
        exp.Neg(this=exp.paren(translation.kind_of(node.this, "number"))), "number"
    )


def _logic(translation: Translation, node: exp.And | exp.Or) -> Typed:
    sides = [translation.kind_of(side, "bool") for side in node.flatten(unnest=False)]
    return Typed(
        exp.paren(exp.and_(*sides) if isinstance(node, exp.And) else exp.or_(*sides)),
        "bool",
    )


def _not(translation: Translation, node: exp.Not) -> Typed:
    return Typed(exp.not_(exp.paren(translation.kind_of(node.this, "bool"))), "bool")


def _alike(translation: Translation, nodes: list[Any]) -> list[Tree]:
    """Return values as one kind, so that they can be compared."""
    found = [translation.typed(node) for node in nodes]
    kinds = {one.kind.partition("@")[0] for one in found if one.kind != "any"}
    if all(one.key is not None for one in found):
        return [one.key for one in found if one.key is not None]
    for kind in ("instant", "time", "date", "number", "bool", "text"):
        if kind in kinds and (kind != "time" or "instant" not in kinds):
            return [translation.converted(one, kind) for one in found]
    return [one.tree for one in found]


def _equal(translation: Translation, node: exp.EQ | exp.NEQ) -> Typed:
    left, right = _alike(translation, [node.this, node.expression])
    if translation.plain_equality:
        return Typed(exp.paren(type(node)(this=left, expression=right)), "bool")
    compare = exp.NullSafeEQ if isinstance(node, exp.EQ) else exp.NullSafeNEQ
    return Typed(exp.paren(compare(this=left, expression=right)), "bool")


def _ordered(translation: Translation, node: exp.Binary) -> Typed:
    left, right = _alike(translation, [node.this, node.expression])
    return Typed(exp.paren(type(node)(this=left, expression=right)), "bool")


def _arithmetic(translation: Translation, node: exp.Binary) -> Typed:
    """Return a calculation with numbers, or with times and intervals."""
    sign = {exp.Add: 1, exp.Sub: -1}.get(type(node), 0)
    if sign and (by := interval(translation, node.expression)) is not None:
        return shifted(translation, translation.typed(node.this), by, sign)
    if sign > 0 and (by := interval(translation, node.this)) is not None:
        return shifted(translation, translation.typed(node.expression), by, sign)
    sides = [translation.typed(side) for side in (node.this, node.expression)]
    if sign and sides[0].kind.startswith(TIMES):
        if sides[1].kind.startswith(TIMES):
            return between(translation, sides[0], sides[1])
        unit = "day" if sides[0].kind == "date" else "second"
        amount = Interval(unit, translation.converted(sides[1], "number"))
        return shifted(translation, sides[0], amount, sign)
    left, right = (exp.paren(translation.converted(side, "number")) for side in sides)
    if isinstance(node, exp.Mod):
        right = exp.paren(exp.Nullif(this=right, expression=exp.Literal.number(0)))
    return Typed(exp.paren(type(node)(this=left, expression=right)), "number")


def _joined(translation: Translation, node: exp.DPipe) -> Typed:
    """Return one text after the other; NULL where either is."""
    left, right = (translation.kind_of(one, "text") for one in (node.this, node.expression))
    return Typed(exp.paren(exp.DPipe(this=left, expression=right)), "text")


def _is(translation: Translation, node: exp.Is) -> Typed:
    tree = exp.Is(this=translation.typed(node.this).tree, expression=exp.null())
    if isinstance(node.expression, exp.Null):
        return Typed(exp.paren(tree), "bool")
    raise InvalidQuery(f"{shown(node)} is not allowed.", hint="Use IS NULL or IS NOT NULL.")


def _in(translation: Translation, node: exp.In) -> Typed:
    if not node.expressions:
        raise InvalidQuery(
            f"{shown(node)} is not allowed.", hint="Give a list of constants in brackets."
        )
    first = node.expressions[0]
    if (named := cohort_in(first)) is not None:
        return Typed(membership.in_cohort(named, translation.source), "bool")
    listed = node.expressions
    if len(listed) == 1 and isinstance(listed[0], exp.Tuple) and not _is_member(node):
        listed = listed[0].expressions
    value, *members = _alike(translation, [node.this, *listed])
    return Typed(exp.paren(exp.In(this=value, expressions=members)), "bool")


def _is_member(node: exp.In) -> bool:
    """Return whether the one tuple listed is itself what ``(a, b)`` may be equal to."""
    of, only = node.this, node.expressions[0].expressions
    pairs = isinstance(of, exp.Tuple) or str(of.this) == "tuple"
    return pairs and not isinstance(only[0], exp.Tuple)


def cohort_in(node: Any) -> str | None:
    """Return the id or name in ``IN COHORT …``; None where there is none."""
    if not isinstance(node, exp.Anonymous) or node.name != "cohort":
        return None
    given = node.expressions
    return given[0].name if len(given) == 1 and isinstance(given[0], exp.Literal) else None


def _between(translation: Translation, node: exp.Between) -> Typed:
    parts = [node.this, node.args["low"], node.args["high"]]
    value, low, high = _alike(translation, parts)
    return Typed(exp.paren(exp.Between(this=value, low=low, high=high)), "bool")


def _if(translation: Translation, node: exp.If) -> Typed:
    otherwise = node.args.get("false") or exp.null()
    return translation.call("if", [node.this, node.args["true"], otherwise])


def _case(translation: Translation, node: exp.Case) -> Typed:
    subject = node.this
    pairs: list[Any] = []
    for branch in node.args["ifs"]:
        test = exp.EQ(this=subject, expression=branch.this) if subject else branch.this
        pairs += [test, branch.args["true"]]
    return translation.call("multiIf", [*pairs, node.args.get("default") or exp.null()])


def _coalesce(translation: Translation, node: exp.Coalesce) -> Typed:
    return translation.call("coalesce", [node.this, *node.expressions])


def _alike_text(name: str) -> Translate:
    """Return ``LIKE`` or ``ILIKE``, which the parser negates by itself."""

    def found(translation: Translation, node: exp.Like | exp.ILike) -> Typed:
        like = translation.call(name, [node.this, node.expression])
        if not node.args.get("negate"):
            return like
        return Typed(exp.not_(exp.paren(like.tree)), "bool")

    return found


def _as_function(name: str) -> Translate:
    return lambda translation, node: translation.call(name, [node.this, node.expression])


BY_NODE: dict[type, Translate] = {
    exp.Paren: _paren,
    exp.Identifier: _local,
    exp.Array: array,
    exp.Tuple: tuple_,
    exp.Dot: element_of_tuple,
    exp.Cast: cast,
    exp.TryCast: cast,
    exp.Column: _column,
    exp.Bracket: _bracket,
    exp.Literal: _literal,
    exp.Boolean: lambda _, node: Typed(exp.Boolean(this=bool(node.this)), "bool"),
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
    exp.Like: _alike_text("like"),
    exp.ILike: _alike_text("ilike"),
    exp.RegexpLike: _as_function("match"),
    exp.Is: _is,
    exp.In: _in,
    exp.Between: _between,
    exp.If: _if,
    exp.Case: _case,
    exp.Coalesce: _coalesce,
    exp.Anonymous: called,
    exp.AnonymousAggFunc: called,
    exp.CombinedAggFunc: called,
    exp.ParameterizedAgg: parameterized,
    exp.CombinedParameterizedAgg: parameterized,
}
