"""What is known of each installation, made of the project's fleet events (``fleet`` §1).

``statement`` asks for all heartbeats, installs and updates up to a moment, in the order of
installation and time; ``installations`` turns the rows into values, of which the figures
are computed. Days are local days of the project.
"""

from bisect import bisect_right
from collections.abc import Iterable
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
from sqlglot import exp

from hedgerow.insights.fleet.settings import FleetSettings
from hedgerow.model.ports import Statement
from hedgerow.model.projects import QueryContext
from hedgerow.model.versions import Scheme, Version, parse
from hedgerow.query.sources import Events
from hedgerow.query.trees import Tree
from hedgerow.query.values import Values


class Seen(msgspec.Struct, frozen=True):
    """One observation of a version."""

    at: datetime
    day: date
    version: Version
    text: str

    @property
    def same(self) -> Any:
        """What equal versions have in common: the key, or the text without a place."""
        return self.version.key if self.version.key is not None else self.text


class Beat(msgspec.Struct, frozen=True):
    """One heartbeat with its dimensions as text; None: not there."""

    at: datetime
    day: date
    values: dict[str, str | None]
    versioned: bool


class Installation(msgspec.Struct, kw_only=True):
    """What one installation reported, in order of time."""

    key: int
    id: str = ""
    """The distinct id of its latest event."""

    environment: str | None = None
    beats: list[Beat] = msgspec.field(default_factory=list)
    seen: list[Seen] = msgspec.field(default_factory=list)
    declared: list[tuple[Seen, Seen]] = msgspec.field(default_factory=list)
    """Both sides of each update event that says both."""

    days: list[date] = msgspec.field(default_factory=list)
    """Days with a heartbeat, each once."""

    def last_beat(self, day: date) -> date | None:
        """Return the latest heartbeat day not after ``day``."""
        place = bisect_right(self.days, day)
        return self.days[place - 1] if place else None

    def version_at(self, day: date) -> Seen | None:
        """Return the last observation up to the end of ``day``."""
        place = bisect_right(self.seen, day, key=lambda one: one.day)
        return self.seen[place - 1] if place else None

    def version_at_moment(self, at: datetime) -> Seen | None:
        """Return the last observation up to a moment."""
        place = bisect_right(self.seen, at, key=lambda one: one.at)
        return self.seen[place - 1] if place else None

    def active(self, day: date, window: int) -> bool:
        """Return whether it had a heartbeat in the ``window`` days ending with ``day``."""
        last = self.last_beat(day)
        return last is not None and (day - last).days < window


def dimensions(settings: FleetSettings, more: Iterable[str] = ()) -> list[str]:
    """Return the properties read of each event besides versions, each once."""
    named = (
        settings.platform_property,
        settings.platform_release_property,
        settings.machine_property,
        settings.python_property,
        settings.deployment_property,
        settings.auth_property,
        settings.timezone_property,
        settings.size_property,
        "fleet_public",
        *more,
    )
    return list(dict.fromkeys(named))


def statement(
    context: QueryContext, settings: FleetSettings, read: list[str], until: datetime
) -> Statement:
    """Return the question for all fleet events up to ``until``.

    Columns: person key, distinct id, time, event, version, old and new version,
    environment, the person's environment, then the dimensions ``read``.
    """
    values = Values()
    events = Events(context, values)

    def text(name: str, type_: str = "event") -> Tree:
        return events.property(type_, name).text

    versions = [text(name) for name in settings.version_properties]
    named = [settings.heartbeat_event, settings.install_event, settings.update_event]
    columns: dict[str, Tree] = {
        "person_key": events.column("person_key"),
        "distinct_id": events.column("distinct_id"),
        "timestamp": events.column("timestamp"),
        "event": events.column("event"),
        "version": exp.Coalesce(this=versions[0], expressions=versions[1:]),
        "old_version": text(settings.old_version_property),
        "new_version": text(settings.new_version_property),
        "environment": text(settings.environment_property),
        "person_environment": text(settings.environment_property, "person"),
    }
    columns |= {f"d{place}": text(name) for place, name in enumerate(read)}
    chosen = [values.bind(name) for name in named if name is not None]
    tree = events.select(
        *(exp.alias_(tree, name) for name, tree in columns.items()),
        since=None,
        until=until,
        where=[
            exp.In(this=events.column("event"), expressions=chosen),
            exp.not_(events.column("personless")),
        ],
    )
    order = [
        exp.column(name, table="e")
        for name in ("person_key", "timestamp", "created_at", "uuid")
    ]
    return Statement(tree=tree.order_by(*order), values=values.by_name)


def installations(
    rows: Iterable[tuple[Any, ...]],
    settings: FleetSettings,
    zone: ZoneInfo,
    read: list[str],
) -> list[Installation]:
    """Return the installations that the rows of ``statement`` tell of."""
    found: dict[int, Installation] = {}
    steps: dict[int, list[tuple[datetime, int, Seen]]] = {}
    known: dict[str, Version] = {}
    for key, distinct_id, time, event, *texts in rows:
        at = time.replace(tzinfo=UTC) if time.tzinfo is None else time
        day = at.astimezone(zone).date()
        one = found.setdefault(key, Installation(key=key))
        one.id = distinct_id
        version, old, new, environment, of_person, *rest = texts
        one.environment = environment or one.environment or of_person
        if event == settings.update_event:
            sides = [(0, old), (1, version if new is None else new)]
        else:
            sides = [(2, version)]
        places = steps.setdefault(key, [])
        said = [
            (at, step, Seen(at, day, read_version, text))
            for step, text in sides
            if (read_version := _read(text, settings.version_scheme, known)) is not None
        ]
        places += said
        if event == settings.update_event and len(said) == 2:
            one.declared.append((said[0][2], said[1][2]))
        if event == settings.heartbeat_event:
            values = dict(zip(read, rest, strict=True))
            one.beats.append(Beat(at, day, values, versioned=bool(said)))
    for key, one in found.items():
        ordered = sorted(steps[key], key=lambda place: place[:2])
        one.seen = [seen for _, _, seen in ordered]
        one.days = sorted({beat.day for beat in one.beats})
    return list(found.values())


def _read(text: str | None, scheme: Scheme, known: dict[str, Version]) -> Version | None:
    """Return a version that is there; lists, objects and booleans say none."""
    if text is None or text in {"true", "false"} or text[:1] in {"[", "{"}:
        return None
    if text not in known:
        known[text] = parse(text, scheme)
    return None if known[text].kind == "missing" else known[text]
