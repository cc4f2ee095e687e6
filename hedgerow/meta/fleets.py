"""The fleet's settings of a project, releases included (``fleet`` §1.1, §1.6)."""

from typing import Any

from sqlalchemy.orm import Session

from hedgerow.meta import audit, projects
from hedgerow.meta.audit import Actor


def save(session: Session, project_id: int, fleet: dict[str, Any], by: Actor) -> None:
    """Keep a project's settings, which somebody has checked. Raises NotFound."""
    row = projects.by_id(session, project_id)
    before, row.fleet = row.fleet, fleet
    audit.note(
        session,
        by,
        "changed",
        ("fleet", project_id),
        project_id=project_id,
        before=before,
        after=fleet,
    )
