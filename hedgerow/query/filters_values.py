"""A filter's value against a property: as text, number, truth or time (§5.2)."""

import re
from datetime import datetime

from sqlglot import exp

from hedgerow.errors import InvalidQuery
from hedgerow.query.dates import moment
from hedgerow.query.definitions_filters import Scalar
from hedgerow.query.patterns import NUMBER
from hedgerow.query.sources import Property, Source
from hedgerow.query.trees import Tree

LARGEST = 2**53
"""Integers from this on lose digits as doubles, so they are compared as text."""

_NUMBER = re.compile(NUMBER)
_INTEGER = re.compile(r"\s*[+-]?[0-9]+\s*")
_NOT_RE2 = re.compile(r"(?<!\\)\(\?(?:=|!|<=|<!|>|\()|(?<!\\)(?:\\\\)*\\[1-9]")
"""Look-around, atomic groups, conditions and back references: RE2 has none."""

_POSSESSIVE = re.compile(r"(?<!\\)(?:\\\\)*(?:[*+?]|\{[0-9]+(?:,[0-9]*)?\})\+")
_BRACKETED = re.compile(r"(?<!\\)\[\^?\]?(?:\\.|[^\]\\])*\]")
_REPEATED = re.compile(r"(?<!\\)(?:\\\\)*\{([0-9]+)(?:,([0-9]*))?\}")
MOST_REPEATED = 1000
"""RE2 repeats a part at most so many times."""


def scalars(value: Scalar | list[Scalar | None] | None) -> list[Scalar]:
    """Return the value or values of a filter as a list.

    Raises InvalidQuery for a null among them.
    """
    found: list[Scalar] = []
    for one in value if isinstance(value, list) else [value]:
        if one is None:
            raise InvalidQuery(
                "A list of values cannot hold null.",
                hint="Use is_not_set to find what is missing.",
                attr="value",
            )
        found.append(one)
    return found


def text_of(value: Scalar) -> str:
    """Return a value as the text that a property with it would read as."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < LARGEST:
        return str(int(value))
    return str(value)


def numeric(value: Scalar) -> float | None:
    """Return a value as a number, None where it reads as none."""
    text = text_of(value)
    return float(text) if _NUMBER.fullmatch(text) else None


def instant_of(text: str, source: Source) -> datetime:
    """Return a date text, absolute or relative, as an instant. Raises InvalidQuery."""
    return moment(text, source.context, "value").at


def exact(found: Property, wanted: list[Scalar], source: Source) -> Tree:
    """Return whether the property is one of the values, in its definition's type."""
    match found.kind:
        case "String":
            return _one_of(found.text, [text_of(one) for one in wanted], source)
        case "Boolean":
            texts = [text_of(one).lower() for one in wanted]
            known = [text for text in texts if text in {"true", "false"}]
            return _one_of(found.text, known, source)
        case "Numeric":
            return _number(found, wanted, source)
        case "DateTime":
            instants = [instant_of(text_of(one), source) for one in wanted]
            bound = [source.values.bind(at) for at in instants]
            return found.instant.isin(*bound)


def _one_of(text: Tree, wanted: list[str], source: Source) -> Tree:
    if not wanted:
        return exp.false()
    return exp.In(this=text.copy(), expressions=[source.values.bind(one) for one in wanted])


def _number(found: Property, wanted: list[Scalar], source: Source) -> Tree:
    texts = [text_of(one).strip() for one in wanted]
    long = [text for text in texts if _INTEGER.fullmatch(text) and _is_long(text)]
    numbers = [numeric(text) for text in texts if text not in long]
    bound = [source.values.bind(one) for one in numbers if one is not None]
    parts: list[Tree] = []
    if long:
        parts.append(_one_of(found.text, long, source))
    if bound:
        parts.append(exp.In(this=found.number.copy(), expressions=bound))
    return exp.or_(*parts) if parts else exp.false()


def _is_long(integer: str) -> bool:
    digits = integer.lstrip("+-0")
    return len(digits) > len(str(LARGEST)) or int(digits or 0) >= LARGEST


def pair(value: object) -> tuple[float, float]:
    """Return the two bounds of ``between``. Raises InvalidQuery."""
    bounds = value if isinstance(value, list) else []
    found = [numeric(one) for one in bounds if isinstance(one, str | int | float)]
    low, high = found if len(found) == len(bounds) == 2 else (None, None)
    if low is None or high is None or low > high:
        raise InvalidQuery(
            f"{value!r} is not a range.",
            hint="Give two numbers, the smaller one first, such as [1, 10].",
            attr="value",
        )
    return low, high


def check_pattern(pattern: str) -> str:
    """Return the regular expression if RE2 can read it. Raises InvalidQuery."""
    problem = "look-around and back references are not supported"
    bare = _BRACKETED.sub("[]", pattern)
    counts = [
        int((one or "0")[:5])
        for found in _REPEATED.finditer(bare)
        for one in found.groups()
    ]
    if _POSSESSIVE.search(bare):
        problem = "possessive repetition is not supported"
    elif max(counts, default=0) > MOST_REPEATED:
        problem = f"it repeats a part more than {MOST_REPEATED:,} times"
    elif not _NOT_RE2.search(pattern):
        try:
            re.compile(pattern)
        except re.error as error:
            problem = str(error)
            if "bad escape" in problem or "unknown extension" in problem:
                return pattern  # RE2 knows some that Python does not: \\pL, \\z, (?U)
        else:
            return pattern
    raise InvalidQuery(
        f"{pattern!r} is not a regular expression: {problem}.",
        hint="Write it in RE2's syntax.",
        attr="value",
    )
