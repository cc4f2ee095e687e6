"""The OpenAPI 3.1 document of the API, made from the table of endpoints."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from hedgerow.api.endpoints import Download, Endpoint
from hedgerow.api.serving import NUMBERED
from hedgerow.replies import Refusal

REFERENCE = "#/components/schemas/{name}"
REFUSALS = {
    400: "Something in the request cannot be taken as it is; ``attr`` names it.",
    401: "No valid personal API key.",
    403: "The key or its user may not do this.",
    404: "There is nothing of that name or number.",
    409: "The change contradicts what is there.",
    413: "The body is too large, or the answer would be.",
    429: "Too many requests; see ``Retry-After``.",
    499: "The question was cancelled.",
    503: "The inbox or a database cannot be used right now; see ``Retry-After``.",
    504: "It took longer than its limit.",
}


def document(endpoints: Sequence[Endpoint], version: str) -> dict[str, Any]:
    """Return the document as plain data."""
    types = list(_types(endpoints))
    schemas, components = msgspec.json.schema_components(types, ref_template=REFERENCE)
    by_type = {id(one): schema for one, schema in zip(types, schemas, strict=True)}
    paths: dict[str, Any] = {}
    for one in endpoints:
        paths.setdefault(one.path, {})[one.method.lower()] = _operation(one, by_type)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Hedgerow",
            "version": version,
            "description": "What was captured, asked and saved, for programs. "
            "Capture itself has endpoints of its own: see docs/how-to.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"key": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {
                "key": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A personal API key, ``phx_…``.",
                }
            },
        },
    }


def _types(endpoints: Sequence[Endpoint]) -> Iterator[Any]:
    seen: set[int] = set()
    wanted = [one.body for one in endpoints if one.body is not bytes]
    wanted += [one.gives for one in endpoints if one.gives is not Download]
    for each in [*wanted, Refusal]:
        if each is not None and id(each) not in seen:
            seen.add(id(each))
            yield each


def _operation(one: Endpoint, by_type: dict[int, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": f"{one.answer.__module__.rpartition('.')[2]}.{one.answer.__name__}",
        "summary": one.does,
        "tags": [_tag(one.path)],
        "parameters": [*_in_path(one), *_in_query(one)],
        "responses": _responses(one, by_type),
    }
    if one.scope:
        operation["description"] = f"Needs the scope `{one.scope}`."
    if one.body is bytes:
        operation["requestBody"] = {
            "required": True,
            "content": {"application/x-ndjson": {"schema": {"type": "string"}}},
        }
    elif one.body is not None:
        operation["requestBody"] = {
            "content": {"application/json": {"schema": by_type[id(one.body)]}}
        }
    return operation


def _responses(one: Endpoint, by_type: dict[int, Any]) -> dict[str, Any]:
    refused = {"application/json": {"schema": by_type[id(Refusal)]}}
    found: dict[str, Any] = {
        str(status): {"description": text, "content": refused}
        for status, text in REFUSALS.items()
    }
    if one.gives is None:
        found["204"] = {"description": "Done."}
    elif one.gives is Download:
        anything = {"schema": {"type": "string"}}
        found["200"] = {
            "description": "A file, sent as it is made.",
            "content": {"text/csv": anything, "application/x-ndjson": anything},
        }
    else:
        found[str(one.status)] = {
            "description": "Made." if one.status == 201 else "The answer.",
            "content": {"application/json": {"schema": by_type[id(one.gives)]}},
        }
    return dict(sorted(found.items()))


def _in_path(one: Endpoint) -> Iterator[dict[str, Any]]:
    for name in re.findall(r"{(\w+)}", one.path):
        schema = {"type": "integer"} if name in NUMBERED else {"type": "string"}
        yield {"name": name, "in": "path", "required": True, "schema": schema}


def _in_query(one: Endpoint) -> Iterator[dict[str, Any]]:
    if one.params is None:
        return
    (_,), components = msgspec.json.schema_components([one.params], ref_template=REFERENCE)
    described = components[one.params.__name__]
    for name, schema in described["properties"].items():
        yield {
            "name": name,
            "in": "query",
            "required": name in described.get("required", []),
            "schema": schema,
        }


def _tag(path: str) -> str:
    parts = path.removeprefix("/api/projects/{project_id}").strip("/").split("/")
    return parts[0] if parts[0] not in {"", "api"} else parts[-1]
