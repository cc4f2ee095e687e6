"""The OpenAPI document as a page to read: plain rows, nothing for a template to decide."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple


class Said(NamedTuple):
    """A parameter or a field."""

    name: str
    place: str
    """``path``, ``query``, ``header``; of a field its kind."""
    text: str
    words: str = ""
    """What it may be, if that is a list of words."""
    needed: bool = False


class Route(NamedTuple):
    """One address and what can be done there."""

    id: str
    method: str
    path: str
    summary: str
    text: str
    parameters: list[Said]
    body: str
    """Name of the object it takes; empty for none."""
    statuses: str


class Thing(NamedTuple):
    """An object that is sent or answered."""

    name: str
    fields: list[Said]


def routes(document: Mapping[str, Any]) -> Iterator[Route]:
    """Yield every route of the document, in its order."""
    for path, methods in document["paths"].items():
        for method, one in methods.items():
            answers = one["responses"].items()
            yield Route(
                id=one["operationId"],
                method=method.upper(),
                path=path,
                summary=one["summary"],
                text=one["description"],
                parameters=[_parameter(each) for each in one["parameters"]],
                body=_body(one),
                statuses=" · ".join(
                    f"{code} {what['description']}" for code, what in answers
                ),
            )


def _parameter(one: Mapping[str, Any]) -> Said:
    schema = one["schema"]
    words = schema.get("items", schema).get("enum", ())
    text = one.get("description", "")
    return Said(one["name"], one["in"], text, " ".join(map(str, words)))


def _body(one: Mapping[str, Any]) -> str:
    content = one.get("requestBody", {}).get("content", {})
    return _name(content.get("application/json", {}).get("schema", {}))


def _name(schema: Mapping[str, Any]) -> str:
    return str(schema.get("$ref", "")).rpartition("/")[2]


def things(document: Mapping[str, Any]) -> Iterator[Thing]:
    """Yield every object of the document, by name."""
    for name, one in document["components"]["schemas"].items():
        needed = set(one.get("required", ()))
        yield Thing(
            name,
            [
                Said(
                    field,
                    _kind(schema),
                    schema.get("description", ""),
                    " ".join(map(str, schema.get("enum", ()))),
                    needed=field in needed,
                )
                for field, schema in one["properties"].items()
            ],
        )


def _kind(schema: Mapping[str, Any]) -> str:
    """Return what a field holds, in a word or two."""
    if "anyOf" in schema:
        return " or ".join(_kind(one) for one in schema["anyOf"])
    if schema.get("type") == "array":
        return f"list of {_kind(schema['items'])}"
    kind = schema.get("format") or schema.get("type") or _name(schema)
    return " or ".join(kind) if isinstance(kind, list) else str(kind)
