"""Which program wrote a file, and what its columns mean: known by the header.

Names are compared in lower case. A source is recognised when all its marks are there;
the one with the most marks wins. What is not recognised is ``generic``: its columns are
guessed by name and chosen by hand.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

FIELDS: Final = (
    "user",
    "email",
    "client",
    "project",
    "task",
    "description",
    "tags",
    "billable",
    "date",
    "start_time",
    "end_date",
    "end_time",
    "start",
    "end",
    "duration",
    "seconds",
    "break",
    "break_seconds",
    "timezone",
    "rate",
)
"""What a column can mean. ``start`` and ``end`` hold day and time together; ``date`` is
the day of ``start_time`` or of a length; ``duration`` is ``1:30`` or hours."""

Names = Mapping[str, tuple[str, ...]]
"""Field → names of columns that mean it, the best first."""


@dataclass(frozen=True, kw_only=True)
class Source:
    """A program whose files are known."""

    key: str
    """As the catalogue of events has it."""
    title: str
    names: Names
    marks: frozenset[str] = field(default_factory=frozenset)
    """Fields that must be found for the file to be recognised."""
    needs: tuple[str, ...] = ()
    """Names of columns that only this source has."""


TOGGL = Source(
    key="toggl",
    title="Toggl Track",
    needs=("start date", "end date", "duration"),
    marks=frozenset({"user", "project", "date", "start_time", "end_date", "end_time"}),
    names={
        "user": ("user", "member"),
        "email": ("email",),
        "client": ("client",),
        "project": ("project",),
        "task": ("task",),
        "description": ("description",),
        "billable": ("billable",),
        "date": ("start date",),
        "start_time": ("start time",),
        "end_date": ("end date", "stop date"),
        "end_time": ("end time", "stop time"),
        "duration": ("duration",),
        "tags": ("tags",),
    },
)
CLOCKIFY = Source(
    key="clockify",
    title="Clockify",
    needs=("duration (h)", "duration (decimal)"),
    marks=frozenset({"user", "project", "date", "start_time", "end_date", "end_time"}),
    names={
        "user": ("user",),
        "email": ("email",),
        "client": ("client",),
        "project": ("project",),
        "task": ("task", "activity"),
        "description": ("description",),
        "billable": ("billable",),
        "date": ("start date",),
        "start_time": ("start time",),
        "end_date": ("end date",),
        "end_time": ("end time",),
        "duration": ("duration (h)", "duration (decimal)"),
        "tags": ("tags",),
        "rate": ("billable rate*",),
    },
)
KIMAI = Source(
    key="kimai",
    title="Kimai",
    marks=frozenset({"date", "start_time", "end_time", "client", "project", "task"}),
    names={
        "user": (
            *("user", "name", "username", "benutzer", "utilisateur", "usuario"),
            *("gebruiker", "utente"),
        ),
        "email": ("e-mail", "email"),
        "client": ("customer", "kunde", "client", "cliente", "klant"),
        "project": ("project", "projekt", "projet", "proyecto", "progetto"),
        "task": (
            *("activity", "tätigkeit", "activité", "actividad", "activiteit"),
            "attività",
        ),
        "description": (
            *("description", "beschreibung", "descripción", "beschrijving"),
            "descrizione",
        ),
        "billable": ("billable", "abrechenbar", "facturable", "factureerbaar"),
        "date": ("date", "datum", "fecha", "data"),
        "start_time": ("from", "begin", "von", "beginn", "de", "van", "da", "début"),
        "end_time": ("to", "end", "bis", "ende", "à", "a", "tot", "fin"),
        "duration": ("duration", "dauer", "durée", "duración", "duur", "durata"),
        "break": ("break", "pause", "descanso", "pauze", "pausa"),
        "tags": ("tags", "schlagworte", "étiquettes", "etiquetas", "labels"),
        "rate": ("hourly price", "hourly rate", "stundenpreis", "stundensatz"),
        "timezone": ("timezone", "zeitzone"),
    },
)
GENERIC = Source(
    key="generic",
    title="CSV",
    names={
        "user": ("user", "username", "member", "person", "employee"),
        "email": ("email", "e-mail"),
        "client": ("client", "customer"),
        "project": ("project",),
        "task": ("task", "activity"),
        "description": ("description", "notes", "note", "comment", "memo"),
        "tags": ("tags", "labels"),
        "billable": ("billable",),
        "date": ("date", "day", "start date"),
        "start_time": ("start_time", "start time", "from"),
        "end_date": ("end date",),
        "end_time": ("end_time", "end time", "to"),
        "start": ("start_utc", "start", "started_at", "begin"),
        "end": ("end_utc", "end", "ended_at"),
        "duration": ("duration", "duration_hours", "hours", "duration_hms"),
        "seconds": ("duration_seconds", "seconds"),
        "break": ("break", "pause"),
        "break_seconds": ("break_seconds",),
        "timezone": ("timezone", "time zone"),
        "rate": ("rate", "hourly rate"),
    },
)

SOURCES: Final[Mapping[str, Source]] = {
    source.key: source for source in (TOGGL, CLOCKIFY, KIMAI, GENERIC)
}

Columns = dict[str, int]
"""Field → place of its column."""


def columns(source: Source, header: Sequence[str]) -> Columns:
    """Return which column holds which field, as far as the names say."""
    names = [_plain(name) for name in header]
    found: Columns = {}
    for meaning, known in source.names.items():
        for name in known:
            place = next((n for n, given in enumerate(names) if _same(given, name)), None)
            if place is not None and place not in found.values():
                found[meaning] = place
                break
    return found


def _plain(name: str) -> str:
    return " ".join(name.replace("\ufeff", "").split()).lower()


def _same(given: str, known: str) -> bool:
    """``billable rate*`` stands for every currency in brackets after it."""
    return given.startswith(known[:-1]) if known.endswith("*") else given == known


def recognise(header: Sequence[str]) -> Source:
    """Return the source whose file this is; ``generic`` where nothing else fits."""
    names = {_plain(name) for name in header}
    fitting = [
        source
        for source in (CLOCKIFY, TOGGL, KIMAI)
        if source.marks <= set(columns(source, header)) and names.issuperset(source.needs)
    ]
    return fitting[0] if fitting else GENERIC


def missing(found: Columns) -> str:
    """Return in words what no column says, though it is needed; empty where all is there."""
    timed = {"start", "end"} <= set(found) or {"date", "start_time"} <= set(found)
    timed = (
        timed or {"start", "duration"} <= set(found) or {"start", "seconds"} <= set(found)
    )
    length = "date" in found and bool({"duration", "seconds"} & set(found))
    return "" if timed or length else "when: a start and an end, or a date and a duration"
