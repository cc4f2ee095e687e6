"""The scheduler: one thread that does what is due, in one process at a time.

Every process has the thread; before a job runs, the process takes the job's lease in
the database, so that several workers do it once. A job that fails is logged, told as
``error.scheduler``, and due again at its next time. Each process empties its own outbox
of messages without a lease.
"""

import logging
import os
import secrets
import socket
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import requests
from flask import Flask, render_template
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app import audit, demo, mail
from app.errors import Unreachable
from app.imports import commit
from app.languages import gettext, speaking_to
from app.models.database import Database
from app.models.records import Lease
from app.models.saved import Setting
from app.people import sessions
from app.reports import slicing
from app.settings import in_force
from app.telemetry import daily, told
from app.telemetry.reporter import EXTENSION, Reporter
from app.telemetry.send import track_event, track_failure
from app.tracking import forgotten, once, timers, trash

ROUND_S = 20.0
"""Seconds between two looks at what is due, unless something wakes the thread."""

LEASE = timedelta(minutes=5)
"""How long a process may hold a job; one that died is replaced after that."""

BATCH = 500
"""Entries that leave the trash in one transaction."""

NEWEST = "newest_version"
"""Name of the setting that keeps what the update check found."""

logger = logging.getLogger("app.jobs")


def _always(_app: Flask, _now: datetime) -> bool:
    return True


class Job(NamedTuple):
    """Something to do again and again."""

    name: str
    every: timedelta
    run: Callable[[Flask, datetime], None]
    wanted: Callable[[Flask, datetime], bool] = _always
    """Asked first; reads only."""


def take_lease(
    session: Session, name: str, holder: str, now: datetime, *, every: timedelta
) -> bool:
    """Take a job for this process; False: it is not due, or another process has it."""
    lease = session.get(Lease, name, with_for_update=True)
    if lease is None:
        session.add(
            Lease(name=name, holder=holder, expires_at=now + LEASE, last_run_at=now)
        )
        session.flush()
        return True
    busy = lease.expires_at > now and lease.holder != holder
    early = lease.last_run_at is not None and now - lease.last_run_at < every
    if busy or early:
        return False
    lease.holder, lease.expires_at, lease.last_run_at = holder, now + LEASE, now
    return True


def give_back(session: Session, name: str, holder: str, now: datetime) -> None:
    """Let other processes have the job when it is due again."""
    lease = session.get(Lease, name)
    if lease is not None and lease.holder == holder:
        lease.expires_at = now


class Scheduler:
    """The thread of one process."""

    def __init__(self, app: Flask, database: Database, jobs: tuple[Job, ...]) -> None:
        self.app, self.database, self.jobs = app, database, jobs
        self.holder = f"{socket.gethostname()[:60]}:{os.getpid()}:{secrets.token_hex(4)}"
        self._stopped = threading.Event()
        self._reporter: Reporter = app.extensions[EXTENSION]
        self._thread = threading.Thread(target=self._loop, name="jobs", daemon=True)

    def start(self) -> None:
        """Begin; the first round is at once."""
        self._thread.start()

    def stop(self) -> None:
        """End after the job that is running."""
        self._stopped.set()
        self._reporter.wake.set()
        self._thread.join(timeout=10)

    def _loop(self) -> None:
        while not self._stopped.is_set():
            self.round(datetime.now(UTC))
            self._reporter.wake.wait(ROUND_S)
            self._reporter.wake.clear()

    def round(self, now: datetime) -> None:
        """Send what waits and do what is due."""
        with self.app.app_context():
            self._do("outbox", partial(daily.empty_outbox, self._reporter))
            self._do("mail", partial(send_mail, self.app, now))
            for job in self.jobs:
                self._do(job.name, partial(self._run, job, now))

    def _do(self, name: str, act: Callable[[], object]) -> None:
        try:
            act()
        except (
            Exception
        ) as error:  # the outer loop: one job that fails must not end the others
            logger.exception("The job %s failed.", name)
            track_failure("scheduler", error)

    def _run(self, job: Job, now: datetime) -> None:
        if self.app.config["READ_ONLY"] or not job.wanted(self.app, now):
            return
        try:
            with self.database.writing() as session:
                mine = take_lease(session, job.name, self.holder, now, every=job.every)
        except IntegrityError:
            return  # another process made the lease's row at this very moment
        if not mine:
            return
        try:
            job.run(self.app, now)
        finally:
            with self.database.writing() as session:
                give_back(session, job.name, self.holder, datetime.now(UTC))


def _reporter(app: Flask) -> Reporter:
    found: Reporter = app.extensions[EXTENSION]
    return found


def _has_to_tell(app: Flask, now: datetime) -> bool:
    return bool(daily.due(_reporter(app), now))


def _tell(app: Flask, now: datetime) -> None:
    daily.tell(_reporter(app), now)


def _checks_updates(app: Flask, _now: datetime) -> bool:
    return bool(app.config["ENABLE_UPDATE_CHECK"] and app.config["UPDATE_CHECK_URL"])


def check_updates(app: Flask, _now: datetime) -> None:
    """Ask for the newest version and keep it; nothing but the request is sent."""
    answer = requests.get(
        app.config["UPDATE_CHECK_URL"],
        headers={"User-Agent": "TimeTracker", "Accept": "application/json"},
        timeout=5,
        allow_redirects=False,
    )
    answer.raise_for_status()
    newest = str(answer.json()["version"])[:40]
    with _reporter(app).database.writing() as session:
        _keep(session, NEWEST, newest)


def _writes(app: Flask, _now: datetime) -> bool:
    return not app.config["READ_ONLY"]


def send_mail(app: Flask, now: datetime) -> None:
    """Send the mails of this process; what is given up is told as ``error.email``."""
    post: mail.Post | None = app.extensions.get(mail.EXTENSION)
    if (
        post is None or app.config["READ_ONLY"]
    ):  # none to send, or an application that sends none
        return
    try:
        sent = post.empty(now)
    except Unreachable as error:
        logger.error("A mail was given up: %s", error)  # noqa: TRY400 - it says all there is
        track_failure("email", error)
        return
    if sent:
        with _reporter(app).database.writing() as session:
            _keep(session, mail.LAST_MAIL, {"at": int(now.timestamp())})


def _keep(session: Session, key: str, value: Any) -> None:
    row = session.get(Setting, key)
    if row is None:
        session.add(Setting(key=key, value=value))
    else:
        row.value = value


def _reminds(app: Flask, now: datetime) -> bool:
    return _writes(app, now) and mail.is_on(app.config)


def remind(app: Flask, now: datetime) -> None:
    """Write once to whoever has a timer that runs for longer than ``LONG_TIMER_HOURS``."""
    post: mail.Post = app.extensions[mail.EXTENSION]
    with _reporter(app).database.writing() as session:
        rules = in_force(session, app.config)
        written = [
            (entry.user, timers.worked_seconds(entry, now))
            for entry in forgotten.to_remind(session, now, rules)
            if entry.user.email
            and once.first_time(session, entry.user, f"long-timer-{entry.id}", now)
        ]
        for person, worked in written:
            with speaking_to(person):
                text = render_template(
                    "mail/long_timer.txt", person=person, worked=worked,
                    link=app.config["PUBLIC_URL"],
                )  # fmt: skip
                subject = gettext("Your timer is still running")
            kept = mail.Mail(
                to=str(person.email), name=person.display_name, subject=subject, text=text
            )
            post.put(kept, now, within=session)


def _stops_timers(app: Flask, now: datetime) -> bool:
    if not _writes(app, now):
        return False
    with _reporter(app).database.reading() as session:
        return in_force(session, app.config).max_timer_hours > 0


def tidy(app: Flask, now: datetime) -> None:
    """Remove what has had its time: trash, sessions, keys, undo steps, audit lines."""
    database, config = _reporter(app).database, app.config
    emptied = BATCH
    while emptied == BATCH:  # a transaction each, so that nobody waits long
        with database.writing() as session:
            emptied = trash.empty_trash(session, now, days=config["TRASH_DAYS"], most=BATCH)
    with database.writing() as session:
        once.forget_old(session, now)
        sessions.purge(session, now, idle=timedelta(hours=config["SESSION_IDLE_HOURS"]))
        audit.purge(session, now, days=config["AUDIT_RETENTION_DAYS"])
        mail.purge(session, now)


def stop_overdue(app: Flask, now: datetime) -> None:
    """Stop timers at ``MAX_TIMER_HOURS``; they wait on the dashboard to be checked."""
    with _reporter(app).database.writing() as session:
        rules = in_force(session, app.config)
        stopped = [
            (entry.user, entry) for entry in forgotten.stop_overdue(session, now, rules)
        ]
    for person, entry in stopped:
        track_event(person.id, *told.stopped(person, entry, now))


def _imports_wait(app: Flask, _now: datetime) -> bool:
    with _reporter(app).database.reading() as session:
        return bool(commit.waiting(session))


def go_on_importing(app: Flask, now: datetime) -> None:
    """Work on waiting imports for some seconds; the rest of them comes next round.

    How far one got is in the database, so a restart goes on where the last one ended.
    """
    reporter = _reporter(app)
    with reporter.database.reading() as session:
        waiting, rules = commit.waiting(session), in_force(session, app.config)
    for number in waiting[:1]:
        folder = Path(app.config["DATA_DIR"])
        ended = commit.work(reporter.database, number, now, rules, folder=folder)
        if ended is not None:
            _tell_import(ended)
    if _imports_wait(app, now):
        reporter.wake.set()


def _tell_import(ended: commit.Ended) -> None:
    if ended.failed is not None:
        own = {"source": ended.source, "stage": "commit"}
        track_failure("import", ended.failed, user_id=ended.user_id)
        track_event(ended.user_id, "import.failed", own)
        return
    counts = ended.counts
    track_event(
        ended.user_id,
        "import.completed",
        {
            "source": ended.source,
            "rows": counts["done"],
            "created": counts["created"],
            "skipped_duplicate": counts["duplicate"],
            "skipped_error": counts["error"],
            "duration_ms": counts["took_ms"],
        },
    )


def _is_old_demo(app: Flask, now: datetime) -> bool:
    if not app.config["DEMO_MODE"]:
        return False
    with _reporter(app).database.reading() as session:
        return demo.is_old(session, now)


def begin_demo_anew(app: Flask, now: datetime) -> None:
    """Put the sample data back as they were, once a day; everybody signs in anew."""
    with _reporter(app).database.writing() as session:
        demo.begin_anew(session, now)


def _sums_wait(app: Flask, _now: datetime) -> bool:
    with _reporter(app).database.reading() as session:
        return slicing.waiting(session, in_force(session, app.config))


def add_up(app: Flask, _now: datetime) -> None:
    """Add up anew what reports keep of the months and days that changed."""
    database = _reporter(app).database
    with database.reading() as session:
        rules = in_force(session, app.config)
    slicing.bring_up_to_date(database, rules)


JOBS = (
    Job("demo", timedelta(0), begin_demo_anew, _is_old_demo),
    Job("imports", timedelta(0), go_on_importing, _imports_wait),
    Job("sums", timedelta(0), add_up, _sums_wait),
    Job("timers", timedelta(minutes=1), stop_overdue, _stops_timers),
    Job("reminders", timedelta(minutes=5), remind, _reminds),
    Job("tidy", timedelta(hours=1), tidy, _writes),
    Job("telemetry", timedelta(seconds=30), _tell, _has_to_tell),
    Job("updates", timedelta(days=1), check_updates, _checks_updates),
)
"""What this program does by itself."""


def start(app: Flask, database: Database, jobs: tuple[Job, ...] = JOBS) -> Scheduler:
    """Start the scheduler of this process; called by ``serve``, not by tests or commands."""
    scheduler = Scheduler(app, database, jobs)
    app.extensions["scheduler"] = scheduler
    scheduler.start()
    return scheduler
