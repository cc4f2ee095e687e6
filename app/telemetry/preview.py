"""What would be sent, made by the code that sends: preview, test and forgetting.

A preview uses the same builders, the same SDK and the same gate as a real message, with
a client that sends nothing, so what is shown is what would leave.
"""

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import requests
from posthog import Posthog

from app.config import VERSION
from app.errors import Conflict, NotFound, Unreachable, said
from app.models.people import User
from app.models.records import Installation
from app.telemetry import daily, gate, installation, messages, sinks
from app.telemetry.catalog import CONSENT_VERSION
from app.telemetry.consent import Verdict
from app.telemetry.messages import Message
from app.telemetry.reporter import Reporter
from app.telemetry.send import sample
from app.telemetry.sinks import ANALYTICS, TELEMETRY, Sink

NOWHERE = Sink("http://nowhere.invalid", "not-configured")
"""Stands for a sink that is not configured; a preview sends nothing anyway."""


class Shown(NamedTuple):
    """A message as it would leave."""

    sink: str
    message: dict[str, Any]


class Tried(NamedTuple):
    """How a test ended."""

    host: str
    taken: bool


def preview(
    reporter: Reporter, layer: str, now: datetime, *, user: User | None = None
) -> list[Shown]:
    """Return the next messages of a layer; with a user, an example of theirs.

    The layer is the one asked for, not the one in force: so one can read before one
    consents.
    """
    verdict = Verdict(layer, "preview", CONSENT_VERSION)
    shown: list[Shown] = []
    for name, batch in (
        (TELEMETRY, next_messages(reporter, now)),
        (ANALYTICS, sample(reporter, user, now) if user is not None else []),
    ):
        client = _silent(reporter.config, name, verdict, shown)
        for message in batch:
            sinks.deliver(client, message)
    return shown


def as_text(reporter: Reporter, layer: str, now: datetime) -> str:
    """Return the next messages as JSON Lines: sink and message."""
    return "\n".join(
        json.dumps({"sink": name, "message": message}, ensure_ascii=False)
        for name, message in preview(reporter, layer, now)
    )


def _silent(
    config: Mapping[str, Any], name: str, verdict: Verdict, shown: list[Shown]
) -> Posthog:
    """Return a client that keeps what would leave, and sends nothing."""

    def keep(message: dict[str, Any]) -> None:
        passed = gate.check(message, name, verdict)
        gate.note(passed.mistakes)
        if passed.message is not None:
            shown.append(Shown(name, passed.message))

    return sinks.client(
        sinks.sink(config, name) or NOWHERE,
        name,
        before_send=keep,
        on_error=lambda _error, _batch: None,
        send=False,
    )


def next_messages(reporter: Reporter, now: datetime) -> list[Message]:
    """Return what the installation would tell next: what is due, else the daily two."""
    with reporter.database.reading() as session:
        row = session.get(Installation, 1)
        if row is None:
            return []
        told = installation.facts(session, reporter.config, VERSION)
        due = daily.steps(row, told, now, reporter.started_at)
    found = [message for step in due for message in step.messages]
    return found or [messages.health(told, now), messages.heartbeat(told, now)]


def send_test(reporter: Reporter, now: datetime) -> Tried:
    """Tell both groups now: harmless to repeat, and counted nowhere.

    Raises Conflict where nothing may be sent.
    """
    at = sinks.sink(reporter.config, TELEMETRY)
    verdict = reporter.watch.look()
    if at is None:
        raise Conflict("There is nowhere to send to.", hint="Set ANALYTICS_HOST and _KEY.")
    if not verdict.covers("base"):
        raise Conflict(
            "Nothing may be sent at the moment.",
            hint=said("Decided by %(by)s.", by=verdict.by),
        )
    with reporter.database.reading() as session:
        told = installation.facts(session, reporter.config, VERSION)
    taken = [reporter.send(message) for message in messages.group_messages(told, now)]
    reporter.log.flush()
    return Tried(at.host, all(taken))


def forget_us(reporter: Reporter, name: str) -> dict[str, Any]:
    """Ask a sink to delete what it holds of this installation; return its receipt."""
    at = sinks.sink(reporter.config, name)
    if at is None:
        raise NotFound("There is no such sink.", hint="None is configured.")
    with reporter.database.reading() as session:
        row = session.get_one(Installation, 1)
        body = {
            "api_key": at.key,
            "distinct_id": installation.fingerprint(row),
            "proof": base64.b64encode(installation.proof(row)).decode(),
        }
    try:
        answer = requests.post(
            f"{at.host.rstrip('/')}/i/v0/forget",
            json=body,
            timeout=sinks.TIMEOUT_S,
            allow_redirects=False,
        )
        receipt = answer.json() if answer.status_code == requests.codes.ok else None
    except (requests.RequestException, ValueError) as error:
        raise Unreachable(
            said("%(host)s did not answer.", host=at.host), hint="Try again later."
        ) from error
    if not isinstance(receipt, dict):
        raise Unreachable(
            said(
                "%(host)s refused with status %(status_code)s.",
                host=at.host,
                status_code=answer.status_code,
            ),
            hint="Only a Hedgerow can be asked so; elsewhere, delete this person by its id.",
        )
    return receipt
