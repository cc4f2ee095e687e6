"""What insights hand to those who read them.

An insight module has two pure functions, ``statements`` and ``result``; what lists people
or events has one that may ask several times, ``answered``. Both are satisfied by modules.
"""

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import msgspec
from sqlglot import exp

from hedgerow.model.ports import Rows, Statement
from hedgerow.model.projects import QueryContext

Run = Callable[[Statement], Rows]
"""Asks the events database one thing; knows about time limits and cancelling."""


class Insight(Protocol):
    """A question answered by statements that are all known beforehand."""

    def statements(self, query: Any, context: QueryContext) -> list[Statement]:
        """Return what to ask. Raises InvalidQuery."""
        ...

    def result(self, query: Any, context: QueryContext, answers: list[Rows]) -> Any:
        """Return what the answers mean, in the order of the statements.

        A mapping with ``results`` joins the envelope; anything else becomes ``results``.
        """
        ...


Answered = Callable[[Any, QueryContext, Run], dict[str, Any]]
"""Answers a question that asks more than once: ``(query, context, run)`` → envelope."""


class Behind(msgspec.Struct, frozen=True, kw_only=True):
    """The people, or groups, behind a figure, as a subquery or in hand."""

    query: exp.Query | None = None
    """Columns ``actor`` (a person's key, or a group's) and ``columns``."""

    found: Sequence[tuple[Any, ...]] | None = None
    """The same in hand: ``(actor, *columns)``, in the order of the answer."""

    columns: tuple[str, ...] = ()
    """What is told of each besides: ``event_count``, ``appearances`` …"""

    group_type_index: int | None = None
    """Actors are groups of this type; None: persons."""

    order: tuple[str, ...] = ("event_count",)
    """Columns by which the largest come first; then by id."""
