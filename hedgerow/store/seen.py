"""Which events are surely new? A filter in memory before the table is asked.

An event sent twice must be stored once, also years later. Looking up each UUID in a table
of ten million costs more than storing it; so a Bloom filter answers first. What it has
never seen is new; what it may have seen is looked up. It is built by the engine when the
database is opened (a second for ten million events) and grows with it, so it need not be
kept on disk and cannot disagree with the table.

Up to ``MOST_BITS`` it stays so large that one event in tens of thousands is looked up in
vain. Far beyond (100 million events) look-ups become frequent: still exact, but slower.
"""

# ruff: noqa: S608 - names of our own tables and whole numbers; values are parameters

from collections.abc import Iterable
from hashlib import md5
from struct import unpack

import duckdb

from hedgerow.model.changes import OfProject
from hedgerow.model.tables import EVENTS

PROBES = 6
BITS_PER_EVENT = 32
LEAST_BITS = 1 << 22  # 512 KiB
MOST_BITS = 1 << 30  # 128 MiB
SLICES = 8
"""The engine builds a large filter in so many passes, to bound its memory."""


class Seen:
    """The UUIDs stored, as bits."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._count = 0
        self._size = 0
        self._bits = bytearray()
        self.rebuild()

    def rebuild(self) -> None:
        """Build the filter from the table, with room to grow."""
        found = self._connection.execute(f"SELECT count(*) FROM {EVENTS.name}").fetchone()
        self._count = found[0] if found else 0
        self._size = LEAST_BITS
        while self._size < min(2 * self._count * BITS_PER_EVENT, MOST_BITS):
            self._size *= 2
        self._bits = bytearray(self._size // 8)
        if self._count:
            self._fill()

    def _fill(self) -> None:
        slices = SLICES if self._size >= 1 << 26 else 1
        width = self._size // slices
        for one in range(slices):
            first = one * width
            made = self._connection.execute(_built(self._size, first, width)).fetchone()
            if made is not None and made[0] is not None:
                self._bits[first // 8 : (first + width) // 8] = made[0]

    def may_hold(self, events: Iterable[OfProject]) -> list[OfProject]:
        """Return those events (project and UUID) that may be stored; the rest are new."""
        bits, mask = self._bits, self._size - 1
        found = []
        for event in events:
            one, other = _hashed(event)
            place, step = one & mask, (other & mask) | 1
            for _ in range(PROBES):
                if not bits[place >> 3] & (0x80 >> (place & 7)):
                    break
                place = (place + step) & mask
            else:
                found.append(event)
        return found

    def add(self, events: Iterable[OfProject]) -> None:
        """Note that events (project and UUID) are stored."""
        bits, mask = self._bits, self._size - 1
        for event in events:
            one, other = _hashed(event)
            place, step = one & mask, (other & mask) | 1
            for _ in range(PROBES):
                bits[place >> 3] |= 0x80 >> (place & 7)
                place = (place + step) & mask
            self._count += 1
        if self._count * BITS_PER_EVENT > self._size and self._size < MOST_BITS:
            self.rebuild()


def _hashed(event: OfProject) -> tuple[int, int]:
    project_id, uuid = event
    key = f"{project_id}/{uuid}".encode()
    one, other = unpack("<QQ", md5(key, usedforsecurity=False).digest())
    return one, other


def _built(size: int, first: int, width: int) -> str:
    """Return the statement that sets the bits from ``first`` on, as ``add`` would."""
    mask = size - 1
    return f"""
        WITH hashed AS (
            SELECT (md5_number_upper(key) & {mask})::BIGINT AS one,
                   ((md5_number_lower(key) & {mask}) | 1)::BIGINT AS other
            FROM (SELECT project_id || '/' || uuid::VARCHAR AS key FROM {EVENTS.name})
        ), placed AS (
            SELECT (one + probe * other) & {mask} AS place
            FROM hashed, (SELECT unnest(range({PROBES})) AS probe)
        )
        SELECT bitstring_agg(place - {first}, 0, {width - 1})::BLOB FROM placed
        WHERE place >= {first} AND place < {first + width}
    """
