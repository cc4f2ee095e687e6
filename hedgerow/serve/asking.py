"""Asking a question: the context from both databases, the answer from ``insights``."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from hedgerow.errors import InvalidQuery, NotFound
from hedgerow.insights import lifecycle
from hedgerow.meta import contexts
from hedgerow.meta.database import Metadata
from hedgerow.meta.projects import Directory
from hedgerow.model.ports import Cancel, Reader
from hedgerow.model.projects import QueryContext
from hedgerow.query.definitions import decode
from hedgerow.query.definitions_lifecycle import LifecycleQuery


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
        asked = decode(query)
        if not isinstance(asked, LifecycleQuery):
            raise InvalidQuery("Not yet.", hint=refresh)
        answers = [
            self._reader.run(one, timeout_s=self._timeout_s, cancel=cancel)
            for one in lifecycle.statements(asked, context)
        ]
        return {"results": lifecycle.result(asked, context, answers)}

    def context(self, project_id: int) -> QueryContext:
        """Return what a question needs to know besides the data. Raises NotFound."""
        project = self._directory.project_of_id(project_id)
        if project is None:
            raise NotFound(f"There is no project {project_id}.", hint="It may be deleted.")
        with self._metadata.reading() as session:
            return contexts.context_of(session, self._reader, project, self._clock())
