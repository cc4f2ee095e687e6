"""What a question needs to know besides the data, gathered from both databases.

API and screens ask here, so that they can never disagree about a property's kind or a
cohort's criteria.
"""

from datetime import datetime

from sqlalchemy.orm import Session

from hedgerow.meta import catalog, cohorts
from hedgerow.model.ports import Reader
from hedgerow.model.projects import Project, QueryContext


def context_of(
    session: Session, reader: Reader, project: Project, now: datetime
) -> QueryContext:
    """Return the context of a question asked of ``project`` at ``now`` (UTC)."""
    return QueryContext(
        project=project,
        now=now,
        kinds=catalog.kinds(session, project.id, reader.kinds(project.id)),
        columns=reader.columns(),
        group_types=reader.group_types(project.id),
        cohorts=cohorts.of_project(session, project.id),
        first_event_at=reader.first_event_at(project.id),
    )
