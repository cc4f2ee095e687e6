"""What a request brings and an answer gives: named fields, each of a kind.

``read`` decodes a JSON object against a shape. It looks at every field before it
refuses, so that one answer names all that is wrong; a field nobody knows is an error
too, never silently ignored.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.api.kinds import Kind, Wrong
from app.errors import InvalidInput


@dataclass(frozen=True)
class Field:
    """One field."""

    kind: Kind
    required: bool = False
    nullable: bool = False
    note: str = ""


@dataclass(frozen=True)
class Shape:
    """A JSON object; ``name`` is what the document calls it."""

    name: str
    fields: Mapping[str, Field]
    open: bool = field(default=False, kw_only=True)
    """Whether it may hold more than these (answers only)."""


@dataclass(frozen=True)
class Complaint:
    """What is wrong with one field."""

    field: str
    """Where: ``end``, ``create[3].end``."""
    message: str


class InvalidFields(InvalidInput):
    """Fields that cannot be taken as they were given."""

    def __init__(self, complaints: list[Complaint]) -> None:
        first = complaints[0]
        super().__init__(f"{first.field}: {first.message}", attr=first.field)
        self.complaints = complaints


def need(kind: Kind, note: str = "") -> Field:
    """Return a field that must be there."""
    return Field(kind, required=True, note=note)


def may(kind: Kind, note: str = "", *, null: bool = False) -> Field:
    """Return a field that may be left out, and with ``null`` be empty."""
    return Field(kind, nullable=null, note=note)


def given(kind: Kind, note: str = "", *, null: bool = False) -> Field:
    """Return a field of an answer: always there."""
    return Field(kind, required=True, nullable=null, note=note)


def nested(shape: Shape) -> Kind:
    """A JSON object inside another."""

    def take(value: Any) -> dict[str, Any]:
        if not isinstance(value, dict):
            raise Wrong("This must be an object.")
        return read(shape, value)

    refers = {"$ref": f"#/components/schemas/{shape.name}"}
    return Kind(refers, take, take, inner=shape)


def read(shape: Shape, value: Mapping[str, Any], *, text: bool = False) -> dict[str, Any]:
    """Return the fields that were given, as rules want them, or raise InvalidFields.

    ``text``: the values stand in an address, as text.
    """
    found: dict[str, Any] = {}
    wrong: list[Complaint] = []
    for name, one in shape.fields.items():
        if name not in value:
            if one.required:
                wrong.append(Complaint(name, "This is needed."))
            continue
        try:
            found[name] = _taken(one, value[name], text=text)
        except Wrong as error:
            wrong.append(Complaint(name, str(error)))
        except InvalidFields as error:
            wrong += [
                Complaint(f"{name}.{inner.field}", inner.message)
                for inner in error.complaints
            ]
    known = ", ".join(shape.fields) or "no fields"
    wrong += [
        Complaint(str(name)[:60], f"This is not known here. There are: {known}.")
        for name in value
        if name not in shape.fields
    ]
    if wrong:
        raise InvalidFields(wrong)
    return found


def _taken(one: Field, value: Any, *, text: bool) -> Any:
    if value is None:
        if one.nullable:
            return None
        raise Wrong("This cannot be null.")
    return one.kind.from_text(value) if text else one.kind.read(value)


def schema(shape: Shape) -> dict[str, Any]:
    """Return a shape as JSON Schema."""
    made: dict[str, Any] = {
        "type": "object",
        "properties": {name: _schema_of(one) for name, one in shape.fields.items()},
        "additionalProperties": shape.open,
    }
    needed = [name for name, one in shape.fields.items() if one.required]
    return {**made, "required": needed} if needed else made


def _schema_of(one: Field) -> dict[str, Any]:
    made = dict(one.kind.schema)
    if one.nullable:
        made = (
            {**made, "type": [made["type"], "null"]}
            if isinstance(made.get("type"), str) and "enum" not in made
            else {"anyOf": [made, {"type": "null"}]}
        )
    return {**made, "description": one.note} if one.note else made
