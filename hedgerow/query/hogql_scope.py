"""What names mean inside one SELECT.

A name is, in this order: a parameter of a lambda around it, an alias of the SELECT, a
column of one of its relations. A name that two relations have is refused until it is
qualified; one that nothing has is refused with the nearest known name.

An alias is its expression, written again in the place where it is used. Inside of its own
expression it is not known, so ``toDate(timestamp) AS timestamp`` reads the column.
"""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any

import msgspec
from sqlglot import exp

from hedgerow.errors import InvalidQuery
from hedgerow.query.expressions_parsing import source_text
from hedgerow.query.expressions_translation import Translate, Translation, Typed
from hedgerow.query.hogql_relations import ArrayRelation, Relation, TableRelation
from hedgerow.query.hogql_writing import Common, Selected, Writing
from hedgerow.query.sources import Property
from hedgerow.query.trees import Tree, number_literal


class Alias(msgspec.Struct):
    """A name given to an expression, by SELECT or by WITH."""

    node: Any
    place: int
    """Which item of SELECT it names; negative: one of WITH. It knows those before it."""

    aggregated: bool
    open: bool = False
    """It is being written at this moment."""

    known: Typed | None = None
    """What it became when it was first written."""


class Joined(msgspec.Struct, frozen=True):
    """A relation after the first: how it is joined."""

    relation: Relation
    side: str = ""
    on: Tree | None = None
    """None: every row meets every row."""


class Scope:
    """The names of one SELECT; a source (``sources.Source``) to filters and cohorts."""

    own = "event"
    names: frozenset[str] = frozenset()

    def __init__(self, writing: Writing, common: Mapping[str, Common]) -> None:
        self.writing, self.common = writing, common
        self.context, self.values = writing.context, writing.values
        self.dialect = writing.dialect
        self.relations: list[Relation] = []
        self.joins: list[Joined] = []
        self.aliases: dict[str, Alias] = {}
        self.windows: dict[str, exp.Window] = {}
        self.query: Callable[[Any], Selected] = _no_query
        self.by_node: Mapping[type, Translate] = {}
        self.place: int | None = None
        """Which item of SELECT is being written; None: another clause."""

        self._unrolled: dict[Tree, ArrayRelation] = {}

    def translation(self, *, aggregates: bool = False) -> Translation:
        """Return a way to translate the expressions of one clause."""
        return Translation(self, self.by_node, aggregates=aggregates)

    def named(self, translation: Translation, path: list[str]) -> Typed:
        """Return what a dotted name means. Raises InvalidQuery."""
        local = translation.locals.get(path[0])
        if local is not None:
            return _below(local, path[1:], path)
        alias = self._alias(path[0], translation)
        if alias is not None:
            return _below(self._again(alias, translation), path[1:], path)
        found = self._column(path)
        if found is None and len(path) > 1 and path[-1].isdigit():
            whole = self._column(path[:-1])  # an element of a tuple in a subquery: t.1
            found = whole and _below(whole, path[-1:], path)
        if found is None:
            raise self._unknown(path)
        return found

    def star(self, name: str | None) -> list[tuple[str, Typed]]:
        """Return the columns that ``*``, or ``name.*``, stands for."""
        relations = [one for one in self.relations if name is None or name in one.names]
        if not relations:
            raise InvalidQuery(
                f"{name or ''}* stands for nothing here.", hint="Name a table in FROM."
            )
        found = []
        for relation in relations:
            columns = ((known, relation.value([known])) for known in relation.star())
            found += [(known, typed) for known, typed in columns if typed is not None]
        return found

    def unrolled(self, array: Typed) -> Typed:
        """Return each element of an array, in rows of their own."""
        relation = self._unrolled.get(array.tree)
        if relation is None:
            relation = ArrayRelation([("", array)], self.writing)
            self._unrolled[array.tree] = relation
            self.relations.append(relation)
            self.joins.append(Joined(relation))
        return relation.first()

    def property(
        self, type_: str, key: str, group_type_index: int | None = None
    ) -> Property:
        """Return a property for one of ``{filters}``. Raises InvalidQuery."""
        for one in self.relations:
            if isinstance(one, TableRelation):
                found = one.property(type_, key, group_type_index)
                if found is not None:
                    return found
        raise InvalidQuery(
            "{filters} needs the table events in the same FROM.",
            hint="Put it into the WHERE of the query that reads events.",
            attr="filters",
        )

    def person_key(self) -> Tree:
        """Return the key of the row's person. Raises InvalidQuery where it has none."""
        tables = [one for one in self.relations if isinstance(one, TableRelation)]
        for one in tables:
            if (key := one.person_key()) is not None:
                return key
        raise InvalidQuery(
            "No person belongs to these rows.", hint="Read events or persons in FROM."
        )

    def _alias(self, name: str, translation: Translation) -> Alias | None:
        alias = self.aliases.get(name)
        if alias is None or alias.open:
            return None
        if self.place is not None and alias.place >= self.place:
            return None
        if alias.aggregated and not translation.aggregates and self._column([name]):
            return None
        return alias

    def _again(self, alias: Alias, translation: Translation) -> Typed:
        found = alias.known
        if found is None or (alias.aggregated and not translation.aggregates):
            found = alias.known = self._written(alias, translation)
        self.writing.spend(found.tree)
        return msgspec.structs.replace(found, tree=found.tree.copy())

    def _written(self, alias: Alias, translation: Translation) -> Typed:
        """Return what an alias stands for, as it is where it is defined."""
        place, self.place = self.place, alias.place
        around, translation.locals = translation.locals, {}
        alias.open = True
        try:
            return translation.typed(alias.node)
        finally:
            alias.open, self.place, translation.locals = False, place, around

    def _column(self, path: list[str]) -> Typed | None:
        if len(path) > 1:
            qualified = [one for one in self.relations if path[0] in one.names]
            found = [one.value(path[1:]) for one in qualified]
            if any(one is not None for one in found):
                return next(one for one in found if one is not None)
        values = [(one, one.value(path)) for one in self.relations]
        known = [(one, found) for one, found in values if found is not None]
        arrays = [pair for pair in known if isinstance(pair[0], ArrayRelation)]
        known = arrays or known  # ARRAY JOIN takes the place of the column it unrolls
        if len(known) > 1:
            names = " and ".join((*one.names, "an array")[0] for one, _ in known[:2])
            raise InvalidQuery(
                f"{'.'.join(path)!r} is a column of {names}.",
                hint="Write the table's name before it.",
            )
        return known[0][1] if known else None

    def _unknown(self, path: list[str]) -> InvalidQuery:
        name = ".".join(path)
        known = [*self.aliases, *(name for one in self.relations for name in one.known())]
        near = get_close_matches(name, known, n=1, cutoff=0.5)
        if near:
            hint = f"Did you mean {near[0]}?"
        elif known:
            hint = f"Use one of {', '.join(dict.fromkeys(known))}."
        else:
            hint = "There is no table in FROM."
        return InvalidQuery(f"There is no column {name!r}.", hint=hint)


def _no_query(node: Any) -> Selected:
    raise InvalidQuery(f"{source_text(node)!r} cannot stand here.", hint="Leave it out.")


def _below(found: Typed, rest: list[str], path: list[str]) -> Typed:
    """Return an element of a tuple by its number, counted from 1."""
    for name in rest:
        if not name.isdigit():
            raise InvalidQuery(
                f"{'.'.join(path)!r} reads {name!r} of what is no table.",
                hint="Elements of a tuple are numbers: t.1.",
            )
        part = exp.Anonymous(
            this="struct_extract", expressions=[found.tree, number_literal(int(name))]
        )
        found = Typed(part, "any")
    return found


def path_of(node: Any) -> list[str] | None:
    """Return the parts of a dotted name; None where it is none."""
    if isinstance(node, exp.Identifier):
        return [str(node.this)]
    if isinstance(node, exp.Column):
        return [part.name for part in node.parts]
    if isinstance(node, exp.Dot):
        first = path_of(node.this)
        last = node.expression
        named = isinstance(last, exp.Identifier | exp.Literal)
        return [*first, last.name] if first is not None and named else None
    return None


def named_as(node: Any) -> str:
    """Return how a column without alias is called: by its own text."""
    path = path_of(node)
    return ".".join(path) if path else source_text(node)
