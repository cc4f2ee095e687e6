"""The dataset that most people want: entries, as the detailed report shows them."""

from collections.abc import Iterable, Iterator
from functools import lru_cache

from babel.numbers import get_currency_precision

from app.exports.columns import Row, in_major
from app.reports.detail import Line, Names
from app.tracking.days import zone


@lru_cache
def digits_of(currency: str) -> int:
    """Return how many decimals amounts of a currency have."""
    return int(get_currency_precision(currency))


def rows(
    lines: Iterable[Line], names: Names, clients: dict[int, int | None]
) -> Iterator[Row]:
    """Yield a row for each line; ``clients`` says whose a project is."""
    for line in lines:
        yield _row(line, names, clients)


def _row(line: Line, names: Names, clients: dict[int, int | None]) -> Row:
    item = line.item
    where = zone(item.zone)
    digits = digits_of(line.currency) if line.currency else 2
    project = names.projects.get(item.project_id or 0)
    client = names.clients.get(clients.get(item.project_id or 0) or 0)
    return {
        "id": item.id,
        "user": names.users.get(item.user_id),
        "client": client.name if client else None,
        "project": project.name if project else None,
        "task": names.tasks.get(item.task_id or 0),
        "description": line.description,
        "tags": ", ".join(names.tags[tag] for tag in line.tags),
        "billable": item.billable,
        "date": item.day,
        "start": item.start.astimezone(where) if item.start else None,
        "end": item.end.astimezone(where) if item.end else None,
        "timezone": item.zone,
        "start_utc": item.start,
        "end_utc": item.end,
        "duration_seconds": line.exact,
        "duration_hms": line.exact,
        "duration_hours": line.exact,
        "break_seconds": line.break_seconds,
        "rounded_seconds": line.rounded,
        "rate": in_major(line.rate, digits),
        "amount": in_major(line.amount, digits),
        "currency": line.currency,
        "source": line.source,
        "created_at": line.created_at,
        "updated_at": line.updated_at,
    }
