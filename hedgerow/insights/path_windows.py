"""The windows that turn items into the shown part of each session, as one query.

Stage by stage, each a subquery named in ``WITH``: ``items`` (who, when, what) →
``numbered`` (with the session's number) → ``runs`` (with the item that follows) → ``kept``
(the last of each run, with its place in the session) → ``shown`` (what the anchor leaves,
placed anew from 1) → ``steps`` (each with the next one shown).

The stages are constant text, parsed once; start, end and limits are placeholders.
"""

from sqlglot import exp

from hedgerow.insights.path_sessions import GAP, Anchor
from hedgerow.query.trees import Tree, template, text_literal
from hedgerow.query.values import Values

NUMBERED = """
SELECT actor, at, uuid, item,
  SUM(CASE WHEN at - before >= :gap THEN 1 ELSE 0 END)
    OVER (PARTITION BY actor ORDER BY at, uuid) AS session
FROM (SELECT actor, at, uuid, item,
        LAG(at) OVER (PARTITION BY actor ORDER BY at, uuid) AS before FROM items) AS timed
"""
RUNS = """
SELECT actor, session, at, uuid, item,
  LEAD(item) OVER (PARTITION BY actor, session ORDER BY at, uuid) AS following
FROM numbered
"""
KEPT = """
SELECT actor, session, at, item,
  ROW_NUMBER() OVER (PARTITION BY actor, session ORDER BY at, uuid) AS place
FROM runs WHERE item <> following OR (following IS NULL AND item <> '')
"""
HEAD = "SELECT actor, session, at, item, place FROM kept WHERE place <= :cap"
FROM_START = """
SELECT actor, session, at, item, place - first + 1 AS place
FROM (SELECT actor, session, at, item, place,
        MIN(CASE WHEN item = :start THEN place END) OVER (PARTITION BY actor, session) AS first
      FROM kept) AS found
WHERE place >= first AND place < first + :cap
"""
TO_END = """
SELECT actor, session, at, item, place - GREATEST(last - :cap, 0) AS place
FROM (SELECT actor, session, at, item, place,
        MIN(CASE WHEN item = :end THEN place END) OVER (PARTITION BY actor, session) AS last
      FROM kept) AS found
WHERE place <= last AND place > last - :cap
"""
BETWEEN = """
SELECT actor, session, at,
  CASE WHEN length > :cap AND place = :half + 1 THEN :gap_item ELSE item END AS item,
  CASE WHEN length > :cap AND place > :half + 1 THEN place - length + 2 * :half + 1
       ELSE place END AS place
FROM (SELECT actor, session, at, item, place - first + 1 AS place, last - first + 1 AS length
      FROM (SELECT actor, session, at, item, place, first,
              MIN(CASE WHEN item = :end THEN place END)
                OVER (PARTITION BY actor, session) AS last
            FROM (SELECT actor, session, at, item, place,
                    MIN(CASE WHEN item = :start THEN place END)
                      OVER (PARTITION BY actor, session) AS first
                  FROM kept) AS started
            WHERE place >= first) AS ended) AS found
WHERE place <= length
  AND (length <= :cap OR place <= :half + 1 OR place > length - :half)
"""
STEPS = """
SELECT actor, session, at, item, place,
  LEAD(item) OVER (PARTITION BY actor, session ORDER BY place) AS next_item,
  LEAD(at) OVER (PARTITION BY actor, session ORDER BY place) - at AS took
FROM shown
"""


def steps(items: exp.Select, gap_us: int, anchor: Anchor, values: Values) -> exp.Select:
    """Return a SELECT to be completed, FROM ``steps`` with all stages before it.

    ``items`` has the columns actor, at (microseconds), uuid and item.
    """
    shown, bound = _shown(anchor, values)
    stages = {
        "items": items,
        "numbered": template(NUMBERED, gap=values.bind(gap_us)),
        "runs": template(RUNS),
        "kept": template(KEPT),
        "shown": template(shown, **bound),
        "steps": template(STEPS),
    }
    query = exp.select().from_("steps")
    for name, stage in stages.items():
        query = query.with_(name, as_=stage, copy=False)
    return query


def _shown(anchor: Anchor, values: Values) -> tuple[str, dict[str, Tree]]:
    bound: dict[str, Tree] = {"cap": values.bind(anchor.limit)}
    if anchor.start is not None:
        bound["start"] = values.bind(anchor.start)
    if anchor.end is not None:
        bound["end"] = values.bind(anchor.end)
    if anchor.start is None:
        return (HEAD if anchor.end is None else TO_END), bound
    if anchor.end is None:
        return FROM_START, bound
    bound["half"] = values.bind(anchor.limit // 2)
    bound["gap_item"] = text_literal(GAP)
    return BETWEEN, bound
