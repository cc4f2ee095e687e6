"""Experiments: saved definitions, their results, and statistics of figures sent along."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from hedgerow.api.callers import Caller
from hedgerow.api.endpoints import Listing, Page, listing
from hedgerow.api.people import context_of
from hedgerow.api.requests import converted
from hedgerow.errors import InvalidInput, InvalidQuery
from hedgerow.insights.experiments.analysis import Figures, without_nulls
from hedgerow.insights.experiments.analysis import analyze as judged
from hedgerow.insights.experiments.definition import Experiment as Definition
from hedgerow.insights.experiments.definition import setting
from hedgerow.meta import audit, watches
from hedgerow.meta.tables import Experiment
from hedgerow.model.projects import QueryContext
from hedgerow.query.group_names import numbered

OURS = frozenset({"name", "description", "archived"})
"""Fields that are about the saved object; all others are its definition."""

NAME_MAX = 400
ANY_METRIC = {"metric_type": "mean", "source": {"kind": "EventsNode"}}
"""Stands for a metric where only the rest is looked at."""


class ExperimentAnswer(msgspec.Struct, kw_only=True):
    """An experiment as it is shown: ``definition`` holds the fields of §8.1."""

    id: int
    name: str
    description: str
    archived: bool
    definition: dict[str, Any]
    created_by: int | None
    created_at: datetime
    updated_at: datetime


def analyze(_caller: Caller, body: dict[str, Any], _params: None) -> Mapping[str, Any]:
    """Judge figures of an experiment that somebody computed; keeps nothing."""
    converted(without_nulls(body), Figures)  # a refusal names the field
    return judged(body)


def list_experiments(caller: Caller, _body: None, page: Page) -> Listing:
    """List saved experiments, newest first."""
    with caller.parts.metadata.reading() as session:
        rows, total = watches.experiments(
            session, caller.project.id, limit=page.limit, offset=page.offset
        )
    return listing(caller.url, page, [_shown(row) for row in rows], total=total)


def create_experiment(
    caller: Caller, body: dict[str, Any], _params: None
) -> ExperimentAnswer:
    """Save an experiment; takes its name and the fields of its definition."""
    name, description = _named(body.get("name")), str(body.get("description") or "")
    definition = {key: value for key, value in body.items() if key not in OURS}
    _check(caller, definition)
    with caller.parts.metadata.writing() as session:
        row = watches.create_experiment(
            session,
            caller.project.id,
            name,
            definition,
            now=caller.now,
            description=description,
            created_by=caller.user.id,
        )
        audit.note(
            session,
            caller.actor,
            "created",
            ("experiment", row.id),
            project_id=caller.project.id,
            after={"name": name, "definition": definition},
        )
    return _shown(row)


def read_experiment(
    caller: Caller, _body: None, _params: None, *, experiment_id: int
) -> ExperimentAnswer:
    """Show a saved experiment."""
    with caller.parts.metadata.reading() as session:
        return _shown(watches.experiment(session, caller.project.id, experiment_id))


def change_experiment(
    caller: Caller, body: dict[str, Any], _params: None, *, experiment_id: int
) -> ExperimentAnswer:
    """Change what is given and leave the rest."""
    with caller.parts.metadata.reading() as session:
        kept = watches.experiment(session, caller.project.id, experiment_id).definition
    changed = {key: value for key, value in body.items() if key not in OURS}
    _check(caller, {**kept, **changed})
    with caller.parts.metadata.writing() as session:
        row = watches.experiment(session, caller.project.id, experiment_id)
        before = {"name": row.name, "definition": row.definition}
        row.definition = {**row.definition, **changed}
        if "name" in body:
            row.name = _named(body["name"])
        if "description" in body:
            row.description = str(body["description"] or "")
        if "archived" in body:
            row.archived = converted(body["archived"], bool)
        row.updated_at = caller.now
        audit.note(
            session,
            caller.actor,
            "changed",
            ("experiment", row.id),
            project_id=caller.project.id,
            before=before,
            after={"name": row.name, "definition": row.definition},
        )
    return _shown(row)


def delete_experiment(
    caller: Caller, _body: None, _params: None, *, experiment_id: int
) -> None:
    """Delete a saved experiment; the events it looked at stay."""
    with caller.parts.metadata.writing() as session:
        row = watches.experiment(session, caller.project.id, experiment_id)
        row.deleted = True
        audit.note(
            session,
            caller.actor,
            "deleted",
            ("experiment", row.id),
            project_id=caller.project.id,
            before={"name": row.name},
        )


def results(
    caller: Caller, _body: None, _params: None, *, experiment_id: int
) -> Mapping[str, Any]:
    """Answer every metric of a saved experiment."""
    with caller.parts.metadata.reading() as session:
        row = watches.experiment(session, caller.project.id, experiment_id)
    told: dict[str, Any] = {}
    for name in ("metrics", "metrics_secondary"):
        told[name] = [
            _answered(caller, row, metric) for metric in row.definition.get(name) or []
        ]
    return {"id": row.id, "name": row.name, **told}


def _answered(
    caller: Caller, row: Experiment, metric: Mapping[str, Any]
) -> Mapping[str, Any]:
    query = {
        "kind": "ExperimentQuery",
        "experiment": row.definition,
        "metric": metric,
    }
    answer = caller.parts.ask(caller.project.id, query, cancel=caller.cancel)
    return {"metric": metric, "results": answer["results"]}


def _named(name: Any) -> str:
    if not isinstance(name, str) or not 1 <= len(name.strip()) <= NAME_MAX:
        raise InvalidInput(
            f"The name is {str(name)[:40]!r}.",
            hint=f"Use 1 to {NAME_MAX} characters.",
            attr="name",
        )
    return name.strip()


def _check(caller: Caller, definition: dict[str, Any]) -> None:
    """Refuse a definition that could not be asked, naming the field."""
    given = without_nulls(numbered(definition, None))
    converted(given, Definition).baseline_key()
    context = context_of(caller)
    _check_metric(given, ANY_METRIC, context, "metrics")
    for name in ("metrics", "metrics_secondary"):
        for place, metric in enumerate(
            converted(given.get(name, []), list[dict[str, Any]])
        ):
            _check_metric(given, metric, context, f"{name}[{place}]")


def _check_metric(
    given: dict[str, Any], metric: dict[str, Any], context: QueryContext, path: str
) -> None:
    try:
        setting(given, metric, context)
    except InvalidQuery as refused:
        attr = refused.attr or "metric"
        own = attr.startswith("metric")
        refused.attr = (
            path + attr.removeprefix("metric") if own else attr.removeprefix("experiment.")
        )
        raise


def _shown(row: Experiment) -> ExperimentAnswer:
    names = ExperimentAnswer.__struct_fields__
    return ExperimentAnswer(**{name: getattr(row, name) for name in names})
