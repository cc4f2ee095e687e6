"""An experiment and its metric as they are written (insights-retention-cohorts §8.1, §8.3)."""

from datetime import datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec

from hedgerow.errors import InvalidQuery
from hedgerow.insights.experiments.analysis import StatsConfig, without_nulls
from hedgerow.model.projects import QueryContext
from hedgerow.query.aggregations import by_session
from hedgerow.query.dates import end_of_day, moment
from hedgerow.query.definitions_filters import PropertyFilter
from hedgerow.query.definitions_nodes import BreakdownFilter, EventsNode, GroupTypeIndex

SECONDS = {"minute": 60, "hour": 3600, "day": 86_400, "week": 604_800, "month": 2_592_000}
MATHS = {None, "total", "sum", "min", "max", "avg", "hogql"}
MEASURED = {"mean": ("source",), "ratio": ("numerator", "denominator")}
"""Fields of a metric whose math counts."""

Unit = Literal["minute", "hour", "day", "week", "month"]
Percentile = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Exposure(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which events count as having seen it. ``event`` None: any that carries the property."""

    event: str | None = None
    properties: list[PropertyFilter] = msgspec.field(default_factory=list)
    kind: str | None = None
    """No effect."""


class Variant(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One way of doing it."""

    key: str
    name: str | None = None
    rollout_percentage: float | None = None
    """The share of people that should see it, for the sample ratio check."""


class ExposureCriteria(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True
):
    """PostHog's spelling of the exposure fields."""

    filter_test_accounts: bool | None = msgspec.field(
        default=None, name="filterTestAccounts"
    )
    exposure_config: Exposure | None = None
    multiple_variant_handling: Literal["exclude", "first_seen"] | None = None


class Experiment(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is compared, among whom, and from when to when."""

    variants: Annotated[list[str | Variant], msgspec.Meta(min_length=2)]
    start_date: str
    variant_property: str = "experiment_variant"
    baseline: str | None = None
    exposure: Exposure = Exposure()
    end_date: str | None = None
    aggregation_group_type_index: GroupTypeIndex | None = None
    multiple_variant_handling: Literal["exclude", "first_seen"] = "exclude"
    filter_test_accounts: bool = msgspec.field(default=False, name="filterTestAccounts")
    exposure_criteria: ExposureCriteria | None = None
    stats_config: StatsConfig | None = None
    shares: dict[str, float] | None = None
    """How many of a hundred each variant should have; left out: equally many."""

    name: str | None = None
    description: str | None = None
    metrics: Any = None
    metrics_secondary: Any = None

    def variant_keys(self) -> list[str]:
        """Return the variants' keys in the order given."""
        return [one if isinstance(one, str) else one.key for one in self.variants]

    def baseline_key(self) -> str:
        """Return whom the others are compared with."""
        keys = self.variant_keys()
        chosen = self.stats_config.baseline_variant_key if self.stats_config else None
        wanted = self.baseline or chosen or ("control" if "control" in keys else keys[0])
        if wanted not in keys:
            raise InvalidQuery(
                f"The baseline {wanted!r} is not one of the variants.",
                hint=f"Choose one of {', '.join(keys)}.",
                attr="experiment.baseline",
            )
        return wanted

    def wanted_shares(self) -> dict[str, float]:
        """Return how large each variant should be, in any unit."""
        if self.shares:
            return self.shares
        return {
            one.key: one.rollout_percentage
            for one in self.variants
            if isinstance(one, Variant) and one.rollout_percentage is not None
        }


class Metric(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is measured of everybody exposed."""

    metric_type: Literal["mean", "funnel", "ratio", "retention"]
    kind: Literal["ExperimentMetric"] = "ExperimentMetric"
    goal: Literal["increase", "decrease"] = "increase"
    name: str | None = None
    uuid: str | None = None
    fingerprint: Any = None
    conversion_window: Annotated[int, msgspec.Meta(ge=1)] | None = None
    conversion_window_unit: Unit | None = None
    source: EventsNode | None = None
    series: list[EventsNode] | None = None
    funnel_order_type: Literal["ordered", "unordered"] = "ordered"
    numerator: EventsNode | None = None
    denominator: EventsNode | None = None
    start_event: EventsNode | None = None
    completion_event: EventsNode | None = None
    retention_window_start: Annotated[int, msgspec.Meta(ge=0)] = 0
    retention_window_end: Annotated[int, msgspec.Meta(ge=0)] = 7
    retention_window_unit: Unit = "day"
    start_handling: Literal["first_seen", "last_seen"] = "first_seen"
    threshold: float | None = None
    lower_bound_percentile: Percentile | None = None
    upper_bound_percentile: Percentile | None = None
    ignore_zeros: bool = False
    breakdown_filter: BreakdownFilter | None = msgspec.field(
        default=None, name="breakdownFilter"
    )

    def window(self) -> timedelta | None:
        """Return how long after the first exposure events count; None: to the end."""
        if self.conversion_window is None:
            return None
        unit = SECONDS[self.conversion_window_unit or "day"]
        return timedelta(seconds=self.conversion_window * unit)

    def nodes(self) -> list[EventsNode]:
        """Return the events the metric reads, in the order its statement numbers them."""
        match self.metric_type:
            case "mean":
                return _needed(self, "source")
            case "funnel":
                return list(self.series or ())
            case "ratio":
                return _needed(self, "numerator", "denominator")
            case "retention":
                return _needed(self, "start_event", "completion_event")


def _needed(metric: Metric, *fields: str) -> list[EventsNode]:
    found = []
    for field in fields:
        node = getattr(metric, field)
        if node is None:
            raise InvalidQuery(
                f"A metric of type {metric.metric_type!r} needs {field}.",
                hint="Give it an EventsNode.",
                attr=f"metric.{field}",
            )
        found.append(node)
    return found


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """An experiment and metric, checked, with its dates as instants."""

    experiment: Experiment
    metric: Metric
    start: datetime
    end: datetime
    config: StatsConfig


def setting(experiment: Any, metric: Any, context: QueryContext) -> Setting:
    """Return a definition ready to be asked. Raises InvalidQuery naming the field."""
    one = _read(experiment, Experiment, "experiment")
    if one.exposure_criteria is not None:
        one = _folded(one, one.exposure_criteria)
    measured = _read(metric, Metric, "metric")
    _check(measured)
    start = moment(one.start_date, context, "experiment.start_date").at
    end = context.now
    if one.end_date is not None:
        last = moment(one.end_date, context, "experiment.end_date")
        end = end_of_day(last.at) if last.day_only else last.at
    if end < start:
        raise InvalidQuery(
            "The experiment ends before it starts.",
            hint="Choose a later end_date.",
            attr="experiment.end_date",
        )
    config = one.stats_config or StatsConfig()
    return Setting(experiment=one, metric=measured, start=start, end=end, config=config)


def _read(raw: Any, struct: Any, name: str) -> Any:
    if raw is None:
        raise InvalidQuery(
            f"An experiment query needs {name!r}.", hint="Give it as an object.", attr=name
        )
    try:
        return msgspec.convert(without_nulls(raw), struct)
    except msgspec.ValidationError as wrong:
        raise InvalidQuery(
            f"{wrong} (in {name}).", hint="See the experiment fields.", attr=name
        ) from wrong


def _folded(one: Experiment, criteria: ExposureCriteria) -> Experiment:
    changes: dict[str, Any] = {"exposure_criteria": None}
    if criteria.exposure_config is not None:
        changes["exposure"] = criteria.exposure_config
    if criteria.filter_test_accounts is not None:
        changes["filter_test_accounts"] = criteria.filter_test_accounts
    if criteria.multiple_variant_handling is not None:
        changes["multiple_variant_handling"] = criteria.multiple_variant_handling
    return msgspec.structs.replace(one, **changes)


def _check(metric: Metric) -> None:
    nodes = metric.nodes()
    if metric.metric_type == "funnel" and not nodes:
        raise InvalidQuery(
            "A funnel metric needs at least one step.",
            hint="Give series a list of EventsNodes.",
            attr="metric.series",
        )
    if metric.metric_type in {"mean", "ratio"}:
        names = MEASURED[metric.metric_type]
        for name, node in zip(names, nodes, strict=True):
            _check_math(node, f"metric.{name}")
    if metric.metric_type != "mean":
        _check_unshaped(metric)
    if metric.retention_window_start > metric.retention_window_end:
        raise InvalidQuery(
            "The retention window ends before it starts.",
            hint="Make retention_window_end the larger.",
            attr="metric.retention_window_end",
        )


def _check_math(node: EventsNode, path: str) -> None:
    """Refuse math that is not for experiments, or lacks what it needs."""
    if node.math not in MATHS:
        raise InvalidQuery(
            f"An experiment cannot measure {node.math!r}.",
            hint="Use total, sum, min, max, avg or hogql.",
            attr=f"{path}.math",
        )
    of_property = node.math in {"sum", "min", "max", "avg"}
    if of_property and not node.math_property:
        raise InvalidQuery(
            f"A metric of {node.math!r} needs a property.",
            hint="Give math_property.",
            attr=f"{path}.math_property",
        )
    if by_session(node):
        raise InvalidQuery(
            f"An experiment cannot measure {node.math_property!r}, a number of sessions.",
            hint="Use a property of the event or the person.",
            attr=f"{path}.math_property",
        )
    if node.math == "hogql" and not node.math_hogql:
        raise InvalidQuery(
            "Math by an expression needs one.",
            hint="Give math_hogql.",
            attr=f"{path}.math_hogql",
        )


def _check_unshaped(metric: Metric) -> None:
    """Refuse what only the values of a mean can be cut by."""
    for name in ("threshold", "lower_bound_percentile", "upper_bound_percentile"):
        if getattr(metric, name) is not None:
            raise InvalidQuery(
                f"A metric of type {metric.metric_type!r} has no {name}.",
                hint="Leave it out, or measure a mean.",
                attr=f"metric.{name}",
            )
