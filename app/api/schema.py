"""The OpenAPI 3.1 document, made of the table: it cannot promise what is not there."""

from collections.abc import Iterator, Sequence
from http import HTTPStatus
from inspect import getdoc
from re import findall
from typing import Any

from app.api import kinds
from app.api.call import Endpoint
from app.api.shapes import Field, Shape, need, schema

PROBLEM = Shape(
    "Problem",
    {
        "type": need(kinds.text(200)),
        "title": need(kinds.text(1000)),
        "status": need(kinds.whole(400, 599)),
        "detail": need(kinds.text(10_000)),
        "errors": need(
            kinds.shown(
                type="array",
                items={
                    "type": "object",
                    "properties": {
                        "field": {"type": "string"},
                        "message": {"type": "string"},
                    },
                    "required": ["field", "message"],
                },
            ),
            "What is wrong with each field.",
        ),
        "request_id": need(
            kinds.text(40), "What the log of the server calls this request."
        ),
    },
)

ABOUT = (
    "Everything TimeTracker does, for programs. Times carry an offset; ids are opaque; "
    "lists come a page at a time. A token acts for its owner and never reaches further."
)


def document(endpoints: Sequence[Endpoint], version: str) -> dict[str, Any]:
    """Return the document of these routes."""
    paths: dict[str, dict[str, Any]] = {}
    for one in endpoints:
        paths.setdefault(f"/api/v1{one.path}", {})[one.method.lower()] = _operation(one)
    named = {shape.name: schema(shape) for shape in _all_shapes(endpoints)}
    return {
        "openapi": "3.1.0",
        "info": {"title": "TimeTracker", "version": version, "description": ABOUT},
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": dict(sorted(named.items())),
            "securitySchemes": {
                "token": {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A token of the profile.",
                }
            },
        },
    }


def _all_shapes(endpoints: Sequence[Endpoint]) -> Iterator[Shape]:
    yield PROBLEM
    for one in endpoints:
        for shape in (one.body, one.answer):
            if shape is not None and shape.name:
                yield shape
                yield from shape_parts(shape)


def shape_parts(shape: Shape) -> Iterator[Shape]:
    """Yield the shapes inside a shape, by what its fields refer to."""
    for one in shape.fields.values():
        inner = one.kind.inner
        if isinstance(inner, Shape):
            yield inner
            yield from shape_parts(inner)


def _operation(one: Endpoint) -> dict[str, Any]:
    said = (getdoc(one.does) or "").partition("\n\n")
    made: dict[str, Any] = {
        "operationId": one.name,
        "tags": [one.path.split("/")[1]],
        "summary": said[0].replace("\n", " ").rstrip("."),
        "description": f"{said[2]}\n\nScope: `{one.scope}`.".strip(),
        "parameters": [*_in_path(one), *_in_query(one), *_in_headers(one)],
        "responses": dict(sorted(_responses(one).items())),
    }
    if one.takes_file:
        made["requestBody"] = _form(one)
    elif one.body is not None:
        made["requestBody"] = {
            "required": any(field.required for field in one.body.fields.values()),
            "content": {"application/json": {"schema": _ref(one.body)}},
        }
    return made


def _ref(shape: Shape) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{shape.name}"}


def _form(one: Endpoint) -> dict[str, Any]:
    fields = schema(one.body) if one.body else schema(Shape("", {}))
    fields["properties"] = {
        **fields["properties"],
        "file": {"type": "string", "format": "binary"},
    }
    fields["required"] = [*fields.get("required", []), "file"]
    return {"required": True, "content": {"multipart/form-data": {"schema": fields}}}


def _in_path(one: Endpoint) -> Iterator[dict[str, Any]]:
    for name in findall(r"\{(\w+)\}", one.path):
        words = one.words.get(name)
        kind = kinds.one_of(*words).schema if words else kinds.ident(name).schema
        yield {"name": name, "in": "path", "required": True, "schema": dict(kind)}


def _in_query(one: Endpoint) -> Iterator[dict[str, Any]]:
    for name, field in one.query.items():
        yield {
            "name": name,
            "in": "query",
            "required": field.required,
            "schema": dict(field.kind.schema),
            "description": field.note,
            **_with_commas(field),
        }


def _with_commas(field: Field) -> dict[str, Any]:
    is_list = field.kind.schema.get("type") == "array"
    return {"style": "form", "explode": False} if is_list else {}


def _in_headers(one: Endpoint) -> Iterator[dict[str, Any]]:
    if one.method == "POST" and one.writes and not one.secret:
        yield {
            "name": "Idempotency-Key",
            "in": "header",
            "schema": {"type": "string", "maxLength": 255, "pattern": "^[!-~]*$"},
            "description": "The same key within a day gives the same answer again.",
        }
    if "{entry}" in one.path and one.method in {"PATCH", "DELETE"}:
        yield {
            "name": "If-Match",
            "in": "header",
            "schema": {"type": "string", "pattern": '^"[0-9]{1,9}"$'},
            "description": "The `ETag` the entry was read with; 412 where it changed.",
        }


def _responses(one: Endpoint) -> dict[str, Any]:
    ok: dict[str, Any] = {"description": HTTPStatus(one.status).phrase}
    if one.media:
        ok["content"] = {media: {} for media in one.media}
    elif one.answer is not None:
        shape = listing(one.answer) if one.listing else _ref(one.answer)
        ok["content"] = {"application/json": {"schema": shape}}
    refusals = {401, 403, 429, *one.also}
    if one.query or one.body:
        refusals.add(422)
    if one.method in {"POST", "PATCH"}:
        refusals |= {400, 413, 415, 422}
    if one.writes:
        refusals |= {503, 409}
    if "{" in one.path:
        refusals.add(404)
    if "{entry}" in one.path and one.writes:
        refusals.add(412)
    problem = {"application/problem+json": {"schema": _ref(PROBLEM)}}
    return {
        str(one.status): ok,
        **({"204": {"description": "There is none."}} if one.empty else {}),
        **{
            str(status): {"description": HTTPStatus(status).phrase, "content": problem}
            for status in sorted(refusals)
        },
    }


def listing(shape: Shape) -> dict[str, Any]:
    """Return the schema of a page of such things."""
    return {
        "type": "object",
        "properties": {
            "results": {"type": "array", "items": _ref(shape)},
            "next": {
                "type": ["string", "null"],
                "description": "The cursor of the page after, or null.",
            },
        },
        "required": ["results", "next"],
    }
