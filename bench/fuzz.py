"""A million spoilt bodies: whatever arrives is read or refused on purpose.

Takes the bodies that real SDKs sent (``tests/hedgerow/wire``), inflates them, spoils the
JSON or the bytes, packs them again in this or another way, and gives them to both looks:
what ``check`` lets pass ``decode`` has to read. Any exception but a refusal ends the run
and prints the body, with which it can be repeated.

    python bench/fuzz.py [--bodies 1000000] [--seed 1]

Seconds for some ten thousand bodies each; the same seed gives the same bodies.
"""

import argparse
import base64
import contextlib
import gzip
import json
import sys
import time
import zlib
from pathlib import Path
from random import Random

from hedgerow.capture.verdicts import V1Request
from hedgerow.capture.wire import Hints, check, decode
from hedgerow.errors import BadCapture

RECORDED = Path(__file__).parent.parent / "tests" / "hedgerow" / "wire"
SAID = V1Request(token="phc_a", sdk="posthog-python/7", sent_at="2026-11-23T10:00:00Z")
ODD = [
    None,
    True,
    0,
    -1,
    1e308,
    2**63,
    2**64,
    "",
    "null",
    "\0",
    "\ud800",
    "x" * 500,
    [],
    {},
    [[]],
    {"": ""},
    "2026-11-23T10:00:00Z",
    "0000",
]
BYTES = [b"", b"\0", b"\xff\xfe", b'"', b"{", b"[", b"\\u", b"1e999", b"NaN", b"%00", b"+"]
LEVELS = 1100
"""Deeper than anything is read."""


def bodies() -> list[bytes]:
    """Return what SDKs sent, inflated."""
    found = []
    for file in sorted(RECORDED.glob("*.json")):
        body = base64.b64decode(json.loads(file.read_text()).get("body") or "")
        if body[:2] == b"\x1f\x8b":
            body = gzip.decompress(body)
        if body.startswith(b"data="):
            continue
        if body:
            found.append(body)
    return found


def spoilt_value(value: object, random: Random) -> object:
    """Return a value with one part of it replaced, dropped or doubled."""
    if isinstance(value, dict) and value and random.random() < 0.9:
        key = random.choice(list(value))
        match random.randrange(5):
            case 0:
                return {k: v for k, v in value.items() if k != key}
            case 1:
                return {**value, key: random.choice(ODD)}
            case 2:
                return {**value, str(random.choice(ODD)): value[key]}
            case _:
                return {**value, key: spoilt_value(value[key], random)}
    if isinstance(value, list) and value and random.random() < 0.9:
        place = random.randrange(len(value))
        match random.randrange(4):
            case 0:
                return [*value, value[place]]
            case 1:
                return value[:place]
            case _:
                changed = spoilt_value(value[place], random)
                return [*value[:place], changed, *value[place + 1 :]]
    return random.choice(ODD)


def spoilt_bytes(body: bytes, random: Random) -> bytes:
    """Return bytes with a few of them cut, flipped, put in or repeated."""
    for _ in range(random.randrange(1, 4)):
        at = random.randrange(len(body) + 1)
        match random.randrange(5):
            case 0:
                body = body[:at]
            case 1:
                body = body[:at] + random.choice(BYTES) + body[at:]
            case 2:
                body = body[:at] + bytes([random.randrange(256)]) + body[at + 1 :]
            case 3:
                body = body[:at] + body[at // 2 :]
            case _:
                deep = random.choice([b"[", b'{"a":'])
                body = body[:at] + deep * random.choice([3, LEVELS]) + body[at:]
    return body


def packed(body: bytes, random: Random) -> bytes:
    """Return a body packed in one of the ways SDKs know, or in none of them."""
    match random.randrange(8):
        case 0:
            return gzip.compress(body, 1)
        case 1:
            return zlib.compress(body, 1)
        case 2:
            return base64.b64encode(body)
        case 3:
            return b"data=" + base64.b64encode(body)
        case 4:
            return gzip.compress(body, 1)[: random.randrange(40)]
        case _:
            return body


def hints(random: Random) -> Hints:
    """Return what the request around a body said."""
    if random.random() < 0.15:
        return Hints(path="v1", v1=SAID)
    return Hints(
        path=random.choice(["v0", "v0", "v0", "engage", "ai"]),
        form=random.random() < 0.1,
        compression=random.choice([*[""] * 15, "gzip-js", "lz64", "base64", "odd"]),
        content_encoding=random.choice([*[""] * 12, "gzip", "deflate", "odd"]),
        sent_ms=random.choice([None, 0, 1_795_544_178_670, -(2**62)]),
    )


def agree(said: Hints, body: bytes) -> bool:
    """Return whether a body is taken; raise what is no refusal."""
    try:
        check(said, body)
    except BadCapture:
        with contextlib.suppress(BadCapture):
            decode(said, body)
        return False
    decode(said, body)
    return True


def main() -> int:
    """Run all bodies; return 1 when one of them was too much."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--bodies", type=int, default=1_000_000)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    random, recorded, taken, begun = Random(asked.seed), bodies(), 0, time.monotonic()
    values = [json.loads(body) for body in recorded]
    for number in range(asked.bodies):
        place = random.randrange(len(recorded))
        body = recorded[place]
        if random.random() < 0.6:
            value = values[place]
            for _ in range(random.randrange(1, 4)):
                value = spoilt_value(value, random)
            body = json.dumps(value).encode()
        if random.random() < 0.3:
            body = spoilt_bytes(body, random)
        said, body = hints(random), packed(body, random)
        try:
            taken += agree(said, body)
        except Exception as error:
            print(f"{error!r}\n{said}\n{base64.b64encode(body).decode()}")
            raise
        if number % 50_000 == 0 and sys.stderr.isatty():
            print(f"\r{number:,} of {asked.bodies:,}", end="", file=sys.stderr)
    seconds = time.monotonic() - begun
    print(f"{asked.bodies:,} bodies in {seconds:.0f} s: {taken:,} taken, the rest refused.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
