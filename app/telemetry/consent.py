"""Which layer is in force, and why.

The strongest of five rules wins; the page "Privacy & analytics" names it:

1. ``DO_NOT_TRACK`` or ``CONSOLE_DO_NOT_TRACK`` → off
2. ``ENABLE_TELEMETRY=false`` (also demo mode, and a read-only installation) → off
3. ``TELEMETRY_MAX_LEVEL`` is never exceeded
4. what an administrator chose
5. ``TELEMETRY_DEFAULT_LEVEL``, for installations set up without a browser

Every answer is a row that stays. Before the first one nothing is sent at all.
"""

import threading
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.errors import InvalidInput, said
from app.models.database import Database
from app.models.records import Consent
from app.telemetry.blocks import LAYERS
from app.telemetry.catalog import CONSENT_VERSION

FRESH_S = 1.0
"""For how long ``Watch`` trusts what it read: the gate itself always reads again."""


class Answer(NamedTuple):
    """The newest stored answer."""

    layer: str
    version: int
    reason: str


class Verdict(NamedTuple):
    """What may be sent now."""

    layer: str
    """``off``, ``base`` or ``detailed``."""

    by: str
    """The rule in force: a variable's name, ``choice``, or ``unasked``."""

    version: int
    """``CONSENT_VERSION`` the answer was given for; newer properties are left out."""

    def covers(self, layer: str) -> bool:
        """Whether messages of ``layer`` may be sent."""
        return LAYERS.index(self.layer) >= LAYERS.index(layer)


def verdict(config: Mapping[str, Any], answer: Answer | None) -> Verdict:
    """Return the layer in force and the rule that decided."""
    for name, stops in (
        ("DO_NOT_TRACK", config["DO_NOT_TRACK"]),
        ("CONSOLE_DO_NOT_TRACK", config["CONSOLE_DO_NOT_TRACK"]),
        ("ENABLE_TELEMETRY", not config["ENABLE_TELEMETRY"]),
        ("DEMO_MODE", config["DEMO_MODE"]),
        ("READ_ONLY", config["READ_ONLY"]),
    ):
        if stops:
            return Verdict("off", name, 0)
    chosen = _chosen(config, answer)
    most = config["TELEMETRY_MAX_LEVEL"]
    if LAYERS.index(chosen.layer) > LAYERS.index(most):
        return Verdict(most, "TELEMETRY_MAX_LEVEL", chosen.version)
    return chosen


def _chosen(config: Mapping[str, Any], answer: Answer | None) -> Verdict:
    """Return what an administrator said, else what the configuration says."""
    default = config["TELEMETRY_DEFAULT_LEVEL"]
    if answer is not None and answer.reason != "configuration":
        return Verdict(answer.layer, "choice", answer.version)
    if default != "off":
        version = answer.version if answer and answer.layer == default else CONSENT_VERSION
        return Verdict(default, "TELEMETRY_DEFAULT_LEVEL", version)
    return Verdict("off", "unasked", 0)


def newest(session: Session) -> Answer | None:
    """Return the answer in the database, or None where nobody was asked."""
    row = session.execute(
        select(Consent.layer, Consent.version, Consent.reason)
        .order_by(Consent.id.desc())
        .limit(1)
    ).first()
    return Answer(*row) if row else None


def history(session: Session) -> list[Consent]:
    """Return all answers, the newest first."""
    return list(session.scalars(select(Consent).order_by(Consent.id.desc())))


def choose(
    session: Session, layer: str, *, reason: str, at: datetime, user_id: int | None = None
) -> None:
    """Keep an answer; ``reason`` is ``wizard``, ``admin`` or ``configuration``."""
    if layer not in LAYERS:
        raise InvalidInput(
            said("%(layer)r is no layer.", layer=layer),
            hint=said("Choose one of %(layers)s.", layers=", ".join(LAYERS)),
            attr="layer",
        )
    session.add(
        Consent(at=at, user_id=user_id, layer=layer, version=CONSENT_VERSION, reason=reason)
    )


def note_configuration(session: Session, config: Mapping[str, Any], at: datetime) -> None:
    """Record consent given by ``TELEMETRY_DEFAULT_LEVEL``, once for each value it takes."""
    answer, default = newest(session), config["TELEMETRY_DEFAULT_LEVEL"]
    if answer is None and default == "off":
        return  # nobody was asked and nothing was granted
    if answer is None or (answer.reason == "configuration" and answer.layer != default):
        choose(session, default, reason="configuration", at=at)


class Watch:
    """The verdict at hand: read anew each second, at once after ``forget``."""

    def __init__(self, config: Mapping[str, Any], database: Database) -> None:
        self._config, self._database = config, database
        self._lock = threading.Lock()
        self._answer: Answer | None = None
        self._until = 0.0

    def glance(self) -> Verdict:
        """Return the verdict, with an answer that may be a second old."""
        quick = verdict(self._config, self._answer)
        if quick.by not in {"choice", "unasked", "TELEMETRY_DEFAULT_LEVEL"} and (
            quick.layer == "off"
        ):
            return quick  # a switch of the environment needs no database
        if time.monotonic() >= self._until:
            return self.look()
        return quick

    def look(self) -> Verdict:
        """Return the verdict of this very moment."""
        with self._database.reading() as session:
            answer = newest(session)
        with self._lock:
            self._answer, self._until = answer, time.monotonic() + FRESH_S
        return verdict(self._config, answer)

    def forget(self) -> None:
        """Read again at the next question."""
        self._until = 0.0
