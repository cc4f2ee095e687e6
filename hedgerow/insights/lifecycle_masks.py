"""Lifecycle by masks: a number for each actor, a bit for each period with activity.

Place 0 is the period before the range. What an actor is in a period is told by two bits,
its own and the one before, and by whether they were created in the first period seen.
Actors of like masks are counted together before anything is spread over periods. It takes
a third of the time of windows (``lifecycle``), which are left for ranges of more periods
than a mask has places; a test holds the two together.
"""

from sqlglot import exp

from hedgerow.insights.lifecycle_events import active, created
from hedgerow.model.projects import QueryContext
from hedgerow.query.dates import Range
from hedgerow.query.definitions_lifecycle import LifecycleQuery
from hedgerow.query.dialects import Dialect, dialect_of
from hedgerow.query.trees import Tree, number_literal, template, with_parts
from hedgerow.query.values import Values

STATUSES = ("new", "returning", "resurrecting", "dormant")
NEW, RETURNING, RESURRECTING, DORMANT = range(4)

MASKS = """
    SELECT actor, :mask AS mask, MIN(period) AS first FROM active GROUP BY actor"""
KNOWN = """
    SELECT m.actor AS actor, m.mask AS mask,
      CASE WHEN c.created = m.first THEN m.first END AS new_at
    FROM masks AS m LEFT JOIN created AS c ON c.actor = m.actor"""
ALIKE = "SELECT mask, new_at, COUNT(*) AS actors FROM known GROUP BY mask, new_at"
PERIODS = "SELECT :numbers AS period"
SPREAD = """
    SELECT p.period AS period, a.new_at AS new_at, a.actors AS actors,
      :here AS here, :before AS earlier
    FROM alike AS a CROSS JOIN periods AS p"""
COUNTED = """
    SELECT period,
      CASE WHEN NOT here THEN 3 WHEN earlier THEN 1 WHEN new_at = period THEN 0 ELSE 2 END
        AS status,
      SUM(actors) AS actors
    FROM spread WHERE here OR earlier GROUP BY 1, 2"""
ONE = "SELECT actor FROM known WHERE :wanted"


def fits(asked: Range, context: QueryContext) -> bool:
    """Return whether a mask has a place for every period, and the one before."""
    return len(asked.buckets) < dialect_of(context).most_places


def counted(
    query: LifecycleQuery, context: QueryContext, values: Values, asked: Range
) -> exp.Query:
    """Return (period, status, actors), a row for each that occurs."""
    dialect = dialect_of(context)
    mask, period = exp.column("mask", table="a"), exp.column("period", table="p")
    spread = template(
        SPREAD,
        here=_active_in(mask, period, dialect),
        before=_before(mask, period, dialect),
    )
    numbers = dialect.numbers_below(number_literal(len(asked.buckets)))
    parts = {
        **_known(query, context, values, asked),
        "alike": template(ALIKE),
        "periods": template(PERIODS, numbers=numbers),
        "spread": spread,
    }
    return with_parts(template(COUNTED), parts)


def people(
    query: LifecycleQuery,
    context: QueryContext,
    values: Values,
    asked: Range,
    *,
    period: int,
    status: str,
) -> exp.Query:
    """Return the actors of one status in one period, as ``actor``."""
    dialect, mask, place = dialect_of(context), exp.column("mask"), number_literal(period)
    here = _active_in(mask, place, dialect)
    before = _before(mask, place, dialect)
    new = exp.func("coalesce", exp.column("new_at").eq(place.copy()), exp.false())
    wanted = {
        "new": exp.and_(here, new),
        "returning": exp.and_(here, before),
        "resurrecting": exp.and_(here, exp.not_(before), exp.not_(new)),
        "dormant": exp.and_(before, exp.not_(here)),
    }
    parts = _known(query, context, values, asked)
    return with_parts(template(ONE, wanted=wanted[status]), parts)


def _known(
    query: LifecycleQuery, context: QueryContext, values: Values, asked: Range
) -> dict[str, exp.Query]:
    place = exp.column("period") + number_literal(1)
    mask = dialect_of(context).mask(place, exp.true(), len(asked.buckets) + 1)
    return {
        "active": active(query, context, values, asked),
        "created": created(query, context, values, asked),
        "masks": template(MASKS, mask=mask),
        "known": template(KNOWN),
    }


def _active_in(mask: Tree, period: Tree, dialect: Dialect) -> Tree:
    return dialect.has_place(mask.copy(), exp.paren(period + number_literal(1)))


def _before(mask: Tree, period: Tree, dialect: Dialect) -> Tree:
    return dialect.has_place(mask.copy(), period.copy())
