"""Asking in tests: load a few events and say a query in the words of the contract."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from hedgerow.insights.answer import Asking, answer
from hedgerow.model.projects import Cohort, Project
from hedgerow.store.on_duckdb import DuckStore
from tests.world import NOW, context, load


def did(
    distinct_id: str,
    event: str,
    at: str,
    groups: Mapping[str, str] | None = None,
    **properties,
) -> dict[str, Any]:
    """Return an event as ``world.load`` takes it; ``at`` without zone is UTC."""
    one = {"event": event, "distinct_id": distinct_id, "timestamp": at}
    return one | {"properties": properties} | ({"groups": groups} if groups else {})


class Asked:
    """A project with data, ready for questions."""

    def __init__(
        self,
        store: DuckStore,
        project: Project,
        *,
        now: datetime = NOW,
        cohorts: Sequence[Cohort] = (),
        **data: Any,
    ) -> None:
        load(store, project, now=now, **data)
        self.store, self.project, self.now = store, project, now
        self.cohorts = {one.id: one for one in cohorts}

    def context(self) -> Any:
        return context(self.store, self.project, self.now, cohorts=self.cohorts)

    def whole(self, query: Mapping[str, Any], **asking: Any) -> dict[str, Any]:
        """Return the answer with its envelope."""
        return answer(query, self.context(), self.store, Asking(**asking))

    def results(self, query: Mapping[str, Any]) -> Any:
        return self.whole(query)["results"]

    def trend(self, **fields: Any) -> list[dict[str, Any]]:
        """Return the rows of a trend; ``event`` and ``math`` make its one series."""
        node = {"kind": "EventsNode", "event": fields.pop("event", None)}
        for name in [name for name in fields if name.startswith("math")]:
            node[name] = fields.pop(name)
        series = fields.pop("series", [node])
        return self.results({"kind": "TrendsQuery", "series": series, **fields})

    def actors(self, query: Mapping[str, Any], **selector: Any) -> list[str]:
        """Return the first distinct id of each person behind a point of an insight."""
        source = {"kind": "InsightActorsQuery", "source": query, **selector}
        asked = {
            "kind": "ActorsQuery",
            "source": source,
            "select": ["actor"],
            "limit": 1000,
        }
        return [row[0]["distinct_ids"][0] for row in self.results(asked)]


def numbers(rows: Sequence[Mapping[str, Any]]) -> dict[Any, Any]:
    """Return the numbers of rows by their label (and breakdown value, if any)."""
    return {
        str(row.get("breakdown_value", row["label"])): row.get(
            "aggregated_value", row["data"]
        )
        for row in rows
    }
