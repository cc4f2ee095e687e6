"""From a question's JSON to its answer: choose, compile, read, shape, keep.

``INSIGHTS`` says which module answers which kind of question; ``LISTINGS`` those that ask
more than once. Adding a kind of insight is one line in one of them.

An answer is kept under a key of everything it depends on: the definition, the statements
with their values (which hold the resolved range), the project's settings, and the version
of its data. So a kept answer is true for as long as it can be found.
"""

import hashlib
import time
from collections.abc import Mapping
from datetime import UTC
from typing import Any

import msgspec

from hedgerow.errors import InvalidQuery, QueryTimedOut
from hedgerow.insights import (
    actors,
    calendar_heat_map,
    events,
    funnel_correlation,
    funnels,
    lifecycle,
    paths,
    retention,
    sql,
    stickiness,
    taxonomy,
    trends,
)
from hedgerow.insights.beforehand import filled
from hedgerow.insights.cached import Cache
from hedgerow.insights.experiments import query as experiments
from hedgerow.insights.fleet import query as fleet
from hedgerow.insights.results import Answered, Insight, Run
from hedgerow.insights.shown import shown, written
from hedgerow.model.ports import Cancel, Reader, Rows, Statement
from hedgerow.model.projects import QueryContext
from hedgerow.query.definitions import (
    ActorsQuery,
    CalendarHeatmapQuery,
    EventNamesQuery,
    EventsQuery,
    ExperimentQuery,
    FleetQuery,
    FunnelCorrelationQuery,
    FunnelsQuery,
    HogQLQuery,
    LifecycleQuery,
    PathsQuery,
    PersonsNode,
    PropertyNamesQuery,
    PropertyValuesQuery,
    Query,
    RetentionQuery,
    StickinessQuery,
    TrendsQuery,
    decode,
    kind_of,
)

INSIGHTS: dict[type[msgspec.Struct], Insight] = {
    TrendsQuery: trends,
    CalendarHeatmapQuery: calendar_heat_map,
    FunnelsQuery: funnels,
    PathsQuery: paths,
    RetentionQuery: retention,
    StickinessQuery: stickiness,
    LifecycleQuery: lifecycle,
    ExperimentQuery: experiments,
    FleetQuery: fleet,
    HogQLQuery: sql,
}
"""Which module answers a kind of question whose statements are known beforehand."""

LISTINGS: dict[type[msgspec.Struct], Answered] = {
    ActorsQuery: actors.answered,
    PersonsNode: actors.answered,
    EventsQuery: events.answered,
    FunnelCorrelationQuery: funnel_correlation.answered,
    EventNamesQuery: taxonomy.event_names,
    PropertyNamesQuery: taxonomy.property_names,
    PropertyValuesQuery: taxonomy.property_values,
}
"""Which function answers a kind of question that asks more than once."""

_ENCODER = msgspec.json.Encoder(order="deterministic")


class Asking(msgspec.Struct, frozen=True, kw_only=True):
    """How a question is asked."""

    timeout_s: float = 30.0
    """Seconds for the whole answer."""

    cancel: Cancel | None = None
    cache: Cache | None = None
    rows: Cache | None = None
    """Where rows are kept that several questions need; None: nowhere."""

    refresh: str = "blocking"
    """``blocking``: kept if there, else computed; ``force_blocking``: computed;
    ``force_cache``: kept or nothing."""


def answer(
    raw: Mapping[str, Any], context: QueryContext, reader: Reader, asking: Asking
) -> dict[str, Any]:
    """Return the answer to a question with its envelope (``api``).

    Raises InvalidQuery, QueryTimedOut, QueryTooLarge, QueryCancelled.
    """
    query = decode(raw, context.group_types)
    began = time.monotonic()
    run = _run(reader, context, asking, began)
    context = filled(raw, context, run)
    version = reader.version(context.project.id)
    data = (context.project.id, version)
    if isinstance(query, FleetQuery):
        context = fleet.beforehand(
            query, context, lambda one: _rows(one, run, asking, data)
        )
    insight = INSIGHTS.get(type(query))
    if insight is None:
        told = _listed(query, context, run)
        return _envelope(told, context, key=None, cached=False, began=began)
    statements = [written(one, context) for one in insight.statements(query, context)]
    key = key_of(raw, context, statements, version)

    def compute() -> dict[str, Any]:
        answers = [_rows(one, run, asking, data) for one in statements]
        told = _told(insight.result(query, context, answers))
        text = shown(statements, context)
        return {"hogql": text, "last_refresh": _now(context)} | told

    if asking.cache is None:
        return _envelope(compute(), context, key=key, cached=False, began=began)
    if asking.refresh == "force_blocking":
        told, cached = compute(), False
        asking.cache.keep(key, told)
    elif asking.refresh == "force_cache":
        told, cached = asking.cache.find(key) or {"results": None}, True
    else:
        told, cached = asking.cache.once(key, compute, asking.cancel)
    return _envelope(told, context, key=key, cached=cached, began=began)


def _rows(statement: Statement, run: Run, asking: Asking, data: tuple[int, int]) -> Rows:
    """Return a statement's rows; ``data`` are the project and the version of its data."""
    if asking.rows is None or not statement.shared:
        return run(statement)
    whole = _ENCODER.encode((data, statement.text, statement.values))
    key = hashlib.sha256(whole).hexdigest()
    found, _ = asking.rows.once(key, lambda: {"rows": run(statement)}, asking.cancel)
    rows: Rows = found["rows"]
    return rows


def key_of(
    raw: Mapping[str, Any],
    context: QueryContext,
    statements: list[Statement],
    version: int,
) -> str:
    """Return a digest of everything that an answer depends on."""
    names = {number: cohort.name for number, cohort in context.cohorts.items()}
    asked = [(one.text, one.values) for one in statements]
    whole = (
        raw,
        msgspec.to_builtins(context.project),
        sorted(names.items()),
        asked,
        version,
    )
    return hashlib.sha256(_ENCODER.encode(whole)).hexdigest()


def _run(reader: Reader, context: QueryContext, asking: Asking, began: float) -> Run:
    """Return a way to ask that keeps to what is left of the time."""

    def run(statement: Statement) -> Rows:
        left = began + asking.timeout_s - time.monotonic()
        if left <= 0:
            raise QueryTimedOut(
                f"The question took longer than {asking.timeout_s:g} seconds.",
                hint="Ask about a shorter range, or with fewer breakdowns.",
            )
        asked = written(statement, context)
        return reader.run(asked, timeout_s=left, cancel=asking.cancel)

    return run


def _listed(query: Query, context: QueryContext, run: Run) -> dict[str, Any]:
    listing = LISTINGS.get(type(query))
    if listing is None:
        known = sorted(kind_of(kind) for kind in (*INSIGHTS, *LISTINGS))
        raise InvalidQuery(
            f"Questions of kind {kind_of(query)!r} cannot be answered here.",
            hint=f"Use one of {', '.join(known)}.",
            attr="kind",
        )
    asked: list[Statement] = []

    def noted(statement: Statement) -> Rows:
        asked.append(statement)
        return run(statement)

    told = listing(query, context, noted)
    return {"hogql": shown(asked[:1], context), "last_refresh": _now(context)} | told


def _told(result: Any) -> dict[str, Any]:
    if isinstance(result, dict) and "results" in result:
        return result
    return {"results": result}


def _now(context: QueryContext) -> str:
    return context.now.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _envelope(
    told: dict[str, Any],
    context: QueryContext,
    *,
    key: str | None,
    cached: bool,
    began: float,
) -> dict[str, Any]:
    return {
        "hasMore": False,
        "timings": [],
        "error": None,
        "last_refresh": None,
        "hogql": "",
        **told,
        "timezone": context.project.timezone,
        "is_cached": cached,
        "cache_key": key,
        "query_duration_ms": round((time.monotonic() - began) * 1000, 3),
    }
