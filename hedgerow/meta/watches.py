"""Notes at moments (annotations), and saved experiments: things people watch over time."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from hedgerow.errors import NotFound
from hedgerow.meta.tables import Annotation, Experiment


def annotations(
    session: Session, project_id: int, *, limit: int = 100, offset: int = 0
) -> tuple[Sequence[Annotation], int]:
    """Return notes, latest moment first, and how many there are in all."""
    wanted = select(Annotation).where(Annotation.project_id == project_id)
    total = session.scalar(select(func.count()).select_from(wanted.subquery())) or 0
    latest = wanted.order_by(Annotation.date_marker.desc(), Annotation.id.desc())
    return session.scalars(latest.limit(limit).offset(offset)).all(), total


def annotation(session: Session, project_id: int, annotation_id: int) -> Annotation:
    """Return one note. Raises NotFound."""
    row = session.get(Annotation, annotation_id)
    if row is None or row.project_id != project_id:
        raise NotFound(
            f"There is no annotation {annotation_id} in this project.",
            hint="It may have been deleted.",
        )
    return row


def annotate(
    session: Session,
    project_id: int,
    content: str,
    date_marker: datetime,
    *,
    now: datetime,
    places: Mapping[str, int | None] | None = None,
    created_by: int | None = None,
) -> Annotation:
    """Add a note. ``places``: ``dashboard_id`` and ``insight_id``; none: everywhere."""
    row = Annotation(
        project_id=project_id,
        content=content,
        date_marker=date_marker,
        created_by=created_by,
        created_at=now,
        updated_at=now,
        **(places or {}),
    )
    session.add(row)
    session.flush()
    return row


def experiments(
    session: Session, project_id: int, *, limit: int = 100, offset: int = 0
) -> tuple[Sequence[Experiment], int]:
    """Return saved experiments, newest first, and how many there are in all."""
    wanted = select(Experiment).where(
        Experiment.project_id == project_id, ~Experiment.deleted
    )
    total = session.scalar(select(func.count()).select_from(wanted.subquery())) or 0
    newest = wanted.order_by(Experiment.id.desc()).limit(limit).offset(offset)
    return session.scalars(newest).all(), total


def experiment(session: Session, project_id: int, experiment_id: int) -> Experiment:
    """Return one experiment. Raises NotFound."""
    row = session.get(Experiment, experiment_id)
    if row is None or row.project_id != project_id or row.deleted:
        raise NotFound(
            f"There is no experiment {experiment_id} in this project.",
            hint="It may have been deleted.",
        )
    return row


def create_experiment(
    session: Session,
    project_id: int,
    name: str,
    definition: dict[str, Any],
    *,
    now: datetime,
    description: str = "",
    created_by: int | None = None,
) -> Experiment:
    """Save an experiment. The edge has checked its definition."""
    row = Experiment(
        project_id=project_id,
        name=name,
        description=description,
        definition=definition,
        created_by=created_by,
        created_at=now,
        updated_at=now,
    )
    session.add(row)
    session.flush()
    return row
