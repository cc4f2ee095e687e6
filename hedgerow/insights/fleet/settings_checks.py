"""Which settings of a fleet make sense: refused here, so that figures need not ask."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from hedgerow.errors import InvalidInput
from hedgerow.insights.fleet.settings import (
    LEAST_K,
    PUBLISHABLE,
    SLUG,
    FleetSettings,
    Public,
    Release,
    local_day,
    series_numbers,
)

Fault = tuple[str, object, str, str]
"""What it is no, the value, what to do, and the field."""

UTC = ZoneInfo("UTC")


def checked(settings: FleetSettings) -> FleetSettings:
    """Return settings that make sense. Raises InvalidInput naming the field."""
    for place, release in enumerate(settings.releases):
        check_release(release, f"releases[{place}].")
    for series, day in settings.eol.items():
        local_day(day, UTC, f"eol.{series}")
    public = settings.public
    found = (*_faults(settings), *_page_faults(public), *_table_faults(public))
    for what, value, hint, attr in found:
        raise InvalidInput(f"{value!r} is no {what} here.", hint=hint, attr=attr)
    return settings


def check_release(release: Release, path: str = "") -> None:
    """Raise InvalidInput for a release without a name or with a day that is none."""
    local_day(release.released_at, UTC, f"{path}released_at")
    if release.yanked_at is not None:
        local_day(release.yanked_at, UTC, f"{path}yanked_at")
    if not release.version.strip():
        raise InvalidInput(
            f"{release.version!r} is no version.",
            hint="Name the version.",
            attr=f"{path}version",
        )


def _faults(settings: FleetSettings) -> Iterator[Fault]:
    for series in settings.eol:
        if series_numbers(series) is None:
            yield "series", series, "Use 2 or 2.9.", "eol"
    if not settings.version_properties or not all(settings.version_properties):
        yield "property", settings.version_property, "Name it.", "version_property"
    if not settings.heartbeat_event:
        yield "event", "", "Name the heartbeat.", "heartbeat_event"
    hours = settings.heartbeat_interval_hours
    if not 1 <= hours <= 8760:
        yield "interval", hours, "Use 1 to 8760 hours.", "heartbeat_interval_hours"
    silent, gone = settings.silent_after, settings.gone_after
    if not 0 < silent <= gone:
        hint = f"Use at least 1, and gone no earlier than silent ({silent} days)."
        yield "number of days", gone, hint, "gone_after_days"
    quorum = settings.quorum
    if quorum.installations < 1 or not 0 <= quorum.share <= 1:
        hint = "Use 1 or more installations, and a share from 0 to 1."
        yield "quorum", [quorum.installations, quorum.share], hint, "quorum"


def _page_faults(public: Public) -> Iterator[Fault]:
    if public.k < LEAST_K:
        yield "k", public.k, f"Use at least {LEAST_K}.", "public.k"
    if not 7 <= public.window_days <= 90:
        yield "window", public.window_days, "Use 7 to 90 days.", "public.window_days"
    slug = public.slug
    if public.enabled and slug is None:
        yield "address", slug, "Give the page a slug, such as timetracker.", "public.slug"
    if slug is not None and not SLUG.fullmatch(slug):
        yield (
            "address",
            slug,
            "Use small letters, digits, dashes; at most 64.",
            "public.slug",
        )


def _table_faults(public: Public) -> Iterator[Fault]:
    for name in public.tables:
        if name not in PUBLISHABLE:
            yield "table", name, f"Use {', '.join(PUBLISHABLE)}.", "public.tables"
    if len(set(public.tables)) < len(public.tables):
        hint = "Name each once: in two forms the difference would tell more."
        yield "list of tables", public.tables, hint, "public.tables"
    cross = public.cross
    if cross is not None and (
        len(cross) != 2 or len(set(cross)) != 2 or not set(cross) <= set(public.tables)
    ):
        yield "pair", cross, "Name two tables that are on the page.", "public.cross"
