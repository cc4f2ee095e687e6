"""What a route of the API is, as data: the table in ``routes`` is made of these.

From one entry come the Starlette route, the check of scope and role, the decoding of
body and query string, and its part of the OpenAPI document.
"""

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Literal, get_type_hints

import msgspec

from hedgerow.errors import InvalidInput
from hedgerow.meta.accounts import Role

LIMIT_MAX = 1000


Method = Literal["GET", "POST", "PATCH", "PUT", "DELETE"]


class Endpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One method of one address."""

    method: Method
    path: str
    """Without the slash at its end. ``{name}`` is handed to the handler by name."""

    does: str
    """One line for the document: the first of the handler's docstring."""

    scope: str | None
    """What the key must carry, such as ``query:read``; None: any valid key."""

    answer: Callable[..., Any]
    """``(caller, body, params, **path) -> answer``: plain, called in a thread."""

    body: Any
    """The type a JSON body is decoded into; ``bytes``: as it comes; None: no body."""

    params: type[msgspec.Struct] | None
    """The type the query string is decoded into."""

    gives: Any
    """The type of the answer; None: nothing, with 204."""

    status: int
    role: Role | None
    """The role needed in the project, where it is not the one that goes with the scope."""

    asks: bool
    """A question to the events database: ends when its caller hangs up."""


def endpoint(
    method: Method,
    path: str,
    scope: str | None,
    answer: Callable[..., Any],
    *,
    status: int = 200,
    role: Role | None = None,
    asks: bool = False,
) -> Endpoint:
    """Return a row of the table. Types and summary are those the handler states."""
    hints = get_type_hints(answer)
    body, params = (_stated(hint) for hint in list(hints.values())[1:3])
    return Endpoint(
        method=method,
        path=path,
        does=(answer.__doc__ or "").partition("\n")[0].rstrip("."),
        scope=scope,
        answer=answer,
        body=body,
        params=params,
        gives=_stated(hints["return"]),
        status=status,
        role=role,
        asks=asks,
    )


class Page(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which part of a list."""

    limit: int = 100
    offset: int = 0


class Search(Page, frozen=True, forbid_unknown_fields=True):
    """Which part of a list, and what its entries hold."""

    search: str = ""


class Listing(msgspec.Struct, frozen=True):
    """Every list answers like this."""

    count: int | None
    """How many there are in all; null: not counted."""

    next: str | None
    previous: str | None
    results: list[Any]


class Download(msgspec.Struct, frozen=True):
    """An answer that is sent as it is made."""

    chunks: Iterator[bytes]
    media_type: str
    filename: str


def listing(
    url: str,
    page: Page,
    results: Sequence[Any],
    *,
    total: int | None,
    more: bool | None = None,
) -> Listing:
    """Return a page of a list with the addresses of its neighbours.

    ``total`` is None where counting would cost a query; ``more`` then says whether there
    is a next page.
    """
    ahead = more if more is not None else page.offset + len(results) < (total or 0)
    further, back = None, None
    if ahead:
        further = _at(url, page.limit, page.offset + page.limit)
    if page.offset > 0:
        back = _at(url, page.limit, max(0, page.offset - page.limit))
    return Listing(total, further, back, list(results))


def checked_page(page: Page) -> None:
    """Raise InvalidInput for a page that cannot be."""
    if not 1 <= page.limit <= LIMIT_MAX:
        raise InvalidInput(
            f"limit is {page.limit}.", hint=f"Use 1 to {LIMIT_MAX}.", attr="limit"
        )
    if not 0 <= page.offset <= 2**31:
        raise InvalidInput(f"offset is {page.offset}.", hint="Start at 0.", attr="offset")


def _at(url: str, limit: int, offset: int) -> str:
    path, _, query = url.partition("?")
    kept = [
        pair
        for pair in query.split("&")
        if pair and pair.partition("=")[0] not in {"limit", "offset"}
    ]
    return f"{path}?{'&'.join([*kept, f'limit={limit}', f'offset={offset}'])}"


def _stated(hint: Any) -> Any:
    return None if hint is type(None) else hint
