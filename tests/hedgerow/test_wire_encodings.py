"""Bodies are found in whatever clients wrap them in, and never inflated past the limit."""

import base64
import gzip
import json
import tracemalloc
import zlib
from urllib.parse import quote_plus

import brotli
import lzstring
import pytest
import zstandard

from hedgerow.capture.encodings import inflated, payload
from hedgerow.capture.lz64 import decompressed
from hedgerow.errors import BadCapture

TEXT = json.dumps({"event": "naïve 😀", "distinct_id": "ann"}, ensure_ascii=False).encode()
BASE64 = base64.b64encode(TEXT)


def in_units(text):
    """Return a text as JavaScript sees it: two units for an astral character."""
    units = text.encode("utf-16-le", "surrogatepass")
    pairs = (units[at : at + 2] for at in range(0, len(units), 2))
    return "".join(pair.decode("utf-16-le", "surrogatepass") for pair in pairs)


LZ64 = lzstring.LZString().compressToBase64(in_units(TEXT.decode()))
HALVES = TEXT.replace("😀".encode(), b"\xed\xa0\xbd\xed\xb8\x80")
MIB = 1024 * 1024


def plain(body, *, form=False, compression="", content_encoding="", limit=20 * MIB):
    return payload(
        body,
        form=form,
        compression=compression,
        content_encoding=content_encoding,
        limit=limit,
    )


def form_of(data, **others):
    fields = {"data": data, **others}
    return "&".join(
        f"{name}={quote_plus(value)}" for name, value in fields.items()
    ).encode()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param(TEXT, {}, id="plain JSON"),
        pytest.param(b"\xef\xbb\xbf" + TEXT, {}, id="a byte order mark"),
        pytest.param(gzip.compress(TEXT), {}, id="gzip without any hint"),
        pytest.param(gzip.compress(TEXT), {"compression": "gzip-js"}, id="gzip by query"),
        pytest.param(
            gzip.compress(TEXT), {"content_encoding": "gzip"}, id="gzip by header"
        ),
        pytest.param(
            gzip.compress(TEXT), {"form": True}, id="gzip that claims to be a form"
        ),
        pytest.param(
            gzip.compress(TEXT), {"compression": "lz64"}, id="gzip that claims lz64"
        ),
        pytest.param(zlib.compress(TEXT), {"content_encoding": "deflate"}, id="deflate"),
        pytest.param(BASE64, {}, id="base64"),
        pytest.param(BASE64, {"compression": "base64"}, id="base64 by query"),
        pytest.param(base64.b64encode(gzip.compress(TEXT)), {}, id="gzip inside base64"),
        pytest.param(form_of(TEXT.decode()), {"form": True}, id="a form with JSON"),
        pytest.param(form_of(BASE64.decode()), {"form": True}, id="a form with base64"),
        pytest.param(
            b"ip=1&data=" + BASE64 + b"&ver=1.2",
            {"form": True},
            id="a form, plus unescaped",
        ),
        pytest.param(LZ64.encode(), {"compression": "lz64"}, id="lz-string"),
        pytest.param(
            form_of(LZ64, compression="lz64"),
            {"form": True},
            id="lz-string named in a form",
        ),
        pytest.param(
            form_of(base64.b64encode(gzip.compress(TEXT)).decode(), compression="gzip-js"),
            {"form": True},
            id="gzip in base64 in a form",
        ),
        pytest.param(
            base64.b64encode(HALVES),
            {},
            id="an astral character as two halves of three bytes",
        ),
        pytest.param(TEXT, {"compression": "snappy"}, id="an unknown compression"),
        pytest.param(TEXT, {"content_encoding": "aws-chunked"}, id="an unknown encoding"),
    ],
)
def test_the_json_is_found_inside(body, said):
    assert plain(body, **said) == TEXT


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param(gzip.compress(TEXT)[:-9], {}, id="gzip cut off"),
        pytest.param(gzip.compress(TEXT)[:20] + b"\0" * 20, {}, id="gzip broken inside"),
        pytest.param(TEXT, {"compression": "gzip"}, id="no gzip though the query says so"),
        pytest.param(
            TEXT, {"content_encoding": "gzip"}, id="no gzip though the header does"
        ),
        pytest.param(TEXT, {"content_encoding": "deflate"}, id="no deflate"),
        pytest.param(TEXT, {"compression": "lz64"}, id="no lz-string"),
        pytest.param(LZ64[:-8].encode(), {"compression": "lz64"}, id="lz-string cut off"),
        pytest.param(b'{"a":"\xff"}', {}, id="no UTF-8"),
        pytest.param(b"a=1&b=2", {"form": True}, id="a form without data"),
        pytest.param(b"A" * 200 + b"!!!!", {}, id="base64 only to begin with"),
    ],
)
def test_what_cannot_be_undone_is_refused(body, said):
    with pytest.raises(BadCapture) as refused:
        plain(body, **said)

    assert refused.value.code == "undecodable_body"


BOMB = b" " * (64 * MIB)


def _lz_bomb():
    return lzstring.LZString().compressToBase64(" " * 400_000).encode()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        pytest.param(gzip.compress(BOMB), {}, id="gzip"),
        pytest.param(gzip.compress(BOMB)[:-4] + b"\xff\0\0\0", {}, id="gzip that lies"),
        pytest.param(base64.b64encode(gzip.compress(BOMB)), {}, id="gzip in base64"),
        pytest.param(zlib.compress(BOMB), {"content_encoding": "deflate"}, id="deflate"),
    ],
)
def test_a_bomb_costs_about_its_own_size(body, said):
    tracemalloc.start()

    with pytest.raises(BadCapture):
        plain(body, **said)

    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 4 * len(body) + 512 * 1024


@pytest.mark.parametrize("name", ["deflate", "br", "zstd"])
def test_the_newer_encodings_have_the_same_limit(name):
    compress = {
        "deflate": zlib.compress,
        "br": lambda data: brotli.compress(data, quality=1),
        "zstd": zstandard.ZstdCompressor().compress,
    }[name]

    assert inflated(compress(TEXT), name, len(TEXT)) == TEXT
    with pytest.raises(BadCapture) as large:
        inflated(compress(TEXT * 1000), name, 999 * len(TEXT))
    with pytest.raises(BadCapture) as broken:
        inflated(b"\0" + compress(TEXT * 1000), name, MIB)
    assert large.value.code == "body_too_large"
    assert broken.value.code == "undecodable_body"


def test_a_body_may_be_exactly_as_large_as_the_limit():
    body = gzip.compress(TEXT)

    assert plain(body, limit=len(TEXT)) == TEXT
    with pytest.raises(BadCapture) as refused:
        plain(body, limit=len(TEXT) - 1)
    assert refused.value.code == "body_too_large"


@pytest.mark.parametrize("text", ["", "a", "ab" * 500, "é😀\ud800日\0", "aaa" * 99 + "é"])
def test_lz_string_is_undone_as_its_makers_do_it(text):
    packed = lzstring.LZString().compressToBase64(in_units(text))

    assert decompressed(packed.encode(), MIB) == in_units(text)


def test_lz_string_stops_at_the_limit():
    assert len(decompressed(_lz_bomb(), 1000)) < 5000
