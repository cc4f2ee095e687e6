"""Collect every string of TimeTracker for translators; ``make messages`` runs it.

Writes ``app/translations/messages.pot`` and brings each language's ``messages.po`` up to
date with it: new strings come in untranslated, changed ones marked fuzzy, translations
are kept. To begin a language, make its folder first:

    mkdir -p app/translations/de/LC_MESSAGES && touch app/translations/de/LC_MESSAGES/messages.po
    make messages

Strings stand in templates (``_``, ``ngettext``), in Python (the same, ``said``, and what
errors are raised with), and in the two lists that pages show as they are: the notes of the
variables, and the catalogue of events. The API and the command line speak English.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from babel.core import Locale
from babel.messages.catalog import Catalog
from babel.messages.pofile import read_po, write_po
from jinja2.ext import babel_extract

from app import errors
from app.config import VARIABLES
from app.telemetry import table

APP = Path(__file__).parents[1] / "app"
FOLDER = APP / "translations"
SINGLE = {"_", "gettext", "said"}
ENGLISH = {"api", "cli.py", "config.py", "migrations", "schema.py", "upkeep.py"}
"""What speaks to programs and to whoever has the command line: in English only."""

RAISED = {
    name
    for name, known in vars(errors).items()
    if isinstance(known, type) and issubclass(known, errors.TimeTrackerError)
}
JINJA = {
    "trimmed": "true",
    "silent": "false",
    "trim_blocks": "true",
    "lstrip_blocks": "true",
}

Found = tuple[str | tuple[str, str], str, int]
"""A string, or singular and plural; the file it stands in, and the line."""


def collected() -> Catalog:
    """Return every string the program can say, with the places it is said at."""
    catalogue = Catalog(
        project="TimeTracker", charset="utf-8", fuzzy=False, locale=None, domain="messages"
    )
    for message, where, line in (*_of_python(), *_of_templates(), *_of_lists()):
        if message:
            catalogue.add(message, locations=[(where, line)])
    return catalogue


def _of_python() -> Iterator[Found]:
    for path in sorted(APP.rglob("*.py")):
        if ENGLISH & set(path.relative_to(APP).parts):
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                where = path.relative_to(APP.parent).as_posix()
                yield from ((text, where, node.lineno) for text in _of_call(node))


def _of_call(node: ast.Call) -> Iterator[str | tuple[str, str]]:
    called = node.func
    name = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
    texts = [_text(argument) for argument in node.args]
    if name == "ngettext" and len(texts) > 1 and texts[0] and texts[1]:
        yield texts[0], texts[1]
    elif texts and texts[0] and name in SINGLE | RAISED:
        yield texts[0]
    if name in RAISED:
        hints = (_text(keyword.value) for keyword in node.keywords if keyword.arg == "hint")
        yield from (hint for hint in hints if hint)


def _text(node: ast.expr) -> str | None:
    """Return what a literal says; None for anything else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return None


def _of_templates() -> Iterator[Found]:
    for path in sorted((APP / "templates").rglob("*.*")):
        with path.open("rb") as file:
            found = list(babel_extract(file, ("_", "gettext", "ngettext"), (), JINJA))
        for line, name, message, _comments in found:
            where = path.relative_to(APP.parent).as_posix()
            texts = message if isinstance(message, tuple) else (message,)
            if name == "ngettext" and len(texts) > 1 and texts[0] and texts[1]:
                yield (texts[0], texts[1]), where, line
            else:
                yield texts[0] or "", where, line


def _of_lists() -> Iterator[Found]:
    for variable in VARIABLES.values():
        yield variable.metadata["note"], "app/config.py", 0
    for _letter, title, known in table.blocks():
        yield title, "app/telemetry/table.py", 0
        yield from ((one.kind.words, "app/telemetry/blocks.py", 0) for one in known)
    for row in (*table.events("base"), *table.events("detailed")):
        yield row.when, "app/telemetry/catalog.py", 0
        yield from ((one.kind.words, "app/telemetry/catalog.py", 0) for one in row.own)


def main() -> None:
    """Write the template, and what is new into every language."""
    FOLDER.mkdir(exist_ok=True)
    catalogue = collected()
    with (FOLDER / "messages.pot").open("wb") as file:
        write_po(file, catalogue, width=88, sort_output=True)
    for path in sorted(FOLDER.glob("*/LC_MESSAGES/messages.po")):
        with path.open("rb") as file:
            known = read_po(file, locale=Locale.parse(path.parts[-3]))
        known.update(catalogue)
        with path.open("wb") as file:
            write_po(file, known, width=88, sort_output=True, ignore_obsolete=True)
    print(f"{len(catalogue)} strings")


if __name__ == "__main__":
    main()
