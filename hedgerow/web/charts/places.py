"""A trend by country → a map of the world, in nine steps of colour, and its table.

The steps are those of the square root: one country often has most of everything, and the
others should still be told apart. What is no country (unknown, several) is in the table only.
"""

import math
from collections.abc import Sequence

from hedgerow.web.charts import words
from hedgerow.web.charts.rows import Row
from hedgerow.web.charts.spec import Part, Place, Table, World
from hedgerow.web.charts.totals import parts, sentence, totals_table

STEPS = 9


def world(query: Row, rows: Sequence[Row]) -> World:
    """Return each country with its step; a country is told by its two letters."""
    found = [one for one in parts(rows) if _is_country(one.name)]
    high = max((one.value for one in found), default=0)
    table: Table = totals_table(query, rows)
    return World(
        summary=sentence(rows),
        table=table,
        places=[_place(one, high) for one in found],
        high=words.compact(high),
    )


def _is_country(name: str) -> bool:
    return len(name) == 2 and name.isascii() and name.isalpha() and name.isupper()


def _place(one: Part, high: float) -> Place:
    share = max(one.value, 0) / high if high > 0 else 0
    return Place(
        code=one.name,
        step=max(math.ceil(math.sqrt(share) * STEPS), 1) if share else 0,
        text=f"{one.exact} ({one.share})",
        who=one.who,
    )
