"""Write the pages of reference that come from code; ``make docs`` runs it.

Each page is a function without arguments that returns its text. ``tests/house`` compares
the pages with what the code says now.

    python docs/generate.py
"""

from collections.abc import Callable
from pathlib import Path

from app.config import OLD_NAMES, SECTIONS, VARIABLES
from app.telemetry import table

HERE = Path(__file__).parent


def timetracker_settings() -> str:
    """Return every environment variable of TimeTracker, by section."""
    lines = [
        "# TimeTracker: environment variables",
        "",
        "Generated from `app/config.py`. A value that cannot be read stops the start with a",
        "sentence that says what may stand there. An empty variable counts as unset. Secrets",
        "can also be read from a file: `SECRET_KEY_FILE=/run/secrets/key`.",
    ]
    for name, field in VARIABLES.items():
        if name in SECTIONS:
            lines += ["", f"## {SECTIONS[name]}", ""]
            lines += ["| variable | default | takes | what it does |", "|---|---|---|---|"]
        kind, note = field.metadata["kind"], field.metadata["note"]
        file = "; or `_FILE`" if kind.secret else ""
        cells = (f"`{name}`", shown(field.default), kind.words + file, note)
        lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    lines += ["", "## Names that are read too", "", "| name | now called |", "|---|---|"]
    lines += [f"| `{old}` | `{new}` |" for old, new in OLD_NAMES.items()]
    return "\n".join(lines) + "\n"


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
    "events.md": table.markdown,
    "timetracker-settings.md": timetracker_settings,
}
"""File name → what writes it."""


def main() -> None:
    """Write all pages."""
    for name, text in PAGES.items():
        (HERE / name).write_text(text(), encoding="utf-8")
        print(f"docs/{name}")


if __name__ == "__main__":
    main()
