"""Writes small files in MaxMind's format, so that tests have places of their own.

A search tree of 24-bit records over the bits of an IPv4 network, then what is known of
each network, then metadata: as the format's specification (version 2.0) says.
"""

from ipaddress import ip_network
from pathlib import Path
from struct import pack
from typing import Any

SEPARATOR = bytes(16)
MARK = b"\xab\xcd\xefMaxMind.com"
TEXT, DOUBLE, UINT16, UINT32, MAP, UINT64, LIST, BOOLEAN = 2, 3, 5, 6, 7, 9, 11, 14
"""Types of the data section that are written here."""


class Uint(int):
    """A whole number that the format wants in a type of its own."""

    type = UINT32


class Uint16(Uint):
    """One of 16 bits."""

    type = UINT16


class Uint64(Uint):
    """One of 64 bits."""

    type = UINT64


def written(path: Path, networks: dict[str, Any]) -> Path:
    """Write what is known of each network (``192.0.2.0/24``) and return the path."""
    data, offsets = bytearray(), []
    for known in networks.values():
        offsets.append(len(data))
        data += _value(known)
    nodes: list[list[int | tuple[int] | None]] = [[None, None]]
    for network, offset in zip(networks, offsets, strict=True):
        _place(nodes, network, offset)
    count = len(nodes)
    tree = b"".join(_record(side, count) for node in nodes for side in node)
    about = _value(
        {
            "node_count": Uint(count),
            "record_size": Uint16(24),
            "ip_version": Uint16(4),
            "database_type": "Test-City",
            "languages": ["en"],
            "binary_format_major_version": Uint16(2),
            "binary_format_minor_version": Uint16(0),
            "build_epoch": Uint64(1_700_000_000),
            "description": {"en": "places of a test"},
        }
    )
    path.write_bytes(tree + SEPARATOR + bytes(data) + MARK + about)
    return path


def _place(nodes: list[Any], network: str, offset: int) -> None:
    """Lead the bits of a network to its data; a tuple stands for data."""
    named = ip_network(network)
    bits = f"{int(named.network_address):032b}"[: named.prefixlen]
    at = 0
    for bit in map(int, bits[:-1]):
        if nodes[at][bit] is None:
            nodes[at][bit] = len(nodes)
            nodes.append([None, None])
        at = nodes[at][bit]
    nodes[at][int(bits[-1])] = (offset,)


def _record(side: int | tuple[int] | None, count: int) -> bytes:
    if side is None:
        number = count
    elif isinstance(side, tuple):
        number = count + len(SEPARATOR) + side[0]
    else:
        number = side
    return number.to_bytes(3, "big")


def _value(value: Any) -> bytes:
    match value:
        case str():
            text = value.encode()
            return _control(TEXT, len(text)) + text
        case bool():
            return _control(BOOLEAN, int(value))
        case float():
            return _control(DOUBLE, 8) + pack(">d", value)
        case int():
            digits = value.to_bytes((value.bit_length() + 7) // 8, "big")
            kind = value.type if isinstance(value, Uint) else UINT32
            return _control(kind, len(digits)) + digits
        case dict():
            pairs = (_value(name) + _value(one) for name, one in value.items())
            return _control(MAP, len(value)) + b"".join(pairs)
        case _:
            return _control(LIST, len(value)) + b"".join(map(_value, value))


def _control(kind: int, size: int) -> bytes:
    """Return the bytes that say type and size; sizes below 285 only."""
    more = b"" if size < 29 else bytes([size - 29])
    size = min(size, 29)
    return bytes([kind << 5 | size]) + more if kind < 8 else bytes([size, kind - 7]) + more
