"""Lists: a page at a time, in an order that does not move under the reader.

The cursor says after which row the next page begins, so that rows made or removed
meanwhile neither repeat nor skip others. It is opaque to the caller.
"""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import Any, NamedTuple, TypeVar

from sqlalchemy import ColumnElement, Select, tuple_
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.api.call import Answer, Call
from app.api.kinds import flag, instant, text, whole
from app.api.shapes import Field, may
from app.errors import InvalidInput

USUAL, MOST = 100, 500

PAGE: dict[str, Field] = {
    "limit": may(whole(1, MOST), f"Rows of a page; {USUAL} where nothing is said."),
    "cursor": may(text(300), "What the page before gave as `next`."),
}
SINCE: dict[str, Field] = {
    "updated_since": may(instant, "Only rows changed at this time or later."),
}
ARCHIVED: dict[str, Field] = {
    "archived": may(flag, "true: those put away; false: those in use; both unless said."),
}

Row = TypeVar("Row")


class Order(NamedTuple):
    """By which columns, the last of them unique; all rise or all fall."""

    columns: Sequence[InstrumentedAttribute[Any]]
    falls: bool = False
    name: str = ""
    """A cursor of another order is refused."""


def listed(
    call: Call, query: Select[Any], order: Order, shown: Callable[[Any], dict[str, Any]]
) -> Answer:
    """Return a page of rows, each as ``shown`` has it."""
    limit = call.query.get("limit", USUAL)
    rows = page(call.session, query, order, limit=limit, after=call.query.get("cursor", ""))
    following = None
    if len(rows) > limit:
        rows = rows[:limit]
        following = cursor(order, rows[-1])
    return Answer(body={"results": [shown(row) for row in rows], "next": following})


def page(
    session: Session, query: Select[Any], order: Order, *, limit: int, after: str
) -> list[Any]:
    """Return up to ``limit`` rows after a cursor, and one more where there is one."""
    if after:
        query = query.where(_beyond(order, _read(order, after)))
    by = [column.desc() if order.falls else column for column in order.columns]
    return list(session.scalars(query.order_by(*by).limit(limit + 1)).unique())


def cursor(order: Order, row: Any) -> str:
    """Return the cursor that goes on after this row."""
    values = [_plain(getattr(row, column.key)) for column in order.columns]
    packed = json.dumps([order.name, *values], separators=(",", ":"))
    return base64.urlsafe_b64encode(packed.encode()).decode().rstrip("=")


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return int(value.timestamp())
    return value.isoformat() if isinstance(value, date) else value


def _read(order: Order, text_: str) -> list[Any]:
    try:
        packed = base64.b64decode(text_ + "=" * (-len(text_) % 4), "-_", validate=True)
        name, *values = json.loads(packed)
        if name != order.name or len(values) != len(order.columns):
            raise ValueError(name)  # noqa: TRY301 - one place says what is wrong with it
        return [_value(c, v) for c, v in zip(order.columns, values, strict=True)]
    except (ValueError, TypeError, OverflowError, OSError, binascii.Error) as error:
        raise InvalidInput(
            "This cursor is none of this list.",
            hint="Take `next` of the page before, with the same filters.",
            attr="cursor",
        ) from error


def _value(column: InstrumentedAttribute[Any], value: Any) -> Any:
    kind = column.type.python_type
    if kind is date:
        return date.fromisoformat(value)
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**53:
        raise ValueError(value)
    return datetime.fromtimestamp(value).astimezone() if kind is datetime else value


def _beyond(order: Order, values: list[Any]) -> ColumnElement[bool]:
    mine = tuple_(*order.columns)
    theirs = tuple_(*values, types=[column.type for column in order.columns])
    return mine < theirs if order.falls else mine > theirs
