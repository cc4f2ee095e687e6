"""Looking at what is due: ask, judge, keep. Nobody is told here (``alerts.telling``)."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import msgspec
from sqlalchemy.orm import Session

from hedgerow.errors import FleetNotConfigured, HedgerowError, NotFound
from hedgerow.insights import alert_rules
from hedgerow.insights.alert_rules import Rule, Verdict
from hedgerow.insights.fleet import ready_alerts
from hedgerow.insights.fleet.settings import settings_of
from hedgerow.meta import alerts, boards
from hedgerow.meta.alerts import Look
from hedgerow.meta.database import Metadata
from hedgerow.meta.tables_alerts import Alert
from hedgerow.model.projects import Project

LOG = logging.getLogger(__name__)


class Ask(Protocol):
    """Answers a question: query JSON in, the envelope with ``results`` out."""

    def __call__(self, project_id: int, query: Mapping[str, Any]) -> Mapping[str, Any]:
        """Raises HedgerowError."""
        ...


def look_at_due(
    metadata: Metadata,
    project_of: Callable[[int], Project | None],
    ask: Ask,
    now: datetime,
) -> int:
    """Look at every alert that is due, and return how many there were."""
    with metadata.reading() as session:
        rows = alerts.due(session, now)
    for row in rows:
        project = project_of(row.project_id)
        if project is None:
            continue
        with metadata.reading() as session:
            look = look_at(session, project, row, ask, now)
        with metadata.writing() as session:
            alerts.record(session, project, row, look, now)
    return len(rows)


def look_at(
    session: Session, project: Project, row: Alert, ask: Ask, now: datetime
) -> Look:
    """Return what looking at an alert comes to; what fails is a look, too."""
    try:
        verdict = (
            _fleet(project, row, ask, now)
            if row.fleet_rule
            else _insight(session, project, row, ask)
        )
    except FleetNotConfigured as error:
        return Look(state=alerts.QUIET, value=None, text=error.what)
    except HedgerowError as error:
        LOG.warning("Alert %d of project %d: %s", row.id, project.id, error)
        return Look(state=alerts.ERRORED, value=None, text=str(error))
    state = alerts.FIRING if verdict.firing else alerts.QUIET
    return Look(state=state, value=verdict.value, text=verdict.text)


def _insight(session: Session, project: Project, row: Alert, ask: Ask) -> Verdict:
    if row.insight_id is None:
        raise NotFound("This alert has no insight.", hint="Delete it.")
    insight = boards.insight(session, project.id, row.insight_id)
    rule = msgspec.convert(row.definition, Rule)
    query = alert_rules.question(insight.query, rule)
    return alert_rules.judged(query, rule, ask(project.id, query)["results"])


def _fleet(project: Project, row: Alert, ask: Ask, now: datetime) -> Verdict:
    ready = ready_alerts.READY.get(row.fleet_rule or "")
    if ready is None:
        raise NotFound(f"There is no rule {row.fleet_rule!r}.", hint="Delete this alert.")
    day = ready_alerts.settled(now, ZoneInfo(project.timezone))
    found = {
        figure: ask(project.id, query)["results"]
        for figure, query in ready_alerts.questions(ready, day).items()
    }
    return ready.judge(found, settings_of(project.fleet), day)
