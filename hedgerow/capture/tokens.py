"""Which project is a request for? The rules of the project token, wherever it stands.

A body may name its token in the envelope, in each event, or in an event's properties,
under three names. The envelope's wins; the events' must agree.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from hedgerow.errors import BadCapture

LONGEST = 64
NAMES = ("api_key", "token", "$token")
"""In the envelope. In an event ``token`` comes first; both lists are wire-protocol §4."""

_NAMES_IN_EVENT = ("token", "api_key", "$token")


def token_of_envelope(envelope: Mapping[str, Any]) -> object:
    """Return what the envelope names, None if it names nothing."""
    return _first(envelope, NAMES)


def token_of_events(events: Iterable[Mapping[str, Any]]) -> object:
    """Return the one token that the events name, None if none does.

    Raises ``mixed_tokens`` when they differ.
    """
    found: object = None
    for event in events:
        token = _token_of_event(event)
        if isinstance(token, str):
            token = token.strip()
        if token is None or token == found:
            continue
        if found is not None:
            raise BadCapture(
                "mixed_tokens",
                f"The events name different project tokens: {found!r:.80} and {token!r:.80}.",
                hint="Send one request for each project.",
                attr="token",
            )
        found = token
    return found


def checked_token(token: object) -> str:
    """Return the token without white space around it, if it could be one.

    Raises ``missing_token`` or ``invalid_token``.
    """
    if token is None or (isinstance(token, str) and not token.strip()):
        raise BadCapture(
            "missing_token",
            "The request names no project token.",
            hint="Put it into 'api_key' beside the events; it begins with phc_.",
            attr="api_key",
        )
    problem = _problem(token)
    if problem or not isinstance(token, str):
        raise BadCapture(
            "invalid_token",
            f"{token!r:.80} is no project token: {problem}.",
            hint="Copy the token from the project's settings; it begins with phc_.",
            attr="api_key",
        )
    return token.strip()


def unknown_token(token: str) -> BadCapture:
    """Return the refusal of a token that belongs to no project."""
    return BadCapture(
        "invalid_token",
        f"No project has the token {token!r:.80}.",
        hint="Copy the token from the project's settings.",
        attr="api_key",
    )


def _problem(token: object) -> str | None:
    if not isinstance(token, str):
        return "it is not a string"
    text = token.strip()
    if text.startswith("phx_"):
        return "it is a personal API key, which must stay secret"
    if len(text) > LONGEST:
        return f"it has more than {LONGEST} characters"
    if not text.isascii() or "\0" in text:
        return "it has characters other than ASCII"
    return None


def _token_of_event(event: Mapping[str, Any]) -> object:
    token = _first(event, _NAMES_IN_EVENT)
    properties = event.get("properties")
    if token is None and isinstance(properties, dict):
        return properties.get("token") or None
    return token


def _first(named: Mapping[str, Any], names: tuple[str, ...]) -> object:
    return next((named[name] for name in names if named.get(name)), None)
