"""A project, and all a question needs to know besides the data."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec

from hedgerow.model.people import GroupType

PropertyKind = Literal["String", "Numeric", "Boolean", "DateTime"]
"""How a property is compared (``insights-trends`` §5.2)."""

Engine = Literal["duckdb", "clickhouse"]
"""For which engine statements are written (``query.dialects``)."""

Scope = str
"""Whose property: ``event``, ``person``, or ``group:<type name>``."""


class Project(msgspec.Struct, frozen=True, kw_only=True):
    """One body of data, asked about in one time zone."""

    id: int
    name: str
    api_token: str
    timezone: str = "UTC"
    """An IANA name, such as ``Europe/Berlin``."""

    week_start_day: Literal[0, 1] = 0
    """0 Sunday, 1 Monday."""

    test_account_filters: list[dict[str, Any]] = msgspec.field(default_factory=list)
    path_cleaning_filters: list[dict[str, Any]] = msgspec.field(default_factory=list)
    union_properties: dict[str, list[str]] = msgspec.field(default_factory=dict)
    """Group type to the names of its list-valued properties that unite instead of replace."""

    person_display_properties: list[str] = msgspec.field(default_factory=list)
    retention_days: int | None = None
    anonymize_ips: bool = False
    privacy_rules: list[dict[str, Any]] = msgspec.field(default_factory=list)
    fleet: dict[str, Any] = msgspec.field(default_factory=dict)
    """Settings of the fleet figures (fleet §1.1); empty: the defaults."""


class HotColumn(msgspec.Struct, frozen=True, kw_only=True):
    """Where a property has columns of its own beside the JSON: see ``model.tables``."""

    text: str
    """Column with the value as text: equal to ``properties ->> key`` on every row."""

    number: str | None = None
    """Column with the value as a double where it reads as a number, else NULL."""


class Cohort(msgspec.Struct, frozen=True, kw_only=True):
    """A named set of persons."""

    id: int
    name: str
    is_static: bool = False
    filters: dict[str, Any] = msgspec.field(default_factory=dict)
    """``{"properties": {"type": "AND"|"OR", "values": […]}}``; empty for static ones."""


class QueryContext(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a question needs to know besides the data: the edge loads it once."""

    project: Project
    now: datetime
    """UTC. Relative dates are resolved from here, in the project's zone."""

    kinds: Mapping[tuple[Scope, str], PropertyKind] = msgspec.field(default_factory=dict)
    columns: Mapping[tuple[str, str], HotColumn] = msgspec.field(default_factory=dict)
    """(table, property) to its own columns; table is events, persons or groups."""

    group_types: tuple[GroupType, ...] = ()
    cohorts: Mapping[int, Cohort] = msgspec.field(default_factory=dict)
    versions: Mapping[tuple[str, str], tuple[str, ...]] = msgspec.field(
        default_factory=dict
    )
    """(scope, property) to all its texts, where a filter compares versions."""

    installations: Mapping[str, tuple[int, ...]] = msgspec.field(default_factory=dict)
    """Criterion to the keys of those who meet it, where a cohort has one on the fleet."""

    spellings: Mapping[str, int] = msgspec.field(default_factory=dict)
    """Every version text of the fleet, with how often it was said where that decides how a
    version is spelled; else 0."""

    first_event_at: datetime | None = None
    """UTC, of whatever event; None: the project has none."""

    engine: Engine = "duckdb"
