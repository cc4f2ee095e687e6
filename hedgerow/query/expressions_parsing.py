"""HogQL text → sqlglot's tree of ClickHouse SQL, with every function left by its name.

sqlglot would turn functions into nodes of its own, each with a view of what it means; here
they stay names with arguments, so that one table (``expressions_functions``) says what is
allowed and what it means to each engine.

HogQL has spellings that ClickHouse lacks. They are replaced before parsing, outside of
texts and quoted names: ``$browser`` needs no quotes, ``=~`` and ``!~`` match a regular
expression, ``IN COHORT 12`` names a cohort, ``{name}`` stands for a value given beside.
"""

import re
from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.clickhouse import ClickHouse
from sqlglot.errors import ParseError, TokenError
from sqlglot.parsers.clickhouse import ClickHouseParser

from hedgerow.errors import InvalidQuery
from hedgerow.query.trees import Tree

_QUOTED = re.compile(r'"(\$[A-Za-z_][A-Za-z0-9_]*)"')
LONGEST = 20_000
"""Characters of one expression or statement."""

_SPELLINGS = re.compile(
    r"""(?P<kept>'(?:[^'\\]|\\.|'')*'|`[^`]*`|"[^"]*"|--[^\n]*|/\*.*?\*/)"""
    r"""|(?P<dollar>\$[A-Za-z_][A-Za-z0-9_]*)"""
    r"""|(?P<match>=~\*?)|(?P<unmatch>!~\*?)"""
    r"""|\{\s*(?P<value>[A-Za-z_][A-Za-z0-9_.]*)\s*\}"""
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

        def _parse_limit(
            self,
            this: exp.Expr | None = None,
            top: bool = False,  # noqa: FBT001, FBT002 - the parser's own signature
            skip_limit_token: bool = False,  # noqa: FBT001, FBT002 - the same
        ) -> exp.Expr | None:
            """Read ``LIMIT 3 BY event LIMIT 10`` too: the first is kept beside the second."""
            found = super()._parse_limit(this, top, skip_limit_token)
            if isinstance(found, exp.Limit) and found.expressions:
                rest = super()._parse_limit()
                if isinstance(rest, exp.Limit):
                    rest.set("this", found)
                    return rest
            return found

        def _parse_as_command(self, start: Any) -> exp.Command:
            """Refuse what is no query."""
            self.raise_error(f"{start.text} is no SELECT", start)
            raise ParseError(start.text)


def parsed(text: str) -> Tree:
    """Return the tree of one expression. Raises InvalidQuery with the position."""
    checked(text)
    try:
        trees = HogQL().parse(spelled(text))
    except (ParseError, TokenError) as error:
        raise InvalidQuery(
            f"{text!r} cannot be read as an expression{position(error)}.",
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


def checked(text: str, *, longest: int = LONGEST) -> None:
    """Raise InvalidQuery where a text is nothing to parse."""
    if not text.strip():
        raise InvalidQuery("The expression is empty.", hint="Write one, or remove it.")
    if len(text) > longest:
        raise InvalidQuery(
            f"The expression has {len(text):,} characters.",
            hint=f"Keep it below {longest:,}.",
        )
    if "\0" in text:
        raise InvalidQuery("The text holds a NUL character.", hint="Remove it.")


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
    if match["value"]:
        return f"placeholder('{match['value']}')"
    return match[0]


def position(error: ParseError | TokenError) -> str:
    """Return where a text could not be read, in words."""
    errors = getattr(error, "errors", None) or [{}]
    line, column = errors[0].get("line"), errors[0].get("col")
    return f" (line {line}, column {column})" if line and column else ""


def source_text(node: Tree) -> str:
    """Return a parsed node as text again, short enough for a message or a column's name."""
    return _QUOTED.sub(r"\1", str(node.sql(dialect=HogQL)))[:400]
