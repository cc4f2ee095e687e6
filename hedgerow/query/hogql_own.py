"""SQL that this program wrote for its engine, given back to be asked again.

Every answer shows the statement it came from. That text begins with ``MARK`` and is taken
as it is, or changed by hand, under rules as narrow as those for typed SQL: only the kinds
of nodes that our statements consist of, only tables of events, persons, groups and cohorts,
each put behind the guard of the project. Common tables get names of ours, so that none of
them can be taken for another table. Comments are dropped.
"""

import re
from collections.abc import Callable

from sqlglot import exp, parse
from sqlglot.errors import ParseError, TokenError

from hedgerow.errors import InvalidQuery
from hedgerow.model import tables
from hedgerow.query.expressions_parsing import checked, position
from hedgerow.query.hogql_writing import Writing, subquery
from hedgerow.query.sources import named_table
from hedgerow.query.trees import Tree, call, text_literal

MARK = "-- Written by Hedgerow for its engine; it can be asked again."
"""The first line of every statement that an answer shows."""

READABLE = tuple(
    one.name
    for one in (
        tables.EVENTS,
        tables.PERSONS,
        tables.PERSON_STATES,
        tables.DISTINCT_IDS,
        tables.GROUPS,
        tables.COHORT_PEOPLE,
        tables.EVENT_NAMES,
        tables.PROPERTY_KINDS,
        tables.FLEET_STRETCHES,
        tables.FLEET_CHANGES,
    )
)
CALLS = {"epoch_us", "isfinite", "round_even", "strlen", "timezone", "to_json"}
KINDS = {"TIMESTAMP", "TIMESTAMPTZ", "DATE", "TEXT", "BIGINT", "INT", "DOUBLE", "BOOLEAN"}
NODE_NAMES = """
    Abs Add Alias And Anonymous AnyValue ArgMax ArgMin Array ArrayAgg ArrayContains
    Avg Between
    BitwiseAnd BitwiseAndAgg BitwiseCount BitwiseLeftShift BitwiseOr BitwiseOrAgg
    BitwiseRightShift BitwiseXor Boolean CTE Case Cast Ceil Coalesce Column Concat
    Contains Count CountIf DPipe DataType DateBin DateDiff Day DayOfWeekIso
    DayOfYear Distinct Div EQ EndsWith Exists Exp Explode Filter Floor From GT GTE
    GenerateSeries Greatest Group Having Hour ILike Identifier If IgnoreNulls In
    IntDiv Interval Is JSONExtractScalar JSONKeys Join LT LTE Lag LastDay Lead Least
    Left Length Like Limit Literal Ln Log Lower Max Min Minute Mod Month Mul NEQ Neg
    Not Null NullSafeEQ NullSafeNEQ Nullif Offset Or Order Ordered Paren
    PercentileCont Pow Qualify Quarter RegexpExtract RegexpLike RegexpReplace
    Replace Reverse Right Round RowNumber Second Select Sign Sqrt Star StartsWith
    StddevPop StddevSamp StrPosition Sub Subquery Substring Sum Table TableAlias
    TimestampTrunc Trim Trunc TryCast Tuple Union Upper Var Variance VariancePop
    WeekOfYear Where Window WindowSpec With Year
"""
NODES = frozenset(getattr(exp, name) for name in NODE_NAMES.split())
"""What our statements of insights consist of."""

PARTS: dict[type[exp.Expr], set[str]] = {
    exp.Select: {
        "with_", "expressions", "distinct", "from_", "joins", "where", "group", "having",
        "qualify", "order", "limit", "offset",
    },
    exp.Table: {"this", "alias"},
    exp.Join: {"this", "method", "side", "kind", "on", "using"},
    exp.With: {"expressions"},
}  # fmt: skip
_WORD = re.compile(r"[A-Za-z_]{1,30}")
_NUMBER = re.compile(r"\d{1,40}(\.\d{0,40})?([eE][+-]?\d{1,3})?")
LONGEST = 100_000
"""Rows that one GENERATE_SERIES makes."""


def is_own(text: str) -> bool:
    """Return whether a text is one that an answer showed."""
    return text.lstrip().startswith(MARK)


def parsed_own(text: str, dialect: str) -> exp.Query:
    """Return the tree of one statement of ours. Raises InvalidQuery."""
    checked(text, longest=LONGEST)
    try:
        found = [one for one in parse(text, dialect=dialect) if one is not None]
    except (ParseError, TokenError) as error:
        raise InvalidQuery(
            f"The SQL cannot be read{position(error)}.", hint="Copy it once more."
        ) from error
    if len(found) != 1 or not isinstance(found[0], exp.Query):
        raise InvalidQuery(
            f"The text holds {len(found)} statements, or one that is no SELECT.",
            hint="Ask them one at a time.",
        )
    return found[0]


def guarded(tree: exp.Query, writing: Writing) -> exp.Query:
    """Return the statement over the project's rows. Raises InvalidQuery."""
    nodes = list(tree.walk())
    for node in nodes:
        node.pop_comments()
        _check(node)
    common = {one.alias for one in nodes if isinstance(one, exp.CTE)}
    for node in nodes:
        if isinstance(node, exp.CTE):
            node.args["alias"].set(
                "this", exp.to_identifier(_ours(node.alias), quoted=True)
            )
        elif isinstance(node, exp.GenerateSeries):
            node.set("end", _bounded(node))
    for node in nodes:
        if isinstance(node, exp.Table):
            node.replace(_relation(node, common, writing))
    return tree


def _ours(name: str) -> str:
    return f"w {name}"


def _check(node: exp.Expr) -> None:
    kind = type(node)
    if kind not in NODES:
        raise _refused(node)
    known = PARTS.get(kind)
    if known is not None and any(v and k not in known for k, v in node.args.items()):
        raise _refused(node)
    rule = RULES.get(kind)
    if rule is not None and not rule(node):
        raise _refused(node)


RULES: dict[type[exp.Expr], Callable[[exp.Expr], object]] = {
    exp.Anonymous: lambda node: node.name.lower() in CALLS,
    exp.Table: lambda node: isinstance(node.this, exp.Identifier),
    exp.Join: lambda node: str(node.args.get("method") or "ASOF") == "ASOF",
    exp.DataType: lambda node: node.sql(dialect="duckdb") in KINDS,
    exp.Var: lambda node: _WORD.fullmatch(node.name),
    exp.Literal: lambda node: node.is_string or _NUMBER.fullmatch(node.name),
}
"""What must besides be true of a node."""


def _refused(node: exp.Expr) -> InvalidQuery:
    shown = node.sql(dialect="duckdb", comments=False)[:80]
    return InvalidQuery(
        f"{shown!r} is not possible in a statement of Hedgerow's own.",
        hint="Take away its first line to write SQL of PostHog's.",
    )


def _bounded(node: exp.GenerateSeries) -> Tree:
    """Return the end of a series; too far away it is an error."""
    start, end = node.args["start"].copy(), node.args["end"].copy()
    far = exp.GT(
        this=exp.paren(exp.Sub(this=exp.paren(end), expression=exp.paren(start))),
        expression=exp.Literal.number(LONGEST),
    )
    error = call("error", text_literal("A series has too many numbers."))
    return exp.Case(ifs=[exp.If(this=far, true=error)], default=end.copy())


def _relation(node: exp.Table, common: set[str], writing: Writing) -> exp.Expr:
    alias = node.alias or node.name
    if node.name in common:
        return named_table(_ours(node.name), alias)
    if node.name not in READABLE:
        raise InvalidQuery(
            f"There is no table {node.name!r}.", hint=f"Read from {', '.join(READABLE)}."
        )
    project = exp.column("project_id", table="t").eq(
        writing.values.bind(writing.context.project.id)
    )
    rows = exp.select(exp.Star()).from_(named_table(node.name, "t")).where(project)
    return subquery(rows, alias)
