"""All parts of Hedgerow on one data folder, built in order and closed in reverse.

    inbox ─► writer ─► store        metadata: projects, keys, boards
      ▲                  ▲                ▲
   capture          questions ◄──── api · web

This is the only file that knows them all. Each is handed what it needs and nothing else.
"""

import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import msgspec

from hedgerow.capture.endpoints import Capture
from hedgerow.inbox import MIB, SqliteInbox
from hedgerow.ingest.helping import Helper
from hedgerow.ingest.writer import Writer
from hedgerow.meta import single_sign_on
from hedgerow.meta.database import Metadata, open_metadata
from hedgerow.meta.projects import Directory
from hedgerow.model.changes import Compacted
from hedgerow.model.ports import QueuedKind
from hedgerow.serve.asking import Asking
from hedgerow.serve.budget import shares
from hedgerow.serve.expiring import expire
from hedgerow.serve.helper import command, decoded
from hedgerow.serve.keeping import EVENTS, INBOX, backup
from hedgerow.serve.places import Places
from hedgerow.settings import Settings
from hedgerow.store.on_duckdb import DuckStore

OUTCOME_WAIT_S = 60.0
"""Seconds a caller waits for what an import or a command came to."""

DRAIN_S = 2.5
"""Seconds the writer has at the end; what it does not manage waits in the inbox."""


def utc_now() -> datetime:
    """Return the time now, in UTC."""
    return datetime.now(UTC)


class House:
    """Everything on one data folder. Raises StoreUnavailable, BadSetting."""

    def __init__(
        self, settings: Settings, *, clock: Callable[[], datetime] = utc_now
    ) -> None:
        single_sign_on.rules(settings)  # a role map that cannot be read stops the start
        budget = shares(settings.memory_mib)
        folder = Path(settings.data)
        folder.mkdir(parents=True, exist_ok=True)
        self.settings, self.folder, self.clock = settings, folder, clock
        self.store = DuckStore(
            folder / EVENTS,
            memory_mib=budget.engine_mib,
            filter_bytes=budget.filter_bytes,
            at_once=settings.query_threads,
        )
        self.metadata: Metadata = open_metadata(folder, settings.database_url)
        self.directory = Directory(self.metadata)
        self.inbox = SqliteInbox(
            folder / INBOX,
            max_bytes=settings.inbox_max_mib * MIB,
            most_waiting=budget.bodies_bytes,
            beyond=self.store.position(),
        )
        self.places = Places(settings.geoip_db)
        self.writer = Writer(
            self.inbox,
            self.store,
            decode=decoded,
            project_of_id=self.directory.project_of_id,
            place=self.places.of if settings.geoip_db else None,
            helper=Helper(command(settings.geoip_db))
            if budget.helper and (os.cpu_count() or 1) > 1
            else None,
            batch_bytes=budget.batch_bytes,
        )
        self.capture = Capture(
            project_of=self.directory.project_of_token,
            inbox=self.inbox,
            settings=settings,
            bodies_bytes=budget.bodies_bytes,
        )
        self.asking = Asking(
            self.metadata,
            self.directory,
            self.store,
            clock,
            timeout_s=settings.query_timeout_s,
        )

        self.errands = {
            "backup": self._back_up,
            "expire": self._expire,
            "compact": self._compact,
        }

    def start(self) -> None:
        """Begin to move what waits in the inbox."""
        self.writer.start()

    def close(self, *, drain: bool = True) -> None:
        """Store what was acknowledged, as far as time allows, and let go of everything."""
        self.writer.stop(drain=drain, timeout_s=DRAIN_S)
        self.inbox.close()
        self.store.close()
        self.metadata.close()
        self.places.close()

    def command(
        self, project_id: int, command: Mapping[str, Any], *, wait: bool = True
    ) -> Mapping[str, Any]:
        """Put a command into the inbox; see ``api.parts.Command``."""
        return self._queued(project_id, "command", msgspec.json.encode(command), wait=wait)

    def import_lines(
        self, project_id: int, kind: Literal["persons", "groups"], lines: bytes
    ) -> Mapping[str, Any]:
        """Bring persons or groups in; see ``api.parts.Import``."""
        return self._queued(project_id, kind, lines, wait=True)

    def state(self, project_id: int) -> Mapping[str, Any]:
        """Return how far the writer is, requests refused at the door included.

        ``failure`` is of inbox or writer, ``damaged`` counts requests of all projects.
        """
        state = self.writer.state(project_id)
        refused = sum(self.capture.sightings.counts(project_id).rejected.values())
        return {
            **state,
            "rejected": state["rejected"] + refused,
            "failure": self.inbox.trouble() or state["failure"],
            "inbox_bytes": self.inbox.size_bytes(),
            "damaged": self.inbox.damaged(),
        }

    def flush(self, timeout_s: float) -> None:
        """Return when all that was acknowledged before can be queried."""
        self.writer.flush(timeout_s)

    def expire(self, *, dry_run: bool = False) -> list[dict[str, Any]]:
        """Delete what is older than its project keeps events; see ``expiring.expire``."""
        return expire(self.directory.all(), self.command, self.clock(), dry_run=dry_run)

    def compact(self) -> Compacted | None:
        """Have the next piece of settled events put in order; None: all are."""
        return self.writer.settling.now(OUTCOME_WAIT_S)

    def hourly(self) -> list[dict[str, Any]]:
        """Throw away what is past its time: events, and the salt of another day."""
        self.capture.intake.salts.forget_old(self.clock())
        return self.expire()

    def _expire(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        return {"projects": self.expire(dry_run=asked["dry_run"])}

    def _compact(self, _: Mapping[str, Any]) -> Mapping[str, Any]:
        done = self.compact()
        size = self.store.size() if done is None else None
        return {
            "moved": done.moved if done else 0,
            "left": done.left if done else None,
            "events": size.events if size else None,
            "in_order": size.in_order if size else None,
        }

    def _back_up(self, asked: Mapping[str, Any]) -> Mapping[str, Any]:
        return backup(self.folder, Path(asked["folder"]), self.store, self.clock())

    def _queued(
        self, project_id: int, kind: QueuedKind, body: bytes, *, wait: bool
    ) -> Mapping[str, Any]:
        kept = self.inbox.append(project_id, kind, self.clock(), b"{}", body)
        position = kept.result()
        return self.writer.outcome(position, OUTCOME_WAIT_S) if wait else {}
