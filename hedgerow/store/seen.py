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

BITS_PER_EVENT = 32
LEAST_BITS = 1 << 22  # 512 KiB
MOST_BITS = 1 << 30  # 128 MiB
SLICES = 8
"""The engine builds a large filter in so many passes, to bound its memory."""

PAIR = 4096
"""Two bits of a word of 64 are chosen by so many numbers: 12 bits of a hash."""

_MASKS = [1 << ((n & 63) ^ 7) | 1 << ((n >> 6) ^ 7) for n in range(PAIR)]
"""The engine counts bits from the left of each byte, a word here from the right."""

Hash = tuple[int, int]


class Seen:
    """The UUIDs stored, as bits: two in each of three words of 64 bits."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._count = 0
        self._size = 0
        self._bits = bytearray()
        self._words = memoryview(self._bits).cast("Q")
        self._asked: dict[OfProject, Hash] = {}
        self.rebuild()

    def rebuild(self) -> None:
        """Build the filter from the table, with room to grow."""
        found = self._connection.execute(f"SELECT count(*) FROM {EVENTS.name}").fetchone()
        self._count = found[0] if found else 0
        self._size = LEAST_BITS
        while self._size < min(2 * self._count * BITS_PER_EVENT, MOST_BITS):
            self._size *= 2
        self._bits = bytearray(self._size // 8)
        self._words = memoryview(self._bits).cast("Q")
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
        words, last = self._words, self._size // 64 - 1
        asked: dict[OfProject, Hash] = {}
        found = []
        for event in events:
            asked[event] = one, other = _hashed(event)
            mask = _MASKS[one >> 52]
            if words[one & last] & mask != mask:
                continue  # nearly always
            mask = _MASKS[other >> 52]
            if words[other & last] & mask != mask:
                continue
            mask = _MASKS[other >> 40 & 4095]
            if words[one >> 24 & last] & mask == mask:
                found.append(event)
        self._asked = asked
        return found

    def add(self, events: Iterable[OfProject]) -> None:
        """Note that events (project and UUID) are stored."""
        words, last, asked = self._words, self._size // 64 - 1, self._asked
        count = 0
        for event in events:
            one, other = asked.get(event) or _hashed(event)
            words[one & last] |= _MASKS[one >> 52]
            words[other & last] |= _MASKS[other >> 52]
            words[one >> 24 & last] |= _MASKS[other >> 40 & 4095]
            count += 1
        self._count += count
        self._asked = {}
        if self._count * BITS_PER_EVENT > self._size and self._size < MOST_BITS:
            self.rebuild()


def _hashed(event: OfProject) -> Hash:
    key = f"{event[0]}/{event[1]}".encode()
    one, other = unpack("<QQ", md5(key, usedforsecurity=False).digest())
    return one, other


def _built(size: int, first: int, width: int) -> str:
    """Return the statement that sets the bits from ``first`` on, as ``add`` would."""
    last = size // 64 - 1
    return f"""
        WITH hashed AS (
            SELECT md5_number_upper(key) AS one, md5_number_lower(key) AS other
            FROM (SELECT project_id || '/' || uuid::VARCHAR AS key FROM {EVENTS.name})
        ), chosen AS (
            SELECT unnest([one & {last}, other & {last}, (one >> 24) & {last}]) AS word,
                   unnest([one >> 52, other >> 52, (other >> 40) & 4095]) AS pair
            FROM hashed
        ), placed AS (
            SELECT (word * 64 + unnest([pair & 63, pair >> 6]))::BIGINT AS place FROM chosen
        )
        SELECT bitstring_agg(place - {first}, 0, {width - 1})::BLOB FROM placed
        WHERE place >= {first} AND place < {first + width}
    """
