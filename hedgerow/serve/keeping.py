"""Backup, restore and check: a consistent copy of everything, also while running.

The inbox is copied first and the events database after it: what was acknowledged before
the backup is then in one of them, or in both, and a restored writer goes on from the
position the events database knows. Nothing is ever repaired silently.
"""

import json
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from hedgerow.errors import BadSetting, Conflict, StoreUnavailable

EVENTS, INBOX, METADATA = "events.duckdb", "inbox.sqlite3", "metadata.sqlite3"
MANIFEST = "backup.json"


class Copied(Protocol):
    """The events database, which copies itself."""

    def backup(self, target: Path) -> int:
        """Copy to ``target`` and return the bytes."""
        ...


def backup(data: Path, target: Path, store: Copied, now: datetime) -> dict[str, Any]:
    """Copy everything into a new or empty folder and return names and bytes.

    Raises Conflict when the folder has something in it.
    """
    if target.exists() and any(target.iterdir()):
        raise Conflict(f"The folder {target} is not empty.", hint="Name a new one.")
    target.mkdir(parents=True, exist_ok=True)
    _copy_sqlite(data / INBOX, target / INBOX)
    store.backup(target / EVENTS)
    if (data / METADATA).exists():
        _copy_sqlite(data / METADATA, target / METADATA)
    sizes = {
        name: (target / name).stat().st_size
        for name in (INBOX, EVENTS, METADATA)
        if (target / name).exists()
    }
    manifest = {"made_at": now.isoformat(), "bytes": sizes}
    (target / MANIFEST).write_text(json.dumps(manifest, indent=1))
    return manifest


def restore(source: Path, data: Path) -> dict[str, Any]:
    """Copy a backup into a data folder that has nothing in it yet; return its manifest.

    Raises BadSetting for a folder that is no backup, Conflict for data already there.
    """
    if not (source / MANIFEST).exists():
        raise BadSetting(
            f"{source} is no backup of Hedgerow.", hint=f"A backup holds {MANIFEST}."
        )
    manifest: dict[str, Any] = json.loads((source / MANIFEST).read_text())
    wrong = [
        name
        for name, size in manifest["bytes"].items()
        if not (source / name).exists() or (source / name).stat().st_size != size
    ]
    if wrong:
        raise BadSetting(
            f"The backup {source} is damaged: {', '.join(wrong)}.", hint="Use another."
        )
    held = [name for name in (EVENTS, INBOX, METADATA) if (data / name).exists()]
    if held:
        raise Conflict(
            f"{data} holds data already: {', '.join(held)}.",
            hint="Restore into a new folder, then point HEDGEROW_DATA there.",
        )
    data.mkdir(parents=True, exist_ok=True)
    for name in manifest["bytes"]:
        shutil.copyfile(source / name, data / name)
    return manifest


def damage(data: Path) -> Iterator[str]:
    """Yield what is wrong with the SQLite files of a folder, in sentences."""
    for name in (INBOX, METADATA):
        path = data / name
        if not path.exists():
            continue
        try:
            with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as db:
                found = [row[0] for row in db.execute("PRAGMA integrity_check(5)")]
        except sqlite3.Error as error:
            found = [str(error)]
        if found != ["ok"]:
            yield f"{name} is damaged: {'; '.join(found)}."


def _copy_sqlite(source: Path, target: Path) -> None:
    try:
        with (
            closing(sqlite3.connect(f"file:{source}?mode=ro", uri=True)) as old,
            closing(sqlite3.connect(target)) as new,
        ):
            old.backup(new)
    except sqlite3.Error as error:
        raise StoreUnavailable(
            f"{source.name} could not be copied: {error}.", hint="Look at disk and rights."
        ) from error
