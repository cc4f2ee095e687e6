"""Cohorts: named sets of persons, by criteria with a live size, or a list from a file."""

import csv
import io
from collections.abc import Mapping
from functools import partial
from typing import Any

import msgspec
from starlette.datastructures import UploadFile
from starlette.responses import Response

from hedgerow.errors import HedgerowError, InvalidInput
from hedgerow.insights import listings
from hedgerow.insights.beforehand import filled
from hedgerow.meta import audit, cohorts
from hedgerow.meta.tables import CohortRow
from hedgerow.model.projects import Cohort, QueryContext
from hedgerow.query.definitions_cohorts import check
from hedgerow.web import cohort_editing, ranges
from hedgerow.web.charts import words
from hedgerow.web.people import run
from hedgerow.web.people_behind import shown
from hedgerow.web.visits import Visit

SHOWN = 20
FILE_LIMIT = 10_000_000


def listing(visit: Visit) -> Response:
    """GET …/cohorts"""
    search = visit.text("search")
    with visit.services.metadata.reading() as session:
        rows, total = cohorts.listed(session, visit.here.id, search=search, limit=200)
        used = {row.id: cohorts.used_in(session, row) for row in rows}
    sizes = {row.id: _size(visit, cohorts.plain(row)) for row in rows}
    return visit.render(
        "cohorts.html",
        here="cohorts",
        rows=rows,
        total=total,
        used=used,
        sizes=sizes,
        search=search,
    )


def _size(visit: Visit, cohort: Cohort) -> str:
    """Return how many persons are in a cohort now, or a dash where that cannot be said."""
    try:
        statement = listings.cohort_size(cohort, _context(visit, cohort.filters))
        return words.exact(run(visit, statement).rows[0][0])
    except HedgerowError:
        return words.NONE


def _context(visit: Visit, criteria: dict[str, Any]) -> QueryContext:
    """Return what a question about criteria needs to know: versions, installations."""
    context = visit.services.context(visit.here.id)
    return filled(criteria, context, partial(run, visit))


def new(visit: Visit) -> Response:
    """GET …/cohorts/new — the builder."""
    return _page(visit, None, _criteria(visit) or cohort_editing.blank())


def page(visit: Visit) -> Response:
    """GET …/cohorts/{cohort_id} — its criteria, its size, some of its persons."""
    with visit.services.metadata.reading() as session:
        row = cohorts.by_id(session, visit.here.id, _number(visit))
        used = cohorts.used_in(session, row)
    return _page(visit, row, _criteria(visit) or dict(row.filters), used=used)


def _number(visit: Visit) -> int:
    return int(visit.request.path_params["cohort_id"])


def _criteria(visit: Visit) -> dict[str, Any] | None:
    text = visit.text("c")
    if not text:
        return None
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise InvalidInput(
            f"The criteria {text[:60]!r} are no JSON.", hint="Begin again.", attr="c"
        ) from error


def _page(
    visit: Visit,
    row: CohortRow | None,
    criteria: dict[str, Any],
    *,
    used: list[str] | None = None,
) -> Response:
    members = []
    if row is not None:
        answer = visit.ask(
            {
                "kind": "ActorsQuery",
                "select": ["person"],
                "properties": [
                    {"key": "id", "type": "cohort", "value": row.id, "operator": "in"}
                ],
                "limit": SHOWN,
            }
        )
        members = [shown(one[0], visit) for one in answer["results"]]
    return visit.render(
        "cohort.html",
        here="cohorts",
        used=used or [],
        members=members,
        size=_size(visit, cohorts.plain(row)) if row else "",
        **builder(visit, criteria, row),
    )


def builder(
    visit: Visit, criteria: Mapping[str, Any], row: CohortRow | None
) -> dict[str, Any]:
    """Return what the builder shows of criteria."""
    found = cohort_editing.groups(criteria)
    with visit.services.metadata.reading() as session:
        others, _ = cohorts.listed(session, visit.here.id, limit=200)
    return {
        "text": msgspec.json.encode(criteria).decode(),
        "pretty": msgspec.json.format(msgspec.json.encode(criteria)).decode(),
        "join": (criteria.get("properties") or {}).get("type", "OR"),
        "groups": None
        if found is None
        else [
            {
                "type": one["type"],
                "leaves": [cohort_editing.told(leaf) for leaf in one["values"]],
            }
            for one in found
        ],
        "kinds": cohort_editing.KINDS,
        "times": cohort_editing.TIMES,
        "units": cohort_editing.UNITS,
        "operators": ranges.OPERATORS,
        "others": [one for one in others if row is None or one.id != row.id],
        "cohort": row,
    }


def edit(visit: Visit) -> Response:
    """POST …/cohorts/edit — the builder after a change, with the size as it is now."""
    criteria = cohort_editing.edited(_criteria(visit) or cohort_editing.blank(), visit.form)
    if visit.text("do"):
        criteria = cohort_editing.acted(criteria, visit.text("do"))
    row = None
    if visit.text("cohort").isdecimal():
        with visit.services.metadata.reading() as session:
            row = cohorts.by_id(session, visit.here.id, int(visit.text("cohort")))
    reply = visit.render("_cohort_builder.html", **builder(visit, criteria, row))
    reply.headers["HX-Trigger-After-Settle"] = "cohort-changed"
    return reply


def size(visit: Visit) -> Response:
    """POST …/cohorts/size — how many persons meet the criteria now."""
    criteria = cohort_editing.edited(_criteria(visit) or {}, visit.form)
    error, found = None, ""
    try:
        check(criteria, None)
        draft = Cohort(id=0, name="", filters=criteria)
        statement = listings.cohort_size(draft, _context(visit, criteria))
        found = words.exact(run(visit, statement).rows[0][0])
    except HedgerowError as refused:
        error = refused
    return visit.render("_cohort_size.html", error=error, found=found)


def save(visit: Visit) -> Response:
    """POST …/cohorts — a new cohort, or a saved one with other criteria or another name."""
    criteria = cohort_editing.edited(_criteria(visit) or {}, visit.form)
    name = visit.text("name")
    with visit.services.metadata.writing() as session:
        if visit.text("cohort").isdecimal():
            row = cohorts.by_id(session, visit.here.id, int(visit.text("cohort")))
            fields: dict[str, Any] = {
                "name": name,
                "description": visit.text("description"),
            }
            if not row.is_static:
                check(criteria, None)
                fields["filters"] = criteria
            cohorts.change(session, row, fields)
        else:
            check(criteria, None)
            row = cohorts.create(
                session,
                visit.here.id,
                name,
                criteria,
                now=visit.now,
                description=visit.text("description"),
                created_by=visit.who.id,
            )
        _note(visit, session, "saved", row)
    return visit.go(visit.path(f"cohorts/{row.id}"), notice="Saved")


def upload(visit: Visit) -> Response:
    """POST …/cohorts/upload — a static cohort from the first column of a CSV file."""
    given = visit.form.get("file")
    if not isinstance(given, UploadFile):
        raise InvalidInput("No file was chosen.", hint="Choose a CSV file.", attr="file")
    text = given.file.read(FILE_LIMIT).decode("utf-8-sig", "replace")
    ids = [
        row[0].strip() for row in csv.reader(io.StringIO(text)) if row and row[0].strip()
    ]
    if ids and ids[0].casefold() in {"distinct_id", "person_id", "id"}:
        ids = ids[1:]
    with visit.services.metadata.writing() as session:
        row = cohorts.create(
            session,
            visit.here.id,
            visit.text("name") or (given.filename or "From a file"),
            {},
            now=visit.now,
            created_by=visit.who.id,
        )
        row.is_static = True
        _note(visit, session, "created", row)
    done = visit.services.command(
        visit.here.id, {"do": "static_cohort_add", "cohort_id": row.id, "distinct_ids": ids}
    )
    told = f"{done['changed']:,} persons kept, {done['unknown']:,} ids that nobody has"
    return visit.go(visit.path(f"cohorts/{row.id}"), notice=told)


def delete(visit: Visit) -> Response:
    """POST …/cohorts/{cohort_id}/delete — unless something uses it; undo gives it back."""
    row = _set_deleted(visit, deleted=True)
    undo = visit.path(f"cohorts/{row.id}/restore")
    return visit.go(visit.path("cohorts"), notice=f"{row.name} deleted|{undo}")


def restore(visit: Visit) -> Response:
    """POST …/cohorts/{cohort_id}/restore"""
    row = _set_deleted(visit, deleted=False)
    return visit.go(visit.path(f"cohorts/{row.id}"), notice="It is back")


def _set_deleted(visit: Visit, *, deleted: bool) -> CohortRow:
    with visit.services.metadata.writing() as session:
        row = cohorts.by_id(session, visit.here.id, _number(visit), deleted=True)
        cohorts.change(session, row, {"deleted": deleted})
        _note(visit, session, "deleted" if deleted else "restored", row)
    return row


def _note(visit: Visit, session: Any, action: str, row: CohortRow) -> None:
    audit.note(
        session,
        audit.actor(visit.who, visit.now),
        action,
        ("cohort", row.id),
        project_id=visit.here.id,
        after={"name": row.name, "filters": row.filters},
    )
