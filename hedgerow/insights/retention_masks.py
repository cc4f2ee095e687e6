"""Plain retention by masks: a number for each actor, one bit for each period.

Most tables ask for every period anew, count people, and have no brackets. Then two masks
say all of an actor: the periods that start, and those of coming back. Actors of like masks
are counted together, and only these counts are spread over rows and columns; no actor ever
meets their own events in a join. A test holds it to the cells of ``retention_cells``.
"""

from sqlglot import exp

from hedgerow.insights.retention_events import Asked, events
from hedgerow.insights.retention_window import chosen
from hedgerow.query.dialects import dialect_of
from hedgerow.query.trees import number_literal, template, with_parts
from hedgerow.query.values import Values

MASKS = "SELECT actor, value, :starts AS starts, :returns AS returns FROM ev GROUP BY actor, value"
ALIKE = """
    SELECT value, starts, returns, COUNT(*) AS actors FROM masks WHERE starts <> 0
    GROUP BY value, starts, returns"""
PLACES = "SELECT :numbers AS place"
SPREAD = """
    SELECT c.value AS value, a.place AS s, b.place - a.place AS col,
      SUM(c.actors) AS actors, 0 AS amount
    FROM alike AS c CROSS JOIN places AS a CROSS JOIN places AS b
    WHERE :started AND b.place >= a.place AND b.place - a.place < :columns
      AND (b.place = a.place OR :returned)
    GROUP BY c.value, a.place, b.place"""


def fits(asked: Asked) -> bool:
    """Return whether masks say all that the table needs."""
    wanted = chosen(asked.query)
    plain = (wanted.retention_type or "retention_recurring") == "retention_recurring"
    by_calendar = wanted.time_window_mode != "24_hour_windows"
    counted = wanted.aggregation_type not in {"sum", "avg"} and not wanted.cumulative
    any_number = (wanted.minimum_occurrences or 1) == 1
    short = _rows(asked) <= dialect_of(asked.context).most_places
    once = plain and by_calendar and counted and any_number
    return once and short and not asked.window.brackets


def counted(asked: Asked, values: Values) -> exp.Query:
    """Return (value, s, col, actors, amount), as the cells of the table would be counted."""
    dialect, rows = dialect_of(asked.context), _rows(asked)
    period = exp.column("period")
    masks = template(
        MASKS,
        starts=dialect.mask(period, exp.column("starts"), rows),
        returns=dialect.mask(period.copy(), exp.column("returns"), rows),
    )
    starts, returns = (exp.column(name, table="c") for name in ("starts", "returns"))
    query = template(
        SPREAD,
        started=dialect.has_place(starts, exp.column("place", table="a")),
        returned=dialect.has_place(returns, exp.column("place", table="b")),
        columns=number_literal(len(asked.window.columns)),
    )
    places = template(PLACES, numbers=dialect.numbers_below(number_literal(rows)))
    named: dict[str, exp.Query] = {
        "ev": events(asked, values),
        "masks": masks,
        "alike": template(ALIKE),
        "places": places,
    }
    return with_parts(query, named)


def _rows(asked: Asked) -> int:
    return len(asked.window.asked.buckets)
