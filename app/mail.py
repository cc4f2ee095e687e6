"""Mail: put into the database by whoever has something to say, sent by the scheduler.

Nobody waits for a mail server, and no mail is lost with a process: it is kept with what it
is about, in the same transaction where the caller has one, and sent after that. A server
that does not answer is tried again a few times, then the mail is given up; the System
page shows which, and what the server said. A mail whose sender died while sending it is
sent again: twice is better than never. Its text, which may hold a link that signs in, goes
once it is sent or given up. Without ``MAIL_HOST``, or with ``ENABLE_EMAIL`` off, nothing
is kept and nothing is called.
"""

import logging
import smtplib
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import make_msgid
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.errors import Unreachable, said
from app.models import Database
from app.models.records import OutgoingMail

EXTENSION = "post"
LAST_MAIL = "last_mail"
"""Name of the setting that keeps when a mail was sent last."""

TIMEOUT_S = 20
AT_ONCE = 100
"""Mails sent in one round."""

TAKEN_FOR = timedelta(minutes=5)
"""How long a process may take for one mail until another tries."""

KEPT_FOR = timedelta(days=30)
"""How long what became of a mail can be looked up."""

AGAIN = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30))
"""When a mail that could not be sent is tried again, until it is given up."""

log = logging.getLogger("timetracker")


@dataclass(frozen=True, kw_only=True)
class Mail:
    """One message to one person."""

    to: str
    name: str
    subject: str
    text: str


def is_on(config: Mapping[str, Any]) -> bool:
    """Return whether this installation sends mail."""
    return bool(config["ENABLE_EMAIL"] and config["MAIL_HOST"] and not config["DEMO_MODE"])


class Post:
    """The mails that wait to be sent."""

    def __init__(self, config: Mapping[str, Any], database: Database) -> None:
        """Take the live configuration: a switch patched later counts at once."""
        self.config, self.database = config, database

    def put(self, mail: Mail, now: datetime, *, within: Session | None = None) -> bool:
        """Keep a mail to be sent; False where this installation sends none.

        ``within`` is the transaction it belongs to; without one, call it after the commit.
        """
        if not is_on(self.config):
            return False
        row = OutgoingMail(
            at=now, due_at=now, address=mail.to, name=mail.name[:200],
            subject=mail.subject[:200], text=mail.text,
        )  # fmt: skip
        if within is not None:
            within.add(row)
            return True
        with self.database.writing() as session:
            session.add(row)
        return True

    def empty(self, now: datetime) -> int:
        """Send what is due and return how many went.

        Raises Unreachable for the first mail that is given up, after the others.
        """
        sent, lost = 0, None
        for number in self._due(now):
            taken = self._take(number, now)
            if taken is None:
                continue
            try:
                send(self.config, taken)
            except Unreachable as error:
                if self._note_failure(number, str(error), now):
                    lost = lost or error
            else:
                self._note_sent(number, now)
                sent += 1
        if lost is not None:
            raise lost
        return sent

    def _due(self, now: datetime) -> list[int]:
        if not is_on(self.config):
            return []
        query = select(OutgoingMail.id).where(
            OutgoingMail.state == "waiting", OutgoingMail.due_at <= now
        )
        with self.database.reading() as session:
            return list(session.scalars(query.order_by(OutgoingMail.id).limit(AT_ONCE)))

    def _take(self, number: int, now: datetime) -> Mail | None:
        """Take a mail for this process for a while; None: another one has it."""
        with self.database.writing() as session:
            row = session.get(OutgoingMail, number, with_for_update=True)
            if row is None or row.state != "waiting" or row.due_at > now:
                return None
            row.due_at = now + TAKEN_FOR
            return Mail(to=row.address, name=row.name, subject=row.subject, text=row.text)

    def _note_sent(self, number: int, now: datetime) -> None:
        with self.database.writing() as session:
            row = session.get_one(OutgoingMail, number)
            row.state, row.done_at, row.text, row.error = "sent", now, "", ""
            row.tries += 1

    def _note_failure(self, number: int, said: str, now: datetime) -> bool:
        """Note what went wrong and when to try again; True where it is given up."""
        with self.database.writing() as session:
            row = session.get_one(OutgoingMail, number)
            row.error, row.tries = said[:300], row.tries + 1
            if row.tries > len(AGAIN):
                row.state, row.done_at, row.text = "failed", now, ""
                return True
            row.due_at = now + AGAIN[row.tries - 1]
        log.warning("A mail could not be sent, it is tried again: %s", said)
        return False


def newest(session: Session, *, limit: int = 20) -> list[OutgoingMail]:
    """Return the newest mails, those that wait or failed among them."""
    query = select(OutgoingMail).order_by(OutgoingMail.id.desc()).limit(limit)
    return list(session.scalars(query))


def purge(session: Session, now: datetime) -> None:
    """Forget mails that were dealt with long ago."""
    session.execute(delete(OutgoingMail).where(OutgoingMail.done_at < now - KEPT_FOR))


def send(config: Mapping[str, Any], mail: Mail) -> None:
    """Send a mail now; Unreachable says what the server did."""
    host, port = config["MAIL_HOST"], config["MAIL_PORT"]
    try:
        with _connected(config) as server:
            if config["MAIL_USER"]:
                server.login(config["MAIL_USER"], config["MAIL_PASSWORD"])
            server.send_message(_message(config, mail))
    except (OSError, smtplib.SMTPException) as error:
        raise Unreachable(
            said(
                "The mail server %(host)s:%(port)s did not take a mail (%(name)s: %(said)s).",
                host=host,
                port=port,
                name=type(error).__name__,
                said=_said(error),
            ),
            hint="Check MAIL_HOST, MAIL_PORT, MAIL_SECURITY, MAIL_USER and MAIL_PASSWORD.",
        ) from error


def _connected(config: Mapping[str, Any]) -> smtplib.SMTP:
    host, port = config["MAIL_HOST"], config["MAIL_PORT"]
    checked = ssl.create_default_context()
    if config["MAIL_SECURITY"] == "tls":
        return smtplib.SMTP_SSL(host, port, timeout=TIMEOUT_S, context=checked)
    server = smtplib.SMTP(host, port, timeout=TIMEOUT_S)
    if config["MAIL_SECURITY"] == "starttls":
        try:
            server.starttls(context=checked)
        except (OSError, smtplib.SMTPException):
            server.close()
            raise
    return server


def _message(config: Mapping[str, Any], mail: Mail) -> EmailMessage:
    sender = config["MAIL_FROM"] or config["MAIL_USER"]
    message = EmailMessage()
    message["From"] = Address("TimeTracker", addr_spec=sender)
    message["To"] = Address(" ".join(mail.name.split()), addr_spec=mail.to)
    message["Subject"] = " ".join(mail.subject.split())
    message["Message-ID"] = make_msgid(domain=sender.rpartition("@")[2])
    message["Auto-Submitted"] = "auto-generated"  # so that nobody's absence note answers
    message.set_content(mail.text, cte="quoted-printable")  # some servers know 7 bits
    return message


def _said(error: Exception) -> str:
    """Return what the server answered, never a password: those stand in no answer."""
    if isinstance(error, smtplib.SMTPResponseException):
        raw = error.smtp_error
        text = raw.decode(errors="replace") if isinstance(raw, bytes) else str(raw)
        return f"{error.smtp_code} {text}"[:200]
    return str(error)[:200]
