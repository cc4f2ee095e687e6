"""From a batch of units to what it changes, whatever it holds: captures, an import, a command.

Captures take two steps. ``prepared`` reads and enriches them and needs to know nothing of
what is stored; ``planned`` places them among it. The store is asked in between.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from time import perf_counter
from typing import Any

import msgspec

from hedgerow.errors import StoreUnavailable
from hedgerow.ingest import commands, imports
from hedgerow.ingest.batch import Timings, prepare
from hedgerow.ingest.drafts import Arrived, Place
from hedgerow.ingest.sheet import Sheet, as_sheet
from hedgerow.ingest.together import plan, wanted
from hedgerow.ingest.units import Unit
from hedgerow.model.changes import Changes, Known, Wanted
from hedgerow.model.events import CapturedRequest
from hedgerow.model.ports import Queued
from hedgerow.model.projects import Project

Decode = Callable[[Queued], CapturedRequest]
ProjectOf = Callable[[int], Project | None]
Knows = Callable[[Wanted], Known]
"""What the store has of what is wanted."""


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """Captures, read and enriched; to be planned once."""

    sheet: Sheet
    events: int
    """As many as were captured, dropped ones included."""

    unknown: Mapping[int, int]
    """Project to number of its events, for projects that are no more."""


class Planner:
    """Knows how each kind of unit is read and what it comes to."""

    def __init__(
        self,
        *,
        decode: Decode,
        project_of_id: ProjectOf,
        place: Place | None,
        timings: Timings,
    ) -> None:
        self._decode = decode
        self._project_of_id = project_of_id
        self._place = place
        self._timings = timings

    def unit(self, queued: Queued) -> Unit:
        """Return a unit; without its request where that cannot be read."""
        request = None
        if queued.kind == "capture":
            started = perf_counter()
            with suppress(Exception):  # what it is shows again, alone, when it is carried
                request = self._decode(queued)
            self._timings["decode"] += perf_counter() - started
        return Unit(queued=queued, request=request, upto=queued.position)

    def read(self, unit: Unit) -> Unit:
        """Return a unit with its request, where somebody else read it and it can be read."""
        is_unread = unit.request is None and unit.queued.kind == "capture"
        return self.unit(unit.queued) if is_unread else unit

    def prepared(self, units: Sequence[Unit]) -> Prepared:
        """Return captures ready to be planned. Raises what their decoding raises."""
        arrived = []
        unknown: defaultdict[int, int] = defaultdict(int)
        projects = self.projects({unit.queued.project_id for unit in units})
        for unit in units:
            request = unit.request or self._decode(unit.queued)
            project = projects[unit.queued.project_id]
            if project is None:
                unknown[unit.queued.project_id] += len(request.events)
                continue
            arrived.append(
                Arrived(
                    project=project, received_at=unit.queued.received_at, request=request
                )
            )
        batch = prepare(arrived, place=self._place, timings=self._timings)
        started = perf_counter()
        sheet = as_sheet(batch)
        self._timings["write_rows"] += perf_counter() - started
        count = sum(len(one.request.events) for one in arrived)
        return Prepared(sheet=sheet, events=count, unknown=unknown)

    def planned(self, prepared: Prepared, knows: Knows) -> Changes:
        """Return what captures change."""
        started = perf_counter()
        known = knows(wanted(prepared.sheet))
        self._timings["look_up"] += perf_counter() - started
        return plan(prepared.sheet, known, timings=self._timings)

    def asked(self, unit: Unit, knows: Knows) -> Changes:
        """Return what an import or a command changes."""
        queued = unit.queued
        project = self._project(queued)
        at, position = queued.received_at, queued.position
        if queued.kind == "persons":
            people = imports.read_persons(queued.body)
            known = knows(imports.wanted_by_persons(project, people))
            return imports.plan_persons(project, people, known, at=at, position=position)
        if queued.kind == "groups":
            groups = imports.read_groups(queued.body)
            known = knows(imports.wanted_by_groups(project, groups))
            return imports.plan_groups(project, groups, known, at=at, position=position)
        command = msgspec.json.decode(queued.body, type=dict[str, Any])
        known = knows(commands.wanted(project, command))
        return commands.plan_command(project, command, known, at=at, position=position)

    def _project(self, queued: Queued) -> Project:
        """Return the project; one deleted since still has rows that a command may mean."""
        found = self.projects({queued.project_id})[queued.project_id]
        return found or Project(id=queued.project_id, name="", api_token="")

    def projects(self, ids: set[int]) -> dict[int, Project | None]:
        """Return projects as they are set up now.

        Raises StoreUnavailable where they cannot be read: that is not the events' fault.
        """
        try:
            return {one: self._project_of_id(one) for one in ids}
        except Exception as error:
            raise StoreUnavailable(
                f"The projects cannot be read: {error!r}.",
                hint="Nothing is lost: what came waits in the inbox.",
            ) from error
