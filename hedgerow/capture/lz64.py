"""Undo lz-string's base64 compression, as old browsers' SDKs use it.

lz-string is LZW over UTF-16 code units with codes that grow from two bits. Written here
rather than taken from a package because a limit must hold *while* inflating: a phrase
may be as long as all that came before it, so a few kilobytes can stand for gigabytes.

The bits of a code come lowest first out of bytes read highest bit first; with the bits
of each byte turned round, a code is simply the low end of one growing integer.
"""

import base64
import binascii
from collections.abc import Callable

_TURNED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_EIGHT_BITS, _SIXTEEN_BITS, _END = 0, 1, 2
"""The first three codes: a new unit of so many bits follows, or the text ends."""


def decompressed(data: bytes, limit: int) -> str | None:
    """Return the UTF-16 code units as a string, at most about ``limit`` of them.

    A string a little longer than ``limit`` means that there was more. None: ``data`` is
    not what lz-string makes.
    """
    digits = data.rstrip(b"=")  # lz-string pads as it likes: its empty text is Q===
    try:
        bits = base64.b64decode(digits + b"A" * (-len(digits) % 4), validate=True)
    except binascii.Error:
        return None
    try:
        return _text(_reader(bits.translate(_TURNED)), limit)
    except IndexError:  # the bits ran out, or a code stands for nothing yet
        return None


def _reader(source: bytes) -> Callable[[int], int]:
    """Return a function that takes the next ``width`` bits; IndexError at the end."""
    held = have = at = 0

    def take(width: int) -> int:
        nonlocal held, have, at
        while have < width:
            held |= source[at] << have
            have += 8
            at += 1
        value = held & ((1 << width) - 1)
        held >>= width
        have -= width
        return value

    return take


def _text(take: Callable[[int], int], limit: int) -> str:
    first = take(2)
    if first == _END:
        return ""
    previous = chr(take(8 if first == _EIGHT_BITS else 16))
    phrases = ["", "", "", previous]
    out, size = [previous], 1
    width, room = 3, 4
    while size <= limit:
        code = take(width)
        if code == _END:
            break
        if code in (_EIGHT_BITS, _SIXTEEN_BITS):
            phrases.append(chr(take(8 if code == _EIGHT_BITS else 16)))
            code = len(phrases) - 1
            width, room = _grown(width, room - 1)
        # A code may name the very phrase that it completes.
        phrase = previous + previous[0] if code == len(phrases) else phrases[code]
        phrases.append(previous + phrase[0])
        out.append(phrase)
        size += len(phrase)
        previous = phrase
        width, room = _grown(width, room - 1)
    return "".join(out)


def _grown(width: int, room: int) -> tuple[int, int]:
    """Return the width of the next code, and how many phrases fit before it grows."""
    return (width, room) if room else (width + 1, 1 << width)
