"""How the tables of a fleet are drawn from its events: days to stretches, versions to changes.

All at once for a month, or for the installations that were touched, from a day on. Either
way what is kept of the days before is the ground: its last row is taken up again and joined
to what follows, so it makes no difference in which portions the days came.
"""

# ruff: noqa: S608 - names of our own tables; values are parameters

from calendar import monthrange
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import duckdb

from hedgerow.model.ports import Digest
from hedgerow.model.tables import EVENTS, FLEET_CHANGES, FLEET_STRETCHES, FLEET_TOUCHED

EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 - as the tables have it: UTC without zone
FAR = 10_000_000
EARLIEST, LATEST = datetime(1, 6, 1), datetime(9999, 6, 1)  # noqa: DTZ001 - as above

SAID = (
    "environment",
    "platform",
    "platform_release",
    "machine",
    "python",
    "deployment",
    "auth",
    "zone",
    "size",
    "public",
)
"""What is kept of a day's reports besides the version: the last that was said."""

_WHOLE = f"""
    CREATE OR REPLACE TEMP TABLE touched_now AS SELECT DISTINCT person_key AS k, $d::BIGINT AS since
    FROM {EVENTS.name} WHERE project_id = $p AND timestamp >= $since AND timestamp < $until
      AND event IN (SELECT unnest($e::VARCHAR[]))"""
_TOUCHED = f"""
    CREATE OR REPLACE TEMP TABLE touched_ever AS SELECT person_key AS k, min(day) AS since
    FROM {FLEET_TOUCHED.name} WHERE project_id = $p GROUP BY person_key"""
_PORTION = """
    CREATE OR REPLACE TEMP TABLE touched_now AS SELECT k, greatest(since, $f::BIGINT) AS since
    FROM touched_ever WHERE since < $a"""
_MONTHS = f"""
    SELECT DISTINCT unnest([date_trunc('month', timestamp - INTERVAL 26 HOUR)::DATE,
      date_trunc('month', timestamp + INTERVAL 26 HOUR)::DATE]) AS month
    FROM {EVENTS.name} WHERE project_id = $p AND timestamp BETWEEN $f AND $l
      AND event IN (SELECT unnest($e::VARCHAR[]))"""
_OF_TOUCHED = " AND person_key IN (SELECT k FROM touched_ever)"
_REPORTED = """
    reported AS NOT MATERIALIZED (
      SELECT r.* FROM ({}) r JOIN touched_now t ON t.k = r.k WHERE r.day >= t.since AND r.day < $a)"""
_LAST = """arg_max({0}, turn) FILTER (WHERE kind = 'beat' AND {0} <> '') AS {0}"""
_STRETCHES = """
    CREATE OR REPLACE TEMP TABLE stretches_now AS WITH {reported}, days AS (
      SELECT k, day AS first_day, day AS last_day, bool_or(kind = 'beat') AS beat, min(id) AS id,
        arg_max(environment, turn) AS environment, {last}
      FROM (SELECT *, row_number() OVER (ORDER BY "at", arrived) AS turn FROM reported) GROUP BY k, day),
    kept AS (
      SELECT s.person_key AS k, first_day, least(last_day, since - 1) AS last_day, beat, id, {said}
      FROM {stretches} s JOIN touched_now t ON t.k = s.person_key
      WHERE project_id = $p AND last_day >= since - 1 AND first_day < since),
    pieces AS (SELECT *, hash(beat, id, {said}) AS same FROM (FROM days UNION ALL BY NAME FROM kept)),
    cut AS (
      SELECT *, coalesce(first_day <> lag(last_day) OVER w + 1 OR same <> lag(same) OVER w, true) AS new
      FROM pieces WINDOW w AS (PARTITION BY k ORDER BY first_day)),
    runs AS (SELECT *, sum(new::INT) OVER (PARTITION BY k ORDER BY first_day ROWS UNBOUNDED PRECEDING) AS run FROM cut)
    SELECT k, min(first_day) AS first_day, max(last_day) AS last_day, {any} FROM runs GROUP BY k, run"""
_CHANGES = """
    CREATE OR REPLACE TEMP TABLE changes_now AS WITH {reported}, observed AS (
      SELECT k, "at", day, arrived, 0 AS step, old AS version FROM reported WHERE kind = 'update'
      UNION ALL SELECT k, "at", day, arrived, 1, new FROM reported WHERE kind = 'update'
      UNION ALL SELECT k, "at", day, arrived, 2, version FROM reported WHERE kind <> 'update'),
    kept AS (
      SELECT c.person_key AS k, max(place) AS place, arg_max(step, place) AS step, arg_max(version, place) AS version
      FROM {changes} c JOIN touched_now t ON t.k = c.person_key WHERE project_id = $p AND day < since GROUP BY c.person_key),
    pieces AS (
      SELECT k, "at", day, arrived, step, version, NULL AS place FROM observed WHERE version IS NOT NULL
      UNION ALL SELECT k, -9223372036854775808, -1, -1, step, version, place FROM kept),
    found AS (
      SELECT *, max(place) OVER (PARTITION BY k) AS base,
        row_number() OVER w AS "row" FROM pieces
      WINDOW w AS (PARTITION BY k ORDER BY "at", step, arrived, version)
      QUALIFY version IS DISTINCT FROM lag(version) OVER w OR (step > 0 AND lag(step) OVER w = 0)),
    once AS (
      SELECT * FROM found WINDOW w AS (PARTITION BY k ORDER BY "row")
      QUALIFY place IS NULL AND (version IS DISTINCT FROM lag(version) OVER w OR lag(step) OVER w = 0))
    SELECT k, coalesce(base, 0) + row_number() OVER (PARTITION BY k ORDER BY "row") AS place,
      "at", day, step, version FROM once"""
_DROP_STRETCHES = f"""
    DELETE FROM {FLEET_STRETCHES.name} s USING touched_now t
    WHERE s.project_id = $p AND s.person_key = t.k AND s.last_day >= t.since - 1"""
_DROP_CHANGES = f"""
    DELETE FROM {FLEET_CHANGES.name} c USING touched_now t
    WHERE c.project_id = $p AND c.person_key = t.k AND c.day >= t.since"""


class Drawing:
    """Draws one fleet's tables, in the transactions of a cursor of its own."""

    def __init__(self, cursor: duckdb.DuckDBPyConnection, digest: Digest) -> None:
        self._cursor, self._digest = cursor, digest
        self._parts = {
            "last": ", ".join(_LAST.format(name) for name in SAID[1:]),
            "said": ", ".join(SAID),
            "any": ", ".join(
                f"any_value({name}) AS {name}" for name in ("beat", "id", *SAID)
            ),
            "stretches": FLEET_STRETCHES.name,
            "changes": FLEET_CHANGES.name,
        }

    def run(
        self, sql: str, values: Mapping[str, Any] | None = None
    ) -> list[tuple[Any, ...]]:
        """Execute one statement and fetch all of it."""
        return self._cursor.execute(sql, dict(values or {})).fetchall()

    def months(self, first: int | None = None) -> list[tuple[int, int]]:
        """Return the months with events as first day and the day after, ascending.

        With ``first`` those from that day on in which a touched installation has some.
        """
        since = EARLIEST if first is None else max(EARLIEST, _moment(first - 1))
        values = {**self._own(), "f": since, "l": LATEST}
        found = self.run(_MONTHS + (_OF_TOUCHED if first is not None else ""), values)
        return [_days_of(month) for (month,) in sorted(found)]

    def month(self, first: int, after: int) -> None:
        """Draw all installations' days of one month; the days before are drawn."""
        bounds = {"since": _moment(first - 1), "until": _moment(after + 1)}
        self.run(_WHOLE, {**self._own(), **bounds, "d": first})
        self._fold(first, after)

    def touched(self) -> None:
        """Draw anew what was noted as touched, and forget the notes."""
        project = {"p": self._digest.project_id}
        self.run(_TOUCHED, project)
        (earliest,) = self.run("SELECT min(since) FROM touched_ever")[0]
        if earliest is None:
            return
        self.run(f"DELETE FROM {FLEET_TOUCHED.name} WHERE project_id = $p", project)
        for first, after in [(-FAR, -FAR + 1), *self.months(earliest)]:
            self.run(_PORTION, {"f": first, "a": after})
            self._fold(first, after)

    def _fold(self, first: int, after: int) -> None:
        """Draw the days of a portion for those in ``touched_now``, from their day on."""
        project = {"p": self._digest.project_id}
        (since,) = self.run("SELECT min(since) FROM touched_now")[0]
        if since is None:
            return
        begin, end = _moment(max(first, since) - 1), _moment(after + 1)
        asked = self._digest.reported(begin.replace(tzinfo=UTC), end.replace(tzinfo=UTC))
        parts = {**self._parts, "reported": _REPORTED.format(asked.text)}
        values = {**asked.values, **project, "a": after}
        for sql in (_STRETCHES, _CHANGES):
            self.run(sql.format(**parts), values)
        self.run(_DROP_STRETCHES, project)
        self.run(_DROP_CHANGES, project)
        self.run(
            f"INSERT INTO {FLEET_STRETCHES.name} SELECT $p, * FROM stretches_now", project
        )
        self.run(f"INSERT INTO {FLEET_CHANGES.name} SELECT $p, * FROM changes_now", project)

    def _own(self) -> dict[str, Any]:
        return {"p": self._digest.project_id, "e": sorted(self._digest.events)}


def _moment(day: int) -> datetime:
    """Return when a day begins in UTC, as far as the calendar goes."""
    if day <= (EARLIEST - EPOCH).days:
        return EARLIEST
    return LATEST if day >= (LATEST - EPOCH).days else EPOCH + timedelta(days=day)


def _days_of(month: date) -> tuple[int, int]:
    """Return a month's first day and the day after its last one, as numbers."""
    first = month.toordinal() - EPOCH.toordinal()
    return first, first + monthrange(month.year, month.month)[1]
