"""SQL typed by a person → one statement of ours, or a refusal that says why.

    HogQLQuery → text with its tree (``parsed_query``) → ``compiled`` → Statement

The text is parsed by ClickHouse's grammar with PostHog's additions. What is run is not that
text: names, clauses and functions are looked up one by one and written anew over tables
that hold the project's rows only (``hogql_select``, ``hogql_tables``). So an unknown thing
is refused because it is unknown, not because a list forbids it; that a statement reads one
project and changes nothing follows from what it is made of.

``LIMIT`` is 100 unless told, and at most 50,000; one row more is read, to tell whether
there are more.
"""

import msgspec
from sqlglot import exp
from sqlglot.errors import ParseError, TokenError

from hedgerow.errors import InvalidQuery
from hedgerow.model.ports import Statement
from hedgerow.model.projects import QueryContext
from hedgerow.query.definitions_sql import HogQLQuery
from hedgerow.query.expressions_parsing import (
    HogQL,
    checked,
    position,
    source_text,
    spelled,
)
from hedgerow.query.hogql_clauses import MOST_ROWS, whole_number
from hedgerow.query.hogql_own import guarded, is_own, parsed_own
from hedgerow.query.hogql_select import query as selected
from hedgerow.query.hogql_writing import Output, Writing, subquery
from hedgerow.query.trees import number_literal

USUAL_ROWS = 100
DEEPEST = 200
"""Levels of the tree that is run."""


class Compiled(msgspec.Struct, frozen=True):
    """A statement, and how its answer is told."""

    statement: Statement
    outputs: tuple[Output, ...] | None
    """None: as the engine names them."""

    limit: int
    offset: int
    text: str
    """The query as it was understood; asked again it is the same."""


def compiled(asked: HogQLQuery, context: QueryContext) -> Compiled:
    """Return the statement of a query. Raises InvalidQuery; ``attr`` is ``query``."""
    try:
        return _compiled(asked, context)
    except RecursionError as error:
        raise InvalidQuery(
            "The query is nested too deeply.",
            hint="Write it with fewer brackets.",
            attr="query",
        ) from error
    except InvalidQuery as error:
        if error.attr is not None and error.attr.partition(".")[0] in NAMED:
            raise
        raise InvalidQuery(error.what, hint=error.hint, attr="query") from error


NAMED = frozenset({"values", "filters", "limit", "offset"})
"""Fields whose errors name them."""


def _compiled(asked: HogQLQuery, context: QueryContext) -> Compiled:
    if is_own(asked.query):
        return _given_back(asked, context)
    tree = parsed_query(asked.query)
    text = str(tree.sql(dialect=HogQL, pretty=True))
    limit, offset = _taken_off(tree, asked, USUAL_ROWS)
    writing = Writing(asked, context)
    found = selected(tree, writing, {})
    query = _cut(found.tree, limit, offset, writing)
    if writing.common:
        query.set("with_", exp.With(expressions=writing.common))
    _check_depth(query)
    statement = Statement(tree=query, values=writing.values.by_name)
    return Compiled(statement, found.outputs, limit, offset, text)


def _given_back(asked: HogQLQuery, context: QueryContext) -> Compiled:
    """Return a statement of ours (``hogql_own``) to be asked again."""
    tree = parsed_own(asked.query, context.engine)
    limit, offset = _taken_off(tree, asked, MOST_ROWS)
    writing = Writing(asked, context)
    query = _cut(guarded(tree, writing), limit, offset, writing)
    _check_depth(query)
    statement = Statement(tree=query, values=writing.values.by_name)
    return Compiled(statement, None, limit, offset, asked.query.strip())


def _cut(tree: exp.Query, limit: int, offset: int, writing: Writing) -> exp.Select:
    """Return a query with a bound of its rows; one more tells whether there are more."""
    if isinstance(tree, exp.Select):
        query = tree
    else:
        query = exp.select(exp.Star()).from_(subquery(tree, writing.name("r")))
    query.set("limit", exp.Limit(expression=number_literal(limit + 1)))
    if offset:
        query.set("offset", exp.Offset(expression=number_literal(offset)))
    return query


def _check_depth(query: exp.Query) -> None:
    """Refuse what the engine's text could not be made of."""
    level: list[exp.Expr] = [query]
    for _ in range(DEEPEST):
        level = [child for one in level for child in one.iter_expressions()]
        if not level:
            return
    raise InvalidQuery(
        "The query is nested too deeply.", hint="Write it with fewer brackets."
    )


def _taken_off(tree: exp.Query, asked: HogQLQuery, usual: int) -> tuple[int, int]:
    """Take LIMIT and OFFSET off a query and return them, bounded."""
    for name, number in (("limit", asked.limit), ("offset", asked.offset)):
        if number is not None and number < 0:
            raise InvalidQuery(f"{name} is {number}.", hint="Use 0 or more.", attr=name)
    limit, offset = tree.args.get("limit"), tree.args.get("offset")
    most = usual if asked.limit is None else asked.limit
    if isinstance(limit, exp.Limit) and not limit.expressions and _is_plain(limit):
        written = whole_number(limit.expression, "LIMIT")
        most = written if asked.limit is None else min(written, asked.limit)
        tree.set("limit", limit.args.get("this"))
    skipped = asked.offset or 0
    if isinstance(offset, exp.Offset) and not offset.expressions:
        skipped += whole_number(offset.expression, "OFFSET")
        tree.set("offset", None)
    return min(most, MOST_ROWS), skipped


def _is_plain(limit: exp.Limit) -> bool:
    options = limit.args.get("limit_options")
    return options is None or not options.args.get("with_ties")


def parsed_query(text: str) -> exp.Query:
    """Return the tree of one SELECT. Raises InvalidQuery with the position."""
    checked(text)
    try:
        trees = HogQL().parse(spelled(text))
    except (ParseError, TokenError) as error:
        said = (getattr(error, "errors", None) or [{}])[0]
        near = str(said.get("highlight") or "").strip()
        what = str(said.get("description") or "").rstrip(".")
        raise InvalidQuery(
            f"The SQL cannot be read{position(error)}"
            f"{f' near {near!r}' if near else ''}: {what or 'it is not complete'}.",
            hint="Look at the words just before.",
        ) from error
    statements = [one for one in trees if one is not None]
    if len(statements) != 1:
        raise InvalidQuery(
            f"The text holds {len(statements)} statements.", hint="Write one SELECT."
        )
    if not isinstance(statements[0], exp.Query):
        raise InvalidQuery(
            f"{source_text(statements[0])[:80]!r} is no SELECT.",
            hint="Only SELECT is possible: SQL here reads, and changes nothing.",
        )
    return statements[0]
