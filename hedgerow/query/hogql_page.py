"""The page of SQL in the documentation, from the tables that decide what SQL may say."""

from collections.abc import Iterable

from hedgerow.query.expressions_calls import SPECIAL
from hedgerow.query.expressions_functions import AGGREGATES, SCALARS
from hedgerow.query.expressions_table import LATER, SYNONYMS
from hedgerow.query.hogql import USUAL_ROWS
from hedgerow.query.hogql_clauses import MOST_ROWS
from hedgerow.query.hogql_nodes import RANKS
from hedgerow.query.hogql_tables import SYNONYMS as OTHER_TABLES
from hedgerow.query.hogql_tables import TABLES

HEAD = f"""# SQL

Generated from the code. `{{"kind": "HogQLQuery", "query": "SELECT …"}}` on `…/query`, the tab SQL of the
insight editor, and `hedgerow query 'SELECT …'` all take what people write for PostHog: ClickHouse's SQL with
PostHog's tables. It reads, and only the project's own data; nothing else can be named.

```sql
SELECT toStartOfWeek(timestamp) AS week, uniq(person_id) AS people, countIf(properties.plan = 'pro') AS pro
FROM events
WHERE event = 'timer.started' AND timestamp > now() - INTERVAL 90 DAY AND person.properties.role = 'admin'
GROUP BY week ORDER BY week
```

- Without a `LIMIT` {USUAL_ROWS} rows are given, with one at most {MOST_ROWS:,}; `hasMore` tells of more. `limit` and `offset` beside
  the text page through them.
- A time is shown, cut and compared in the project's zone. `toTimeZone(timestamp, 'Europe/Berlin')` shows another.
- `=` and `!=` treat a missing value as a value: `properties.plan != 'pro'` keeps rows without a plan.
- A property has the kind of its definition (text, number, truth, time); `properties` alone is JSON.
- `{{name}}` stands for an entry of `values`, `{{variables.x}}` for one of `variables`, `{{filters}}` for the
  conditions of `filters`; a dashboard's range and filters arrive there too.
- `person_id` is never missing: who has no profile is somebody still, under an id of their own.
  `person_id IN COHORT 12`, `NOT IN COHORT 'name'`.
- An alias can be used in every other clause. `ORDER BY 1` and `GROUP BY 1` are places.
- Also: `WITH`, `UNION ALL`, joins, subqueries, `ARRAY JOIN`, `LIMIT 3 BY event`, `WITH TIES`, windows, `a ? b : c`, `x ?? y`,
  `x =~ 'regex'`, `arr[1]`, `t.1`, lambdas `x -> x + 1`, `SELECT * EXCEPT (…) REPLACE (…)`. Not: `WITH RECURSIVE`,
  correlated subqueries, a lambda inside of a lambda.

Every answer shows the SQL it came from in `hogql`. That of a typed SELECT is the SELECT as it was understood; that of
an insight is written for the engine and begins with a line that says so. Both can be asked again, as they are or changed.
"""  # noqa: S608 - a page to read, no statement


def markdown() -> str:
    """Return the page."""
    parts = [HEAD, "## Tables\n", *_tables(), "## Functions\n", *_functions()]
    return "\n".join(parts)


def _tables() -> Iterable[str]:
    yield "| table | columns |\n|---|---|"
    for name, known in TABLES.items():
        columns = ", ".join(f"`{one}`" for one in (*known.star, *known.more))
        yield f"| `{name}` | {columns} |"
    others = ", ".join(
        f"`{name}` (`{same}`)" for name, same in sorted(OTHER_TABLES.items())
    )
    yield f"\nOther names: {others}.\n"


def _functions() -> Iterable[str]:
    yield "An unknown function is refused with the nearest known name.\n"
    yield "**Of one row:** " + _listed({*SCALARS, *SPECIAL}) + "\n"
    yield (
        "**Of many rows**, each also as `…If(…, condition)` and with `DISTINCT` where it makes"
        " a difference: "
        + _listed(
            {*AGGREGATES, "quantile(p)", "quantiles(p, …)", "topK(n)", "groupArray(n)"}
        )
        + "\n"
    )
    ranks = {*RANKS, "lagInFrame", "leadInFrame"}
    yield "**Over a window**, besides aggregates: " + _listed(ranks) + "\n"
    others = ", ".join(f"`{name}` (`{same}`)" for name, same in sorted(SYNONYMS.items()))
    yield f"**Other names:** {others}\n"
    yield "**Not here yet:** " + _listed(LATER) + "\n"


def _listed(names: Iterable[str]) -> str:
    return " ".join(f"`{name}`" for name in sorted(names, key=_order))


def _order(name: str) -> tuple[str, str]:
    return name.lower(), name
