"""Projects: made, changed, deleted, and found by token without asking the disk.

Every captured event asks which project its token belongs to, so ``Directory`` keeps all
projects in memory. A change made in this process is there at once; one made beside it,
by the command line, within ``FRESH_S`` seconds.
"""

import re
import threading
import time
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Literal
from zoneinfo import available_timezones

import msgspec
from msgspec import UNSET, UnsetType
from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from hedgerow.errors import InvalidInput, NotFound
from hedgerow.meta import credentials
from hedgerow.meta.database import Metadata
from hedgerow.meta.tables import Membership, ProjectRow
from hedgerow.model.projects import Project

FRESH_S = 5.0
"""Seconds after which the directory looks at the disk again."""

NAME_MAX = 200

PrivacyAction = Literal["drop", "hash", "shorten"]


class PathCleaning(msgspec.Struct, forbid_unknown_fields=True):
    """One rule that makes many paths one: what ``regex`` matches becomes ``alias``."""

    regex: str
    alias: str


class PrivacyRule(msgspec.Struct, forbid_unknown_fields=True, omit_defaults=True):
    """What becomes of one property before anything is kept (``ingest.privacy``)."""

    property: str
    action: PrivacyAction
    length: int | None = None
    """Characters that ``shorten`` leaves; null: 1."""


class ProjectFields(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What may be said about a project: all of it in a creation, some in a change."""

    name: str | UnsetType | None = UNSET
    """1 to 200 characters; need not be unique."""

    timezone: str | UnsetType | None = UNSET
    """An IANA name, such as ``Europe/Berlin``."""

    week_start_day: int | UnsetType | None = UNSET
    """0 Sunday, 1 Monday."""

    test_account_filters: list[dict[str, Any]] | UnsetType | None = UNSET
    """Property filters that leave out internal users."""

    path_cleaning_filters: list[PathCleaning] | UnsetType | None = UNSET
    """Rules applied to paths, in order."""

    union_properties: dict[str, list[str]] | UnsetType | None = UNSET
    """Group type to the names of its list-valued properties that unite."""

    person_display_properties: list[str] | UnsetType | None = UNSET
    """Which properties a person is shown by, first that is there."""

    retention_days: int | UnsetType | None = UNSET
    """Days events are kept; null: for ever."""

    anonymize_ips: bool | UnsetType | None = UNSET
    """Whether addresses are dropped before anything is kept."""

    privacy_rules: list[PrivacyRule] | UnsetType | None = UNSET
    """Properties that are dropped, hashed or shortened before anything is kept."""


CLEARABLE = frozenset({"retention_days"})
"""Fields whose ``null`` means something in a change."""


class Directory:
    """All projects in memory, by token and by number; safe to use from several threads."""

    def __init__(self, metadata: Metadata) -> None:
        self._metadata = metadata
        self._lock = threading.Lock()
        self._by_token: dict[str, Project] = {}
        self._by_id: dict[int, Project] = {}
        self._read_at = -FRESH_S
        self.refresh()

    def project_of_token(self, token: str) -> Project | None:
        """Return the project that ``token`` lets events into."""
        self._keep_fresh()
        return self._by_token.get(token)

    def project_of_id(self, project_id: int) -> Project | None:
        """Return a project by its number; None: there is none, or no longer."""
        self._keep_fresh()
        return self._by_id.get(project_id)

    def all(self) -> list[Project]:
        """Return every project, oldest first."""
        self._keep_fresh()
        return list(self._by_id.values())

    def refresh(self) -> None:
        """Read all projects again: to be called after a change."""
        with self._lock:
            with self._metadata.reading() as session:
                found = [plain(row) for row in _rows(session)]
            self._by_token = {one.api_token: one for one in found}
            self._by_id = {one.id: one for one in found}
            self._read_at = time.monotonic()

    def _keep_fresh(self) -> None:
        if time.monotonic() - self._read_at > FRESH_S:
            self.refresh()


def plain(row: ProjectRow) -> Project:
    """Return a row as the noun the rest of the house knows."""
    return msgspec.convert(row, Project, from_attributes=True)


def create(session: Session, fields: ProjectFields, now: datetime) -> ProjectRow:
    """Make a project with a token of its own. Raises InvalidInput."""
    values = _checked(fields)
    if not values.get("name"):
        raise InvalidInput(
            "A project needs a name.", hint="Give one in 'name'.", attr="name"
        )
    row = ProjectRow(
        **{name: value for name, value in values.items() if value is not None},
        api_token=credentials.project_token(),
        created_at=now,
    )
    session.add(row)
    session.flush()
    return row


def change(session: Session, project_id: int, fields: ProjectFields) -> ProjectRow:
    """Change what is given and leave the rest. Raises InvalidInput, NotFound."""
    row = by_id(session, project_id)
    for name, value in _checked(fields).items():
        if value is None and name not in CLEARABLE:
            raise InvalidInput(
                f"{name!r} cannot be null.",
                hint="Leave it out to keep it as it is.",
                attr=name,
            )
        setattr(row, name, value)
    return row


def rotate_token(session: Session, project_id: int) -> ProjectRow:
    """Give a project a new token; from now on the old one lets nothing in."""
    row = by_id(session, project_id)
    row.api_token = credentials.project_token()
    return row


def remove(session: Session, project_id: int) -> None:
    """Delete a project and everything people saved in it. Its events are the store's."""
    by_id(session, project_id)
    session.execute(delete(ProjectRow).where(ProjectRow.id == project_id))


def by_id(session: Session, project_id: int) -> ProjectRow:
    """Return a project's row, or raise NotFound."""
    row = session.get(ProjectRow, project_id)
    if row is None:
        raise NotFound(
            f"There is no project {project_id}.", hint="GET /api/projects lists them."
        )
    return row


def of_user(session: Session, user_id: int, *, is_admin: bool) -> Sequence[ProjectRow]:
    """Return the projects somebody reaches, oldest first; an administrator reaches all."""
    if is_admin:
        return _rows(session)
    return session.scalars(
        select(ProjectRow)
        .join(Membership, Membership.project_id == ProjectRow.id)
        .where(Membership.user_id == user_id)
        .order_by(ProjectRow.id)
    ).all()


def _rows(session: Session) -> Sequence[ProjectRow]:
    return session.scalars(select(ProjectRow).order_by(ProjectRow.id)).all()


def _checked(fields: ProjectFields) -> dict[str, Any]:
    given = {name: getattr(fields, name) for name in ProjectFields.__struct_fields__}
    values = {name: value for name, value in given.items() if value is not UNSET}
    name = values.get("name")
    if name is not None and not 1 <= len(name.strip()) <= NAME_MAX:
        raise InvalidInput(
            f"The name {name[:40]!r} has {len(name)} characters.",
            hint=f"Use 1 to {NAME_MAX}, not only blanks.",
            attr="name",
        )
    zone = values.get("timezone")
    if zone is not None and zone not in available_timezones():
        raise InvalidInput(
            f"There is no time zone {zone!r}.",
            hint="Use an IANA name such as 'Europe/Berlin'.",
            attr="timezone",
        )
    if values.get("week_start_day", 0) not in {0, 1, None}:
        raise InvalidInput(
            f"week_start_day is {values['week_start_day']}.",
            hint="Use 0 for Sunday or 1 for Monday.",
            attr="week_start_day",
        )
    days = values.get("retention_days")
    if days is not None and days < 1:
        raise InvalidInput(
            f"retention_days is {days}.",
            hint="Use at least 1, or null to keep events for ever.",
            attr="retention_days",
        )
    if values.get("path_cleaning_filters"):
        values["path_cleaning_filters"] = _rules(values["path_cleaning_filters"])
    if values.get("privacy_rules"):
        values["privacy_rules"] = _privacy(values["privacy_rules"])
    return values


def _privacy(rules: list[PrivacyRule]) -> list[dict[str, Any]]:
    """Return rules as they are stored: one a property, each with what it needs."""
    kept: dict[str, dict[str, Any]] = {}
    for place, rule in enumerate(rules):
        where = f"privacy_rules[{place}]"
        if not rule.property.strip():
            raise InvalidInput(
                "A privacy rule names no property.",
                hint="Give the name of the property it holds for.",
                attr=f"{where}.property",
            )
        if rule.property in kept:
            raise InvalidInput(
                f"There are two privacy rules for {rule.property!r}.",
                hint="Keep the one that should hold.",
                attr=f"{where}.property",
            )
        if rule.length is not None and (rule.action != "shorten" or rule.length < 1):
            raise InvalidInput(
                f"The rule for {rule.property!r} has the length {rule.length}.",
                hint="Only 'shorten' takes a length, of at least 1.",
                attr=f"{where}.length",
            )
        row: dict[str, Any] = {"property": rule.property, "action": rule.action}
        kept[rule.property] = row | ({"length": rule.length} if rule.length else {})
    return list(kept.values())


def _rules(rules: list[PathCleaning]) -> list[dict[str, str]]:
    for place, rule in enumerate(rules):
        try:
            re.compile(rule.regex)
        except re.error as error:
            raise InvalidInput(
                f"The expression {rule.regex!r} cannot be read: {error}.",
                hint="Write a regular expression, such as '/user/[0-9]+'.",
                attr=f"path_cleaning_filters[{place}].regex",
            ) from error
    return [{"regex": rule.regex, "alias": rule.alias} for rule in rules]
