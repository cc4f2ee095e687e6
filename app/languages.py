"""What language words are said in: gettext catalogues, and two made-up languages.

English is the source; every other language is one file,
``translations/<language>/LC_MESSAGES/messages.po``, read at the first use: nothing has to
be compiled. ``make messages`` collects the strings of the program for them.

Two languages are made up, and offered everywhere but in production. ``xx`` writes every
translated string with accents and a third longer, and dates and numbers in Greek: what
still looks English was forgotten, what does not fit will not fit in German either. ``xy``
is the same from right to left, with dates in Hebrew. Both are made from the English
strings while the program runs.

Rules know no language: they raise errors in English that remember what they were made of
(``errors.said``), and ``told`` says them in the reader's.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from functools import lru_cache
from io import BytesIO
from pathlib import Path
from typing import Any

from babel import Locale, dates, numbers
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask import current_app, g

from app.errors import Count, Said, TimeTrackerError
from app.models.people import User

FOLDER = Path(__file__).parent / "translations"
CATALOGUE = "LC_MESSAGES/messages.po"
SOURCE = "en"
MADE_UP = {"xx": Locale("el"), "xy": Locale("he")}
"""Made-up languages, and whose dates and numbers they borrow."""

_LETTERS = str.maketrans(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "ȧƀƈḓḗƒɠħīĵķŀḿƞǿƥɋřşŧŭṽẇẋẏẑȦƁƇḒḖƑƓĦĪĴĶĿḾȠǾƤɊŘŞŦŬṼẆẊẎẐ",
)
_FILLED_IN = re.compile(r"(%\(\w+\)[-+#0 ]*\d*(?:\.\d+)?[a-zA-Z]|%%)")


class MadeUp(NullTranslations):
    """A language that shows what was translated."""

    def gettext(self, message: str) -> str:
        """Return the string with accents, in brackets, a third longer."""
        pieces = _FILLED_IN.split(message)
        accented = "".join(
            piece if n % 2 else piece.translate(_LETTERS) for n, piece in enumerate(pieces)
        )
        return f"\u27e6{accented}{' ~' * (len(message) // 6)}\u27e7"

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """Return the right form of the two, written like that."""
        return self.gettext(msgid1 if n == 1 else msgid2)


def available() -> list[tuple[str, str]]:
    """Return the languages to choose from, each with its own name."""
    known = [SOURCE, *sorted(path.parts[-3] for path in FOLDER.glob(f"*/{CATALOGUE}"))]
    named = [(name, str(Locale.parse(name).display_name)) for name in known]
    if current_app.config["APP_ENV"] != "production":
        named += [("xx", "⟦xx⟧ →"), ("xy", "← ⟦xy⟧")]
    return named


@lru_cache
def _translations(name: str) -> NullTranslations:
    if name in MADE_UP:
        return MadeUp()
    path = FOLDER / name / CATALOGUE
    if not path.exists():
        return NullTranslations()
    with path.open("rb") as file:
        catalogue = read_po(file, locale=name)
    compiled = BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled)


def language() -> str:
    """Return the language of this answer: the reader's own, else the installation's."""
    if "language" in g:
        return str(g.language)
    person = g.get("user")
    if not isinstance(person, User):  # nobody yet: whoever it is may speak another one
        wanted = str(current_app.config["DEFAULT_LOCALE"])
        return wanted if _may_be(wanted) else SOURCE
    g.language = person.locale if _may_be(person.locale) else SOURCE
    return str(g.language)


def _may_be(name: str) -> bool:
    if name in MADE_UP:
        return bool(current_app.config["APP_ENV"] != "production")
    return (FOLDER / name / CATALOGUE).exists()


@contextmanager
def speaking_to(person: User) -> Iterator[None]:
    """Say what follows in somebody else's language: mails, which others cause."""
    before = g.pop("language", None)
    g.language = person.locale if _may_be(person.locale) else SOURCE
    try:
        yield
    finally:
        g.pop("language", None)
        if before is not None:
            g.language = before


def gettext(message: str, **values: Any) -> str:
    """Return the string in the reader's language, with ``%(name)s`` filled in."""
    found = _translations(language()).gettext(message)
    return found % values if values else found


def ngettext(one: str, many: str, n: int, **values: Any) -> str:
    """Return the form for ``n`` in the reader's language."""
    return _translations(language()).ngettext(one, many, n) % {"n": n, "num": n, **values}


def told(said: str | TimeTrackerError) -> str:
    """Return what a rule said, in the reader's language; an error with its hint."""
    if isinstance(said, TimeTrackerError):
        return f"{told(said.what)} {told(said.hint)}".strip()
    if not isinstance(said, Said):
        return gettext(said) if said else ""
    return gettext(said.message, **{k: _shown(v) for k, v in said.values.items()})


def _shown(value: Any) -> Any:
    """Return what a rule filled in as this reader writes it."""
    if isinstance(value, Said):
        return told(value)
    if isinstance(value, Count):
        return str(numbers.format_decimal(value, locale=locale()))
    if isinstance(value, date) and not isinstance(value, datetime):
        return str(dates.format_date(value, "d MMM y", locale=locale()))
    return value


def locale() -> Locale:
    """Return the locale that dates and numbers are written in."""
    name = language()
    return MADE_UP.get(name) or Locale.parse(name)


def direction() -> str:
    """Return how the language is written: ``ltr`` or ``rtl``."""
    return "rtl" if locale().text_direction == "rtl" else "ltr"
