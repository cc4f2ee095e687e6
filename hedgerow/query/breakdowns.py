"""Breakdowns: by what a figure is divided (``insights-trends`` §6).

``split_of`` reads ``breakdownFilter`` in both its forms; ``column`` gives the value of one
breakdown for a row as text that is never NULL: missing and empty are one value, ``NONE``.
``folded`` keeps the largest values and adds the rest up as ``OTHER``.
"""

from collections.abc import Sequence

import msgspec
from sqlglot import exp

from hedgerow.errors import InvalidQuery
from hedgerow.query import expressions, membership, sessions
from hedgerow.query.definitions_nodes import Breakdown, BreakdownFilter
from hedgerow.query.sources import Source, named_table
from hedgerow.query.trees import Tree, case, number_literal, select, text_literal

NONE = "$$_posthog_breakdown_null_$$"
OTHER = "$$_posthog_breakdown_other_$$"
DEFAULT_LIMIT = 25

Everyone = str
"""``"all"`` in the place of a cohort's id."""


class Split(msgspec.Struct, frozen=True, kw_only=True):
    """What a figure is divided by."""

    by: tuple[Breakdown, ...] = ()
    """Properties and expressions; empty with cohorts."""

    cohorts: tuple[int | Everyone, ...] = ()
    """Ids of cohorts, and ``"all"``."""

    as_list: bool = False
    """Values are lists: the list form was used."""

    limit: int = DEFAULT_LIMIT
    hide_other: bool = False

    def __bool__(self) -> bool:
        """Return whether there is a breakdown at all."""
        return bool(self.by or self.cohorts)


def split_of(given: BreakdownFilter | None) -> Split:
    """Return the breakdown asked for. Raises InvalidQuery."""
    if given is None:
        return Split()
    limit = given.breakdown_limit or DEFAULT_LIMIT
    hide = bool(given.breakdown_hide_other_aggregation)
    if given.breakdowns:
        for index, one in enumerate(given.breakdowns):
            _check(one, f"breakdownFilter.breakdowns[{index}]")
        by = tuple(given.breakdowns)
        return Split(by=by, as_list=True, limit=limit, hide_other=hide)
    if given.breakdown is None or given.breakdown == []:
        return Split()
    if given.breakdown_type == "cohort":
        return Split(cohorts=_cohorts(given), limit=limit, hide_other=hide)
    if isinstance(given.breakdown, list):
        raise InvalidQuery(
            f"A list such as {given.breakdown!r} is for cohorts.",
            hint="Use 'breakdowns' for several properties.",
            attr="breakdownFilter.breakdown",
        )
    one = Breakdown(
        property=str(given.breakdown),
        type=given.breakdown_type,
        group_type_index=given.breakdown_group_type_index,
        normalize_url=given.breakdown_normalize_url,
        histogram_bin_count=given.breakdown_histogram_bin_count,
    )
    _check(one, "breakdownFilter", "breakdown_")
    return Split(by=(one,), limit=limit, hide_other=hide)


def _check(one: Breakdown, path: str, prefix: str = "") -> None:
    if one.type == "cohort":
        raise InvalidQuery(
            "Cohorts cannot be part of a list of breakdowns.",
            hint='Use \'breakdown\' with "breakdown_type": "cohort".',
            attr=f"{path}.type",
        )
    if one.type == "session" and one.property not in sessions.COLUMNS:
        raise InvalidQuery(
            f"Sessions have no property {one.property!r}.",
            hint=f"Use one of {', '.join(sorted(sessions.COLUMNS))}.",
            attr=f"{path}.{prefix or 'property'}".removesuffix("_"),
        )
    if one.type == "group" and one.group_type_index is None:
        raise InvalidQuery(
            f"The breakdown by the group property {one.property!r} names no group type.",
            hint=f"Give {prefix}group_type_index, 0 to 4.",
            attr=f"{path}.{prefix}group_type_index",
        )


def _cohorts(given: BreakdownFilter) -> tuple[int | Everyone, ...]:
    listed = given.breakdown if isinstance(given.breakdown, list) else [given.breakdown]
    found: list[int | Everyone] = []
    for one in listed:
        number = membership.id_of(one)
        if one == "all":
            found.append(one)
        elif number is not None:
            found.append(number)
        else:
            raise InvalidQuery(
                f"{one!r} is not the id of a cohort.",
                hint='Use ids, or "all" for everyone.',
                attr="breakdownFilter.breakdown",
            )
    return tuple(found)


def column(by: Breakdown, source: Source, bounds: str | None = None) -> Tree:
    """Return a row's value of a breakdown as text, never NULL.

    ``bounds``: alias of a joined row with ``low`` and ``high``, for a histogram.
    """
    if by.histogram_bin_count is not None and bounds is not None:
        text = _bin(by.histogram_bin_count, number(by, source), bounds, source)
    else:
        text = text_of(by, source)
    if by.normalize_url:
        text = normalized(text, source)
    filled = exp.func("nullif", text, text_literal(""))
    return exp.func("coalesce", filled, text_literal(NONE))


def number(by: Breakdown, source: Source) -> Tree:
    """Return a row's value of a breakdown as a number, for a histogram."""
    if by.type == "hogql":
        return expressions.as_number(expressions.scalar(by.property, source), source)
    return source.property(by.type or "event", by.property, by.group_type_index).number


def text_of(by: Breakdown, source: Source) -> Tree:
    """Return a row's value of a breakdown as text; NULL where missing."""
    if by.type == "hogql":
        return expressions.as_text(expressions.scalar(by.property, source), source)
    found = source.property(by.type or "event", by.property, by.group_type_index)
    if found.kind != "Numeric":
        return found.text
    # as written, unless written with a fraction or an exponent: 10.0 and 10 are one value
    dialect = source.dialect
    as_written = dialect.matches(found.text.copy(), text_literal(r"^[+-]?[0-9]+$"))
    no_number = exp.Is(this=found.number.copy(), expression=exp.null())
    return exp.Case(
        ifs=[exp.If(this=exp.or_(as_written, no_number), true=found.text)],
        default=dialect.text(found.number),
    )


def normalized(text: Tree, source: Source) -> Tree:
    """Return an address without trailing ``/``, ``?`` and ``#``; an empty rest is ``/``."""
    bare = source.dialect.replace_pattern(text.copy(), "[/?#]+$", "")
    is_empty = bare.eq(text_literal(""))
    return exp.Case(
        ifs=[exp.If(this=is_empty, true=text_literal("/"))], default=bare.copy()
    )


def _bin(count: int, value: Tree, bounds: str, source: Source) -> Tree:
    """Return ``[lo,hi]``: the first of ``count`` equal bins between the bounds.

    A value at an edge can land in the bin beside it, by the last digit of a division, so
    the bin found is compared with its own ends.
    """
    low, high = exp.column("low", table=bounds), exp.column("high", table=bounds)
    width = exp.paren(exp.paren(high - low) / number_literal(count))
    last = number_literal(count - 1)
    rough = exp.func("least", last, exp.Floor(this=exp.paren(value - low) / width))
    over = exp.and_(rough < last, value >= low + width * exp.paren(rough + _one()))
    index = exp.Case(
        ifs=[
            exp.If(this=low.eq(high), true=last.copy()),
            exp.If(this=value < low + width * rough, true=rough - _one()),
            exp.If(this=over, true=rough + _one()),
        ],
        default=rough.copy(),
    )
    extra = case(index.eq(last), number_literal(0.01), number_literal(0))
    start = low + width * exp.paren(index)
    end = low + width * exp.paren(exp.paren(index) + _one()) + extra
    dialect = source.dialect
    parts = ("[", dialect.text(_double(start)), ",", dialect.text(_double(end)), "]")
    joined = exp.func(
        "concat", *(text_literal(one) if isinstance(one, str) else one for one in parts)
    )
    known = exp.not_(exp.Is(this=value.copy(), expression=exp.null()))
    return exp.Case(ifs=[exp.If(this=known, true=joined)])


def _one() -> Tree:
    return number_literal(1)


def _double(value: Tree) -> Tree:
    return exp.cast(exp.paren(value), "double")


def folded(
    cells: exp.Query, names: Sequence[str], limit: int, *, by_total: bool
) -> exp.Select:
    """Return the cells with all but the largest values added up as ``OTHER``.

    ``cells`` has the columns ``names`` (texts), ``bucket``, ``value`` and ``weight``; the
    answer has ``names``, ``bucket`` and ``value``. Values rank by class, then by the sum
    of weights, then by themselves; ``by_total`` leaves the class out: then there is one
    bucket, a cell is all of a value, and nothing must be joined.
    """
    placed = _placed(cells, names) if by_total else _ranked(cells, names)
    inside = exp.column("place", table="r") <= number_literal(limit)
    shown = [
        exp.alias_(
            case(inside.copy(), exp.column(name, table="r"), text_literal(OTHER)), name
        )
        for name in names
    ]
    value = exp.alias_(exp.Sum(this=exp.column("value", table="r")), "value")
    query = select(*shown, exp.column("bucket", table="r"), value)
    places = [number_literal(place + 1) for place in range(len(names) + 1)]
    query = query.from_(placed.subquery("r", copy=False), copy=False)
    return query.group_by(*places, copy=False)


def _placed(cells: exp.Query, names: Sequence[str]) -> exp.Select:
    """Return cells, each of them all of its value, with their place."""
    order: list[Tree] = [exp.Ordered(this=exp.column("weight"), desc=True)]
    order += [exp.column(name) for name in names]
    window = exp.Window(this=exp.RowNumber(), order=exp.Order(expressions=order))
    found = select(*names, "bucket", "value", exp.alias_(window, "place"))
    return found.from_(cells.subquery("c", copy=False), copy=False)


def _ranked(cells: exp.Query, names: Sequence[str]) -> exp.Select:
    """Return cells with the place of their value."""
    same = exp.and_(
        *(exp.column(name, table="c").eq(exp.column(name, table="t")) for name in names)
    )
    shown = [exp.column(name, table="c") for name in (*names, "bucket", "value")]
    query = select(*shown, exp.column("place", table="t"))
    query = query.from_(named_table("cells", "c"), copy=False)
    query = query.join(named_table("ranked", "t"), on=same, copy=False)
    ranked = ranking(names, by_total=False)
    return with_cells(query, cells).with_("ranked", as_=ranked, copy=False)


def with_cells(query: exp.Select, cells: exp.Query) -> exp.Select:
    """Return a query with ``cells`` computed once before it."""
    return query.with_("cells", as_=cells, materialized=True, copy=False)


def ranking(names: Sequence[str], *, by_total: bool) -> exp.Select:
    """Return each value of ``cells`` with its place, 1 for the largest."""
    columns = [exp.column(name) for name in names]
    order: list[Tree] = [] if by_total else [class_of(names)]
    order.append(exp.Ordered(this=exp.column("total"), desc=True))
    order += [column_.copy() for column_ in columns]
    total = exp.alias_(exp.Sum(this=exp.column("weight")), "total")
    totals = select(*columns, total).from_(exp.to_table("cells"), copy=False)
    totals = totals.group_by(*(column_.copy() for column_ in columns), copy=False)
    window = exp.Window(this=exp.RowNumber(), order=exp.Order(expressions=order))
    copies = [column_.copy() for column_ in columns]
    return select(*copies, exp.alias_(window, "place")).from_(
        totals.subquery("t", copy=False), copy=False
    )


def class_of(names: Sequence[str]) -> Tree:
    """Return 0 for an ordinary value, 1 where a part is missing, 2 where one is Other."""
    has_other = exp.or_(*(exp.column(name).eq(text_literal(OTHER)) for name in names))
    has_none = exp.or_(*(exp.column(name).eq(text_literal(NONE)) for name in names))
    return exp.Case(
        ifs=[
            exp.If(this=has_other, true=number_literal(2)),
            exp.If(this=has_none, true=number_literal(1)),
        ],
        default=number_literal(0),
    )


def rank_of(value: Sequence[object]) -> int:
    """Return the same class for a value in hand."""
    if OTHER in value:
        return 2
    return 1 if NONE in value else 0
