"""Version texts in order (fleet §1.5).

What the makers of software call a version is a text; what people ask is "older than". Every
text is parsed once, when first seen, into one of three kinds: *ordered* (it has a key to
compare by), *unordered* (a text without a place, such as a git hash) or *missing*.

Three schemes. ``auto`` agrees with PEP 440 and with semver's published examples and reads
what lies between; ``semver`` and ``pep440`` are the two grammars to the letter.

Pure: no SQL ever parses a version; the store keeps the rank of each text.
"""

import re
from collections.abc import Iterable
from datetime import date
from typing import Any, Literal

import msgspec

Scheme = Literal["auto", "semver", "pep440"]
Kind = Literal["ordered", "unordered", "missing"]
Stage = Literal["final", "pre", "dev"]
Key = tuple[Any, ...]

LONGEST = 200
"""Characters; a longer text is no version, whatever it holds."""

MISSING = frozenset({"", "unknown", "none", "null", "n/a", "na", "undefined"})
DEVELOPMENT = frozenset(
    [
        "dev",
        "devel",
        "develop",
        "snapshot",
        "nightly",
        "canary",
        "git",
        "main",
        "master",
        "edge",
        "trunk",
        "dirty",
    ]
)
POST = frozenset(
    ["post", "rev", "r", "p", "pl", "patch", "hotfix", "sp", "ls", "deb", "build"]
)
DROPPED = frozenset(["final", "ga", "release", "stable", "lts"])
SAME_WORD = {
    "a": "alpha",
    **dict.fromkeys(("b", "m", "milestone"), "beta"),
    **dict.fromkeys(("c", "cr", "pre", "preview"), "rc"),
}

_PREFIX = re.compile(r"(?:version|ver|release|v)[ ._-]*(?=\d)")
_HASH = re.compile(r"(?=.*[a-f])[0-9a-f]{7,40}")
_PYTHON_PRE = re.compile(r"\d+[ab]\d+")
_DAY = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?!\d)")
_NUMBERS = re.compile(r"(?:(\d+)[!:])?(\d+(?:\.\d+)*)")
_AFTER_TAG = re.compile(r"-(\d+)-g[0-9a-f]{4,40}(?:-dirty)?$")
_ALIEN = re.compile(r"[^a-z0-9 ._~-]")
_TOKEN = re.compile(r"[a-z]+|\d+")
_SEMVER = re.compile(
    r"v?(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
    r"(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?"
    r"(?:\+[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?"
)
_PEP440 = re.compile(
    r"v?(?:(?P<epoch>\d+)!)?(?P<release>\d+(?:\.\d+)*)"
    r"(?:[-_.]?(?P<pre>alpha|a|beta|b|preview|pre|c|rc)[-_.]?(?P<pre_n>\d+)?)?"
    r"(?P<post>-(?P<post_implied>\d+)|[-_.]?(?:post|rev|r)[-_.]?(?P<post_n>\d+)?)?"
    r"(?P<dev>[-_.]?dev[-_.]?(?P<dev_n>\d+)?)?"
    r"(?:\+[a-z0-9]+(?:[-_.][a-z0-9]+)*)?",
    re.IGNORECASE,
)


class Version(msgspec.Struct, frozen=True, kw_only=True):
    """What one text says. Only ordered versions have a key and numbers."""

    kind: Kind
    key: Key | None = None
    stage: Stage = "final"
    numbers: tuple[int, ...] = ()
    """The release numbers as written, without an epoch: for series such as ``3.1``."""


_UNORDERED = Version(kind="unordered")
_MISSING = Version(kind="missing")


def parse(value: Any, scheme: Scheme = "auto") -> Version:
    """Return what a property value says as a version. A JSON number is its text."""
    if value is None or isinstance(value, bool | list | dict):
        return _MISSING
    text = str(value).strip()
    if text.lower() in MISSING:
        return _MISSING
    if len(text) > LONGEST:
        return _UNORDERED
    match scheme:
        case "auto":
            return _auto(text.lower())
        case "semver":
            return _semver(text)
        case "pep440":
            return _pep440(text)


def order(values: Iterable[Any], scheme: Scheme = "auto") -> dict[str, list[Any]]:
    """Return ``{"ordered": [[texts of one rank], … ascending], "unordered", "missing"}``.

    Each value stands once, in the order given.
    """
    ranks: dict[Key, list[Any]] = {}
    apart: dict[str, list[Any]] = {"unordered": [], "missing": []}
    for value in values:
        read = parse(value, scheme)
        place = apart[read.kind] if read.key is None else ranks.setdefault(read.key, [])
        if not any(value == one and type(value) is type(one) for one in place):
            place.append(value)
    return {"ordered": [ranks[key] for key in sorted(ranks)], **apart}


def _without_zeros(numbers: tuple[int, ...]) -> tuple[int, ...]:
    """``3.0`` is ``3``: trailing zeros do not count."""
    end = len(numbers)
    while end and numbers[end - 1] == 0:
        end -= 1
    return numbers[:end]


def _auto(text: str) -> Version:
    text = _PREFIX.sub("", text, count=1) if _PREFIX.match(text) else text
    if _HASH.fullmatch(text) and not _PYTHON_PRE.fullmatch(text):
        return _UNORDERED
    found = _numbers(text)
    if found is None:
        return _UNORDERED
    epoch, numbers, rest = found
    tokens = _tokens(rest)
    if tokens is None:
        return _UNORDERED
    words, after_tag = tokens
    key = (epoch, _without_zeros(numbers), _places(words))
    return Version(
        kind="ordered", key=key, stage=_stage(words, after_tag=after_tag), numbers=numbers
    )


def _numbers(text: str) -> tuple[int, tuple[int, ...], str] | None:
    """Return epoch, release numbers and the rest of the text; None: it has no numbers."""
    day = _DAY.match(text)
    if day and _possible(*day.groups()):
        return 0, tuple(map(int, day.groups())), text[day.end() :]
    found = _NUMBERS.match(text)
    if found is None:
        return None
    first, *others = found[2].split(".")
    numbers = tuple(map(int, (first, *others)))
    if len(first) == 8 and _possible(first[:4], first[4:6], first[6:]):
        numbers = (int(first[:4]), int(first[4:6]), int(first[6:]), *map(int, others))
    return int(found[1] or 0), numbers, text[found.end() :]


def _possible(year: str, month: str, day: str) -> bool:
    """Return whether this is a day of the years 1900 to 2099."""
    if not 1900 <= int(year) <= 2099:
        return False
    try:
        date(int(year), int(month), int(day))
    except ValueError:
        return False
    return True


def _tokens(rest: str) -> tuple[list[str], bool] | None:
    """Return the words and numbers behind the release, and whether git counted from a tag."""
    rest = rest.partition("+")[0]
    after_tag = _AFTER_TAG.search(rest)
    if after_tag:
        rest = f"{rest[: after_tag.start()]} post {after_tag[1]}"
    if _ALIEN.search(rest):
        return None
    words = [word for word in _TOKEN.findall(rest) if word not in DROPPED]
    if words and words[0].isdigit():
        words.insert(0, "post")  # 3.0.0-1 is a revision, as packagers mean it
    return words, after_tag is not None


def _places(words: list[str]) -> Key:
    """Return the tokens as what is compared, closed by the place of their end."""
    if not words:
        return ((2,),)
    return (*(_place(word, first=i == 0) for i, word in enumerate(words)), (1,))


def _place(word: str, *, first: bool) -> Key:
    if word.isdigit():
        return (2, int(word))
    if word in DEVELOPMENT:
        return (0,)
    if word in POST:
        return (3,) if first else (4,)
    return (1 if first else 3, SAME_WORD.get(word, word))


def _stage(words: list[str], *, after_tag: bool) -> Stage:
    if after_tag or not DEVELOPMENT.isdisjoint(words):
        return "dev"
    return "pre" if words and words[0] not in POST else "final"


def _semver(text: str) -> Version:
    found = _SEMVER.fullmatch(text)
    if found is None:
        return _UNORDERED
    numbers = (int(found[1]), int(found[2]), int(found[3]))
    if found[4] is None:
        return Version(kind="ordered", key=(numbers, (1,)), numbers=numbers)
    parts = [
        (0, int(part)) if part.isdigit() else (1, part) for part in found[4].split(".")
    ]
    key = (numbers, (0, *parts))
    return Version(kind="ordered", key=key, stage="pre", numbers=numbers)


def _pep440(text: str) -> Version:
    found = _PEP440.fullmatch(text)
    if found is None:
        return _UNORDERED
    numbers = tuple(map(int, found["release"].split(".")))
    word = (found["pre"] or "").lower()
    pre = (SAME_WORD.get(word, word), int(found["pre_n"] or 0)) if word else None
    post = int(found["post_implied"] or found["post_n"] or 0) if found["post"] else None
    dev = int(found["dev_n"] or 0) if found["dev"] else None
    alone = pre is None and post is None and dev is not None
    key = (
        int(found["epoch"] or 0),
        _without_zeros(numbers),
        (0,) if alone else (2,) if pre is None else (1, *pre),
        (0,) if post is None else (1, post),
        (1,) if dev is None else (0, dev),
    )
    stage: Stage = "dev" if dev is not None else "pre" if pre else "final"
    return Version(kind="ordered", key=key, stage=stage, numbers=numbers)
