"""One call of the API as its handler sees it: who asks, what for, by which rules.

A handler reads and changes through ``session`` and returns an ``Answer``. It does not
commit and tells nobody: what it put on ``told`` is reported after the transaction
committed, because an event about something rolled back would be a lie.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from flask import Response
from sqlalchemy.orm import Session

from app import audit
from app.api.shapes import Field, Shape
from app.audit import Actor, Object
from app.models import Database
from app.models.people import User
from app.people import roles
from app.settings import Settings
from app.tracking.entries import Act

SEEN_FOR = timedelta(minutes=10)
"""The same question of the same person is reported once in this time."""


class Upload(NamedTuple):
    """A file that was sent."""

    name: str
    content: bytes


@dataclass(kw_only=True)
class Call:
    """What a handler needs."""

    session: Session
    user: User
    now: datetime
    settings: Settings
    config: Mapping[str, Any]
    database: Database
    extensions: Mapping[str, Any]
    actor: Actor
    path: Mapping[str, int] = field(default_factory=dict)
    """Numbers in the address, by what they number."""
    words: Mapping[str, str] = field(default_factory=dict)
    """Words in the address."""
    query: Mapping[str, Any] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    upload: Upload | None = None
    if_match: int | None = None
    """The version of an entry that the caller knows."""
    address: str = ""
    """Where people reach this installation, without a slash at the end."""
    told: list[tuple[User, str, dict[str, Any]]] = field(default_factory=list)
    identified: list[User] = field(default_factory=list)
    """Whose role changed."""
    afterwards: list[Callable[[], None]] = field(default_factory=list)
    """What is to be done once the transaction has committed."""

    def tell(
        self,
        name: str,
        properties: Mapping[str, Any] | None = None,
        *,
        of: User | None = None,
    ) -> None:
        """Report an event once the transaction has committed; ``of`` is its subject."""
        self.told.append((of or self.user, name, dict(properties or {})))

    def note(
        self,
        action: str,
        on: Object,
        changes: Mapping[str, tuple[Any, Any]] | None = None,
    ) -> None:
        """Add a line to the audit trail."""
        audit.record(self.session, self.actor, action, self.now, on=on, changes=changes)

    def act(self, *, unlock_reason: str = "") -> Act:
        """Return who acts by which rules, as ``tracking`` wants it."""
        return Act(
            user=self.user,
            now=self.now,
            settings=self.settings,
            unlock_reason=unlock_reason,
            source="api",
        )

    def first_of(self, mark: tuple[str, str]) -> bool:
        """Return whether this person's mark is new within ten minutes, and keep it."""
        seen: dict[tuple[int, str, str], datetime] = self.extensions["api_seen"]
        key = (self.user.id, *mark)
        for old in [one for one, at in seen.items() if self.now - at >= SEEN_FOR]:
            del seen[old]
        is_new = key not in seen
        seen.setdefault(key, self.now)
        return is_new

    def may(self, act: roles.Act) -> bool:
        """Return whether the owner of the token may do this."""
        return roles.may(self.user, act, self.settings)


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What a handler answers."""

    body: Any = None
    """JSON; None with status 204."""
    status: int | None = None
    """None takes the one of the table."""
    headers: Mapping[str, str] = field(default_factory=dict)
    stream: Response | None = None
    """A file that is produced while it is sent, instead of ``body``."""


Handler = Callable[[Call], Answer]


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """A row of the table."""

    method: str
    path: str
    """Below ``/api/v1``; ``{entry}`` is the word of an entry."""
    does: Handler
    scope: str
    act: roles.Act | None = None
    """What the owner's role must reach, besides what the handler asks."""
    body: Shape | None = None
    query: Mapping[str, Field] = field(default_factory=dict)
    answer: Shape | None = None
    status: int = 200
    listing: bool = False
    """The answer is a page: ``{"results": […], "next": …}``."""
    asks: bool = False
    """A POST that changes nothing."""
    switch: str = ""
    """A variable that takes the route away with 403."""
    also: tuple[int, ...] = ()
    """Further statuses it can answer with."""
    media: tuple[str, ...] = ()
    """Of an answer that is a file."""
    takes_file: bool = False
    secret: bool = False
    """The answer shows something once, so it is not kept for a repeated request."""
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """What a word in the address may be."""
    empty: bool = False
    """It can answer 204: there is nothing."""

    @property
    def name(self) -> str:
        """Its name in code and in the document."""
        return self.does.__name__

    @property
    def writes(self) -> bool:
        """Whether it changes something."""
        return self.method != "GET" and not self.asks
