"""Columns of values, handed to the engine in one piece: the Arrow C stream interface.

As parameters of a statement, values are converted one by one while everybody else waits
for the interpreter. Here a column is one block of memory that the engine reads by itself,
in a fraction of the time. The interface is a standard of three C structures
(arrow.apache.org/docs/format/CDataInterface.html), laid out below with ctypes, so no
further package is needed: DuckDB calls ``__arrow_c_stream__`` and reads.

What a structure points at must stay in memory until its reader gives it back: ``_lent``
keeps it that long. Values are checked by ``array`` and ``str.join``, so what is of another
type raises here, before the engine sees it.
"""

import ctypes
import itertools
from array import array
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, ClassVar, Literal

Kind = Literal["int", "long", "text", "byte", "double"]
"""``byte`` is a number of 8 bits: 0 and 1 for booleans."""

_FORMATS = {"int": b"i", "long": b"l", "text": b"u", "byte": b"c", "double": b"g"}
_CODES = {"int": "i", "long": "q", "byte": "b", "double": "d"}
_NULLABLE = 2
_CAPSULE = b"arrow_array_stream"


class _Schema(ctypes.Structure):
    _fields_: ClassVar = [
        ("format", ctypes.c_char_p),
        ("name", ctypes.c_char_p),
        ("metadata", ctypes.c_char_p),
        ("flags", ctypes.c_int64),
        ("n_children", ctypes.c_int64),
        ("children", ctypes.c_void_p),
        ("dictionary", ctypes.c_void_p),
        ("release", ctypes.c_void_p),
        ("private_data", ctypes.c_void_p),
    ]


class _Array(ctypes.Structure):
    _fields_: ClassVar = [
        ("length", ctypes.c_int64),
        ("null_count", ctypes.c_int64),
        ("offset", ctypes.c_int64),
        ("n_buffers", ctypes.c_int64),
        ("n_children", ctypes.c_int64),
        ("buffers", ctypes.c_void_p),
        ("children", ctypes.c_void_p),
        ("dictionary", ctypes.c_void_p),
        ("release", ctypes.c_void_p),
        ("private_data", ctypes.c_void_p),
    ]


_Get = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p)
_GetError = ctypes.CFUNCTYPE(ctypes.c_void_p, ctypes.c_void_p)
_Release = ctypes.CFUNCTYPE(None, ctypes.c_void_p)


class _Stream(ctypes.Structure):
    _fields_: ClassVar = [
        ("get_schema", _Get),
        ("get_next", _Get),
        ("get_last_error", _GetError),
        ("release", ctypes.c_void_p),
        ("private_data", ctypes.c_void_p),
    ]


_lent: dict[int | None, Any] = {}
"""Number, which is a structure's ``private_data``, to what it needs in memory."""

_numbers = itertools.count(1)
_new_capsule = ctypes.pythonapi.PyCapsule_New
_new_capsule.restype = ctypes.py_object
_new_capsule.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p]
_pointer_in = ctypes.pythonapi.PyCapsule_GetPointer
_pointer_in.restype = ctypes.c_void_p
_pointer_in.argtypes = [ctypes.c_void_p, ctypes.c_char_p]


def _give_back(kind: type[ctypes.Structure]) -> Any:
    """Return the C function by which a reader gives a structure back."""

    def release(address: int) -> None:
        given: Any = kind.from_address(address)
        _lent.pop(given.private_data, None)
        given.release = None

    return _Release(release)


_RELEASES = {kind: _give_back(kind) for kind in (_Schema, _Array, _Stream)}
_NO_ERROR = _GetError(lambda _: None)


def _free(capsule: int) -> None:
    """Free a capsule's stream, whether somebody has taken it over or not."""
    address = _pointer_in(capsule, _CAPSULE)
    stream: Any = _Stream.from_address(address)
    if stream.release:
        _lent.pop(stream.private_data, None)
    _lent.pop(-address, None)


_FREE = _Release(_free)


def lent() -> int:
    """Return how many structures have not been given back."""
    return len(_lent)


class Column:
    """One column: name, kind and its values in memory. None is null."""

    def __init__(self, name: str, kind: Kind, values: Sequence[Any]) -> None:
        self.name, self.kind, self.length = name.encode(), kind, len(values)
        self.nulls = values.count(None)
        self.buffers: list[Any] = [None]
        if self.nulls:
            self.buffers = [_bits(values)]
            values = [one or ("" if kind == "text" else 0) for one in values]
        if kind == "text":
            self.buffers += _texts(values)
        else:
            self.buffers.append(array(_CODES[kind], values))


class Columns:
    """Columns of equal length that the engine can read as a table, any number of times."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._columns = columns

    def __arrow_c_stream__(self, requested_schema: object = None) -> Any:
        """Return a capsule with a stream of one chunk."""
        columns, left = self._columns, [True]

        def get_schema(_: int, target: int) -> int:
            _lend(_schema(columns), target)
            return 0

        def get_next(_: int, target: int) -> int:
            if left:
                left.clear()
                _lend(_chunk(columns), target)
            else:
                ctypes.memset(target, 0, ctypes.sizeof(_Array))
            return 0

        number = next(_numbers)
        stream: Any = _Stream(
            get_schema=_Get(get_schema),
            get_next=_Get(get_next),
            get_last_error=_NO_ERROR,
            release=_address(_RELEASES[_Stream]),
            private_data=number,
        )
        address = ctypes.addressof(stream)
        _lent[number] = _lent[-address] = stream
        return _new_capsule(address, _CAPSULE, _address(_FREE))


def _lend(made: tuple[Any, list[Any]], target: int) -> None:
    """Write a structure to where its reader wants it, and keep what it points at."""
    structure, kept = made
    structure.private_data = number = next(_numbers)
    _lent[number] = kept
    ctypes.memmove(target, ctypes.addressof(structure), ctypes.sizeof(structure))


def _schema(columns: Sequence[Column]) -> tuple[Any, list[Any]]:
    release = _address(_RELEASES[_Schema])
    children = [
        _Schema(format=_FORMATS[one.kind], name=one.name, flags=_NULLABLE, release=release)
        for one in columns
    ]
    pointers = _pointers(map(ctypes.addressof, children))
    root = _Schema(
        format=b"+s",
        name=b"",
        n_children=len(children),
        children=ctypes.addressof(pointers),
        release=release,
    )
    return root, [root, children, pointers]


def _chunk(columns: Sequence[Column]) -> tuple[Any, list[Any]]:
    release = _address(_RELEASES[_Array])
    kept: list[Any] = []
    children = []
    for one in columns:
        buffers = _pointers(map(_memory_of, one.buffers))
        child = _Array(
            length=one.length,
            null_count=one.nulls,
            n_buffers=len(one.buffers),
            buffers=ctypes.addressof(buffers),
            release=release,
        )
        children.append(child)
        kept += [one, buffers, child]
    pointers = _pointers(map(ctypes.addressof, children))
    no_nulls = _pointers([None])
    root = _Array(
        length=columns[0].length,
        n_buffers=1,
        n_children=len(children),
        buffers=ctypes.addressof(no_nulls),
        children=ctypes.addressof(pointers),
        release=release,
    )
    return root, [*kept, pointers, no_nulls, root]


def _address(function: Any) -> int | None:
    return ctypes.cast(function, ctypes.c_void_p).value


def _pointers(addresses: Any) -> Any:
    given = list(addresses)
    return (ctypes.c_void_p * len(given))(*given)


def _memory_of(buffer: Any) -> int | None:
    """Return the address of a buffer; None for one that is not needed."""
    if buffer is None:
        return None
    if isinstance(buffer, array):
        return buffer.buffer_info()[0]
    return ctypes.cast(ctypes.c_char_p(buffer), ctypes.c_void_p).value


def _texts(values: Sequence[str]) -> list[Any]:
    """Return offsets and bytes of texts. Raises OverflowError beyond 2 GiB."""
    joined = "".join(values)
    if joined.isascii():
        lengths, data = map(len, values), joined.encode()
    else:
        encoded = [one.encode() for one in values]
        lengths, data = map(len, encoded), b"".join(encoded)
    return [array("i", accumulate(lengths, initial=0)), data]


def _bits(values: Sequence[Any]) -> bytes:
    """Return a bit for each value, the first in the lowest place: 1 unless it is None."""
    digits = "".join(["0" if one is None else "1" for one in reversed(values)])
    return int(digits, 2).to_bytes((len(values) + 7) // 8, "little")
