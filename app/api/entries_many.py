"""Many entries in one request, and what changed since the last one."""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import select

from app.api import entries, kinds, shown
from app.api.call import Answer, Call
from app.api.paging import MOST, PAGE, Order, listed
from app.api.shapes import Complaint, Field, InvalidFields, Shape, given, may, need, nested
from app.api.timer import prices_shown
from app.errors import TimeTrackerError
from app.models.entries import TimeEntry
from app.reports import rows
from app.tracking.recorded import with_details

BULK = Shape(
    "EntriesBulk",
    {
        "create": may(kinds.list_of(nested(entries.ENTRY_NEW), MOST)),
        "update": may(kinds.list_of(nested(entries.ENTRY_UPDATE), MOST)),
        "delete": may(kinds.list_of(kinds.ident("entry"), MOST)),
    },
)
BULK_DONE = Shape(
    "EntriesBulkDone",
    {
        "created": given(kinds.list_of(nested(shown.ENTRY), MOST)),
        "updated": given(kinds.list_of(nested(shown.ENTRY), MOST)),
        "deleted": given(kinds.list_of(kinds.ident("entry"), MOST)),
    },
)
CHANGES: dict[str, Field] = {
    **PAGE,
    "since": need(kinds.instant, "The `since` of the answer before."),
}
CHANGED = Shape(
    "EntryChanges",
    {
        "results": given(kinds.list_of(nested(shown.ENTRY), MOST)),
        "next": given(kinds.text(300), "The cursor of the page after.", null=True),
        "since": given(kinds.instant, "Ask with this the next time."),
    },
)

OVERLAPPING = timedelta(minutes=1)
"""Entries are stamped before their transaction commits: looking back this far tells a
change twice rather than never."""


def bulk_entries(call: Call) -> Answer:
    """Create, update and delete up to 500 entries: all of it, or nothing.

    What is refused is named as `update[3].end`; nothing was changed then.
    """
    count = sum(len(call.body.get(name, ())) for name in BULK.fields)
    if not 1 <= count <= MOST:
        wrong = Complaint("create", f"{count:,} entries are given; 1 to {MOST} are taken.")
        raise InvalidFields([wrong])
    deleted = _each("delete", [call.body.get("delete", [])], entries.delete_many, call)
    return Answer(
        body={
            "updated": _each(
                "update", call.body.get("update", []), entries.update_one, call
            ),
            "created": _each(
                "create", call.body.get("create", []), entries.create_one, call
            ),
            "deleted": deleted[0],
        }
    )


def _each(
    name: str, wanted: list[Any], does: Callable[[Call, Any], Any], call: Call
) -> list[Any]:
    """Do one after the other; what is refused is said with its place."""
    done = []
    for place, one in enumerate(wanted):
        try:
            done.append(does(call, one))
        except TimeTrackerError as error:
            where = f"{name}[{place}]" if isinstance(one, Mapping) else name
            error.attr = f"{where}.{error.attr}" if error.attr else where
            if isinstance(error, InvalidFields):
                error.complaints = [
                    Complaint(f"{where}.{inner.field}", inner.message)
                    for inner in error.complaints
                ]
            raise
    return done


def list_changes(call: Call) -> Answer:
    """List entries made, changed or thrown away since a time, the oldest change first.

    Follow `next` to the end of the list, then keep `since` for the next time. An entry
    may come twice with the same `version`, but none is missed. What is removed from the
    trash for good is not told: ask at least as often as the trash is emptied (30 days).
    """
    query = select(TimeEntry).where(
        TimeEntry.updated_at >= call.query["since"], rows.seen_by(call.user)
    )
    by = Order((TimeEntry.updated_at, TimeEntry.id), name="changes")
    rates = prices_shown(call)
    answer = listed(
        call, with_details(query), by, lambda one: shown.entry(one, call.now, rates=rates)
    )
    since = max(call.query["since"], call.now - OVERLAPPING)
    return Answer(body={**answer.body, "since": shown.iso(since)})
