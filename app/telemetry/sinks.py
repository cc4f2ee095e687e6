"""Where messages go: the two sinks, and the official SDK's client of each.

Neither has a built-in address. Everything the SDK would do by itself is off or bounded:
no redirects are followed, nothing is printed, queues are short, nothing is asked back.
"""

import logging
import threading
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import posthog.request
from posthog import Posthog

from app.telemetry.messages import Message

ANALYTICS, TELEMETRY = "analytics", "telemetry"
TIMEOUT_S = 5
QUEUE = 1000
"""Messages that wait in memory; the newest are dropped when it is full."""

FLUSH_S = 2
"""How long the end of the program waits for what is queued."""


class Sink(NamedTuple):
    """An address and the key of a project there."""

    host: str
    key: str


def sink(config: Mapping[str, Any], name: str) -> Sink | None:
    """Return a sink as configured; telemetry without an address of its own is analytics."""
    if name == TELEMETRY and config["TELEMETRY_HOST"]:
        return Sink(config["TELEMETRY_HOST"], config["TELEMETRY_KEY"])
    if config["ANALYTICS_HOST"] and config["ANALYTICS_KEY"]:
        return Sink(config["ANALYTICS_HOST"], config["ANALYTICS_KEY"])
    return None


def are_one(config: Mapping[str, Any]) -> bool:
    """Whether both sinks are the same: then every event is sent once."""
    return sink(config, ANALYTICS) == sink(config, TELEMETRY)


def hush() -> None:
    """Let the SDK follow no redirects and print nothing: it has no switch for either."""
    posthog.request._session.max_redirects = 0  # noqa: SLF001  # the SDK offers no other way
    quiet = logging.getLogger("posthog")
    quiet.disabled = True
    quiet.propagate = False


def client(
    at: Sink,
    name: str,
    *,
    before_send: Callable[[dict[str, Any]], dict[str, Any] | None],
    on_error: Callable[[Exception, list[dict[str, Any]]], None],
    send: bool = True,
) -> Posthog:
    """Return the SDK's client of one sink; ``send`` False builds and checks only."""
    made = Posthog(
        at.key,
        host=at.host,
        send=send,
        sync_mode=name == TELEMETRY,
        before_send=before_send,
        on_error=on_error,
        super_properties={"$ip": None},
        flush_interval=0.5,
        max_queue_size=QUEUE,
        timeout=TIMEOUT_S,
        max_retries=2,
        disable_geoip=True,
        is_server=True,
        capture_mode="v0",
        enable_local_evaluation=False,
        enable_exception_autocapture=False,
        gzip=False,
    )
    hush()  # the client's own start turns its logger on
    return made


def deliver(to: Posthog, message: Message) -> str | None:
    """Hand a message to the SDK; return its uuid, or None where it was not taken."""
    taken: str | None
    if message.name == "$groupidentify":
        taken = to.group_identify(
            message.properties["$group_type"],
            message.properties["$group_key"],
            message.properties["$group_set"],
            timestamp=message.at,
            uuid=message.uuid,
            distinct_id=message.subject,
        )
    else:
        taken = to.capture(
            message.name,
            distinct_id=message.subject,
            properties=dict(message.properties),
            timestamp=message.at,
            uuid=message.uuid,
            groups=dict(message.groups) if message.groups else None,
        )
    return taken


class Clients:
    """One client a sink, made when first needed, made anew where the address changed."""

    def __init__(self, make: Callable[[Sink, str], Posthog]) -> None:
        self._make = make
        self._made: dict[str, tuple[Sink, Posthog]] = {}
        self._lock = threading.Lock()

    def get(self, config: Mapping[str, Any], name: str) -> Posthog | None:
        """Return the client of a sink, or None where none is configured."""
        at = sink(config, name)
        if at is None:
            return None
        with self._lock:
            known = self._made.get(name)
            if known is None or known[0] != at:
                known = (at, self._make(at, name))
                self._made[name] = known
            return known[1]

    def flush(self) -> None:
        """Let what is queued go, for a moment."""
        for _, made in list(self._made.values()):
            made.flush(FLUSH_S)

    def close(self) -> None:
        """Let what is queued go, for a moment, and end the clients' threads."""
        self.flush()
        for _, made in list(self._made.values()):
            for consumer in made.consumers or []:
                consumer.pause()  # type: ignore[no-untyped-call]  # the SDK is typed in part only
