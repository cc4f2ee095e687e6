"""The last check before anything is queued to leave.

The SDK calls a ``Gate`` (its ``before_send``) with the finished message, in the thread
of the caller. Consent and kill switches are read again, from the database, so that one
thrown a second ago counts. Then only what the catalogue knows passes: each property by
name, type, words and length. What the SDK adds on its own goes. Whatever passes is
handed to the log exactly as it leaves.

Where this raises, the SDK drops the message: nothing leaves unchecked.
"""

import logging
import re
from collections import Counter
from collections.abc import Mapping
from typing import Any, NamedTuple

from flask import has_request_context, request

from app.telemetry.catalog import EVENTS, properties_of
from app.telemetry.consent import Verdict, Watch
from app.telemetry.context import browser
from app.telemetry.definitions import Property
from app.telemetry.log import DRY_RUN, HANDED_OVER, NOT_SENT, Log

SDK_OWN = frozenset(
    (
        *("$os", "$os_version", "$os_distro", "$python_runtime", "$python_version"),
        *("$release_id", "$session_id", "$context_tags"),
    )
)
"""What the SDK adds by itself and we never send; anything else unknown is our mistake."""

SUBJECTS = {
    "user": re.compile(r"([0-9a-f]{12}-)?\d{1,19}"),
    "installation": re.compile(r"[0-9a-f]{64}"),
}
ENVELOPE = ("event", "distinct_id", "timestamp", "uuid")

logger = logging.getLogger("app.telemetry")
DROPPED: Counter[str] = Counter()
"""What was dropped since the start, by what was wrong: any count is a mistake of ours."""


class Passed(NamedTuple):
    """What is left of a message, and what was wrong with it."""

    message: dict[str, Any] | None
    """None: nothing of it may leave, for the reason in ``refusal``."""

    refusal: str = ""
    mistakes: tuple[str, ...] = ()
    """Names (never values) that the catalogue does not cover."""


def check(
    message: Mapping[str, Any], sink: str, verdict: Verdict, *, system: str | None = None
) -> Passed:
    """Return what may leave of a message; ``system`` is the browser's, for ``$os``."""
    name = message.get("event")
    event = EVENTS.get(name) if isinstance(name, str) else None
    if event is None or sink not in event.sinks:
        return Passed(None, "not in the catalogue", (f"{name} to {sink}"[:200],))
    if not verdict.covers(event.layer):
        return Passed(None, f"consent is {verdict.layer} ({verdict.by})")
    if event.since > verdict.version:
        return Passed(None, "newer than the consent given")
    if not _fits_subject(str(message.get("distinct_id")), event.subject, sink):
        return Passed(None, "not in the catalogue", (f"{name}: subject for {sink}",))
    kept, mistakes = _filter(message, properties_of(event, sink), verdict.version, system)
    left = {field: message[field] for field in ENVELOPE if field in message}
    return Passed({**left, "properties": kept}, mistakes=tuple(mistakes))


def _filter(
    message: Mapping[str, Any],
    allowed: Mapping[str, Property],
    version: int,
    system: str | None,
) -> tuple[dict[str, Any], list[str]]:
    """Return the properties that may leave, and the names of those that are a mistake."""
    given = {**message.get("properties", {})}
    given.pop("$os", None)  # the SDK put the server's over the browser's
    if system is not None:
        given["$os"] = system
    kept, mistakes = {}, []
    for key, value in given.items():
        known = allowed.get(key)
        if known is not None and known.kind.holds(value):
            if known.since <= version:
                kept[key] = value
        elif key not in SDK_OWN:
            mistakes.append(f"{message['event']}.{key}"[:200])
    return kept, mistakes


def _fits_subject(distinct_id: str, subject: str, sink: str) -> bool:
    """Whether an id is of the kind this event may have; no user's goes to the makers."""
    kinds = {subject, "installation"} if sink == "analytics" else {"installation"}
    return any(SUBJECTS[kind].fullmatch(distinct_id) for kind in kinds)


def note(mistakes: tuple[str, ...]) -> None:
    """Count and log what had to be dropped. Our own tests fail on any."""
    for mistake in mistakes:
        DROPPED[mistake] += 1
        logger.warning("Dropped from what is reported, not in the catalogue: %s", mistake)


class Gate:
    """``before_send`` of one sink's client."""

    def __init__(
        self, sink: str, config: Mapping[str, Any], watch: Watch, log: Log
    ) -> None:
        self._sink, self._config, self._watch, self._log = sink, config, watch, log

    def __call__(self, message: dict[str, Any]) -> dict[str, Any] | None:
        """Return what may leave, or None; either way the log knows."""
        system = None
        if has_request_context():
            system = browser(request.headers.get("User-Agent", "")).system
        passed = check(message, self._sink, self._watch.look(), system=system)
        note(passed.mistakes)
        if passed.message is None:
            self._log.add(self._sink, message, NOT_SENT, passed.refusal)
            return None
        if self._config["TELEMETRY_DRY_RUN"]:
            self._log.add(self._sink, passed.message, DRY_RUN)
            return None
        self._log.add(self._sink, passed.message, HANDED_OVER)
        return passed.message
