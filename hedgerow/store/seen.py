"""Which events are surely new? A filter in memory before the table is asked.

An event sent twice must be stored once, also years later. Looking up each UUID in a table
of ten million costs more than storing it; so a Bloom filter answers first. What it has
never seen is new; what it may have seen is looked up. It is built by the engine and grows
with the table, so it need not be kept on disk and cannot disagree with it.

A large one takes a while to build, so that is done beside everything else: until it is
there, the one before answers, or at the start nothing is surely new and each event is
looked up. What is stored meanwhile is noted and added at the end.

Up to its largest size it stays so large that one event in thousands is looked up in vain. Far
beyond (100 million events) look-ups become frequent: still exact, but slower.
"""

# ruff: noqa: S608 - names of our own tables and whole numbers; values are parameters

import logging
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from struct import Struct

import duckdb

from hedgerow.model.changes import OfProject
from hedgerow.model.event_columns import mark_of
from hedgerow.model.tables import EVENTS

LOG = logging.getLogger(__name__)

BITS_PER_EVENT = 24
LEAST_BITS = 1 << 22  # 512 KiB
MOST_BITS = 1 << 30  # 128 MiB; less where the memory is
MOST_IN_A_PASS = 1 << 28
"""The engine builds at most so many bits in one pass; it holds them once for each thread."""

PART_OF_MEMORY = 16
"""Bits of one pass take at most this part of the engine's memory: questions need the rest."""

AT_ONCE = 300_000
"""Up to so many events the filter is built before anything else: about a second."""

TRIES = 3
"""How often a filter is begun again that could not be built, say because of a backup."""

PAIR = 4096
"""Two bits of a word of 64 are chosen by so many numbers: 12 bits of a hash."""

_MASKS = [1 << ((n & 63) ^ 7) | 1 << ((n >> 6) ^ 7) for n in range(PAIR)]
"""The engine counts bits from the left of each byte, a word here from the right."""

Hash = tuple[int, int]
_PAIR = Struct("<QQ")


class Seen:
    """The UUIDs stored, as bits: two in each of three words of 64 bits.

    ``at_once``: events up to which the filter is built before this returns.
    ``most_bits``: its largest size, a power of two; ``pass_bits``: what is built in one pass.
    """

    def __init__(
        self,
        connection: duckdb.DuckDBPyConnection,
        *,
        at_once: int = AT_ONCE,
        most_bits: int = MOST_BITS,
        pass_bits: int = MOST_IN_A_PASS,
    ) -> None:
        self._connection, self._pass_bits = connection, pass_bits
        self._at_once, self._most_bits = at_once, most_bits
        self._count = 0
        self._bits = bytearray()
        self._words = memoryview(self._bits).cast("Q")
        self._asked: dict[OfProject, Hash] = {}
        self._building: _Building | None = None
        self._tries = 0
        self._since: list[Hash] = []
        """Stored since the filter under way was begun."""

        self.rebuild()

    def rebuild(self) -> None:
        """Build the filter from the table, with room to grow; a large one meanwhile."""
        found = self._connection.execute(f"SELECT count(*) FROM {EVENTS.name}").fetchone()
        self._count = found[0] if found else 0
        size = LEAST_BITS
        while size < min(self._count * BITS_PER_EVENT * 3 // 2, self._most_bits):
            size *= 2
        self._since = []
        self._building = _Building(self._connection.cursor(), size, self._pass_bits)
        if self._count <= self._at_once:
            self._building.run()
            self._take()
            self._building = None
        else:
            self._building.start()

    def wait(self) -> None:
        """Return when no filter is under way any more."""
        if self._building is not None:
            self._building.join()
            self._renew()

    def close(self) -> None:
        """Stop building."""
        if self._building is not None:
            self._building.stop()
            self._building = None

    def _renew(self) -> None:
        """Use the filter that was under way, if it is ready."""
        if self._building is None or self._building.is_alive():
            return
        self._take()
        failed = self._building.bits is None
        self._building = None
        if failed and self._tries < TRIES:
            self._tries += 1
            self.rebuild()

    def _take(self) -> None:
        made = self._building.bits if self._building is not None else None
        if made is None:
            return
        self._bits = made
        self._words = memoryview(made).cast("Q")
        self._set(self._since)
        self._since = []

    def may_hold(self, events: Sequence[OfProject], marks: bytes = b"") -> list[OfProject]:
        """Return those events (project and UUID) that may be stored; the rest are new.

        ``marks`` are those of all events, if they are known already.
        """
        self._renew()
        words, last = self._words, len(self._words) - 1
        marks = marks or b"".join(mark_of(*event) for event in events)
        hashes: list[Hash] = list(_PAIR.iter_unpack(marks))
        self._asked = dict(zip(events, hashes, strict=True))
        found = []
        if last < 0:  # there is no filter yet
            return list(self._asked)
        for event, (one, other) in self._asked.items():
            mask = _MASKS[one >> 52]
            if words[one & last] & mask != mask:
                continue  # nearly always
            mask = _MASKS[other >> 52]
            if words[other & last] & mask != mask:
                continue
            mask = _MASKS[other >> 40 & 4095]
            if words[one >> 24 & last] & mask == mask:
                found.append(event)
        return found

    def add(self, events: Iterable[OfProject]) -> None:
        """Note that events (project and UUID) are stored."""
        asked = self._asked
        hashes = [asked.get(event) or _hashed(event) for event in events]
        if self._words:
            self._set(hashes)
        if self._building is not None:
            self._since += hashes
        self._count += len(hashes)
        self._asked = {}
        size = len(self._bits) * 8
        if self._building is None and self._count * BITS_PER_EVENT > size < self._most_bits:
            self.rebuild()

    def _set(self, hashes: Iterable[Hash]) -> None:
        words, last, masks = self._words, len(self._words) - 1, _MASKS
        for one, other in hashes:
            words[one & last] |= masks[one >> 52]
            words[other & last] |= masks[other >> 52]
            words[one >> 24 & last] |= masks[other >> 40 & 4095]


class _Building(threading.Thread):
    """A filter that the engine makes, slice by slice, on a connection of its own."""

    def __init__(
        self, cursor: duckdb.DuckDBPyConnection, size: int, pass_bits: int
    ) -> None:
        super().__init__(name="hedgerow-seen", daemon=True)
        self._cursor, self._size, self._pass_bits = cursor, size, pass_bits
        self._stopped = False
        self.bits: bytearray | None = None
        """The filter, once it is there."""

    def run(self) -> None:
        """Build it; what goes wrong leaves things as they are, which is slow and exact."""
        bits = bytearray(self._size // 8)
        width = min(self._size, self._pass_bits)
        try:
            for first in range(0, self._size, width):
                if self._stopped:
                    return
                made = self._cursor.execute(_built(self._size, first, width)).fetchone()
                if made is not None and made[0] is not None:
                    bits[first // 8 : (first + width) // 8] = made[0]
        except duckdb.Error as error:
            if not self._stopped:
                LOG.warning("No filter of stored events: %s. They are looked up.", error)
        else:
            self.bits = bits
        finally:
            self._cursor.close()

    def stop(self) -> None:
        """End it."""
        self._stopped = True
        with suppress(duckdb.Error):  # it has just ended by itself
            self._cursor.interrupt()
        self.join()


def bits_of_pass(memory_mib: int) -> int:
    """Return how many bits an engine with so much memory builds at a time."""
    bits = memory_mib * 1024 * 1024 * 8 // PART_OF_MEMORY
    return min(1 << (bits.bit_length() - 1), MOST_IN_A_PASS)


def _hashed(event: OfProject) -> Hash:
    one, other = _PAIR.unpack(mark_of(*event))
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
