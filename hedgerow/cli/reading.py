"""Files of events, read: JSON Lines and CSV, each record with the line it ends at.

A record that cannot be read comes as a sentence that says why, so that the others count.
"""

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any, BinaryIO
from uuid import UUID, uuid5

import msgspec

from hedgerow.errors import InvalidInput

LINES = UUID("5ad0cb8e-6d7e-5b43-9f3c-2d7f6c8f1e11")
"""Namespace of the uuids of lines that bring none: made of what the line says."""

OURS = frozenset({"uuid", "event", "distinct_id", "timestamp", "properties"})
"""Columns of a CSV that are no properties."""

NEEDED = ("event", "distinct_id")
LONGEST_FIELD = 20 * 1024 * 1024

Record = tuple[int, dict[str, Any] | str]


def json_lines(file: BinaryIO) -> Iterator[Record]:
    """Yield the events of a JSON Lines file."""
    for number, line in enumerate(file, 1):
        if not line.strip():
            continue
        try:
            event = msgspec.json.decode(line, type=dict[str, Any])
            said = line.strip().decode()
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            yield number, f"line {number}: {error}"
            continue
        event.setdefault("uuid", str(uuid5(LINES, f"{number}:{said}")))
        yield number, event


def csv_rows(file: BinaryIO) -> Iterator[Record]:
    """Yield the events of a CSV in UTF-8 whose first row names its columns.

    Raises InvalidInput for a file that is no such CSV.
    """
    csv.field_size_limit(LONGEST_FIELD)
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
    rows = csv.DictReader(text, strict=True)
    try:
        names = rows.fieldnames or []
        for name in NEEDED:
            if name not in names:
                raise InvalidInput(
                    f"The first row has no column {name!r}: {', '.join(names)[:200]}.",
                    hint="Name the columns event, distinct_id, timestamp, uuid, properties.",
                )
        for row in rows:
            yield rows.line_num, _event(row, rows.line_num)
    except (csv.Error, UnicodeDecodeError) as error:
        raise InvalidInput(
            f"After line {rows.line_num} the file is no CSV in UTF-8: {error}.",
            hint="Mend it and import it again: what was kept is not kept twice.",
        ) from error
    finally:
        text.detach()


def _event(row: Mapping[str | None, Any], number: int) -> dict[str, Any] | str:
    if None in row or None in row.values():
        return f"line {number}: it has not as many fields as the first row."
    cells = {str(name): str(value) for name, value in row.items() if value != ""}
    try:
        told = msgspec.json.decode(cells.get("properties", "{}"), type=dict[str, Any])
    except msgspec.DecodeError as error:
        return f"line {number}: properties: {error}"
    said = msgspec.json.encode(cells).decode()
    event: dict[str, Any] = {"uuid": str(uuid5(LINES, f"{number}:{said}"))}
    event |= {name: value for name, value in cells.items() if name in OURS}
    others = {name: _value(value) for name, value in cells.items() if name not in OURS}
    return event | {"properties": told | others}


def _value(cell: str) -> Any:
    """Return a cell as the number or truth it is in JSON, else as the text it is."""
    try:
        found = msgspec.json.decode(cell)
    except msgspec.DecodeError:
        return cell
    return found if isinstance(found, bool | int | float) else cell
