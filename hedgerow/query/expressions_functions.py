"""The functions that HogQL expressions may use: what they take, give and mean.

A signature reads ``takes -> gives``. Kinds: ``text``, ``number``, ``bool``, ``time`` (a
wall-clock time of the project), ``instant`` (a UTC time), ``any``; ``*`` after the last
one: any number more; ``?``: may be left out. ``like2`` gives the kind of the second
argument.

Names are ClickHouse's, so for ClickHouse a function is itself. For DuckDB each has a
template: constant SQL in which ``a``, ``b``, ``c`` stand for the arguments and ``rest`` for
all of them from the first on.
"""

from functools import lru_cache

import msgspec
from sqlglot import exp, parse_one

from hedgerow.query.expressions_table import AGGREGATES as MORE_AGGREGATES
from hedgerow.query.expressions_table import FUNCTIONS, LONGER, SYNONYMS
from hedgerow.query.trees import Tree

Kind = str


class Signature(msgspec.Struct, frozen=True):
    """What a function takes and gives."""

    takes: tuple[Kind, ...]
    gives: Kind
    least: int
    more: bool

    def most(self) -> int:
        """Return the largest number of arguments."""
        return 64 if self.more else len(self.takes)


SCALARS = {
    # dates
    "now": "-> instant",
    "today": "-> time",
    "yesterday": "-> time",
    "toDate": "time -> date",
    "toDateTime": "instant -> instant",
    "toStartOfMinute": "time -> time",
    "toStartOfFiveMinutes": "time -> time",
    "toStartOfFifteenMinutes": "time -> time",
    "toStartOfHour": "time -> time",
    "toStartOfDay": "time -> time",
    "toStartOfMonth": "time -> date",
    "toStartOfQuarter": "time -> date",
    "toStartOfYear": "time -> date",
    "toMonday": "time -> date",
    "toYear": "time -> number",
    "toQuarter": "time -> number",
    "toMonth": "time -> number",
    "toDayOfMonth": "time -> number",
    "toDayOfYear": "time -> number",
    "toDayOfWeek": "time -> number",
    "toHour": "time -> number",
    "toMinute": "time -> number",
    "toSecond": "time -> number",
    "toISOWeek": "time -> number",
    "toYYYYMM": "time -> number",
    "toYYYYMMDD": "time -> number",
    "toUnixTimestamp": "instant -> number",
    # choice and NULL
    "if": "bool any any -> like2",
    "multiIf": "bool any any * -> like2",
    "coalesce": "any * -> like1",
    "ifNull": "any any -> like1",
    "nullIf": "any any -> like1",
    "isNull": "any -> bool",
    "isNotNull": "any -> bool",
    "assumeNotNull": "any -> like1",
    "empty": "text -> bool",
    "notEmpty": "text -> bool",
    "greatest": "number * -> number",
    "least": "number * -> number",
    "not": "bool -> bool",
    # text
    "lower": "text -> text",
    "upper": "text -> text",
    "concat": "text * -> text",
    "substring": "text number number? -> text",
    "length": "text -> number",
    "trim": "text -> text",
    "reverse": "text -> text",
    "left": "text number -> text",
    "right": "text number -> text",
    "replaceAll": "text text text -> text",
    "replaceRegexpOne": "text text text -> text",
    "replaceRegexpAll": "text text text -> text",
    "match": "text text -> bool",
    "extract": "text text -> text",
    "like": "text text -> bool",
    "ilike": "text text -> bool",
    "startsWith": "text text -> bool",
    "endsWith": "text text -> bool",
    "position": "text text -> number",
    # conversion
    "toString": "text -> text",
    "toInt": "number -> number",
    "toFloat": "number -> number",
    "toBool": "text -> bool",
    # numbers
    "round": "number number? -> number",
    "floor": "number -> number",
    "ceil": "number -> number",
    "abs": "number -> number",
    "intDiv": "number number -> number",
    "modulo": "number number -> number",
    "pow": "number number -> number",
    "sqrt": "number -> number",
    "exp": "number -> number",
    "log": "number -> number",
    "log2": "number -> number",
    "log10": "number -> number",
    "sign": "number -> number",
    **{name: takes for name, (takes, _) in FUNCTIONS.items()},
}
"""Functions of one row."""

AGGREGATES = {
    "count": "any? -> number",
    "countIf": "bool -> number",
    "uniq": "any -> number",
    "uniqExact": "any -> number",
    "countDistinct": "any -> number",
    "uniqIf": "any bool -> number",
    "sum": "number -> number",
    "sumIf": "number bool -> number",
    "avg": "number -> number",
    "avgIf": "number bool -> number",
    "min": "any -> like1",
    "minIf": "any bool -> like1",
    "max": "any -> like1",
    "maxIf": "any bool -> like1",
    "any": "any -> like1",
    "anyIf": "any bool -> like1",
    "median": "number -> number",
    "medianIf": "number bool -> number",
    "stddevPop": "number -> number",
    "stddevSamp": "number -> number",
    "varPop": "number -> number",
    "varSamp": "number -> number",
    **{name: takes for name, (takes, _) in MORE_AGGREGATES.items()},
}
"""Functions of many rows."""

DUCKDB = {
    "toDate": "CAST(a AS DATE)",
    "toDateTime": "a",
    "toStartOfMinute": "DATE_TRUNC('minute', a)",
    "toStartOfFiveMinutes": "TIME_BUCKET(INTERVAL '5 minutes', a)",
    "toStartOfFifteenMinutes": "TIME_BUCKET(INTERVAL '15 minutes', a)",
    "toStartOfHour": "DATE_TRUNC('hour', a)",
    "toStartOfDay": "DATE_TRUNC('day', a)",
    "toStartOfMonth": "CAST(DATE_TRUNC('month', a) AS DATE)",
    "toStartOfQuarter": "CAST(DATE_TRUNC('quarter', a) AS DATE)",
    "toStartOfYear": "CAST(DATE_TRUNC('year', a) AS DATE)",
    "toMonday": "CAST(DATE_TRUNC('week', a) AS DATE)",
    "toYear": "YEAR(a)",
    "toQuarter": "QUARTER(a)",
    "toMonth": "MONTH(a)",
    "toDayOfMonth": "DAY(a)",
    "toDayOfYear": "DAYOFYEAR(a)",
    "toDayOfWeek": "ISODOW(a)",
    "toHour": "HOUR(a)",
    "toMinute": "MINUTE(a)",
    "toSecond": "SECOND(a)",
    "toISOWeek": "WEEKOFYEAR(a)",
    "toYYYYMM": "YEAR(a) * 100 + MONTH(a)",
    "toYYYYMMDD": "YEAR(a) * 10000 + MONTH(a) * 100 + DAY(a)",
    "toUnixTimestamp": "EPOCH_US(a) // 1000000",
    "if": "CASE WHEN a THEN b ELSE c END",
    "coalesce": "COALESCE(rest)",
    "ifNull": "COALESCE(a, b)",
    "nullIf": "NULLIF(a, b)",
    "isNull": "a IS NULL",
    "isNotNull": "NOT a IS NULL",
    "assumeNotNull": "a",
    "empty": "a = ''",
    "notEmpty": "a <> ''",
    "greatest": "GREATEST(rest)",
    "least": "LEAST(rest)",
    "not": "NOT (a)",
    "lower": "LOWER(a)",
    "upper": "UPPER(a)",
    "concat": "CONCAT(rest)",
    "substring": "SUBSTRING(a, TRY_CAST(b AS BIGINT))",
    "length": "STRLEN(a)",
    "trim": "TRIM(a)",
    "reverse": "REVERSE(a)",
    "left": "LEFT(a, TRY_CAST(b AS BIGINT))",
    "right": "RIGHT(a, TRY_CAST(b AS BIGINT))",
    "replaceAll": "REPLACE(a, b, c)",
    "replaceRegexpOne": "REGEXP_REPLACE(a, b, c)",
    "replaceRegexpAll": "REGEXP_REPLACE(a, b, c, 'g')",
    "match": "REGEXP_MATCHES(a, b)",
    "extract": "REGEXP_EXTRACT(a, b)",
    "like": "a LIKE b",
    "ilike": "a ILIKE b",
    "startsWith": "STARTS_WITH(a, b)",
    "endsWith": "ENDS_WITH(a, b)",
    "position": "STRPOS(a, b)",
    "toString": "a",
    "toInt": "TRY_CAST(TRUNC(a) AS BIGINT)",
    "toFloat": "TRY_CAST(a AS DOUBLE)",
    "toBool": "a = 'true'",
    "round": "ROUND_EVEN(a, 0)",
    "floor": "FLOOR(a)",
    "ceil": "CEIL(a)",
    "abs": "ABS(a)",
    "intDiv": "TRY_CAST(TRUNC(a / NULLIF(b, 0)) AS BIGINT)",
    "modulo": "a % NULLIF(b, 0)",
    "pow": "POW(a, b)",
    "sqrt": "SQRT(a)",
    "exp": "EXP(a)",
    "log": "LN(a)",
    "log2": "LOG2(a)",
    "log10": "LOG10(a)",
    "sign": "SIGN(a)",
    "countIf": "COUNT_IF(a)",
    "uniq": "COUNT(DISTINCT a)",
    "uniqExact": "COUNT(DISTINCT a)",
    "countDistinct": "COUNT(DISTINCT a)",
    "uniqIf": "COUNT(DISTINCT a) FILTER (WHERE b)",
    "sum": "SUM(a)",
    "sumIf": "SUM(a) FILTER (WHERE b)",
    "avg": "AVG(a)",
    "avgIf": "AVG(a) FILTER (WHERE b)",
    "min": "MIN(a)",
    "minIf": "MIN(a) FILTER (WHERE b)",
    "max": "MAX(a)",
    "maxIf": "MAX(a) FILTER (WHERE b)",
    "any": "ANY_VALUE(a)",
    "anyIf": "ANY_VALUE(a) FILTER (WHERE b)",
    "median": "QUANTILE_CONT(a, 0.5)",
    "medianIf": "QUANTILE_CONT(a, 0.5) FILTER (WHERE b)",
    "stddevPop": "STDDEV_POP(a)",
    "stddevSamp": "STDDEV_SAMP(a)",
    "varPop": "VAR_POP(a)",
    "varSamp": "VAR_SAMP(a)",
    "uuidOfKey": "FORMAT('00000000-0000-0000-0000-{:012x}', a)",
    **{name: template for name, (_, template) in FUNCTIONS.items()},
    **{name: template for name, (_, template) in MORE_AGGREGATES.items()},
}
"""What a function is in DuckDB."""

DUCKDB_WITH_MORE = {
    "round": "ROUND(a, TRY_CAST(b AS INTEGER))",
    "count": "COUNT(a)",
} | LONGER
"""The same where it is another thing with its optional argument."""

CLICKHOUSE = {
    "trim": "trimBoth",
    "toInt": "toInt64",
    "toFloat": "toFloat64",
    "countDistinct": "uniqExact",
    "uniq": "uniqExact",
    "uniqIf": "uniqExactIf",
    "median": "quantileExactInclusive",
    "log": "log",
}
"""Names that are not ClickHouse's own, or that are made exact."""


def is_aggregate(name: str) -> bool:
    """Return whether a function sums many rows up."""
    name = SYNONYMS.get(name, name)
    return plain_aggregate(name) in AGGREGATES or name.startswith("quantile")


def plain_aggregate(name: str) -> str:
    """Return an aggregate without its suffix ``If`` or ``OrNull``, if it is one of ours."""
    if name in AGGREGATES:
        return name
    for suffix in ("OrNull", "OrDefault", "If"):
        plain = name.removesuffix(suffix)
        if plain != name and plain_aggregate(plain) in AGGREGATES:
            return plain_aggregate(plain)
    return name


@lru_cache(maxsize=512)
def signature(name: str) -> Signature | None:
    """Return what a function takes and gives; None: there is no such function."""
    text = SCALARS.get(name) or AGGREGATES.get(name)
    if text is None and plain_aggregate(name) in AGGREGATES:
        takes, gives = AGGREGATES[plain_aggregate(name)].split("->")
        condition = " bool" if name.removesuffix("OrNull").endswith("If") else ""
        text = f"{takes.strip().rstrip('?')}{condition} -> {gives}"
    if text is None:
        return None
    takes, gives = text.split("->")
    kinds = takes.split()
    more = "*" in kinds
    kinds = [kind for kind in kinds if kind != "*"]
    least = sum(1 for kind in kinds if not kind.endswith("?"))
    return Signature(tuple(kind.rstrip("?") for kind in kinds), gives.strip(), least, more)


def duckdb_call(name: str, arguments: list[Tree]) -> Tree:
    """Return a function of the table as DuckDB says it."""
    if name == "count" and not arguments:
        return exp.Count(this=exp.Star())
    if name == "multiIf":
        return _cases(arguments)
    if name in {"and", "or"}:
        node = exp.and_ if name == "and" else exp.or_
        return exp.paren(node(*arguments))
    plain = plain_aggregate(name)
    if plain != name:
        return _combined(plain, name, arguments)
    most = signature(name)
    longer = most is not None and len(arguments) > most.least
    template = (
        DUCKDB_WITH_MORE[name] if longer and name in DUCKDB_WITH_MORE else DUCKDB[name]
    )
    return filled(template, arguments)


def clickhouse_call(name: str, arguments: list[Tree]) -> Tree:
    """Return a function of the table as ClickHouse says it."""
    if name == "medianIf":
        name = "quantileExactInclusiveIf"
    return exp.Anonymous(this=CLICKHOUSE.get(name, name), expressions=arguments)


def _combined(plain: str, name: str, arguments: list[Tree]) -> Tree:
    """Return an aggregate over the rows that fulfil the last argument."""
    if not name.removesuffix("OrNull").endswith("If"):
        return duckdb_call(plain, arguments)
    *values, condition = arguments
    return only_where(duckdb_call(plain, values), condition)


def only_where(tree: Tree, condition: Tree) -> Tree:
    """Return aggregates over just the rows that fulfil a condition."""
    names = {"quantile_cont", "approx_top_k"}
    calls = [one for one in tree.find_all(exp.Anonymous) if one.name in names]
    for one in [*tree.find_all(exp.AggFunc), *calls]:
        kept = condition.copy()
        if isinstance(one.parent, exp.Filter):
            inner = one.parent.expression
            inner.set("this", exp.and_(inner.this.copy(), kept))
            continue
        only = exp.Filter(this=one.copy(), expression=exp.Where(this=kept))
        if one is tree:
            return only
        one.replace(only)
    return tree


def _cases(arguments: list[Tree]) -> exp.Case:
    *pairs, otherwise = arguments
    ifs = [
        exp.If(this=condition, true=value)
        for condition, value in zip(pairs[::2], pairs[1::2], strict=True)
    ]
    return exp.Case(ifs=ifs, default=otherwise)


@lru_cache(maxsize=512)
def _template(text: str) -> Tree:
    return parse_one(text, dialect="duckdb")


def filled(template: str, arguments: list[Tree]) -> Tree:
    """Return a constant template with the arguments in the places of ``a``, ``b``, …."""
    if template.startswith("!"):
        return exp.Anonymous(
            this=template[1:], expressions=[one.copy() for one in arguments]
        )
    names = dict(zip("abcdefgh", arguments, strict=False))
    tree = exp.paren(_template(template).copy())
    for column in list(tree.find_all(exp.Column)):
        if column.name == "rest":
            parent = column.parent
            _spread(column, arguments, parent)
        elif column.name in names:
            column.replace(names[column.name].copy())
    return tree


def _spread(column: exp.Column, arguments: list[Tree], parent: exp.Expr | None) -> None:
    """Put all arguments in the place of one."""
    copies = [one.copy() for one in arguments]
    if column.arg_key == "expressions" and parent is not None:
        parent.set("expressions", copies)
    elif isinstance(parent, exp.Substring):
        parent.set("this", copies[0])
        parent.set("start", copies[1])
        parent.set("length", copies[2] if len(copies) > 2 else None)
    elif parent is not None:
        parent.set("this", copies[0])
        parent.set("expressions", copies[1:])
