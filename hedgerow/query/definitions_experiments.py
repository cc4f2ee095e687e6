"""``ExperimentQuery`` as it is written (``insights-retention-cohorts`` §8).

The experiment and the metric stay as they came: their own module decodes them.
"""

from typing import Any

from hedgerow.query.definitions_nodes import Question


class ExperimentQuery(
    Question, frozen=True, kw_only=True, tag_field="kind", tag="ExperimentQuery"
):
    """Variants compared by one metric."""

    experiment_id: int | None = None
    experiment: dict[str, Any] | None = None
    metric: dict[str, Any] | None = None
