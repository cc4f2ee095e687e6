"""``hedgerow query``: a question, answered on the terminal."""

import csv
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TextIO

import click
import msgspec

from hedgerow.cli import remote
from hedgerow.cli.help import Taught
from hedgerow.cli.options import Options, everywhere, key_for_now, project_named
from hedgerow.errors import InvalidQuery
from hedgerow.serve.house import House

Format = Literal["table", "json", "csv"]
WIDEST = 60
"""Characters of one cell of a table; what is longer ends in an ellipsis."""


@click.command(cls=Taught)
@click.argument("asked", metavar="QUESTION")
@click.option("--project", envvar="HEDGEROW_PROJECT", help="Number or name, if several.")
@click.option(
    "--format",
    "shape",
    type=click.Choice(["table", "json", "csv"]),
    default="table",
    show_default=True,
    help="How to print the answer.",
)
@click.option("--url", envvar="HEDGEROW_URL", help="Ask a server elsewhere instead.")
@click.option("--key", envvar="HEDGEROW_KEY", help="A personal API key for it.")
@everywhere
@click.pass_obj
def query(
    options: Options,
    asked: str,
    *,
    project: str | None,
    shape: Format,
    url: str | None,
    key: str | None,
) -> None:
    r"""Answer QUESTION: SQL, or a file of SQL or a query in JSON.

    - reads it from standard input.

    \b
    Example:
      hedgerow query 'SELECT event, count() FROM events GROUP BY event'
      echo '{"kind": "TrendsQuery", "series": [{"kind": "EventsNode"}]}' | hedgerow query -
    """
    wanted = question(text_of(asked))
    if url is not None:
        answer = remote.ask(url, key or "", project or "@current", wanted)
    else:
        answer = answered(options, project, wanted)
    show(answer, shape, sys.stdout)


def text_of(asked: str) -> str:
    """Return a question's text: typed, of a file, or of standard input for ``-``."""
    if asked == "-":
        return sys.stdin.read()
    first = asked.split(maxsplit=1)[0].lower() if asked.strip() else ""
    if first in {"select", "with"} and asked.strip().lower() != first:
        return asked
    try:
        return Path(asked).read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise InvalidQuery(
            f"{asked[:200]!r} is neither a SELECT nor a file that can be read.",
            hint="Write SQL in quotes, name a file, or use - for standard input.",
        ) from error


def question(text: str) -> dict[str, Any]:
    """Return a query from its text: a JSON object, else SQL. Raises InvalidQuery."""
    if not text.lstrip().startswith("{"):
        return {"kind": "HogQLQuery", "query": text.strip()}
    try:
        found = msgspec.json.decode(text, type=dict[str, Any])
    except msgspec.DecodeError as error:
        raise InvalidQuery(
            f"The question is no JSON: {error}.", hint="Mend it; it is the JSON of a query."
        ) from error
    inner = found.get("query")
    return inner if "kind" not in found and isinstance(inner, dict) else found


def show(answer: Mapping[str, Any], shape: Format, out: TextIO) -> None:
    """Print an answer: whole as JSON, its results as rows else."""
    if shape == "json":
        out.write(
            msgspec.json.format(msgspec.json.encode(answer), indent=2).decode() + "\n"
        )
        return
    columns, rows = table(answer)
    if shape == "csv":
        writer = csv.writer(out)
        writer.writerow(columns)
        writer.writerows(rows)
        return
    cells = [[_cell(value) for value in row] for row in rows]
    widths = [
        max([len(name), *(len(row[place]) for row in cells)])
        for place, name in enumerate(columns)
    ]
    for row in [list(columns), ["─" * width for width in widths], *cells]:
        line = "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True))
        out.write(line.rstrip() + "\n")


def table(answer: Mapping[str, Any]) -> tuple[list[str], list[list[Any]]]:
    """Return an answer as columns and rows, whatever its kind."""
    results = answer.get("results")
    if answer.get("columns"):
        return [str(name) for name in answer["columns"]], [
            list(row) for row in results or []
        ]
    if not isinstance(results, list) or not all(isinstance(one, dict) for one in results):
        return ["results"], [[results]]
    if results and results[0].get("days"):
        return _series(results)
    names = list(dict.fromkeys(name for one in results for name in one))
    return names, [[one.get(name) for name in names] for one in results]


def _series(results: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[list[Any]]]:
    """Return lines over time: a row for each moment, a column for each line."""
    labels = [str(one.get("label", place)) for place, one in enumerate(results)]
    rows = [
        [
            day,
            *(one["data"][place] if place < len(one["data"]) else None for one in results),
        ]
        for place, day in enumerate(results[0]["days"])
    ]
    return ["", *labels], rows


def answered(
    options: Options, project: str | None, wanted: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Answer by the server that runs on the folder, or by opening the folder.

    Raises HedgerowError.
    """
    url = options.running()
    with options.metadata() as metadata:
        row = project_named(metadata, project)
        if url is not None:
            with key_for_now(metadata) as key:
                return remote.ask(url, key, str(row.id), wanted)
    house = House(options.settings)
    try:
        return house.asking(row.id, wanted)
    finally:
        house.close()


def _cell(value: Any) -> str:
    if value is None:
        return ""
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    text = " ".join(text.split())
    return text if len(text) <= WIDEST else text[: WIDEST - 1] + "…"
