"""Write the pages of reference that come from code; ``make docs`` runs it.

Each page is a function without arguments that returns its text. ``tests/house`` compares
the pages with what the code says now.

    python docs/generate.py
"""

import ast
import copy
import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import click
import msgspec

from app import errors as timetracker_errors
from app.cli import main as timetracker
from app.config import OLD_NAMES, SECTIONS, VARIABLES
from app.telemetry import table
from hedgerow import errors as hedgerow_errors
from hedgerow.cli.program import hedgerow
from hedgerow.query import hogql_page
from hedgerow.replies import status_of
from hedgerow.settings import Settings

HERE = Path(__file__).parent

CAPTURE = {
    "empty_body": "The request has no body, and no `data` in its query.",
    "undecodable_body": "Broken gzip, base64, deflate or lz64, invalid UTF-8, a form without `data`.",
    "invalid_json": "Truncated, with text behind its end, or a lone value.",
    "invalid_event": "`batch` is no list, an entry or `properties` or `$set` no object.",
    "empty_batch": "A list without an event.",
    "missing_event_name": "An event without a name, or with an empty one.",
    "missing_distinct_id": "No distinct id, or a null, empty or blank one.",
    "invalid_uuid": "A `uuid` that is none.",
    "missing_token": "No project token in the request.",
    "invalid_token": "A token that no project has, or that cannot be one.",
    "mixed_tokens": "Events of different projects in one request.",
    "body_too_large": "Larger than `HEDGEROW_MAX_BODY_MIB`, before or after inflating.",
    "event_too_large": "One event larger than 1 MiB of JSON.",
    "unsupported_media_type": "On the newer protocol: not JSON, or an encoding unknown to it.",
}
"""Codes of refused capture requests; all or nothing is kept of one."""

WARNINGS = {
    "illegal_distinct_id": "An id such as `null` or `guest` was to be merged. Set the SDK's id later.",
    "cannot_merge_already_identified": (
        "A person who has a name was to become part of another. Call `reset()` at sign-out."
    ),
    "person_properties_too_large": "Over 512 KiB of properties; the write was left out.",
    "group_properties_too_large": "Over 512 KiB of properties; the write was left out.",
    "event_needs_a_person": "Identifies somebody or a group, and says that nobody is to be known: dropped.",
    "group_type_without_index": "A sixth group type: its groups are kept under its name.",
}
"""Types of ingestion warnings; the events are stored, where nothing else is said."""


def settings() -> str:
    """Return every setting of Hedgerow and every variable of TimeTracker."""
    lines = [
        "# Settings",
        "",
        "Generated from `hedgerow/settings.py` and `app/config.py`. A name that is unknown or a",
        "value that cannot be read stops the start with a sentence that says what may stand there.",
        "",
        "## Hedgerow",
        "",
        "| variable | default | what it does |",
        "|---|---|---|",
    ]
    notes = _field_notes(Settings)
    for field in msgspec.structs.fields(Settings):
        variable = f"`HEDGEROW_{field.name.upper()}`"
        lines.append(f"| {variable} | {shown(field.default)} | {notes[field.name]} |")
    lines += [
        "",
        "`HEDGEROW_TOKEN`, `HEDGEROW_KEY`, `HEDGEROW_URL` and `HEDGEROW_PROJECT` stand for options of",
        "commands.",
        "",
        "# TimeTracker",
        "",
        "An empty variable counts as unset. Secrets can also be read from a file:",
        "`SECRET_KEY_FILE=/run/secrets/key`.",
    ]
    read = _read_somewhere(VARIABLES)
    for name, variable in VARIABLES.items():
        if name in SECTIONS:
            lines += ["", f"## {SECTIONS[name]}", ""]
            lines += ["| variable | default | takes | what it does |", "|---|---|---|---|"]
        kind, note = variable.metadata["kind"], variable.metadata["note"]
        file = "; or `_FILE`" if kind.secret else ""
        note = note if name in read else f"**no effect yet**; {note}"
        cells = (f"`{name}`", shown(variable.default), kind.words + file, note)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    lines += ["", "## Names that are read too", "", "| name | now called |", "|---|---|"]
    lines += [f"| `{old}` | `{new}` |" for old, new in OLD_NAMES.items()]
    return "\n".join(lines) + "\n"


def _read_somewhere(names: Iterable[str]) -> set[str]:
    """Return the variables that TimeTracker looks at, so that the page promises no others."""
    defined = {"config.py", "variables.py"}
    places = [
        path for path in (HERE.parent / "app").rglob("*") if path.suffix in {".py", ".html"}
    ]
    text = "\n".join(path.read_text() for path in places if path.name not in defined)
    words = set(re.findall(r"[A-Z][A-Z_]+", text))
    return {name for name in names if name in words}


def _field_notes(struct: type) -> dict[str, str]:
    """Return the docstrings that stand below the fields of a class."""
    (body,) = (
        node.body
        for node in ast.parse(inspect.getsource(struct)).body
        if isinstance(node, ast.ClassDef)
    )
    notes = {}
    for field, note in pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name):
            notes[field.target.id] = " ".join(ast.literal_eval(note.value).split())
    return notes


def errors() -> str:
    """Return every error code of both programs, and the warnings of capture."""
    lines = [
        "# Errors",
        "",
        "Generated from the code. Every error says what is wrong, quotes the value, and says what to do;",
        "`code` is stable and for programs, `attr` names the field.",
        "",
        "## Hedgerow",
        "",
        "| code | status | when |",
        "|---|---|---|",
    ]
    lines += [
        f"| `{error.code}` | {status_of(error.code)} | {_first(error)} |"
        for error in _subclasses(hedgerow_errors.HedgerowError)
        if error is not hedgerow_errors.BadCapture
    ]
    lines += [
        "",
        "### Refused capture requests",
        "",
        "| code | status | when |",
        "|---|---|---|",
    ]
    lines += [
        f"| `{code}` | {status_of(code)} | {when} |" for code, when in CAPTURE.items()
    ]
    lines += [
        "",
        "### Ingestion warnings",
        "",
        "| type | when, and what to do |",
        "|---|---|",
    ]
    lines += [f"| `{name}` | {when} |" for name, when in WARNINGS.items()]
    lines += ["", "## TimeTracker", "", "| code | when |", "|---|---|"]
    lines += [
        f"| `{error.code}` | {_first(error)} |"
        for error in _subclasses(timetracker_errors.TimeTrackerError)
    ]
    return "\n".join(lines) + "\n"


def _subclasses(root: Any) -> Iterator[Any]:
    for one in root.__subclasses__():
        yield one
        yield from _subclasses(one)


def _first(thing: Any) -> str:
    return (inspect.getdoc(thing) or "").partition("\n\n")[0].replace("\n", " ")


def commands() -> str:
    """Return the help of every command of both programs."""
    lines = ["# Commands", "", "Generated: what `--help` says."]
    for name, program in (("hedgerow", hedgerow), ("timetracker", timetracker)):
        lines += ["", f"## {name}"]
        for words, asked in _commands(name, program):
            command = copy.copy(asked)
            command._help_option = None  # noqa: SLF001 - click keeps the first caller's names
            names = ["-h", "--help"]
            context = click.Context(command, info_name=words, help_option_names=names)
            context.terminal_width = 96
            text = "\n".join(
                line.rstrip() for line in command.get_help(context).splitlines()
            )
            lines += ["", f"### {words}", "", "```text", text, "```"]
    return "\n".join(lines) + "\n"


def _commands(name: str, command: click.Command) -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        for word in command.list_commands(click.Context(command)):
            yield from _commands(f"{name} {word}", command.commands[word])


def shown(default: object) -> str:
    """Return a default as one would write it."""
    if default in ("", ()):
        return "empty"
    if isinstance(default, bool):
        return str(default).lower()
    if isinstance(default, tuple) and hasattr(default, "_fields"):
        return f"`{default[0]}/{default[1] // 60}m`"
    if isinstance(default, tuple):
        return "`{" + ", ".join(f'"{key}": "{value}"' for key, value in default) + "}`"
    return f"`{default}`"


PAGES: dict[str, Callable[[], str]] = {
    "commands.md": commands,
    "errors.md": errors,
    "events.md": table.markdown,
    "settings.md": settings,
    "sql.md": hogql_page.markdown,
}
"""File name → what writes it."""


def main() -> None:
    """Write all pages."""
    for name, text in PAGES.items():
        (HERE / name).write_text(text(), encoding="utf-8")
        print(f"docs/{name}")


if __name__ == "__main__":
    main()
