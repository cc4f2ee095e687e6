"""One HogQL expression on its way to our tree: kinds, conversions, calls of functions.

``Translation`` knows what names stand for and how a value of one kind is had as another;
what each node of a parsed expression becomes is told by the table it is given
(``expressions_nodes``).
"""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

import msgspec
from sqlglot import exp

from hedgerow.errors import InvalidQuery
from hedgerow.query.dates import moment
from hedgerow.query.expressions_functions import (
    AGGREGATES,
    SCALARS,
    Kind,
    Signature,
    is_aggregate,
    signature,
)
from hedgerow.query.expressions_table import PATTERNS, SYNONYMS
from hedgerow.query.filters_values import check_pattern
from hedgerow.query.sources import Property, Source
from hedgerow.query.trees import Tree, text_literal

DIFFERENT = frozenset({"uniq", "uniqExact", "countDistinct", "uniqIf", "uniqExactIf"})
"""Functions that only ask whether values differ."""


class Typed(msgspec.Struct, frozen=True):
    """A translated expression and the kind of its value."""

    tree: Tree
    kind: Kind
    constant: str | None = None
    """The text of a text constant."""

    property: Property | None = None
    """The property it reads, which can be had as another kind."""

    key: Tree | None = None
    """The key of the person whose id it is: counts and compares the same, and faster."""


class Translation:
    """One expression on its way; knows what its names stand for."""

    def __init__(
        self,
        source: Source,
        by_node: Mapping[type, "Translate"],
        *,
        aggregates: bool = False,
    ) -> None:
        self.source, self.aggregates = source, aggregates
        self._by_node = by_node
        self.locals: dict[str, Typed] = {}
        """Parameters of the lambdas around."""

        self.plain_equality = False
        """``=`` is three-valued, as in the condition of a join."""
        self.zone = source.context.project.timezone

    def typed(self, node: Any) -> Typed:
        """Return a node translated. Raises InvalidQuery where it is not allowed."""
        translate = self._by_node.get(type(node))
        if translate is None:
            raise InvalidQuery(
                f"{shown(node)} is not allowed in an expression.",
                hint="Use columns, constants, operators and functions.",
            )
        negated = node.args.get("negate") and not isinstance(node, exp.Like | exp.ILike)
        if negated or node.args.get("symmetric"):  # a part that nothing here would read
            raise InvalidQuery(f"{shown(node)} is not allowed.", hint="Write NOT (…).")
        return translate(self, node)

    def kind_of(self, node: Any, kind: Kind) -> Tree:
        """Return a node as a value of one kind."""
        return self.converted(self.typed(node), kind)

    def converted(self, found: Typed, kind: Kind) -> Tree:
        """Return a value as another kind; NULL where it cannot be read as that."""
        if kind in {"any", "value", found.kind} or found.kind == "any":
            return found.tree
        if kind.startswith("["):
            return _array(found)
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
        if found.kind == "bool":
            no = exp.not_(exp.paren(found.tree.copy()))
            texts = ((found.tree, "true"), (no, "false"))
            ifs = [exp.If(this=is_so, true=text_literal(text)) for is_so, text in texts]
            return exp.Case(ifs=ifs)
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
        if found.kind in {"time", "date"} or found.kind.startswith("time@"):
            zone = found.kind.partition("@")[2] or self.zone
            return self.source.dialect.utc_time(found.tree, zone)
        return self.source.dialect.instant(self.converted(found, "text"), self.zone)

    def _to_wall_clock(self, found: Typed) -> Tree:
        if found.constant is not None:
            at = moment(found.constant, self.source.context, "value").at.replace(
                tzinfo=None
            )
            return self.source.values.bind(at)
        if found.kind in {"time", "date"} or found.kind.startswith("time@"):
            return found.tree
        return self.source.dialect.local_time(self.converted(found, "instant"), self.zone)

    def call(self, name: str, nodes: list[Any]) -> Typed:
        """Return a function of the table with its arguments. Raises InvalidQuery."""
        name = SYNONYMS.get(name, name)
        known = signature(name)
        if known is None:
            raise unknown_function(name)
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
        if name == "multiIf" and len(nodes) % 2 == 0:
            raise InvalidQuery(
                "multiIf() has a condition without a value, or nothing for the rest.",
                hint="Write multiIf(a, 1, b, 2, 3).",
            )
        found = [self.typed(node) for node in nodes]
        if name in PATTERNS:
            _check_pattern(name, found[0 if name == "splitByRegexp" else 1])
        if name.endswith("OrNull"):  # a constant that cannot be read is no mistake
            found = [msgspec.structs.replace(one, constant=None) for one in found]
        if name in DIFFERENT:
            found = [_by_key(one) for one in found]
        kinds = _kinds(name, known, len(nodes))
        gives = _given(known, found, kinds)
        arguments = [
            self.converted(one, gives if kind == "any" and gives_alike(known) else kind)
            for one, kind in zip(found, kinds, strict=False)
        ]
        return Typed(self.source.dialect.function(name, arguments), gives)


def _check_pattern(name: str, pattern: Typed) -> None:
    if pattern.constant is None:
        raise InvalidQuery(
            f"{name}() needs a regular expression that is a constant.",
            hint="Write it as a text.",
        )
    check_pattern(pattern.constant)


def gives_alike(known: Signature) -> bool:
    """Return whether a function gives what it takes, which then must be of one kind."""
    return known.gives.startswith("like")


def _given(known: Signature, found: list[Typed], kinds: list[Kind]) -> Kind:
    """Return the kind of a call's value, from those of its arguments."""
    gives = known.gives
    if gives == "time":
        return next((one.kind for one in found if one.kind.startswith("time@")), gives)
    if gives.startswith(("list", "item")):
        kind = found[int(gives[4:]) - 1].kind
        if gives.startswith("list"):
            return f"[{kind}]"
        return kind[1:-1] if kind.startswith("[") else "any"
    if not gives.startswith("like"):
        return gives
    alike = [one.kind for one, kind in zip(found, kinds, strict=False) if kind == "any"]
    named = [kind for kind in alike if kind != "any"]
    if len(set(named)) > 1 and set(named) <= {"text", "json"}:
        return "text"
    first = found[int(gives[4:]) - 1].kind
    return first if first != "any" or not named else named[0]


def _array(found: Typed) -> Tree:
    if not found.kind.startswith("["):
        raise InvalidQuery(
            "A function of arrays is given something else.",
            hint="Make an array: [a, b], groupArray(x), splitByChar(',', x) "
            "or JSONExtractArrayRaw(x).",
        )
    return found.tree


def _by_key(found: Typed) -> Typed:
    """Return a person's key in place of their id: there are as many."""
    return found if found.key is None else Typed(found.key, "number")


def _kinds(name: str, known: Signature, count: int) -> list[Kind]:
    """Return the kind that each argument is taken as."""
    if name == "multiIf":
        return [*["bool", "any"] * (count // 2), "any"]
    return [*known.takes, *known.takes[-1:] * count][:count]


def shown(node: Any) -> str:
    """Return a node as text, quoted for a message."""
    return repr(node.sql(dialect="clickhouse"))


def unknown_function(name: str) -> InvalidQuery:
    """Return the refusal of a function, with the nearest known name."""
    known = {one.casefold(): one for one in (*SYNONYMS, *AGGREGATES, *SCALARS)}
    near = get_close_matches(name.casefold(), known, n=1, cutoff=0.3)
    hint = f"Did you mean {known[near[0]]}?" if near else "See the list of functions."
    return InvalidQuery(f"There is no function {name}().", hint=hint)


Translate = Callable[[Translation, Any], Typed]
"""What a node becomes."""
