"""An experiment's question: who was exposed, what they did, what may be concluded."""

from typing import Any

import msgspec
from sqlglot import exp, parse_one

from hedgerow.errors import InvalidQuery
from hedgerow.insights.experiments.analysis import (
    AnalyzedMetric,
    Figures,
    judge,
    needed_per_variant,
    sample_ratio,
)
from hedgerow.insights.experiments.arms import Arm, Moments
from hedgerow.insights.experiments.definition import Setting, setting
from hedgerow.insights.experiments.exposure import MULTIPLE, breakdowns, exposed
from hedgerow.insights.experiments.metrics import before, funnel, measured, retention
from hedgerow.model.ports import Rows, Statement
from hedgerow.model.projects import QueryContext
from hedgerow.query.definitions_experiments import ExperimentQuery
from hedgerow.query.trees import Tree, number_literal
from hedgerow.query.values import Values

WISHED_EFFECT = 0.05
"""The relative effect for which the people needed are told."""

EVERYBODY = """
    SELECT x.variant AS variant, x.value AS value, COALESCE(a.v, 0) AS v, COALESCE(b.v, 0) AS d,
      COALESCE(c.v, 0) AS x FROM exposed AS x
    LEFT JOIN first AS a ON a.entity = x.entity
    LEFT JOIN second AS b ON b.entity = x.entity
    LEFT JOIN earlier AS c ON c.entity = x.entity"""
THOSE_WHO_STARTED = """
    SELECT x.variant AS variant, x.value AS value, a.v AS v, 1 AS d, 0 AS x
    FROM exposed AS x JOIN first AS a ON a.entity = x.entity"""
NOBODY = "SELECT entity, 0 AS v FROM exposed WHERE FALSE"
SUMS = """
    SELECT variant, value, COUNT(*) AS n, SUM(v) AS s, SUM(v * v) AS ss, SUM(d) AS d,
      SUM(d * d) AS dd, SUM(v * d) AS vd, SUM(x) AS x, SUM(x * x) AS xx, SUM(x * v) AS xv
    FROM shaped GROUP BY variant, value"""
STEPS = "SELECT variant, value, v AS reached, COUNT(*) AS n FROM everybody GROUP BY variant, value, v"
LIMITS = """
    SELECT value, LIST_SORT(LIST(v)) AS sorted, LIST_SORT(LIST(v) FILTER(WHERE :counted)) AS counted
    FROM judged WHERE variant <> '$multiple' GROUP BY value"""
SEEN = "SELECT variant, COUNT(*) AS n FROM exposed GROUP BY variant"


def statements(query: ExperimentQuery, context: QueryContext) -> list[Statement]:
    """Return the statement of the sums, and one more for a funnel or retention.

    A funnel's steps are counted apart; and retention is about fewer than were exposed.
    """
    asked = _setting(query, context)
    found = [_statement(asked, context, SUMS)]
    if asked.metric.metric_type == "funnel":
        found.append(_statement(asked, context, STEPS))
    if asked.metric.metric_type == "retention":
        found.append(_statement(asked, context, SEEN))
    return found


def result(
    query: ExperimentQuery, context: QueryContext, answers: list[Rows]
) -> dict[str, Any]:
    """Return the object of §8.7, with the exposures and both checks of §8.6."""
    asked = _setting(query, context)
    arms = _arms(asked, answers)
    told = judge(_figures(asked, _total(arms)))
    counts = {
        arm["key"]: arm["number_of_samples"]
        for arm in (told["baseline"], *told["variant_results"])
    }
    base = told["baseline"]
    moments = Moments(base["mean"], base["variance"], base["number_of_samples"])
    told["exposures"] = {**counts, MULTIPLE: _multiple(answers[0])}
    if asked.metric.metric_type == "retention":
        told["exposures"] = {**dict.fromkeys(told["exposures"], 0), **dict(answers[1].rows)}
    told["sample_ratio"] = sample_ratio(counts, asked.experiment.wanted_shares())
    told["needed_per_variant"] = needed_per_variant(moments, WISHED_EFFECT)
    if breakdowns(asked):
        told["breakdown_results"] = [
            {"breakdown_value": list(value), **judge(_figures(asked, arms[value]))}
            for value in sorted(arms)
        ]
    return {"results": told, **told}  # at the top level too, as PostHog does


def _setting(query: ExperimentQuery, context: QueryContext) -> Setting:
    if query.experiment is None and query.experiment_id is not None:
        raise InvalidQuery(
            f"There is no experiment {query.experiment_id} in this project.",
            hint="It may have been deleted; an inline experiment works too.",
            attr="experiment_id",
        )
    return setting(query.experiment, query.metric, context)


def _statement(asked: Setting, context: QueryContext, text: str) -> Statement:
    values = Values()
    parts = _parts(asked, context, values)
    query = parse_one(text, into=exp.Select)
    for name, part in parts:
        query = query.with_(name, as_=part, copy=False)
    return Statement(tree=query, values=values.by_name)


def _parts(
    asked: Setting, context: QueryContext, values: Values
) -> list[tuple[str, exp.Query]]:
    """Return the CTEs of the statement, from the exposed to everybody's shaped values."""
    metric = asked.metric
    first, second = _measured(asked, context, values)
    nobody = parse_one(NOBODY, into=exp.Select)
    earlier: exp.Query = nobody
    if asked.config.cuped.enabled and metric.metric_type == "mean":
        earlier = before(
            asked, context, values, metric.nodes()[0], "metric.source.properties"
        )
    started_only = metric.metric_type == "retention"
    everybody = parse_one(THOSE_WHO_STARTED if started_only else EVERYBODY, into=exp.Select)
    return [
        ("exposed", exposed(asked, context, values)),
        ("first", first),
        ("second", second if second is not None else nobody.copy()),
        ("earlier", earlier),
        ("everybody", everybody),
        *_shaped(asked),
    ]


def _measured(
    asked: Setting, context: QueryContext, values: Values
) -> tuple[exp.Query, exp.Query | None]:
    metric, nodes = asked.metric, asked.metric.nodes()
    match metric.metric_type:
        case "mean":
            return measured(
                asked, context, values, nodes[0], "metric.source.properties"
            ), None
        case "ratio":
            above = measured(
                asked, context, values, nodes[0], "metric.numerator.properties"
            )
            below = measured(
                asked, context, values, nodes[1], "metric.denominator.properties"
            )
            return above, below
        case "funnel":
            return funnel(asked, context, values), None
        case "retention":
            return retention(asked, context, values), None


def _shaped(asked: Setting) -> list[tuple[str, exp.Query]]:
    """Return the values as they are summed: converted or not, cut at a threshold, pulled in."""
    metric, v = asked.metric, exp.column("v", table="e")
    if metric.metric_type == "funnel":
        last = number_literal(len(metric.nodes()))
        return [("shaped", _with_value(_yes_or_no(v >= last)))]
    if metric.metric_type != "mean":
        return [("shaped", _with_value(v))]
    value: Tree = v
    if metric.threshold is not None:
        value = _yes_or_no(v >= number_literal(metric.threshold))
    if metric.lower_bound_percentile is None and metric.upper_bound_percentile is None:
        return [("shaped", _with_value(value))]
    return [("judged", _with_value(value)), *_winsorized(asked, v)]


def _yes_or_no(condition: Tree) -> Tree:
    yes = exp.If(this=condition, true=number_literal(1))
    return exp.Case(ifs=[yes], default=number_literal(0))


def _with_value(value: Tree, rows: str = "everybody") -> exp.Select:
    columns = [exp.column(name, table="e") for name in ("variant", "value", "d", "x")]
    return exp.select(*columns, value.copy().as_("v")).from_(exp.to_table(rows).as_("e"))


def _winsorized(asked: Setting, v: exp.Column) -> list[tuple[str, exp.Query]]:
    """Pull values in to quantiles over all entities of all variants together (§8.3)."""
    metric = asked.metric
    above_zero = exp.column("v").neq(0) if metric.ignore_zeros else exp.true()
    limits = exp.replace_placeholders(
        parse_one(LIMITS, into=exp.Select), counted=above_zero
    )
    value: Tree = v
    if metric.upper_bound_percentile is not None:
        value = exp.func("least", value, _element("counted", metric.upper_bound_percentile))
    if metric.lower_bound_percentile is not None:
        value = exp.func(
            "greatest", value, _element("sorted", metric.lower_bound_percentile)
        )
    same = exp.column("value", table="q").eq(exp.column("value", table="e"))
    shaped = _with_value(value, "judged").join(exp.to_table("limits").as_("q"), on=same)
    if not isinstance(limits, exp.Query):
        raise TypeError(LIMITS)
    return [("limits", limits), ("shaped", shaped)]


def _element(name: str, share: float) -> Tree:
    """Return the element at ⌊share · count⌋ of a sorted list, the last one if beyond."""
    listed = exp.column(name, table="q")
    count = exp.func("len", listed)
    place = exp.func("floor", number_literal(share) * count) + number_literal(1)
    inside = exp.cast(exp.func("least", place, count.copy()), "bigint")
    return exp.func("list_extract", listed.copy(), inside)


Arms = dict[Any, dict[str, Arm]]
"""Breakdown value to the arms of it."""


def _arms(asked: Setting, answers: list[Rows]) -> Arms:
    found: Arms = {}
    keys = set(asked.experiment.variant_keys())
    for variant, value, *sums in answers[0].rows:
        if variant in keys:
            arm = _arm(asked, variant, [float(one or 0) for one in sums])
            found.setdefault(_hashable(value), {})[variant] = arm
    if asked.metric.metric_type == "funnel":
        _add_steps(asked, found, answers[1])
    return found


def _hashable(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


def _arm(asked: Setting, variant: str, sums: list[float]) -> Arm:
    n, s, ss, d, dd, vd, x, xx, xv = sums
    more: dict[str, Any] = {}
    if asked.metric.metric_type in {"ratio", "retention"}:
        more = {
            "denominator_sum": d,
            "denominator_sum_squares": dd,
            "numerator_denominator_sum_product": vd,
        }
    if asked.config.cuped.enabled and asked.metric.metric_type == "mean":
        more |= {
            "covariate_sum": x,
            "covariate_sum_squares": xx,
            "covariate_sum_product": xv,
        }
    return Arm(key=variant, number_of_samples=round(n), sum=s, sum_squares=ss, **more)


def _add_steps(asked: Setting, arms: Arms, steps: Rows) -> None:
    total = len(asked.metric.nodes())
    for value, group in arms.items():
        for key, arm in group.items():
            reached = [
                (depth, n)
                for variant, other, depth, n in steps.rows
                if variant == key and _hashable(other) == value
            ]
            counts = [sum(n for depth, n in reached if depth > i) for i in range(total)]
            group[key] = msgspec.structs.replace(arm, step_counts=counts)


def _total(arms: Arms) -> dict[str, Arm]:
    """Return the arms over all breakdown values: sums are added, never averages (§8.3)."""
    whole: dict[str, Arm] = {}
    for group in arms.values():
        for key, arm in group.items():
            whole[key] = arm if key not in whole else _added(whole[key], arm)
    return whole


def _added(one: Arm, other: Arm) -> Arm:
    fields = {}
    for name in one.__struct_fields__:
        a, b = getattr(one, name), getattr(other, name)
        if name == "step_counts" and a is not None:
            fields[name] = [x + y for x, y in zip(a, b, strict=True)]
        elif name != "key" and a is not None:
            fields[name] = a + b
    return msgspec.structs.replace(one, **fields)


def _figures(asked: Setting, arms: dict[str, Arm]) -> Figures:
    """Return what is judged; a variant that nobody saw is there with zeros."""
    base = asked.experiment.baseline_key()
    kind = asked.metric.metric_type
    steps = [0] * len(asked.metric.nodes()) if kind == "funnel" else None

    def arm(key: str) -> Arm:
        empty = _arm(asked, key, [0.0] * 9)
        return arms.get(key, msgspec.structs.replace(empty, step_counts=steps))

    return Figures(
        metric=AnalyzedMetric(metric_type=kind, goal=asked.metric.goal),
        baseline=arm(base),
        variants=[arm(key) for key in asked.experiment.variant_keys() if key != base],
        stats_config=asked.config,
    )


def _multiple(sums: Rows) -> int:
    return sum(int(row[2]) for row in sums.rows if row[0] == MULTIPLE)
