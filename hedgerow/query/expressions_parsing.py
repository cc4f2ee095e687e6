"""HogQL text → sqlglot's tree of ClickHouse SQL, with every function left by its name.

sqlglot would turn functions into nodes of its own, each with a view of what it means; here
they stay names with arguments, so that one table (``expressions_functions``) says what is
allowed and what it means to each engine.

HogQL has spellings that ClickHouse lacks. They are replaced before parsing, outside of
texts and quoted names: ``$browser`` needs no quotes, ``=~`` and ``!~`` match a regular
expression, ``IN COHORT 12`` names a cohort.
"""

import re
from typing import ClassVar

from sqlglot import exp
from sqlglot.dialects.clickhouse import ClickHouse
from sqlglot.errors import ParseError, TokenError
from sqlglot.parsers.clickhouse import ClickHouseParser

from hedgerow.errors import InvalidQuery
from hedgerow.query.trees import Tree

LONGEST = 20_000
"""Characters of one expression or statement."""

_SPELLINGS = re.compile(
    r"""(?P<kept>'(?:[^'\\]|\\.|'')*'|`[^`]*`|"[^"]*"|--[^\n]*|/\*.*?\*/)"""
    r"""|(?P<dollar>\$[A-Za-z_][A-Za-z0-9_]*)"""
    r"""|(?P<match>=~\*?)|(?P<unmatch>!~\*?)"""
    r"""|(?P<cohort>\bCOHORT\s+(?P<which>\d+|'(?:[^'\\]|\\.)*'))""",
    re.DOTALL | re.IGNORECASE,
)


class HogQL(ClickHouse):
    """ClickHouse's grammar with functions left alone."""

    class Tokenizer(ClickHouse.Tokenizer):
        """Dollar signs begin names, not here-documents."""

        HEREDOC_STRINGS: ClassVar = []

    class Parser(ClickHouseParser):
        """Every call stays a name with arguments."""

        FUNCTIONS: ClassVar = {}
        FUNCTION_PARSERS: ClassVar = {}
        NO_PAREN_FUNCTIONS: ClassVar = {}


def parsed(text: str) -> Tree:
    """Return the tree of one expression. Raises InvalidQuery with the position."""
    if not text.strip():
        raise InvalidQuery("The expression is empty.", hint="Write one, or remove it.")
    if len(text) > LONGEST:
        raise InvalidQuery(
            f"The expression has {len(text):,} characters.",
            hint=f"Keep it below {LONGEST:,}.",
        )
    try:
        trees = HogQL().parse(spelled(text))
    except (ParseError, TokenError) as error:
        raise InvalidQuery(
            f"{text!r} cannot be read as an expression{_position(error)}.",
            hint="Write one expression of HogQL, such as toHour(timestamp).",
        ) from error
    except RecursionError as error:
        raise InvalidQuery(
            "The expression is nested too deeply.", hint="Write it with fewer brackets."
        ) from error
    if len(trees) != 1 or trees[0] is None:
        raise InvalidQuery(
            f"{text!r} is not one expression.",
            hint="Write a single one, without a semicolon.",
        )
    tree = trees[0]
    return tree.this if isinstance(tree, exp.Alias) else tree


def spelled(text: str) -> str:
    """Return the text with HogQL's own spellings replaced by ClickHouse's."""
    return _SPELLINGS.sub(_spelling, text)


def _spelling(match: re.Match[str]) -> str:
    if match["dollar"]:
        return f"`{match['dollar']}`"
    if match["match"]:
        return " REGEXP "
    if match["unmatch"]:
        return " NOT REGEXP "
    if match["cohort"]:
        return f"(cohort({match['which']}))"
    return match[0]


def _position(error: ParseError | TokenError) -> str:
    errors = getattr(error, "errors", None) or [{}]
    line, column = errors[0].get("line"), errors[0].get("col")
    return f" (line {line}, column {column})" if line and column else ""
