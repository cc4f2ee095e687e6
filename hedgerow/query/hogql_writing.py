"""What one statement typed by a person keeps while it is being translated.

Every name in what we write is ours: relations are ``r1``, ``r2``, …, common tables ``w1``,
``w2``, …, so no name of the author's, however quoted, can reach a table. Two limits keep a
short text from becoming a huge statement: how many relations it may read, and how large
repeated aliases may make it.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
from sqlglot import exp

from hedgerow.errors import InvalidQuery
from hedgerow.model.projects import QueryContext
from hedgerow.query.definitions_sql import HogQLQuery
from hedgerow.query.dialects import dialect_of
from hedgerow.query.trees import Tree
from hedgerow.query.values import Values

MOST_RELATIONS = 50
MOST_NODES = 20_000
DEEPEST = 20
"""Queries inside of queries."""


class Output(msgspec.Struct, frozen=True):
    """One column of a query: its name to people, its name to us, its value."""

    name: str
    column: str
    kind: str


class Selected(msgspec.Struct, frozen=True):
    """A translated query and its columns."""

    tree: exp.Query
    outputs: tuple[Output, ...]


class Common(msgspec.Struct, frozen=True):
    """A common table: our name for it, and its columns."""

    alias: str
    outputs: tuple[Output, ...]


class Writing:
    """One statement on its way: values, names, limits."""

    def __init__(self, query: HogQLQuery, context: QueryContext) -> None:
        self.query, self.context = query, context
        self.values = Values(reuse=True)
        self.dialect = dialect_of(context)
        self.given: Mapping[str, Any] = query.values or {}
        self.common: list[exp.CTE] = []
        self.depth = 0
        self._counts: dict[str, int] = {}
        self._nodes = 0

    def name(self, letter: str) -> str:
        """Return a name never used before in this statement."""
        count = self._counts.get(letter, 0) + 1
        self._counts[letter] = count
        if letter == "r" and count > MOST_RELATIONS:
            raise InvalidQuery(
                f"The query reads more than {MOST_RELATIONS} tables and subqueries.",
                hint="Write it with fewer.",
            )
        return f"{letter}{count}"

    def spend(self, tree: Tree) -> None:
        """Count a part that stands in one more place. Raises InvalidQuery at too many."""
        self._nodes += sum(1 for _ in tree.walk())
        if self._nodes > MOST_NODES:
            raise InvalidQuery(
                "The query becomes too large where its aliases are used again and again.",
                hint="Compute them once, in a subquery.",
            )

    def put_common(self, tree: exp.Query, outputs: tuple[Output, ...]) -> Common:
        """Keep a common table and return what it is known as."""
        alias = self.name("w")
        named = exp.TableAlias(this=exp.to_identifier(alias))
        self.common.append(exp.CTE(this=tree, alias=named))
        return Common(alias, outputs)


def readable(name: str, taken: set[str]) -> str:
    """Return a column's name for a statement of ours, unlike those taken, and take it."""
    plain = "".join(one for one in name if one.isalnum() or one in "_.$ ()*+-")[:60] or "c"
    found, number = plain, 1
    while found.lower() in taken:
        number += 1
        found = f"{plain} {number}"
    taken.add(found.lower())
    return found


def quoted(name: str, table: str) -> exp.Column:
    """Return a column of ours."""
    return exp.column(exp.to_identifier(name, quoted=True), table=table)


def subquery(tree: exp.Query, alias: str) -> exp.Subquery:
    """Return a query as a relation."""
    return exp.Subquery(this=tree, alias=exp.TableAlias(this=exp.to_identifier(alias)))
