"""From the bytes of a request to the UTF-8 JSON text inside them.

Clients wrap JSON in gzip, zlib, base64, an HTML form, lz-string, or several of these,
and often do not say so: posthog-js sends gzip as ``text/plain`` with no hint at all. So
the bytes decide before any header does, in this order: form, lz-string or deflate if
announced, base64, gzip by its magic, UTF-8.

Nothing is inflated past the limit. A gzip body states its size in its last four bytes:
one that states too much is refused unread, one that lies is cut where it said it would
end. The others are counted in small pieces before a single large buffer is made.

Pure: bytes in, bytes out, or ``BadCapture`` with ``undecodable_body``, ``empty_body`` or
``body_too_large``.
"""

import base64
import binascii
import re
import zlib
from collections.abc import Callable, Iterator
from urllib.parse import unquote_to_bytes

import brotli
import zstandard

from hedgerow.capture.lz64 import decompressed
from hedgerow.errors import BadCapture

GZIP = b"\x1f\x8b\x08"
GZIP_NAMES = frozenset({"gzip", "gzip-js"})
LZ64_NAMES = frozenset({"lz64", "lz-string"})
MIB = 1024 * 1024

_BASE64 = re.compile(rb"[A-Za-z0-9+/=]+")
_BASE64_AND_SPACES = re.compile(rb"[A-Za-z0-9+/= ]+")
_SCALAR = re.compile(rb"true|null|\d+")  # of base64's alphabet, yet JSON
_FIELD = rb"(?:^|&)%s=([^&]*)"
_DATA = re.compile(_FIELD % b"data")
_COMPRESSION = re.compile(_FIELD % b"compression")
_PIECE = 64 * 1024
_MOST_OF_DEFLATE = 1032
"""Deflate never makes more than this many bytes out of one."""

_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"
    rb"|(u[dD][89a-fA-F][0-9a-fA-F]{2})"
    rb"|.)",
    re.DOTALL,
)


def payload(
    body: bytes, *, form: bool, compression: str, content_encoding: str, limit: int
) -> bytes:
    """Return the JSON text in ``body`` as UTF-8, at most ``limit`` bytes.

    ``compression`` is what the query says, ``content_encoding`` what the header says,
    both in lower case; unknown names mean nothing. Older paths know only gzip and
    deflate; ``requests.hints_of`` leaves out what a path does not know.
    """
    data = body
    if form and not data.startswith(GZIP):
        data, in_form = _of_form(data)
        compression = compression or in_form
    if not data.startswith(GZIP):
        data = _unwrapped(data, compression, content_encoding, limit)
    if data.startswith(GZIP):
        data = gunzipped(data, limit)
    elif compression in GZIP_NAMES or content_encoding == "gzip":
        raise _undecodable(
            "The request says gzip, yet its body does not begin with 1f 8b 08.",
            "Compress the body, or leave the hint out.",
        )
    return text(data)


def text(data: bytes) -> bytes:
    """Return ``data`` as valid UTF-8, surrogate halves of three bytes put together."""
    if data.isascii():
        return data
    try:
        data.decode()
    except UnicodeDecodeError:
        return _joined(data)
    return data.removeprefix(b"\xef\xbb\xbf")


def without_lone_surrogates(data: bytes) -> bytes:
    r"""Return JSON text with each ``\ud800`` that has no partner turned into ``\ufffd``."""
    return _ESCAPE.sub(lambda found: rb"\ufffd" if found[1] else found[0], data)


def gunzipped(data: bytes, limit: int) -> bytes:
    """Return what a gzip body holds; it is never inflated beyond the size it states."""
    stated = int.from_bytes(data[-4:], "little")
    if stated > limit and stated <= len(data) * _MOST_OF_DEFLATE:
        raise too_large(stated, limit)
    inflating = zlib.decompressobj(31)
    try:
        plain = inflating.decompress(data, min(stated, limit) + 1)
    except zlib.error as error:
        raise _undecodable(
            f"The gzip body is broken: {error}.", "Send it again."
        ) from error
    if not inflating.eof:
        raise _undecodable(
            f"The gzip body does not end after the {stated} bytes that it states.",
            "Send it whole, as one gzip member with nothing behind it.",
        )
    return plain


def inflated(data: bytes, name: str, limit: int) -> bytes:
    """Return ``data`` decompressed by ``deflate``, ``br`` or ``zstd``."""
    pieces = _PIECES[name]
    try:
        size = 0
        for piece in pieces(data):
            size += len(piece)
            if size > limit:
                raise too_large(size, limit)
        return b"".join(pieces(data))
    except (zlib.error, zstandard.ZstdError, brotli.error) as error:
        raise _undecodable(
            f"The body is no valid {name}: {error}.", "Send it again, or uncompressed."
        ) from error


def too_large(size: int, limit: int) -> BadCapture:
    """Return the refusal of a body of ``size`` bytes or more."""
    return BadCapture(
        "body_too_large",
        f"The body has {size} bytes or more; at most {limit} are taken.",
        hint="Send fewer events at a time.",
    )


def _of_form(body: bytes) -> tuple[bytes, str]:
    """Return a form's ``data`` and the compression it names."""
    found = _DATA.search(body)
    if found is None:
        raise _undecodable(
            "The form has no field 'data'.",
            "Put the events there, or send them as application/json.",
        )
    named = _COMPRESSION.search(body)
    return _field(found[1]), _field(named[1]).decode("latin-1").lower() if named else ""


def _field(value: bytes) -> bytes:
    return unquote_to_bytes(value.replace(b"+", b" "))


def _unwrapped(data: bytes, compression: str, content_encoding: str, limit: int) -> bytes:
    """Undo what was announced, then base64."""
    if content_encoding in _PIECES and data:
        data = inflated(data, content_encoding, limit)
    data = data.strip()
    if not data:
        raise BadCapture("empty_body", "The body is empty.", hint="Send events as JSON.")
    if compression in LZ64_NAMES:
        return _of_lz64(data, limit)
    if data[:1] in (b"{", b"["):
        return data
    if _BASE64_AND_SPACES.fullmatch(data[:128]):
        data = data.replace(b" ", b"+")
    if len(data) % 4 or not _BASE64.fullmatch(data[:128]) or _SCALAR.fullmatch(data):
        return data
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error as error:
        raise _undecodable(
            f"The body begins like base64 and is none: {error}.", "Send JSON, or mend it."
        ) from error


def _of_lz64(data: bytes, limit: int) -> bytes:
    units = decompressed(data.replace(b" ", b"+"), limit)
    if units is None:
        raise _undecodable("The body is no valid lz-string.", "Send it again, or as JSON.")
    plain = (
        units.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()
    )
    if len(plain) > limit:
        raise too_large(len(plain), limit)
    return plain


def _joined(data: bytes) -> bytes:
    try:
        halves = data.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError as error:
        raise _undecodable(
            f"The body is no UTF-8: byte {data[error.start]:#04x} at {error.start}.",
            "Encode the JSON as UTF-8.",
        ) from error
    return halves.encode("utf-16", "surrogatepass").decode("utf-16", "replace").encode()


def _undecodable(what: str, hint: str) -> BadCapture:
    return BadCapture("undecodable_body", what, hint=hint)


def _of_deflate(data: bytes) -> Iterator[bytes]:
    inflating = zlib.decompressobj()
    yield inflating.decompress(data, _PIECE)
    while inflating.unconsumed_tail:
        yield inflating.decompress(inflating.unconsumed_tail, _PIECE)
    yield inflating.flush()
    if not inflating.eof:
        raise zlib.error("it ends too early")


def _of_brotli(data: bytes) -> Iterator[bytes]:
    inflating = brotli.Decompressor()
    yield inflating.process(data, output_buffer_limit=_PIECE)
    while not inflating.can_accept_more_data():
        yield inflating.process(b"", output_buffer_limit=_PIECE)
    if not inflating.is_finished():
        raise brotli.error("it ends too early")


def _of_zstd(data: bytes) -> Iterator[bytes]:
    inflating = zstandard.ZstdDecompressor(max_window_size=8 * MIB).stream_reader(data)
    while piece := inflating.read(_PIECE):
        yield piece


_PIECES: dict[str, Callable[[bytes], Iterator[bytes]]] = {
    "deflate": _of_deflate,
    "br": _of_brotli,
    "zstd": _of_zstd,
}
