"""``HogQLQuery`` as it is written (``insights-retention-cohorts`` §5)."""

from typing import Any

import msgspec

from hedgerow.query.definitions_filters import Where
from hedgerow.query.definitions_nodes import Dates, Question


class SqlFilters(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What ``{filters}`` stands for."""

    date_range: Dates | None = msgspec.field(default=None, name="dateRange")
    properties: Where = None
    filter_test_accounts: bool | None = msgspec.field(
        default=False, name="filterTestAccounts"
    )


class HogQLQuery(Question, frozen=True, kw_only=True, tag_field="kind", tag="HogQLQuery"):
    """A SELECT typed by a person."""

    query: str
    filters: SqlFilters | None = None
    values: dict[str, Any] | None = None
    """What ``{name}`` stands for; bound, never pasted."""

    variables: dict[str, Any] | None = None
    limit: int | None = None
    offset: int | None = None
    name: str | None = None
    """Display only."""

    explain: bool | None = None
    """No effect."""
