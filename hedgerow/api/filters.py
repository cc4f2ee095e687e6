"""Property filters in a query string, as JSON."""

from typing import Any

import msgspec

from hedgerow.errors import InvalidInput


def filters_of(text: str | None) -> list[dict[str, Any]]:
    """Return the filters of a ``properties`` parameter. Raises InvalidInput."""
    if not text:
        return []
    try:
        return msgspec.json.decode(text, type=list[dict[str, Any]])
    except msgspec.DecodeError as error:
        raise InvalidInput(
            f"properties is no JSON list of filters: {error}.",
            hint='Write [{"key": …, "type": …, "operator": …, "value": …}].',
            attr="properties",
        ) from error
