"""Experiments: variants compared by what persons did after they saw one.

A variant is a property of events, as the founding guide has it. The result says in a
sentence what may be concluded, and above all what may not.
"""

from datetime import datetime
from typing import Any

from starlette.responses import Response

from hedgerow.errors import HedgerowError, InvalidInput
from hedgerow.meta import audit, watches
from hedgerow.meta.tables import Experiment
from hedgerow.web.charts import verdicts
from hedgerow.web.visits import Visit

METRICS = (
    ("funnel", "Share of persons who did"),
    ("mean", "How often persons did"),
)
METHODS = (("bayesian", "Bayesian"), ("frequentist", "Frequentist"))


def listing(visit: Visit) -> Response:
    """GET …/experiments"""
    with visit.services.metadata.reading() as session:
        rows, _ = watches.experiments(session, visit.here.id, limit=200)
    return visit.render("experiments.html", here="experiments", rows=rows)


def new(visit: Visit) -> Response:
    """GET …/experiments/new"""
    return _form(visit)


def _form(visit: Visit, error: HedgerowError | None = None) -> Response:
    return visit.render(
        "experiment_new.html",
        status=400 if error else 200,
        here="experiments",
        error=error,
        metrics=METRICS,
        methods=METHODS,
    )


def create(visit: Visit) -> Response:
    """POST …/experiments — kept only if it can be asked."""
    text = visit.text
    try:
        definition = _definition(visit)
        _ask(visit, definition, definition["metrics"][0])
        with visit.services.metadata.writing() as session:
            row = watches.create_experiment(
                session,
                visit.here.id,
                text("name") or "Experiment",
                definition,
                now=visit.now,
                description=text("description"),
                created_by=visit.who.id,
            )
            _note(visit, session, "created", row)
    except HedgerowError as error:
        return _form(visit, error)
    return visit.go(visit.path(f"experiments/{row.id}"), notice="Kept")


def _definition(visit: Visit) -> dict[str, Any]:
    text = visit.text
    variants = [part.strip() for part in text("variants").split(",") if part.strip()]
    if len(variants) < 2:
        raise InvalidInput(
            f"{text('variants')!r} names fewer than two variants.",
            hint="Write their values with commas, the baseline first: a, b.",
            attr="variants",
        )
    try:
        start = datetime.fromisoformat(text("start")).replace(tzinfo=visit.zone)
    except ValueError as error:
        raise InvalidInput(
            f"{text('start')!r} is no day.", hint="Choose the first day.", attr="start"
        ) from error
    event = {"kind": "EventsNode", "event": text("event") or None}
    metric: dict[str, Any] = {
        "kind": "ExperimentMetric",
        "metric_type": text("metric") or "funnel",
        "goal": "decrease" if text("goal") == "decrease" else "increase",
    }
    metric |= {"source": event} if text("metric") == "mean" else {"series": [event]}
    return {
        "variant_property": text("property") or "experiment_variant",
        "variants": [{"key": one, "name": one} for one in variants],
        "baseline": variants[0],
        "exposure": {"event": text("exposure") or None, "properties": []},
        "start_date": start.isoformat(),
        "metrics": [metric],
        "stats_config": {"method": text("method") or "bayesian"},
    }


def _ask(visit: Visit, definition: dict[str, Any], metric: dict[str, Any]) -> Any:
    answer = visit.ask(
        {"kind": "ExperimentQuery", "experiment": definition, "metric": metric}
    )
    return answer.get("results") or answer


def _row(visit: Visit) -> Experiment:
    number = int(visit.request.path_params["experiment_id"])
    with visit.services.metadata.reading() as session:
        return watches.experiment(session, visit.here.id, number)


def page(visit: Visit) -> Response:
    """GET …/experiments/{experiment_id} — each metric with its verdict."""
    row = _row(visit)
    metrics: list[dict[str, Any]] = []
    for metric in row.definition.get("metrics") or []:
        name = _metric_name(metric)
        try:
            results = _ask(visit, row.definition, metric)
            found = verdicts.rows(results, metric)
            sample = verdicts.balance(results, row.definition)
        except HedgerowError as error:
            metrics.append({"name": name, "rows": [], "error": error})
            continue
        sentence = verdicts.conclusion(found, name, sample)
        metrics.append(
            {
                "name": name,
                "rows": found,
                "sentence": sentence,
                "sample": sample,
                "error": None,
            }
        )
    return visit.render(
        "experiment.html",
        here="experiments",
        experiment=row,
        definition=row.definition,
        method=(row.definition.get("stats_config") or {}).get("method", "bayesian"),
        metrics=metrics,
    )


def _metric_name(metric: dict[str, Any]) -> str:
    nodes = metric.get("series") or [metric.get("source") or metric.get("numerator") or {}]
    event = str((nodes[-1] or {}).get("event") or "any event")
    return f"the share that did {event}" if metric.get("metric_type") == "funnel" else event


def delete(visit: Visit) -> Response:
    """POST …/experiments/{experiment_id}/delete — undo gives it back."""
    row = _row(visit)
    _set_deleted(visit, row.id, deleted=True)
    undo = visit.path(f"experiments/{row.id}/restore")
    return visit.go(visit.path("experiments"), notice=f"{row.name} deleted|{undo}")


def restore(visit: Visit) -> Response:
    """POST …/experiments/{experiment_id}/restore"""
    number = int(visit.request.path_params["experiment_id"])
    _set_deleted(visit, number, deleted=False)
    return visit.go(visit.path(f"experiments/{number}"), notice="It is back")


def _set_deleted(visit: Visit, number: int, *, deleted: bool) -> None:
    with visit.services.metadata.writing() as session:
        row = session.get(Experiment, number)
        if row is None or row.project_id != visit.here.id:
            raise InvalidInput(
                f"There is no experiment {number}.", hint="Look at the list."
            )
        row.deleted = deleted
        _note(visit, session, "deleted" if deleted else "restored", row)


def _note(visit: Visit, session: Any, action: str, row: Experiment) -> None:
    by = audit.actor(visit.who, visit.now)
    subject = ("experiment", row.id)
    audit.note(session, by, action, subject, project_id=visit.here.id, after=row.definition)
