"""The events database as data: every table, its columns, and what they mean.

Properties are kept as the JSON that came, once, in ``properties``; that column is the
truth. A property used often has columns of its own beside it (``HotColumn``): ``t_<n>``
holds exactly what ``properties ->> key`` would give, ``n_<n>`` the same as a double. They
are added in the transaction that first stores the key, so a hot column is complete from
its first row, and no figure can change because of where a property is read.

``person_key`` stands on every event and is rewritten when persons merge, in the same
transaction; every distinct id ever seen has a key, also where no person was made.

Engines differ in types: ``store`` translates ``Kind``.
"""

from typing import Literal

import msgspec

Kind = Literal["int", "long", "text", "uuid", "time", "bool", "json", "double"]

NUMBER = r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*"
"""Which texts read as a number (RE2, to be matched whole): what ``n_<n>`` holds, what a
number is anywhere. Not ``nan``, ``inf`` or ``1_000``, which DuckDB would take; and not what
is too large for a double."""


class Column(msgspec.Struct, frozen=True):
    """One column: name and kind. ``time`` is UTC without zone, in microseconds."""

    name: str
    kind: Kind


class Table(msgspec.Struct, frozen=True):
    """One table of the events database."""

    name: str
    columns: tuple[Column, ...]


def _table(name: str, /, **columns: Kind) -> Table:
    return Table(name, tuple(Column(column, kind) for column, kind in columns.items()))


EVENTS = _table(
    "events",
    project_id="int",
    uuid="uuid",
    event="text",
    distinct_id="text",
    timestamp="time",
    created_at="time",  # when it was received
    person_key="long",
    person_state="long",  # null: there was no person at that moment
    personless="bool",
    group_0="text",
    group_1="text",
    group_2="text",
    group_3="text",
    group_4="text",
    properties="json",
)
PERSONS = _table(
    "persons",
    project_id="int",
    person_key="long",
    uuid="uuid",
    created_at="time",
    is_identified="bool",
    state="long",
    properties="json",
)
DISTINCT_IDS = _table(
    "distinct_ids", project_id="int", distinct_id="text", person_key="long"
)
PERSON_STATES = _table(
    "person_states",  # property history: one row for each change
    id="long",
    project_id="int",
    person_key="long",
    at="time",
    event_uuid="uuid",
    properties="json",
)
GROUPS = _table(
    "groups",
    project_id="int",
    type="text",
    key="text",
    created_at="time",
    updated_at="time",
    properties="json",
)
GROUP_TYPES = _table("group_types", project_id="int", name="text", index="int")
COHORT_PEOPLE = _table(  # members of static cohorts
    "cohort_people", project_id="int", cohort_id="int", person_key="long"
)
MERGES = _table(
    "merges",
    project_id="int",
    at="time",
    kind="text",
    event_uuid="uuid",
    source_key="long",
    source_uuid="uuid",
    source_distinct_ids="json",
    target_key="long",
)
TOMBSTONES = _table(  # ids deleted: a late retry must not bring them back
    "tombstones",
    project_id="int",
    distinct_id="text",
    at="time",
    with_events="bool",  # false: late events are kept, without a person
)
PROPERTY_KINDS = _table(
    "property_kinds",
    project_id="int",
    scope="text",
    key="text",
    kind="text",
    first_seen="time",
)
EVENT_NAMES = _table(
    "event_names",
    project_id="int",
    event="text",
    first_seen="time",
    last_seen="time",
    volume="long",
)
HOT_COLUMNS = _table(
    "hot_columns", table_name="text", key="text", text_column="text", number_column="text"
)
WARNINGS = _table(
    "ingestion_warnings",
    project_id="int",
    type="text",
    details="text",
    event_uuid="uuid",
    distinct_id="text",
    at="time",
)
SET_ASIDE = _table(  # what could not be stored, with the reason, so that nothing is lost
    "set_aside", project_id="int", at="time", reason="text", body="text"
)
POSITION = _table("inbox_position", id="long")
FLEET_STRETCHES = _table(  # runs of days on which an installation said the same
    "fleet_stretches",
    project_id="int",
    person_key="long",
    first_day="long",  # local days since 1970-01-01, both ends in, each with a report
    last_day="long",
    beat="bool",  # false: installs and updates only
    id="text",
    environment="text",
    platform="text",
    platform_release="text",
    machine="text",
    python="text",
    deployment="text",
    auth="text",
    zone="text",
    size="text",
    public="text",
)
FLEET_CHANGES = _table(  # observations of a version other than the one before
    "fleet_changes",
    project_id="int",
    person_key="long",
    place="long",  # ascending for each installation
    at="long",  # microseconds since 1970
    day="long",
    step="long",  # 0: what an update came from, 1: what it led to, 2: any other report
    version="text",
)
FLEET_TOUCHED = _table(  # what has come since the two above were last brought up to date
    "fleet_touched", project_id="int", person_key="long", day="long"
)
FLEET_KEPT = _table(  # whose fleets are kept, and under which settings
    "fleet_kept", project_id="int", settings="text", events="json", whole="bool"
)

COMPACTED = _table(  # stretches of days whose events lie in order (store.compaction)
    "compacted",
    first="time",
    after="time",
    whole="bool",  # false: only up to the three below
    events="long",  # how many there were
    project_id="int",
    event="text",
    hour="time",
)

ALL = (
    EVENTS,
    PERSONS,
    DISTINCT_IDS,
    PERSON_STATES,
    GROUPS,
    GROUP_TYPES,
    COHORT_PEOPLE,
    MERGES,
    TOMBSTONES,
    PROPERTY_KINDS,
    EVENT_NAMES,
    HOT_COLUMNS,
    WARNINGS,
    SET_ASIDE,
    POSITION,
    FLEET_STRETCHES,
    FLEET_CHANGES,
    FLEET_TOUCHED,
    FLEET_KEPT,
    COMPACTED,
)
