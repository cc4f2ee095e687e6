"""The salt of the day, in memory and in a file that outlives a restart, but not the day.

It makes the ids of visitors who are not to be recognised (``cookieless``). It is in no backup
and never leaves this machine; the first visitor of a new day, a start, or the hourly look
throws the old one away.
"""

import secrets
import threading
from datetime import datetime
from pathlib import Path

import msgspec

FILE = "cookieless-salt.json"


class _Salt(msgspec.Struct, frozen=True):
    day: str
    """ISO date, UTC."""

    salt: bytes


class Salts:
    """Safe to use from several threads."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._changing = threading.Lock()
        self._salt: _Salt | None = None

    def of_day(self, now: datetime) -> bytes:
        """Return the salt of the day, UTC, of ``now``; made if there is none yet."""
        day = now.date().isoformat()
        with self._changing:
            found = self._salt or self._read()
            if found is None or found.day != day:
                found = _Salt(day, secrets.token_bytes(32))
                self._write(found)
            self._salt = found
            return found.salt

    def forget_old(self, now: datetime) -> None:
        """Throw away the salt of a day that is over, in memory and on disk."""
        with self._changing:
            found = self._salt or self._read()
            if found is not None and found.day != now.date().isoformat():
                self._salt = None
                self._path.unlink(missing_ok=True)

    def _read(self) -> _Salt | None:
        try:
            return msgspec.json.decode(self._path.read_bytes(), type=_Salt)
        except (FileNotFoundError, msgspec.DecodeError):
            return None

    def _write(self, salt: _Salt) -> None:
        draft = self._path.with_suffix(".draft")
        draft.touch(mode=0o600)
        draft.write_bytes(msgspec.json.encode(salt))
        draft.replace(self._path)
