"""What the nodes of an expression become inside a SELECT.

As in ``expressions_nodes``, with what only a SELECT has: names of its relations, subqueries,
windows, ``arrayJoin``, values given beside the text.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
from sqlglot import exp

from hedgerow.errors import InvalidQuery
from hedgerow.query import filters, membership
from hedgerow.query.dates import resolve
from hedgerow.query.expressions_functions import is_aggregate
from hedgerow.query.expressions_nodes import BY_NODE, cohort_in
from hedgerow.query.expressions_parsing import source_text
from hedgerow.query.expressions_table import SYNONYMS
from hedgerow.query.expressions_translation import Translate, Translation, Typed
from hedgerow.query.hogql_clauses import ordered
from hedgerow.query.hogql_scope import Scope, path_of
from hedgerow.query.hogql_writing import Selected, quoted, subquery
from hedgerow.query.sources import Persons
from hedgerow.query.trees import Tree, call, number_literal

RANKS = {"row_number": 0, "rank": 0, "dense_rank": 0, "percent_rank": 0, "cume_dist": 0,
         "ntile": 1, "lag": 3, "lead": 3, "first_value": 1, "last_value": 1,
         "nth_value": 2}  # fmt: skip
"""Functions of a window, and how many arguments they take at most."""

IN_FRAME = {"lagInFrame": "lag", "leadInFrame": "lead"}


def nodes(scope: Scope) -> Mapping[type, Translate]:
    """Return what nodes become in a SELECT."""
    here = _Here(scope)
    return BY_NODE | {
        exp.Column: here.column,
        exp.Identifier: here.column,
        exp.Bracket: here.bracket,
        exp.Dot: here.dot,
        exp.Anonymous: here.call,
        exp.AnonymousAggFunc: here.call,
        exp.CombinedAggFunc: here.call,
        exp.Filter: here.filtered,
        exp.Window: here.window,
        exp.Subquery: here.scalar,
        exp.Exists: here.exists,
        exp.In: here.member,
    }


class _Here:
    """The nodes of one SELECT."""

    def __init__(self, scope: Scope) -> None:
        self.scope = scope

    def column(self, translation: Translation, node: Any) -> Typed:
        path = path_of(node) or []
        return self.scope.named(translation, path)

    def bracket(self, translation: Translation, node: exp.Bracket) -> Typed:
        """Return ``properties['a b']``, or an element of an array."""
        path, key = path_of(node.this), node.expressions[0]
        is_text = isinstance(key, exp.Literal) and key.is_string
        if path is not None and is_text and "properties" in path:
            return self.scope.named(translation, [*path, key.name])
        return BY_NODE[exp.Bracket](translation, node)

    def dot(self, translation: Translation, node: exp.Dot) -> Typed:
        path = path_of(node)
        if path is not None:
            return self.scope.named(translation, path)
        return BY_NODE[exp.Dot](translation, node)

    def call(self, translation: Translation, node: Any) -> Typed:
        name = str(node.this)
        if name == "placeholder" and len(node.expressions) == 1:
            return self._given(translation, node)
        if name == "arrayJoin" and len(node.expressions) == 1:
            array = translation.typed(node.expressions[0])
            if not array.kind.startswith("[") and array.kind != "any":
                raise InvalidQuery(
                    f"{source_text(node.expressions[0])!r} is no array.",
                    hint="arrayJoin() takes an array.",
                )
            if array.tree.find(exp.AggFunc):
                raise InvalidQuery(
                    "arrayJoin() of an aggregate is not possible.",
                    hint="Compute the aggregate in a subquery.",
                )
            return self.scope.unrolled(array)
        return BY_NODE[exp.Anonymous](translation, node)

    def filtered(self, translation: Translation, node: exp.Filter) -> Typed:
        """Return ``sum(x) FILTER (WHERE y)``, which is ``sumIf(x, y)``."""
        inner = node.this
        name, condition = str(inner.this), node.expression.this
        if not is_aggregate(name):
            raise InvalidQuery(
                f"{name}() cannot have a FILTER.", hint="Only aggregates can."
            )
        return translation.call(
            f"{SYNONYMS.get(name, name)}If", [*inner.expressions, condition]
        )

    def window(self, translation: Translation, node: exp.Window) -> Typed:
        """Return a function over the rows around each row."""
        if not translation.aggregates:
            raise InvalidQuery(
                f"{source_text(node)!r} is not possible here.",
                hint="Windows belong into SELECT or ORDER BY; filter in an outer query.",
            )
        others = set(node.args) - {"this", "partition_by", "order", "spec", "alias", "over"}
        if any(node.args.get(name) for name in others):
            raise InvalidQuery(
                f"{source_text(node)!r} is not possible.", hint="Simplify it."
            )
        function = self._of_window(translation, node.this)
        spec = self._named_window(node) if node.args.get("alias") else node
        keys = [translation.typed(one).tree for one in spec.args.get("partition_by") or ()]
        order = spec.args.get("order")
        by = [ordered(one, self.scope) for one in order.expressions] if order else []
        frame = spec.args.get("spec")
        tree = exp.Window(
            this=function.tree,
            partition_by=keys,
            order=exp.Order(expressions=by) if by else None,
            spec=None if frame is None else self._frame(frame),
        )
        return Typed(tree, function.kind)

    def _named_window(self, node: exp.Window) -> exp.Window:
        name = node.alias
        if name not in self.scope.windows:
            raise InvalidQuery(
                f"There is no window {name!r}.", hint="Define it: WINDOW w AS (ORDER BY x)."
            )
        return self.scope.windows[name]

    def _of_window(self, translation: Translation, node: Any) -> Typed:
        ignoring = isinstance(node, exp.IgnoreNulls)
        inner = node.this if ignoring else node
        name = str(inner.this) if isinstance(inner, exp.Anonymous | exp.Func) else ""
        name = IN_FRAME.get(name, name)
        if name not in RANKS:
            found = translation.typed(inner)
            if ignoring or not isinstance(inner, exp.Func) or not is_aggregate(name):
                raise InvalidQuery(
                    f"{source_text(inner)!r} is no function of a window.",
                    hint=f"Use an aggregate, or one of {', '.join(RANKS)}.",
                )
            bare = found.tree
            while isinstance(bare, exp.Paren):
                bare = bare.this
            if not isinstance(bare, exp.AggFunc | exp.Filter | exp.Anonymous):
                raise InvalidQuery(
                    f"{name}() is not possible over a window.", hint="Use it without OVER."
                )
            return msgspec.structs.replace(found, tree=bare)
        if len(inner.expressions) > RANKS[name]:
            raise InvalidQuery(
                f"{name}() does not take {len(inner.expressions)} arguments.",
                hint=f"It takes at most {RANKS[name]}.",
            )
        found_all = [translation.typed(one) for one in inner.expressions]
        kind = found_all[0].kind if found_all and name != "ntile" else "number"
        arguments = [one.tree for one in found_all]
        if len(arguments) > 1:
            whole = exp.DataType.build("bigint")
            arguments[1] = exp.TryCast(this=arguments[1], to=whole)
        if len(arguments) > 2:
            arguments[2] = translation.converted(found_all[2], kind)
        tree: Tree = call(name, *arguments)
        return Typed(exp.IgnoreNulls(this=tree) if ignoring else tree, kind)

    def _frame(self, frame: exp.WindowSpec) -> exp.WindowSpec:
        ends: dict[str, Any] = {}
        for name in ("start", "end"):
            value = frame.args.get(name)
            if isinstance(value, exp.Literal) and value.name.isdigit():
                value = number_literal(int(value.name))
            elif value is not None and value not in {"UNBOUNDED", "CURRENT ROW"}:
                raise InvalidQuery(
                    f"{frame.args[name]!s} is no end of a window.",
                    hint="Write ROWS BETWEEN 3 PRECEDING AND CURRENT ROW.",
                )
            side = str(frame.args.get(f"{name}_side") or "").upper()
            ends |= {name: value, f"{name}_side": side if side in SIDES else None}
        kind = str(frame.args.get("kind")).upper()
        return exp.WindowSpec(kind=kind if kind in {"ROWS", "RANGE"} else "ROWS", **ends)

    def scalar(self, _: Translation, node: exp.Subquery) -> Typed:
        """Return the one value of a subquery."""
        found = self._one_column(node)
        return Typed(exp.Subquery(this=found.tree), found.outputs[0].kind)

    def exists(self, _: Translation, node: exp.Exists) -> Typed:
        return Typed(exp.Exists(this=self.scope.query(_unwrapped(node.this)).tree), "bool")

    def _one_column(self, node: Any) -> Selected:
        found = self.scope.query(_unwrapped(node))
        if len(found.outputs) != 1:
            raise InvalidQuery(
                f"A subquery has {len(found.outputs)} columns where one is needed.",
                hint="Select one.",
            )
        return found

    def member(self, translation: Translation, node: exp.In) -> Typed:
        """Return whether a value is among others, or a person in a cohort."""
        listed = node.expressions or [node.args.get("field") or node.args.get("query")]
        first = listed[0]
        if (named := cohort_in(first)) is not None:
            return self._in_cohort(translation, node.this, named)
        if isinstance(first, exp.Subquery | exp.Query) and len(listed) == 1:
            return self._in_query(translation, node.this, first)
        if isinstance(first, exp.Anonymous) and first.name in {"tuple", "array"}:
            return BY_NODE[exp.In](
                translation, exp.In(this=node.this, expressions=first.expressions)
            )
        found = None if node.expressions or first is None else translation.typed(first)
        if found is not None and found.kind.startswith("["):
            value = translation.converted(translation.typed(node.this), found.kind[1:-1])
            return Typed(call("list_contains", found.tree, value), "bool")
        if isinstance(first, exp.Column) and first.name in self.scope.common:
            table = exp.Select(
                expressions=[exp.Star()], from_=exp.From(this=exp.to_table(first.name))
            )
            return self._in_query(translation, node.this, table)
        return BY_NODE[exp.In](translation, node)

    def _in_cohort(self, translation: Translation, node: Any, named: str) -> Typed:
        person = translation.typed(node)
        cohort = membership.cohort_named(named, self.scope)
        if person.key is not None:
            members = membership.members_of(cohort, self.scope).subquery()
            return Typed(exp.In(this=person.key, query=members), "bool")
        persons = Persons(self.scope.context, self.scope.values)
        inside = membership.in_cohort(named, persons)
        ids = persons.select(exp.cast(persons.column("uuid"), "text"), where=[inside])
        text = translation.converted(person, "text")
        return Typed(exp.In(this=text, query=ids.subquery()), "bool")

    def _in_query(self, translation: Translation, node: Any, inner: Any) -> Typed:
        """Return membership in a subquery; its NULLs are no members, as in ClickHouse."""
        found = self.scope.query(_unwrapped(inner))
        values = (
            [translation.typed(one) for one in node.expressions]
            if isinstance(node, exp.Tuple)
            else [translation.typed(node)]
        )
        if len(values) != len(found.outputs):
            raise InvalidQuery(
                f"IN compares {len(values)} with {len(found.outputs)} columns.",
                hint="Select as many as stand before IN.",
            )
        alias = self.scope.writing.name("r")
        columns, sides = [], []
        for value, output in zip(values, found.outputs, strict=True):
            kind = output.kind if output.kind not in {"any", "json"} else value.kind
            sides.append(translation.converted(value, kind))
            columns.append(quoted(output.column, alias))
        known = exp.select(*columns).from_(subquery(found.tree, alias))
        known = known.where(*(one.copy().is_(exp.null()).not_() for one in columns))
        left = sides[0] if len(sides) == 1 else exp.Tuple(expressions=sides)
        return Typed(exp.In(this=left, query=exp.Subquery(this=known)), "bool")

    def _given(self, translation: Translation, node: Any) -> Typed:
        """Return what ``{name}`` stands for. Raises InvalidQuery where nothing is given."""
        name, asked = node.expressions[0].name, self.scope.writing.query
        if name == "filters":
            return Typed(self._filters(), "bool")
        given: Mapping[str, Any] = asked.values or {}
        key = name
        if name.startswith("variables."):
            given, key = asked.variables or {}, name.removeprefix("variables.")
        if key not in given:
            raise InvalidQuery(
                f"{{{name}}} has no value.", hint="Give one in 'values'.", attr="values"
            )
        return self._value(translation, given[key], name)

    def _value(self, translation: Translation, value: Any, name: str) -> Typed:
        if isinstance(value, dict) and "value" in value:
            value = value["value"]
        values = self.scope.values
        if value is None:
            return Typed(exp.null(), "any")
        if isinstance(value, bool):
            return Typed(exp.true() if value else exp.false(), "bool")
        if isinstance(value, int | float):
            return Typed(values.bind(value), "number")
        if isinstance(value, str):
            return Typed(values.bind(value), "text", constant=value)
        if isinstance(value, list):
            found = [self._value(translation, one, name) for one in value]
            kinds = {one.kind for one in found}
            kind = kinds.pop() if len(kinds) == 1 else "text"
            parts = [translation.converted(one, kind) for one in found]
            return Typed(exp.Array(expressions=parts), f"[{kind}]")
        raise InvalidQuery(
            f"The value of {{{name}}} is neither text, number, truth nor a list of them.",
            hint="Give one of these.",
            attr="values",
        )

    def _filters(self) -> Tree:
        """Return the conditions of ``filters``."""
        given = self.scope.writing.query.filters
        if given is None:
            return exp.true()
        found = filters.conditions(
            given.properties,
            self.scope,
            path="filters.properties",
            test_accounts=given.filter_test_accounts,
        )
        if given.date_range is not None:
            bounds = resolve(given.date_range, self.scope.context)
            at = self.scope.property("event_metadata", "timestamp").instant
            found.append(exp.GTE(this=at.copy(), expression=self._bound(bounds.lower)))
            found.append(exp.LTE(this=at.copy(), expression=self._bound(bounds.end)))
        return exp.paren(exp.and_(*found)) if found else exp.true()

    def _bound(self, at: datetime) -> Tree:
        return self.scope.values.bind(at.astimezone(UTC))


SIDES = frozenset({"PRECEDING", "FOLLOWING"})


def _unwrapped(node: Any) -> Any:
    while isinstance(node, exp.Subquery) and not node.args.get("alias"):
        node = node.this
    return node
