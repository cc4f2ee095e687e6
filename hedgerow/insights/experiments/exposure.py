"""Who saw which variant, and since when (insights-retention-cohorts §8.2)."""

from sqlglot import exp

from hedgerow.errors import InvalidQuery
from hedgerow.insights.experiments.definition import Setting
from hedgerow.model.projects import QueryContext
from hedgerow.query import expressions, filters
from hedgerow.query.definitions_nodes import Breakdown
from hedgerow.query.sources import Events
from hedgerow.query.trees import Tree
from hedgerow.query.values import Values

MULTIPLE = "$multiple"


def entity(setting: Setting, events: Events) -> Tree:
    """Return whom an event belongs to: its person, or the key of its group."""
    index = setting.experiment.aggregation_group_type_index
    return events.person_key() if index is None else events.group_key(index)


def present(setting: Setting, events: Events) -> list[Tree]:
    """Return the condition that an event has such an entity at all."""
    if setting.experiment.aggregation_group_type_index is None:
        return []
    key = exp.func("coalesce", entity(setting, events), exp.Literal.string(""))
    return [key.neq("")]


def exposed(setting: Setting, context: QueryContext, values: Values) -> exp.Select:
    """Return (entity, t0, variant, value) of everybody exposed, each once.

    Who saw several variants is ``$multiple`` unless the first one seen counts.
    """
    experiment = setting.experiment
    events = Events(context, values)
    variant = events.property("event", experiment.variant_property).text
    where = [
        *present(setting, events),
        *filters.conditions(
            experiment.exposure.properties,
            events,
            path="experiment.exposure.properties",
            test_accounts=experiment.filter_test_accounts,
        ),
        variant.copy().isin(*(values.bind(key) for key in experiment.variant_keys())),
    ]
    if experiment.exposure.event is not None:
        where.append(events.column("event").eq(values.bind(experiment.exposure.event)))
    at = events.column("timestamp")
    first: Tree = exp.ArgMin(this=variant, expression=at)
    if experiment.multiple_variant_handling == "exclude":
        several = exp.Count(this=exp.Distinct(expressions=[variant.copy()])) > 1
        alone = exp.Literal.string(MULTIPLE)
        first = exp.Case(ifs=[exp.If(this=several, true=alone)], default=first)
    value = exp.ArgMin(this=_breakdown(setting, events), expression=at.copy())
    query = events.select(
        entity(setting, events).as_("entity"),
        exp.alias_(exp.Min(this=at.copy()), "t0"),
        exp.alias_(first, "variant"),
        exp.alias_(value, "value"),
        since=setting.start,
        until=setting.end,
        where=where,
    )
    return query.group_by("1")


def breakdowns(setting: Setting) -> list[Breakdown]:
    """Return what the metric is broken down by, at most three."""
    given = setting.metric.breakdown_filter
    if given is None:
        return []
    if given.breakdowns:
        return given.breakdowns
    if given.breakdown is None:
        return []
    if isinstance(given.breakdown, list) or given.breakdown_type == "cohort":
        raise InvalidQuery(
            "An experiment is broken down by properties only.",
            hint="Give breakdowns a list of properties.",
            attr="metric.breakdownFilter",
        )
    index = given.breakdown_group_type_index
    kind = given.breakdown_type
    return [Breakdown(property=str(given.breakdown), type=kind, group_type_index=index)]


def _breakdown(setting: Setting, events: Events) -> Tree:
    """Return the breakdown values of an event as a list of texts, missing as empty."""
    texts = []
    for one in breakdowns(setting):
        if one.type == "hogql":
            text = expressions.as_text(expressions.scalar(one.property, events), events)
        else:
            kind = one.type or "event"
            text = events.property(kind, one.property, one.group_type_index).text
        texts.append(exp.func("coalesce", text, exp.Literal.string("")))
    return exp.Array(expressions=texts) if texts else exp.Literal.string("")
