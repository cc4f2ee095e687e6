"""A second process for what needs no knowledge of the store: decoding and enriching.

Python runs one thread at a time, so while the writer decides who is who, nothing is being
decoded. When much waits, ``Helper`` starts a process that reads requests and answers with
sheets; when nothing has waited for a while the process ends, so a quiet server is one
process. What it cannot prepare is prepared here, and if it dies nothing is lost: requests
stay in the inbox until their events are stored.

Messages are pickles behind their length, over the pipes of the process: both ends are this
very program, and nobody else can write there.
"""

import gc
import logging
import pickle
import queue
import select
import struct
import subprocess
import threading
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import IO, Any

import msgspec

from hedgerow.ingest.cutting import BATCH_BYTES, batches
from hedgerow.ingest.drafts import Draft, Place
from hedgerow.ingest.planning import Decode, Planner, Prepared
from hedgerow.ingest.sheet import Sheet
from hedgerow.model.events import CapturedEvent
from hedgerow.model.ports import Queued
from hedgerow.model.projects import Project

LOG = logging.getLogger(__name__)
MUCH_BYTES = 256 * 1024
"""Of bodies as they lie in the inbox: from here on a second process is worth it."""

IDLE_S = 5.0
AGAIN_S = 60.0
"""After trouble the process is not started again for so long."""

WAITING = 2
"""Jobs the process takes in before it has answered the first."""

_LENGTH = struct.Struct("<Q")


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """Captures in the order of the inbox, and the projects they name."""

    queued: list[Queued]
    projects: Mapping[int, Project | None]
    batch_bytes: int = BATCH_BYTES
    """How much text makes a batch: as much as the asking process may hold."""


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """What the next few captures of a job came to."""

    count: int
    prepared: Prepared | None
    """None: it went wrong; whoever asked finds out why."""


class HelperLost(Exception):
    """The process ended, or said something that cannot be read."""


class Helper:
    """The process seen from the one that asks; for one thread."""

    def __init__(self, command: Sequence[str]) -> None:
        self._command = list(command)
        self._process: subprocess.Popen[bytes] | None = None
        self._is_ready = False
        self._used = self._not_before = 0.0

    @property
    def pid(self) -> int | None:
        """Return the process's number; None while there is none."""
        return self._process.pid if self._process else None

    def is_there(self, waiting_bytes: int) -> bool:
        """Whether to ask the process; it is started when much waits for the first time."""
        if waiting_bytes < MUCH_BYTES:
            return False
        now = self._used = time.monotonic()
        if self._process is None and now >= self._not_before:
            self._start()
        if self._process is None or self._process.stdout is None:
            return False
        if not self._is_ready and select.select([self._process.stdout], [], [], 0)[0]:
            with suppress(HelperLost):
                self._is_ready = self.answer() is None
            if not self._is_ready:
                self.lose()
        return self._is_ready

    def _start(self) -> None:
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                self._command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                bufsize=-1,
                start_new_session=True,
            )
        except OSError as error:
            LOG.warning("No second process for decoding: %s", error)
            self._not_before = time.monotonic() + AGAIN_S

    def ask(self, job: Job) -> None:
        """Hand over a job; at most ``WAITING`` before the first is answered.

        Raises HelperLost.
        """
        try:
            if self._process is None or self._process.stdin is None:
                raise HelperLost("There is no process.")
            _write(self._process.stdin, job)
        except OSError as error:
            raise HelperLost(str(error)) from error

    def answer(self) -> Made | None:
        """Return the next part of the first job's answer; None at its end.

        Raises HelperLost.
        """
        try:
            if self._process is None or self._process.stdout is None:
                raise HelperLost("There is no process.")
            made = _read(self._process.stdout)
        except (OSError, EOFError, pickle.UnpicklingError) as error:
            raise HelperLost(repr(error)) from error
        if made is not None and not isinstance(made, Made):
            raise HelperLost(f"It said {type(made).__name__}.")
        return made

    def interrupt(self) -> None:
        """Let whoever waits for an answer get HelperLost; from any thread."""
        process = self._process
        if process is not None:
            process.kill()

    def rest(self) -> None:
        """Let the process end if it has had nothing to do for a while."""
        if self._process is not None and time.monotonic() - self._used > IDLE_S:
            self.stop()

    def lose(self) -> None:
        """Give the process up after trouble."""
        LOG.warning("The second process for decoding was lost; going on without it.")
        self.stop()
        self._not_before = time.monotonic() + AGAIN_S

    def stop(self) -> None:
        """End the process, if there is one; what it was asked is not answered."""
        process, self._process, self._is_ready = self._process, None, False
        if process is None:
            return
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with suppress(OSError):  # what could not be written is not needed
                    pipe.close()


def answer_all(
    asked: IO[bytes], answers: IO[bytes], *, decode: Decode, place: Place | None
) -> None:
    """Be the process: answer jobs until nobody asks any more."""
    gc.freeze()
    gc.disable()  # what comes and goes here refers to nothing in a circle
    jobs: queue.Queue[Job | None] = queue.Queue()
    threading.Thread(target=_take_in, args=(asked, jobs), daemon=True).start()
    with suppress(BrokenPipeError):  # whoever asked has gone
        _write(answers, None)
        while (job := jobs.get()) is not None:
            for made in worked(job, decode=decode, place=place):
                answers.write(made)
                answers.flush()
            _write(answers, None)
            gc.collect()


def _take_in(asked: IO[bytes], jobs: "queue.Queue[Job | None]") -> None:
    """Read jobs as they come, so that whoever asks never waits to be heard."""
    with suppress(EOFError, OSError):
        while True:
            jobs.put(_read(asked))
    jobs.put(None)


def worked(job: Job, *, decode: Decode, place: Place | None) -> Iterator[bytes]:
    """Yield what a job comes to, as messages."""
    planner = Planner(
        decode=decode,
        project_of_id=job.projects.get,
        place=place,
        timings=defaultdict(float),
    )
    for units in batches(map(planner.unit, job.queued), job.batch_bytes):
        try:
            prepared = planner.prepared(units)
            lean(prepared.sheet)
            message = _message(Made(count=len(units), prepared=prepared))
        except Exception as error:  # noqa: BLE001 - it comes again where it is carried
            LOG.debug("A batch of %d units is not prepared: %r", len(units), error)
            message = _message(Made(count=len(units), prepared=None))
        yield message


def lean(sheet: Sheet) -> None:
    """Leave out what only the first steps needed."""
    for row, draft in sheet.drafts.items():
        sheet.drafts[row] = _lean(draft)


def _lean(draft: Draft) -> Draft:
    event = draft.captured
    draft.captured = CapturedEvent(
        uuid=event.uuid, name=event.name, distinct_id=event.distinct_id
    )
    return draft


def _message(value: Any) -> bytes:
    body = pickle.dumps(value, protocol=5)
    return _LENGTH.pack(len(body)) + body


def _write(pipe: IO[bytes], value: Any) -> None:
    pipe.write(_message(value))
    pipe.flush()


def _read(pipe: IO[bytes]) -> Any:
    """Return the next message. Raises EOFError where there is none, or half of one."""
    head = pipe.read(_LENGTH.size)
    if len(head) < _LENGTH.size:
        raise EOFError
    (length,) = _LENGTH.unpack(head)
    body = pipe.read(length)
    if len(body) < length:
        raise EOFError
    return pickle.loads(body)  # noqa: S301 - from our own process
