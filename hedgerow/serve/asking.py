"""Asking a question: the context from both databases, the answer from ``insights``."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from hedgerow.errors import NotFound
from hedgerow.insights import answer
from hedgerow.insights.cached import Cache
from hedgerow.meta import contexts, watches
from hedgerow.meta.database import Metadata
from hedgerow.meta.projects import Directory
from hedgerow.model.ports import Cancel, Reader
from hedgerow.model.projects import QueryContext

ROWS_KEPT = 6
"""Statements whose rows are kept because several questions share them, such as a fleet's."""


class Asking:
    """Answers questions of one data folder; safe to use from several threads."""

    def __init__(
        self,
        metadata: Metadata,
        directory: Directory,
        reader: Reader,
        clock: Callable[[], datetime],
        *,
        timeout_s: float,
    ) -> None:
        self._metadata, self._directory = metadata, directory
        self._reader, self._clock, self._timeout_s = reader, clock, timeout_s
        self._cache, self._rows = Cache(), Cache(ROWS_KEPT)

    def __call__(
        self,
        project_id: int,
        query: Mapping[str, Any],
        *,
        refresh: str = "blocking",
        cancel: Cancel | None = None,
    ) -> Mapping[str, Any]:
        """Return the envelope with ``results``; see ``api.parts.Ask``."""
        context = self.context(project_id)
        if query.get("kind") == "ExperimentQuery":
            query = self._with_experiment(project_id, query)
        asking = answer.Asking(
            timeout_s=self._timeout_s,
            cancel=cancel,
            cache=self._cache,
            rows=self._rows,
            refresh=refresh,
        )
        return answer.answer(query, context, self._reader, asking)

    def context(self, project_id: int) -> QueryContext:
        """Return what a question needs to know besides the data. Raises NotFound."""
        project = self._directory.project_of_id(project_id)
        if project is None:
            raise NotFound(f"There is no project {project_id}.", hint="It may be deleted.")
        with self._metadata.reading() as session:
            return contexts.context_of(session, self._reader, project, self._clock())

    def _with_experiment(
        self, project_id: int, query: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """Put a saved experiment in the place of its number."""
        number = query.get("experiment_id")
        if not isinstance(number, int):
            return query
        with self._metadata.reading() as session:
            saved = watches.experiment(session, project_id, number)
        rest = {name: value for name, value in query.items() if name != "experiment_id"}
        return {**rest, "experiment": saved.definition}
