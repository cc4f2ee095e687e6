"""Who is in a cohort: listed, counted, and for a static one put in or taken out."""

import csv
import io
from typing import Any

import msgspec

from hedgerow.api.callers import Caller
from hedgerow.api.endpoints import Listing, Search, listing
from hedgerow.api.people import context_of, persons_where, run
from hedgerow.errors import InvalidInput
from hedgerow.insights import listings
from hedgerow.meta import cohorts
from hedgerow.meta.tables import CohortRow
from hedgerow.model.projects import Cohort

ID_COLUMNS = ("person_id", "distinct_id", "email")
"""Names of a CSV's columns that say who is meant, best first."""

MOST_PEOPLE = 50_000
"""People that a query can put into a static cohort."""


class People(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Persons to be put into a static cohort: by id, or by distinct id."""

    person_ids: list[str] = msgspec.field(default_factory=list)
    distinct_ids: list[str] = msgspec.field(default_factory=list)


class Added(msgspec.Struct, kw_only=True):
    """What became of them."""

    added: int
    """Persons named that exist; those who were in already count too."""

    unknown: int
    """Ids that nobody has: skipped."""


def list_members(caller: Caller, _body: None, page: Search, *, cohort_id: int) -> Listing:
    """List who is in a cohort now, newest person first."""
    with caller.parts.metadata.reading() as session:
        cohorts.by_id(session, caller.project.id, cohort_id)
    asked = {"cohort": cohort_id, "search": page.search or None}
    results, more = persons_where(caller, page, asked)
    return listing(caller.url, page, results, total=None, more=more)


def add_persons(caller: Caller, body: People, _params: None, *, cohort_id: int) -> Added:
    """Put persons into a static cohort."""
    _static(caller, cohort_id)
    return put(caller, cohort_id, body)


def remove_persons(caller: Caller, body: People, _params: None, *, cohort_id: int) -> Added:
    """Take persons out of a static cohort."""
    _static(caller, cohort_id)
    return put(caller, cohort_id, body, do="static_cohort_remove")


def upload(caller: Caller, body: bytes, _params: None, *, cohort_id: int) -> Added:
    """Put the persons of a CSV file into a static cohort.

    Columns ``person_id``, ``distinct_id`` or ``email``, in this order of preference; a
    single column without a name holds distinct ids.
    """
    _static(caller, cohort_id)
    column, values = ids_of_csv(body)
    if column == "person_id":
        return put(caller, cohort_id, People(person_ids=values))
    if column == "distinct_id":
        return put(caller, cohort_id, People(distinct_ids=values))
    where = {"key": "email", "type": "person", "operator": "exact", "value": values}
    criteria = {"properties": {"type": "AND", "values": [where]}}
    added = put(caller, cohort_id, People(person_ids=_meeting(caller, criteria)))
    return Added(added=added.added, unknown=max(0, len(set(values)) - added.added))


def ids_of_csv(body: bytes) -> tuple[str, list[str]]:
    """Return which ids a CSV file holds, and the ids. Raises InvalidInput."""
    try:
        rows = [row for row in csv.reader(io.StringIO(body.decode("utf-8-sig"))) if row]
    except (UnicodeDecodeError, csv.Error) as error:
        raise InvalidInput(
            f"The file cannot be read as CSV: {error}.", hint="Save it as CSV in UTF-8."
        ) from error
    if not rows:
        raise InvalidInput("The file is empty.", hint="Give one id a line.")
    head = [name.strip().lower() for name in rows[0]]
    named = next((name for name in ID_COLUMNS if name in head), None)
    if named is None and len(head) > 1:
        raise InvalidInput(
            f"The file has the columns {', '.join(rows[0])[:200]}.",
            hint=f"Name one of them {', '.join(ID_COLUMNS)}.",
        )
    place = head.index(named) if named else 0
    lines = rows[1:] if named else rows
    values = [row[place].strip() for row in lines if len(row) > place]
    return named or "distinct_id", [value for value in values if value]


def snapshot(
    caller: Caller, filters: dict[str, Any], query: dict[str, Any] | None
) -> People:
    """Return who meets criteria now, or whom a query answers now.

    Of a query the column ``person_id``, ``id``, ``actor_id`` or ``distinct_id`` counts,
    else the first.
    """
    if query is None:
        return People(person_ids=_meeting(caller, filters))
    if query.get("kind") == "ActorsQuery":
        query = {**query, "select": ["id"]}
    if query.get("kind") in {"ActorsQuery", "HogQLQuery"}:
        query = {"limit": MOST_PEOPLE, **query}
    answer = caller.parts.ask(caller.project.id, query, cancel=caller.cancel)
    if answer.get("hasMore") and answer.get("limit") == MOST_PEOPLE:
        raise InvalidInput(
            f"The query answers more than {MOST_PEOPLE:,} people.",
            hint="Give it a limit, or make a cohort by criteria.",
            attr="query",
        )
    columns = [str(name) for name in answer.get("columns") or []]
    wanted = ("person_id", "id", "actor_id", "distinct_id")
    named = next((name for name in wanted if name in columns), None)
    place = columns.index(named) if named else 0
    ids = [str(row[place]) for row in answer["results"] if row[place] is not None]
    return People(distinct_ids=ids) if named == "distinct_id" else People(person_ids=ids)


def size(caller: Caller, row: CohortRow) -> int:
    """Return how many persons are in a cohort now."""
    statement = listings.cohort_size(cohorts.plain(row), context_of(caller, row.filters))
    found: int = run(caller, statement).rows[0][0]
    return found


def put(
    caller: Caller, cohort_id: int, named: People, *, do: str = "static_cohort_add"
) -> Added:
    """Put persons into a static cohort, or take them out."""
    done = caller.parts.command(
        caller.project.id,
        {
            "do": do,
            "cohort_id": cohort_id,
            "distinct_ids": named.distinct_ids,
            "persons": named.person_ids,
        },
    )
    return Added(added=done["changed"], unknown=done["unknown"])


def _meeting(caller: Caller, filters: dict[str, Any]) -> list[str]:
    """Return the ids of all who meet criteria now."""
    draft = Cohort(id=0, name="", filters=filters)
    context = context_of(caller, filters)
    rows = run(caller, listings.cohort_people(draft, context)).rows
    return [uuid for (uuid,) in rows]


def _static(caller: Caller, cohort_id: int) -> None:
    with caller.parts.metadata.reading() as session:
        row = cohorts.by_id(session, caller.project.id, cohort_id)
    if not row.is_static:
        raise InvalidInput(
            f"Cohort {cohort_id} is defined by criteria.",
            hint="Only a static cohort can be filled by hand.",
            attr="cohort_id",
        )
