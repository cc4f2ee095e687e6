"""What may be asked of a figure, and what it means (``fleet`` §2.0)."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

import msgspec

from hedgerow.errors import InvalidQuery
from hedgerow.insights.fleet.settings import FleetSettings
from hedgerow.model.projects import QueryContext
from hedgerow.query import dates
from hedgerow.query.definitions import refusal

COMMON = frozenset(
    {
        "as_of",
        "date_from",
        "date_to",
        "window_days",
        "interval",
        "week_start",
        "fold",
        "environments",
        "established",
        "exclude_clones",
        "properties",
        "silent_after_days",
        "gone_after_days",
        "format",
    }
)
"""Parameters that every figure takes; those that shape what it has not change nothing."""

WINDOWS = {"adoption": 7, "regularity": 28}
"""Days of the window where it is not 30."""

AT_A_MOMENT = frozenset({"active", "today"})
"""Figures that are asked of an instant, ``at``."""

BOUNDS = {
    "window_days": (1, 3650),
    "silent_after_days": (1, 3650),
    "gone_after_days": (1, 3650),
    "limit": (1, 10_000),
    "eligible_days": (1, 3650),
    "min_installations": (1, 100_000),
    "horizon": (0, 3650),
    "k": (5, 100_000),
}

EPOCH = date(1970, 1, 1)
SETTLED_AFTER = timedelta(hours=48)
USUAL_DAYS = 30


class Params(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All parameters there are; a figure takes the common ones and its own."""

    as_of: str | None = None
    date_from: str | None = None
    date_to: str | None = None
    at: str | None = None
    window_days: int | None = None
    interval: Literal["day", "week", "month"] = "day"
    week_start: Literal[0, 1] | None = None
    fold: Literal["none", "minor", "major"] = "none"
    environments: str | list[str] | None = None
    established: bool = False
    exclude_clones: bool = False
    properties: Any = None
    silent_after_days: int | None = None
    gone_after_days: int | None = None
    format: Literal["json", "csv"] = "json"
    limit: int | None = None
    cursor: int = 0
    pre: Literal["fold", "separate"] = "fold"
    version: str | None = None
    horizon: int = 90
    eligible_days: int = 7
    source: Literal["observed", "events"] = "observed"
    within: Literal["major"] | None = None
    property: str | None = None
    event: str | None = None
    by: Literal["installations", "users"] = "installations"
    min_installations: int = 20
    k: int | None = None
    published_as_of: str | None = None
    state: Literal["reporting", "silent", "gone", "never_reported"] | None = None
    version_lt: str | None = None
    behind_gte: int | None = None


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A figure's parameters with every default filled in. Days count from 1970-01-01."""

    figure: str
    params: Params
    settings: FleetSettings
    context: QueryContext
    zone: ZoneInfo
    now: datetime
    at: datetime
    """The last moment that takes part, UTC."""

    as_of: int
    date_from: int
    window: int
    week_start: int
    silent_after: int
    gone_after: int

    @property
    def provisional(self) -> bool:
        """Whether late arrivals may still change the answer: 48 h after the day's end."""
        return self.now < end_of(self.as_of, self.zone) + SETTLED_AFTER

    @property
    def partial(self) -> bool:
        """Whether the question is of a moment within a day, not of its end."""
        return self.figure in AT_A_MOMENT

    @property
    def plain(self) -> bool:
        """Whether installations are counted by what is kept of them alone.

        Else each has to be looked at: for its other properties, or for releases inferred.
        """
        narrowed = self.params.exclude_clones or isinstance(self.params.properties, dict)
        listed = isinstance(self.params.properties, list) and not all(
            isinstance(one, str) for one in self.params.properties
        )
        return bool(self.settings.releases) and not narrowed and not listed

    @property
    def days(self) -> range:
        """The days of the range, both ends in."""
        return range(self.date_from, self.as_of + 1)

    @property
    def window_start(self) -> int:
        """The first day of the window that ends with the day asked about."""
        return self.as_of - self.window + 1


def number_of(day: date) -> int:
    """Return a day as its number since 1970."""
    return (day - EPOCH).days


def date_of(day: int) -> date:
    """Return the date of a day's number."""
    return EPOCH + timedelta(days=day)


def iso(day: int) -> str:
    """Return a day as answers write it."""
    return date_of(day).isoformat()


def begin_of(day: int, zone: ZoneInfo) -> datetime:
    """Return the first instant of a local day, UTC."""
    midnight = datetime.combine(date_of(day), datetime.min.time(), zone)
    return midnight.astimezone(UTC)


def end_of(day: int, zone: ZoneInfo) -> datetime:
    """Return the last instant of a local day, UTC."""
    return begin_of(day + 1, zone) - timedelta(microseconds=1)


def params_of(raw: Mapping[str, Any], figure: str, own: frozenset[str]) -> Params:
    """Return the parameters of a figure. Raises InvalidQuery naming an unknown one."""
    for name in raw:
        if name not in own:
            raise InvalidQuery(
                f"{name!r} is not a parameter of {figure!r}.",
                hint=f"Use {', '.join(sorted(own))}.",
                attr=f"params.{name}",
            )
    try:
        params = msgspec.convert(raw, Params)
    except msgspec.ValidationError as error:
        told = refusal(str(error))
        attr = f"params.{told.attr or ''}"
        raise InvalidQuery(told.what, hint=told.hint, attr=attr) from error
    for name, (low, high) in BOUNDS.items():
        number = getattr(params, name)
        if number is not None and not low <= number <= high:
            raise InvalidQuery(
                f"{name} is {number}.", hint=f"Use {low} to {high}.", attr=f"params.{name}"
            )
    return params


def asked(
    params: Params, figure: str, settings: FleetSettings, context: QueryContext
) -> Asked:
    """Return parameters with their defaults. Raises InvalidQuery."""
    zone = ZoneInfo(context.project.timezone)
    as_of, at = _end(params, figure, context, zone)
    since = as_of - USUAL_DAYS + 1
    if params.date_from:
        since = day_of(params.date_from, context, "date_from")
    if since > as_of:
        raise InvalidQuery(
            f"date_from {iso(since)} is after {iso(as_of)}.",
            hint="Give an earlier one.",
            attr="params.date_from",
        )
    silent = params.silent_after_days or settings.silent_after
    gone = params.gone_after_days or settings.gone_after
    if gone < silent:
        raise InvalidQuery(
            f"Gone after {gone} days is before silent after {silent}.",
            hint="Give a larger gone_after_days.",
            attr="params.gone_after_days",
        )
    week_start = params.week_start
    return Asked(
        figure=figure,
        params=params,
        settings=settings,
        context=context,
        zone=zone,
        now=context.now,
        at=at,
        as_of=as_of,
        date_from=since,
        window=params.window_days or WINDOWS.get(figure, USUAL_DAYS),
        week_start=context.project.week_start_day if week_start is None else week_start,
        silent_after=silent,
        gone_after=gone,
    )


def day_of(text: str, context: QueryContext, name: str) -> int:
    """Return the local day of a date text. Raises InvalidQuery."""
    zone = ZoneInfo(context.project.timezone)
    if text == "today":
        return number_of(context.now.astimezone(zone).date())
    at = dates.moment(text, context, f"params.{name}").at
    return number_of(at.astimezone(zone).date())


def _end(
    params: Params, figure: str, context: QueryContext, zone: ZoneInfo
) -> tuple[int, datetime]:
    """Return the day asked about and the last moment that takes part."""
    today = number_of(context.now.astimezone(zone).date())
    if figure in AT_A_MOMENT:
        at = context.now
        if params.at:
            at = dates.moment(params.at, context, "params.at").at
        return number_of(at.astimezone(zone).date()), at.astimezone(UTC)
    name = "date_to" if params.date_to else "as_of"
    text = params.date_to or params.as_of
    as_of = today - 1 if text is None else day_of(text, context, name)
    return as_of, end_of(as_of, zone)
