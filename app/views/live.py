"""The timer of a person as it changes elsewhere: server-sent events, for visible tabs.

A stream tells the timer's word (``timer.stamp``) when it opens and whenever it changes;
the page then asks for the timer itself. Each stream holds one of the server's threads, so
there are at most ``MOST``: half of what ``serve`` has at least. Who comes later is told
``full`` and asks every two seconds instead. A page that goes on to the next one leaves its
stream behind unnoticed; the new page of the same tab takes its place.

Every change made in this process wakes the streams at once; what another process or the
scheduler did is noticed within ``LOOK_S``. A session that ended ends its stream.
"""

import os
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from flask import Blueprint, Flask, Response, current_app, request
from sqlalchemy.orm import Session

from app.models import Database
from app.models.people import User, UserSession
from app.tracking import timers
from app.views import context
from app.views.timer import stamp

MOST = 4
"""Streams at once: half of the threads that ``serve`` has at least."""

LOOK_S = 1.0
PING_S = 5.0
"""Seconds without news after which a stream says so: how a closed page is noticed."""

LASTS_S = 300.0
"""Seconds after which a stream ends and the page opens another."""

RETRY_MS = 2000
EXTENSION = "streams"

blueprint = Blueprint("live", __name__)


@dataclass(eq=False)
class Stream:
    """One open page."""

    tab: str
    news: threading.Event = field(default_factory=threading.Event)
    ended: bool = False


class Streams:
    """The open streams of this process."""

    def __init__(self, most: int = MOST) -> None:
        """Allow ``most`` at once."""
        self.most = most
        self._open: dict[str, Stream] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._open)

    def open(self, tab: str) -> Stream | None:
        """Return a new stream in the place of the tab's old one; None where all are taken."""
        with self._lock:
            old = self._open.pop(tab, None)
            if old is not None:
                self._end(old)
            if len(self._open) >= self.most:
                return None
            stream = self._open[tab] = Stream(tab)
            return stream

    def close(self, stream: Stream) -> None:
        """Free the place of a stream, unless another has it already."""
        with self._lock:
            self._end(stream)
            if self._open.get(stream.tab) is stream:
                del self._open[stream.tab]

    def wake(self) -> None:
        """Let every stream look whether its timer changed."""
        with self._lock:
            for stream in self._open.values():
                stream.news.set()

    def end(self) -> None:
        """End all streams and open none any more: this process is about to stop."""
        with self._lock:
            self.most = 0
            for stream in self._open.values():
                self._end(stream)

    @staticmethod
    def _end(stream: Stream) -> None:
        stream.ended = True
        stream.news.set()


def prepare(app: Flask) -> None:
    """Wake the streams after every request that may have changed something."""
    app.after_request(_wake)


def end_with_process(app: Flask) -> None:
    """End the streams when this process is told to stop, or it would wait for them.

    The server's own handlers come later and know nothing of streams; Python also writes
    every signal's number to a pipe, whoever handles it. Call it in the main thread.
    """
    news, write = os.pipe()
    os.set_blocking(write, False)
    signal.set_wakeup_fd(write, warn_on_full_buffer=False)
    streams: Streams = app.extensions.setdefault(EXTENSION, Streams())
    watcher = threading.Thread(
        target=_watch, args=(news, streams), name="signals", daemon=True
    )
    watcher.start()


def _watch(news: int, streams: Streams) -> None:
    while os.read(news, 1)[0] not in {signal.SIGINT, signal.SIGTERM}:
        continue
    streams.end()


def _streams() -> Streams:
    found: Streams = current_app.extensions.setdefault(EXTENSION, Streams())
    return found


def _wake(response: Response) -> Response:
    if request.method not in context.SAFE:
        _streams().wake()
    return response


@blueprint.get("/timer/live")
def live() -> Response:
    """Tell of this person's timer as long as the page is open."""
    context.user()
    row = context.browser_session().row
    session_id = row.id if row else ""
    streams = _streams()
    stream = streams.open(f"{session_id}:{request.args.get('tab', '')[:40]}")
    told = (
        iter([_message("full", "")])
        if stream is None
        else _tell(streams, stream, context.database(), session_id)
    )
    response = Response(told, mimetype="text/event-stream")
    response.headers["Cache-Control"] = "no-store, no-transform"
    response.headers["X-Accel-Buffering"] = "no"  # proxies pass each message on at once
    if stream is not None:
        response.call_on_close(lambda: streams.close(stream))
    return response


def _tell(
    streams: Streams, stream: Stream, database: Database, session_id: str
) -> Iterator[str]:
    """Yield the messages of a stream; the place is free when the page is gone."""
    until = time.monotonic() + LASTS_S
    known, said = None, time.monotonic()
    try:
        yield f"retry: {RETRY_MS}\n\n"
        while not stream.ended and time.monotonic() < until:
            stream.news.clear()
            with database.reading() as session:
                found = _word(session, session_id)
            if found is None:
                yield _message("end", "")
                return
            if found != known:
                known, said = found, time.monotonic()
                yield _message("timer", found)
            elif time.monotonic() - said >= PING_S:
                said = time.monotonic()
                yield ": still here\n\n"
            stream.news.wait(LOOK_S)
    finally:
        streams.close(stream)


def _word(session: Session, session_id: str) -> str | None:
    """Return the word of the session's timer; None where the session has ended."""
    row = session.get(UserSession, session_id)
    person = session.get(User, row.user_id) if row and row.user_id else None
    if person is None or not person.is_active:
        return None
    return stamp(timers.running(session, person))


def _message(event: str, data: Any) -> str:
    return f"event: {event}\ndata: {data}\n\n"
