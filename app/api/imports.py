"""Imports: ``/imports``: a file is sent, tried, made into entries, and taken back.

What a person is asked on screen is answered with the file: its zone, the order of day
and month where the dates leave it open, and what may be made.
"""

from pathlib import Path
from typing import Any

from sqlalchemy import select

from app.api import kinds
from app.api.call import Answer, Call
from app.api.idents import word
from app.api.me import checked_zone
from app.api.paging import PAGE, Order, listed
from app.api.shapes import Complaint, Field, InvalidFields, Shape, given, may, need
from app.api.shown import iso
from app.audit import Object
from app.errors import InvalidInput
from app.imports import batches, commit, people, reading, sources
from app.models.people import User
from app.models.saved import ImportBatch
from app.people import roles
from app.telemetry.reporter import EXTENSION

STATES = (*("uploaded", "planned", "running", "stopped"), "done", "failed", "undone")
_COUNT = {"type": "integer", "minimum": 0}
IMPORT = Shape(
    "Import",
    {
        "id": given(kinds.ident("batch")),
        "file": given(kinds.text(255)),
        "source": given(kinds.one_of(*sources.SOURCES)),
        "state": given(kinds.one_of(*STATES)),
        "rows": given(kinds.whole()),
        "done": given(kinds.whole(), "Rows dealt with."),
        "created": given(kinds.whole(), "Entries made; before `commit` those to be made."),
        "duplicate": given(kinds.whole(), "Rows imported before."),
        "error": given(kinds.whole(), "Rows left out."),
        "makes": given(
            kinds.shown(type="object", additionalProperties=_COUNT),
            "How many clients, projects, tasks and tags would be made.",
        ),
        "problems": given(
            kinds.shown(
                type="array",
                items={
                    "type": "object",
                    "properties": {
                        "line": {"type": "integer"},
                        "problem": {"type": "string"},
                    },
                    "required": ["line", "problem"],
                },
            ),
            "Why rows are left out: the first of them.",
        ),
        "created_at": given(kinds.instant),
    },
)
IMPORT_NEW = Shape(
    "ImportNew",
    {
        "source": may(kinds.one_of(*sources.SOURCES), "As its header says unless given."),
        "timezone": need(kinds.text(64), "Of times that name none."),
        "date_order": may(kinds.one_of("dmy", "mdy"), "Where the dates fit both."),
        "create": may(kinds.flag, "Make what is missing; true unless given."),
        "allow_long": may(kinds.flag, "Entries of more than 24 hours are right."),
    },
)
LISTED: dict[str, Field] = PAGE


def _folder(call: Call) -> Path:
    return Path(call.config["DATA_DIR"])


def _shown(batch: ImportBatch) -> dict[str, Any]:
    counts = batch.counts
    return {
        "id": word("batch", batch.id),
        "file": batch.file_name,
        "source": batch.source,
        "state": batch.state,
        **{
            name: counts.get(name, 0)
            for name in ("rows", "done", "created", "duplicate", "error")
        },
        "makes": counts.get("makes", {}),
        "problems": counts.get("problems", []),
        "created_at": iso(batch.created_at),
    }


def _answer(call: Call, batch: ImportBatch) -> Answer:
    call.session.flush()
    call.session.refresh(batch)
    return Answer(body=_shown(batch))


def _found(call: Call) -> ImportBatch:
    return batches.find(call.session, call.user, call.path["batch"])


def list_imports(call: Call) -> Answer:
    """List imports; one's own, or as a manager all."""
    query = select(ImportBatch)
    if roles.rank(call.user.role) < roles.rank("manager"):
        query = query.where(ImportBatch.user_id == call.user.id)
    return listed(call, query, Order((ImportBatch.id,), falls=True), _shown)


def read_import(call: Call) -> Answer:
    """Say where an import stands."""
    return Answer(body=_shown(_found(call)))


def create_import(call: Call) -> Answer:
    """Send a file and have it tried: what would be made, and every problem with its line.

    Nothing is made before `commit`. People of the file are matched by address and name.
    """
    if call.upload is None:
        raise InvalidInput("There is no file.", attr="file")
    zone = checked_zone(call.body["timezone"])
    batch = batches.upload(
        call.session,
        call.user,
        call.upload.name,
        call.upload.content,
        folder=_folder(call),
        most_rows=call.config["IMPORT_MAX_ROWS"],
    )
    batch.source = call.body.get("source", batch.source)
    table = batches.content(_folder(call), batch)
    columns = sources.columns(sources.SOURCES[batch.source], table.header)
    if sources.missing(columns):
        raise InvalidFields(
            [Complaint("file", f"No column says {sources.missing(columns)}.")]
        )
    others = roles.may(call.user, "import.others", call.settings)
    names = people.names(table, columns)
    batch.options = {
        **batch.options,
        "columns": columns,
        "zone": zone,
        "order": _order(call, columns, table),
        "users": people.proposed(call.session, call.user, names, others=others),
        "create": call.body.get("create", True),
        "long": call.body.get("allow_long", False),
    }
    batches.dry_run(call.session, batch, table, call.now, call.settings)
    return _answer(call, batch)


def _order(call: Call, columns: sources.Columns, table: reading.Table) -> str:
    fitting = reading.date_orders(columns, table.rows())
    chosen = str(call.body.get("date_order", "ymd"))
    if len(fitting) == 1:
        return next(iter(fitting))
    if chosen not in fitting:
        words = " or ".join(sorted(fitting)) or "none: they are mixed"
        raise InvalidFields([Complaint("date_order", f"The dates fit {words}.")])
    return chosen


def commit_import(call: Call) -> Answer:
    """Make the entries, in the background; ask for the import to see how far it is."""
    batch = _found(call)
    commit.begin(batch)
    _note(call, "import.begun", batch)
    call.extensions[EXTENSION].wake.set()
    return _answer(call, batch)


def undo_import(call: Call) -> Answer:
    """Take back what nobody changed since: those entries go to the trash."""
    batch = _found(call)
    _note(call, "import.undone", batch)
    number, source, user = batch.id, batch.source, call.user
    call.session.commit()  # the undo has short transactions of its own
    commit.undo(call.database, number, user, call.now, call.settings)
    call.user = call.session.get_one(User, user.id)
    call.tell("import.undone", {"source": source})
    return _answer(call, call.session.get_one(ImportBatch, number))


def _note(call: Call, action: str, batch: ImportBatch) -> None:
    target = Object(type="import", id=batch.id, label=batch.file_name)
    call.note(action, target, {"rows": (None, batch.counts.get("rows"))})
