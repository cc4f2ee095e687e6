"""Identifiers: numbers inside, opaque words outside (``ent_…``).

A word says what it is for and nothing else: neither how many there are nor which came
first. It is not a secret; what may be seen is asked elsewhere. Multiplying by an odd
number modulo a power of two is a permutation, so every number has one word and back.
"""

from typing import Final

from app.errors import NotFound

SPACE: Final = 1 << 50
FACTOR: Final = 0x2545F4914F6CD
BACK: Final = pow(FACTOR, -1, SPACE)
LETTERS: Final = "0123456789abcdefghjkmnpqrstvwxyz"
LENGTH: Final = 10

PREFIXES: Final = {
    "entry": "ent",
    "client": "cli",
    "project": "prj",
    "task": "tsk",
    "tag": "tag",
    "rate": "rat",
    "user": "usr",
    "batch": "imp",
    "token": "tok",
    "line": "log",
}
"""What is named → how its words begin."""


def word(kind: str, number: int) -> str:
    """Return the word of a number: ``ent_`` and ten characters."""
    value = number * FACTOR % SPACE
    letters = [LETTERS[value >> shift & 31] for shift in range(45, -1, -5)]
    return f"{PREFIXES[kind]}_{''.join(letters)}"


def word_or_none(kind: str, number: int | None) -> str | None:
    """Return the word of a number; None where there is none."""
    return None if number is None else word(kind, number)


def number(kind: str, text: str) -> int:
    """Return the number of a word, or raise ValueError for what is none of this kind."""
    prefix, _, letters = text.partition("_")
    known = prefix == PREFIXES[kind] and len(letters) == LENGTH
    if not known or any(letter not in LETTERS for letter in letters):
        raise ValueError(text)
    value = 0
    for letter in letters:
        value = value << 5 | LETTERS.index(letter)
    return value * BACK % SPACE


def found(kind: str, text: str) -> int:
    """Return the number in an address; a word that is none leads nowhere: NotFound."""
    try:
        return number(kind, text)
    except ValueError as error:
        raise NotFound(f"There is no {kind} {text[:40]!r}.") from error
