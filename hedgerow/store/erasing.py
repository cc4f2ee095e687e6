"""Rows that move or vanish: merges, splits, deletions of people and of projects."""

# ruff: noqa: S608 - names of our own tables and whole numbers; values are parameters

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from hedgerow.model.changes import CohortPerson, Erase
from hedgerow.model.tables import (
    ALL,
    COHORT_PEOPLE,
    DISTINCT_IDS,
    EVENT_NAMES,
    EVENTS,
    MERGES,
    PERSON_STATES,
    PERSONS,
    WARNINGS,
)

Run = Callable[[str, Mapping[str, Any]], list[tuple[Any, ...]]]
"""Executes a statement with its values in the writer's transaction."""


def move(run: Run, moved: Mapping[int, int]) -> None:
    """Hand what is stored under one key to another."""
    values = {"s": list(moved), "t": list(moved.values())}
    pairs = "(SELECT unnest($s::BIGINT[]) AS source, unnest($t::BIGINT[]) AS target)"
    for table in (EVENTS, PERSON_STATES, COHORT_PEOPLE):
        run(
            f"UPDATE {table.name} SET person_key = target FROM {pairs} "
            "WHERE person_key = source",
            values,
        )


def move_id(run: Run, project_id: int, distinct_id: str, key: int) -> None:
    """Hand the stored events of one distinct id to another key."""
    run(
        f"UPDATE {EVENTS.name} SET person_key = $k "
        "WHERE project_id = $p AND distinct_id = $i",
        {"p": project_id, "i": distinct_id, "k": key},
    )


def person(run: Run, one: Erase) -> None:
    """Forget somebody: the person and its history, and where asked the events and ids."""
    values = {"k": one.person_key, "p": one.project_id}
    if one.with_events:
        run(
            f"DELETE FROM {WARNINGS.name} WHERE project_id = $p AND distinct_id IN "
            f"(SELECT distinct_id FROM {DISTINCT_IDS.name} WHERE person_key = $k)",
            values,
        )
        for table in (EVENTS, DISTINCT_IDS):
            run(f"DELETE FROM {table.name} WHERE person_key = $k", {"k": one.person_key})
        recount(run, one.project_id)
    for table in (PERSONS, PERSON_STATES, COHORT_PEOPLE):
        run(f"DELETE FROM {table.name} WHERE person_key = $k", {"k": one.person_key})
    run(
        f"DELETE FROM {MERGES.name} WHERE source_key = $k OR target_key = $k",
        {"k": one.person_key},
    )


def before(run: Run, project_id: int, moment: datetime) -> None:
    """Delete a project's events that happened before a moment, UTC."""
    run(
        f"DELETE FROM {EVENTS.name} WHERE project_id = $p AND timestamp < $t",
        {"p": project_id, "t": moment.replace(tzinfo=None)},
    )
    recount(run, project_id)


def recount(run: Run, project_id: int) -> None:
    """Count a project's events by name anew."""
    values = {"p": project_id}
    run(f"DELETE FROM {EVENT_NAMES.name} WHERE project_id = $p", values)
    run(
        f"INSERT INTO {EVENT_NAMES.name} SELECT project_id, event, min(timestamp), "
        f"max(timestamp), count(*) FROM {EVENTS.name} WHERE project_id = $p GROUP BY ALL",
        values,
    )


def cohort(run: Run, project_id: int, cohort_id: int) -> None:
    """Let all members of a static cohort leave."""
    run(
        f"DELETE FROM {COHORT_PEOPLE.name} WHERE project_id = $p AND cohort_id = $c",
        {"p": project_id, "c": cohort_id},
    )


def cohort_person(run: Run, one: CohortPerson) -> None:
    """Let one person leave a static cohort, also before joining it (again)."""
    run(
        f"DELETE FROM {COHORT_PEOPLE.name} WHERE project_id = $p AND cohort_id = $c "
        "AND person_key = $k",
        {"p": one.project_id, "c": one.cohort_id, "k": one.person_key},
    )


def project(run: Run, project_id: int) -> None:
    """Delete everything of a project."""
    for table in ALL:
        if any(column.name == "project_id" for column in table.columns):
            run(f"DELETE FROM {table.name} WHERE project_id = $p", {"p": project_id})
