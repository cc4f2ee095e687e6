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
        "silent_after_days",
        "gone_after_days",
    }
)
"""Parameters that every figure takes."""

WINDOWS = {"adoption": 7, "regularity": 28}
"""Days of the window where it is not 30."""


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
    silent_after_days: int | None = None
    gone_after_days: int | None = None
    limit: int | None = None
    pre: Literal["fold", "separate"] = "fold"
    version: str | None = None
    horizon: int = 90
    eligible_days: int = 7
    source: Literal["observed", "events"] = "observed"
    within: Literal["major"] | None = None
    property: str | None = None
    min_installations: int = 20
    k: int = 10


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A figure's parameters with every default filled in."""

    params: Params
    settings: FleetSettings
    zone: ZoneInfo
    now: datetime
    at: datetime
    """The moment of ``active`` and ``today``."""

    as_of: date
    date_from: date
    window: int
    week_start: int
    silent_after: int
    gone_after: int

    @property
    def until(self) -> datetime:
        """The last instant of the day that is asked about."""
        return dates.end_of_day(datetime.combine(self.as_of, _MIDNIGHT, self.zone))

    @property
    def provisional(self) -> bool:
        """Whether late arrivals may still change the answer: 48 h after the day's end."""
        return self.now < self.until.astimezone(UTC) + timedelta(hours=48)


_MIDNIGHT = datetime.min.time()


def params_of(raw: Mapping[str, Any], figure: str, own: frozenset[str]) -> Params:
    """Return the parameters of a figure. Raises InvalidQuery naming an unknown one."""
    for name in raw:
        if name not in COMMON | own:
            raise InvalidQuery(
                f"{name!r} is not a parameter of {figure!r}.",
                hint=f"Use {', '.join(sorted(COMMON | own))}.",
                attr=f"params.{name}",
            )
    try:
        params = msgspec.convert(raw, Params)
    except msgspec.ValidationError as error:
        told = refusal(str(error))
        raise InvalidQuery(
            told.what, hint=told.hint, attr=f"params.{told.attr or ''}"
        ) from error
    for name in (
        "window_days",
        "silent_after_days",
        "gone_after_days",
        "limit",
        "eligible_days",
        "min_installations",
    ):
        _at_least_one(params, name)
    if not 0 <= params.horizon <= 3650:
        raise InvalidQuery(
            f"horizon is {params.horizon}.", hint="Use 0 to 3650.", attr="params.horizon"
        )
    if params.k < 5:
        raise InvalidQuery(f"k is {params.k}.", hint="Use at least 5.", attr="params.k")
    return params


def asked(
    params: Params, figure: str, settings: FleetSettings, context: QueryContext
) -> Asked:
    """Return parameters with their defaults. Raises InvalidQuery."""
    zone = ZoneInfo(context.project.timezone)
    at = dates.moment(params.at, context, "params.at").at if params.at else context.now
    as_of = at.astimezone(zone).date() if figure in {"active", "today"} else None
    if as_of is None:
        as_of = _day(params.date_to or params.as_of, context, zone)
    since = as_of - timedelta(days=29)
    if params.date_from:
        since = dates.moment(params.date_from, context, "params.date_from").at.date()
    if since > as_of:
        raise InvalidQuery(
            f"date_from {since} is after {as_of}.",
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
        params=params,
        settings=settings,
        zone=zone,
        now=context.now,
        at=at.astimezone(UTC),
        as_of=as_of,
        date_from=since,
        window=params.window_days or WINDOWS.get(figure, 30),
        week_start=context.project.week_start_day if week_start is None else week_start,
        silent_after=silent,
        gone_after=gone,
    )


def _day(text: str | None, context: QueryContext, zone: ZoneInfo) -> date:
    """Return the day meant; without one the last complete day."""
    today = context.now.astimezone(zone).date()
    if text is None:
        return today - timedelta(days=1)
    if text == "today":
        return today
    return dates.moment(text, context, "params.as_of").at.astimezone(zone).date()


def _at_least_one(params: Params, name: str) -> None:
    number = getattr(params, name)
    if number is not None and not 1 <= number <= 100_000:
        raise InvalidQuery(
            f"{name} is {number}.", hint="Use 1 to 100000.", attr=f"params.{name}"
        )
