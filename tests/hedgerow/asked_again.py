"""The SQL an answer shows, asked again: does it give the figures that the answer is made of?"""

from typing import Any
from zoneinfo import ZoneInfo

from hedgerow.insights.answer import Asking, answer
from hedgerow.insights.columns import plain
from hedgerow.model.ports import Rows, Statement
from hedgerow.model.projects import QueryContext
from hedgerow.store.on_duckdb import DuckStore


class Recorded:
    """A store that keeps what it answered."""

    def __init__(self, store: DuckStore) -> None:
        self.store, self.answers = store, list[Rows]()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)

    def run(self, statement: Statement, **limits: Any) -> Rows:
        rows = self.store.run(statement, **limits)
        self.answers.append(rows)
        return rows


def asked_again(shown: str, context: QueryContext, recorded: Recorded) -> list[str]:
    """Return which of the statements shown do not give what they gave when they were run."""
    texts = shown.split(";\n\n")
    if len(texts) != len(recorded.answers):
        return [f"{len(texts)} statements are shown of {len(recorded.answers)}"]
    zone = ZoneInfo(context.project.timezone)
    found = []
    for text, first in zip(texts, recorded.answers, strict=True):
        query = {"kind": "HogQLQuery", "query": text}
        again = answer(query, context, recorded.store, Asking())["results"]
        wanted = [[_told(value, zone) for value in row] for row in first.rows]
        if _unordered(again) != _unordered(wanted):
            found.append(f"asked again: {wanted} became {again} by {text}")
    return found


def _told(value: Any, zone: ZoneInfo) -> Any:
    return (
        [_told(one, zone) for one in value]
        if isinstance(value, list | tuple)
        else plain(value, zone)
    )


def _unordered(value: Any) -> str:
    """Return rows as text that does not tell their order, nor that of collected values."""
    if isinstance(value, list | tuple):
        return f"[{', '.join(sorted(map(_in_row, value)))}]"
    return repr(value)


def _in_row(row: Any) -> str:
    """Return a row: its columns have an order, a list in one of them has none."""
    if isinstance(row, list | tuple):
        return f"({', '.join(map(_unordered, row))})"
    return repr(row)
