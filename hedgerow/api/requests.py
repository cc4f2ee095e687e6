"""Reading a request into types, strictly: an unknown field is an error that names it."""

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from hedgerow.api.endpoints import Endpoint, Page, checked_page
from hedgerow.errors import InvalidInput

_AT = re.compile(r"^(?P<what>.*?)(?: - at `\$(?P<path>[^`]*)`)?$", re.DOTALL)
_UNKNOWN = re.compile(r"^Object contains unknown field `(?P<field>[^`]*)`$")
_MISSING = re.compile(r"^Object missing required field `(?P<field>[^`]*)`$")


def body_of(endpoint: Endpoint, raw: bytes) -> Any:
    """Return a body as the endpoint's type. Raises InvalidInput.

    An empty body is an empty object. In a creation ``null`` is the same as leaving the
    field out.
    """
    if endpoint.body is None or endpoint.body is bytes:
        return raw if endpoint.body is bytes else None
    try:
        value = msgspec.json.decode(raw) if raw.strip() else {}
    except msgspec.DecodeError as error:
        raise InvalidInput(
            f"The body is not JSON: {error}.", hint="Send a JSON object in UTF-8."
        ) from error
    if endpoint.status == 201 and isinstance(value, dict):
        value = {name: inner for name, inner in value.items() if inner is not None}
    return converted(value, endpoint.body)


def params_of(endpoint: Endpoint, query: Mapping[str, str]) -> Any:
    """Return a query string as the endpoint's type. Raises InvalidInput."""
    if endpoint.params is None:
        if query:
            name = next(iter(query))
            raise InvalidInput(
                f"{name!r} is not a parameter here.", hint="Remove it.", attr=name
            )
        return None
    params = converted(dict(query), endpoint.params, strict=False)
    if isinstance(params, Page):
        checked_page(params)
    return params


def converted(value: Any, into: Any, *, strict: bool = True) -> Any:
    """Return decoded JSON as a type. Raises InvalidInput with the path of the field."""
    try:
        return msgspec.convert(value, into, strict=strict)
    except msgspec.ValidationError as error:
        raise _refusal(str(error)) from error


def _refusal(message: str) -> InvalidInput:
    match = _AT.match(message)
    what, path = (match["what"], match["path"] or "") if match else (message, "")
    path = path.removeprefix(".")
    if unknown := _UNKNOWN.match(what):
        path = f"{path}.{unknown['field']}".removeprefix(".")
        return InvalidInput(
            f"{path!r} is not a field here.",
            hint="Remove it, or look at its spelling: nothing is silently ignored.",
            attr=path,
        )
    if missing := _MISSING.match(what):
        path = f"{path}.{missing['field']}".removeprefix(".")
        return InvalidInput(f"{path!r} is missing.", hint="Add it.", attr=path)
    where = f" at {path!r}" if path else ""
    return InvalidInput(f"{what}{where}.", hint="See /api/schema.", attr=path or None)
