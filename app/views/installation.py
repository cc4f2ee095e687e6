"""Administration, System: how this installation is, what it did by itself, whom it calls.

Everything that leaves this machine is in one list, with its switch and when it was last
used: that list is the promise that nothing else does.
"""

import platform
import shutil
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any

from flask import current_app, redirect, render_template, url_for
from sqlalchemy import func, select, text
from werkzeug.wrappers import Response

from app import mail, upkeep
from app.audit import record
from app.config import VERSION
from app.errors import Conflict, InvalidInput, Unreachable
from app.jobs import JOBS, NEWEST
from app.languages import gettext as _
from app.languages import told
from app.mail import LAST_MAIL, Mail, is_on, send
from app.models.people import UserSession
from app.models.records import Lease, TelemetryLog
from app.models.saved import Setting
from app.models.schema import current, newest
from app.people import oidc
from app.telemetry import sinks
from app.telemetry.send import track_event, track_failure
from app.views import context
from app.views.context import commit, database, db, now
from app.views.system import blueprint, checks

__all__ = ["blueprint"]

SHOWN_BACKUPS = 10


@dataclass(frozen=True, kw_only=True)
class Connection:
    """One thing outside that this program may call."""

    name: str
    where: str
    """Empty: it is not configured."""
    on: bool
    switch: str
    last: datetime | None = None


@blueprint.get("/admin/system")
def page() -> str:
    """Show version, database, disk, jobs, backups and outgoing connections."""
    context.demand("administer")
    folder = Path(current_app.config["DATA_DIR"]).resolve()
    seen = db().get(Setting, NEWEST)
    return render_template(
        "system.html",
        versions=_versions(),
        newest=str(seen.value) if seen and seen.value != VERSION else "",
        checks=checks(),
        database=_database(),
        disk=shutil.disk_usage(folder),
        jobs=_jobs(),
        backups=_backups(folder),
        connections=_connections(),
        no_way_in=oidc.locks_out_admins(db(), current_app.config),
        mail_works=is_on(current_app.config),
        mails=mail.newest(db()),
    )


def _versions() -> list[tuple[str, str]]:
    return [
        ("TimeTracker", VERSION),
        ("Python", platform.python_version()),
        (_("Time zone data"), version_of("tzdata")),
        (_("System"), f"{platform.system()} {platform.release()}"),
    ]


def _database() -> dict[str, Any]:
    """Return engine, size in bytes and the state of the schema."""
    opened = database()
    if opened.on_sqlite:
        file = upkeep.file_of(opened)
        size = sum(
            path.stat().st_size
            for path in file.parent.glob(f"{file.name}*")
            if path.is_file()
        )
    else:
        size = int(db().scalar(text("SELECT pg_database_size(current_database())")) or 0)
    return {
        "engine": "SQLite" if opened.on_sqlite else "PostgreSQL",
        "size": size,
        "revision": current(opened) or "",
        "newest": newest(),
        "on_sqlite": opened.on_sqlite,
    }


def _jobs() -> list[dict[str, Any]]:
    """Return every job with when it ran last; one that is not wanted now never ran."""
    leases = {lease.name: lease for lease in db().scalars(select(Lease))}
    return [
        {
            "name": job.name,
            "every": int(job.every.total_seconds()),
            "last": leases[job.name].last_run_at if job.name in leases else None,
            "busy": job.name in leases and leases[job.name].expires_at > now(),
            "wanted": job.wanted(current_app._get_current_object(), now()),  # type: ignore[attr-defined]  # noqa: SLF001 - Werkzeug's documented way to the object
        }
        for job in JOBS
    ]


def _backups(folder: Path) -> list[dict[str, Any]]:
    """Return the newest copies of the database that lie in the data folder."""
    found = sorted(
        (folder / "backups").glob("*.db"),
        key=lambda path: path.stat().st_mtime,
        reverse=True,
    )
    return [
        {
            "name": path.name,
            "size": path.stat().st_size,
            "at": datetime.fromtimestamp(path.stat().st_mtime, now().tzinfo),
        }
        for path in found[:SHOWN_BACKUPS]
    ]


def _connections() -> list[Connection]:
    """Return all that may be called: the provider, mail, two sinks, the update check."""
    config = current_app.config
    oidc_on = config["ENABLE_OIDC"] and config["AUTH_METHOD"] != "local"
    told = config["ENABLE_TELEMETRY"]
    leases = {lease.name: lease.last_run_at for lease in db().scalars(select(Lease))}
    signed_in = select(func.max(UserSession.signed_in_at)).where(
        UserSession.auth_method == "oidc"
    )
    mails = config["ENABLE_EMAIL"] and not config["DEMO_MODE"]
    found = [
        Connection(name=_("Identity provider"), where=config["OIDC_ISSUER"], on=oidc_on,
                   switch="ENABLE_OIDC, AUTH_METHOD", last=db().scalar(signed_in)),
        Connection(name=_("Mail server"), where=config["MAIL_HOST"], on=mails,
                   switch="ENABLE_EMAIL", last=_last_mail()),
        Connection(name=_("Update check"), where=config["UPDATE_CHECK_URL"],
                   on=config["ENABLE_UPDATE_CHECK"], switch="ENABLE_UPDATE_CHECK",
                   last=leases.get("updates")),
    ]  # fmt: skip
    for name, title in (
        (sinks.ANALYTICS, _("Analytics of users")),
        (sinks.TELEMETRY, _("Telemetry of the installation")),
    ):
        at = sinks.sink(config, name)
        last = select(func.max(TelemetryLog.at)).where(
            TelemetryLog.sink == name,
            TelemetryLog.outcome.in_(("sent", "handed over", "failed")),
        )
        found.append(
            Connection(name=title, where=at.host if at else "", on=told,
                       switch="ENABLE_TELEMETRY", last=db().scalar(last))
        )  # fmt: skip
    return found


def _last_mail() -> datetime | None:
    row = db().get(Setting, LAST_MAIL)
    return datetime.fromtimestamp(row.value["at"], now().tzinfo) if row else None


@blueprint.post("/admin/system/mail")
def test_mail() -> Response:
    """Send a mail to the administrator at once, and say how it went."""
    admin = context.demand("administer")
    address, name = admin.email, admin.display_name
    commit()  # hold no lock while another server takes its time
    if not address:
        raise InvalidInput("Your account has no mail address.", hint="Give it one first.")
    if not is_on(current_app.config):
        raise Conflict("No mail is sent here.", hint="Set MAIL_HOST; see ENABLE_EMAIL.")
    mail = Mail(to=address, name=name, subject=_("Test of TimeTracker"),
                text=render_template("mail/test.txt"))  # fmt: skip
    try:
        send(current_app.config, mail)
    except Unreachable as error:
        track_failure("email", error, user_id=admin.id)
        context.say(told(error), kind="bad")
    else:
        context.say(_("The mail server took a mail to %(address)s", address=address))
    return redirect(url_for("system.page"), code=HTTPStatus.SEE_OTHER)


@blueprint.post("/admin/system/backup")
def make_backup() -> Response:
    """Copy the database into the data folder while everybody goes on working."""
    admin = context.demand("administer")
    record(db(), context.actor(), "backup.created", now())
    commit()
    folder = Path(current_app.config["DATA_DIR"]).resolve() / "backups"
    made = upkeep.backup(database(), folder / f"manual-{now():%Y%m%d-%H%M%S}.db")
    track_event(admin.id, "admin.backup_created", {})
    context.say(_("%(name)s is in the data folder", name=made.name))
    return redirect(url_for("system.page"), code=HTTPStatus.SEE_OTHER)
