"""A server asked over HTTP, by the standard library alone."""

import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from hedgerow.errors import InvalidInput, StoreUnavailable

TIMEOUT_S = 300.0
CHUNK = 64 * 1024


def ask(url: str, key: str, project: str, query: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return a question's answer. Raises InvalidInput, StoreUnavailable."""
    path = f"/api/projects/{project}/query"
    answer: Mapping[str, Any] = call("POST", url + path, key, {"query": query})
    return answer


def call(method: str, address: str, key: str, body: Any = None) -> Any:
    """Return what an address answers, decoded."""
    raw = b"".join(stream(method, address, key, body))
    return msgspec.json.decode(raw) if raw.strip() else None


def stream(method: str, address: str, key: str, body: Any = None) -> Iterator[bytes]:
    """Yield what an address answers, as it comes.

    Raises InvalidInput with the server's own words when it refuses, StoreUnavailable when
    it cannot be reached.
    """
    headers = {"Content-Type": "application/json"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    data = None if body is None else msgspec.json.encode(body)
    if not address.startswith(("http://", "https://")):
        raise InvalidInput(f"{address!r} is no address.", hint="Begin it with https://.")
    request = urllib.request.Request(  # noqa: S310 - checked in the line before
        address, data=data, headers=headers, method=method
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310 - as above
            while chunk := answer.read(CHUNK):
                yield chunk
    except urllib.error.HTTPError as refused:
        raise InvalidInput(_words(refused), hint="") from refused
    except OSError as error:
        raise StoreUnavailable(
            f"{address} cannot be reached: {error}.",
            hint="Does `hedgerow serve` run there?",
        ) from error


def _words(refused: urllib.error.HTTPError) -> str:
    raw = refused.read()
    try:
        said = msgspec.json.decode(raw, type=dict[str, Any])
    except msgspec.DecodeError:
        said = {}
    return str(said.get("detail") or f"The server answered {refused.code}.")
