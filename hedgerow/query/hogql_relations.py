"""What stands in a FROM: a table, a subquery, a common table, an unrolled array.

A relation answers what a dotted name of its rows stands for, as a column of its own, and
afterwards shows itself as the subquery that holds just the columns that were used.
"""

from collections.abc import Iterable
from typing import Protocol

import msgspec
from sqlglot import exp

from hedgerow.query.expressions_translation import Typed
from hedgerow.query.hogql_tables import TABLES, EventRows
from hedgerow.query.hogql_writing import (
    Common,
    Output,
    Selected,
    Writing,
    quoted,
    readable,
    subquery,
)
from hedgerow.query.sources import Property, named_table
from hedgerow.query.trees import Tree


class Relation(Protocol):
    """One part of a FROM."""

    alias: str
    """Our name for it."""

    names: tuple[str, ...]
    """The author's names for it."""

    def value(self, path: list[str]) -> Typed | None:
        """Return what a dotted name of its rows stands for; None: nothing."""
        ...

    def star(self) -> list[str]:
        """Return the names that ``*`` stands for."""
        ...

    def known(self) -> list[str]:
        """Return names to suggest."""
        ...

    def tree(self, used: Iterable[str]) -> exp.Expr:
        """Return it as part of a FROM, with the columns of ours that are used."""
        ...


class TableRelation:
    """One of the tables, each column read once however often it is named."""

    def __init__(self, table: str, names: tuple[str, ...], writing: Writing) -> None:
        self.alias, self.names = writing.name("r"), names
        self._known = TABLES[table]
        self.rows = self._known.make(writing)
        self._known_values: dict[tuple[str, ...], Typed | None] = {}
        self._columns: dict[Tree, str] = {}
        self._taken: set[str] = set()

    def value(self, path: list[str]) -> Typed | None:
        """Return a column or property as a column of ours."""
        if (*path,) not in self._known_values:
            found = self.rows.look(path)
            outside = None if found is None else self._outside(found, ".".join(path))
            self._known_values[*path,] = outside
        known = self._known_values[*path,]
        if known is None:
            return None
        key = None if known.key is None else known.key.copy()
        return msgspec.structs.replace(known, tree=known.tree.copy(), key=key)

    def star(self) -> list[str]:
        """Return the table's own columns."""
        return list(self._known.star)

    def known(self) -> list[str]:
        """Return all columns of the table's page."""
        return [*self._known.star, *self._known.more]

    def property(self, type_: str, key: str, index: int | None) -> Property | None:
        """Return a property for a filter; None where rows have none of that type."""
        if not isinstance(self.rows, EventRows):
            return None
        return self._property(self.rows.source.property(type_, key, index), key)

    def person_key(self) -> Tree | None:
        """Return the key of the row's person, if it has one."""
        path = ["id"] if self._known is TABLES["persons"] else ["person_id"]
        found = self.value(path)
        return None if found is None else found.key

    def tree(self, used: Iterable[str]) -> exp.Expr:
        """Return the guarded subquery with the used columns."""
        wanted = set(used)
        columns: list[Tree] = [
            exp.alias_(tree.copy(), name, quoted=True)
            for tree, name in self._columns.items()
            if name in wanted
        ]
        return subquery(
            self.rows.select(columns or [exp.alias_(exp.true(), "it")]), self.alias
        )

    def _outside(self, found: Typed, name: str) -> Typed:
        known = found.property
        return msgspec.structs.replace(
            found,
            tree=self._read(found.tree, name),
            key=None if found.key is None else self._read(found.key, "person"),
            property=None if known is None else self._property(known, name),
        )

    def _property(self, known: Property, name: str) -> Property:
        return Property(
            text=self._read(known.text, name),
            number=self._read(known.number, name),
            instant=self._read(known.instant, name),
            kind=known.kind,
        )

    def _read(self, tree: Tree, name: str) -> Tree:
        column = self._columns.get(tree)
        if column is None:
            column = self._columns[tree] = readable(name, self._taken)
        return quoted(column, self.alias)


class QueryRelation:
    """A subquery, or a common table by its name."""

    def __init__(
        self, query: Selected | Common, names: tuple[str, ...], writing: Writing
    ) -> None:
        self.alias, self.names = writing.name("r"), names
        self._query, self._writing = query, writing
        self._outputs = {one.name: one for one in reversed(query.outputs)}

    def value(self, path: list[str]) -> Typed | None:
        """Return a column, or what lies below a column of JSON."""
        known = self._outputs.get(path[0])
        if known is None:
            return None
        column = quoted(known.column, self.alias)
        if len(path) == 1:
            return Typed(column, known.kind)
        if known.kind not in {"json", "text"}:
            return None
        return Typed(self._writing.dialect.json_text(column, *path[1:]), "text")

    def star(self) -> list[str]:
        """Return its columns in their order."""
        return [one.name for one in self._query.outputs]

    def known(self) -> list[str]:
        """Return the same."""
        return self.star()

    def tree(self, used: Iterable[str]) -> exp.Expr:  # noqa: ARG002 - it is as it is
        """Return the subquery, or a reference to the common table."""
        if isinstance(self._query, Common):
            return named_table(self._query.alias, self.alias)
        return subquery(self._query.tree, self.alias)


class ArrayRelation:
    """Arrays unrolled into rows, side by side."""

    def __init__(self, arrays: list[tuple[str, Typed]], writing: Writing) -> None:
        self.alias = writing.name("u")
        self.names: tuple[str, ...] = ()
        self._outputs: list[Output] = []
        taken: set[str] = set()
        columns: list[Tree] = []
        for name, array in arrays:
            column = readable(name or "item", taken)
            kind = array.kind[1:-1] if array.kind.startswith("[") else "any"
            self._outputs.append(Output(name, column, kind))
            unrolled = exp.Anonymous(this="unnest", expressions=[array.tree.copy()])
            columns.append(exp.alias_(unrolled, column, quoted=True))
        self._select = exp.select(*columns)

    def value(self, path: list[str]) -> Typed | None:
        """Return an element by its name."""
        found = [one for one in self._outputs if [one.name] == path]
        return Typed(quoted(found[0].column, self.alias), found[0].kind) if found else None

    def first(self) -> Typed:
        """Return the element of the first array."""
        one = self._outputs[0]
        return Typed(quoted(one.column, self.alias), one.kind)

    def star(self) -> list[str]:
        """Return the names of the elements."""
        return [one.name for one in self._outputs if one.name]

    def known(self) -> list[str]:
        """Return the same."""
        return self.star()

    def tree(self, used: Iterable[str]) -> exp.Expr:  # noqa: ARG002 - it is as it is
        """Return a subquery that may look at what stands before it."""
        alias = exp.TableAlias(this=exp.to_identifier(self.alias))
        return exp.Lateral(this=exp.Subquery(this=self._select), alias=alias)
