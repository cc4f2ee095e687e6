"""Mail: put into a queue by whoever has something to say, sent by the scheduler.

Nobody waits for a mail server. The queue is in memory: what is in it when the process
ends is lost, and every mail can be asked for again. A server that does not answer is
tried again a few times, then the mail is given up with a line in the log. Without
``MAIL_HOST``, or with ``ENABLE_EMAIL`` off, nothing is queued and nothing is called.
"""

import logging
import smtplib
import ssl
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import make_msgid
from typing import Any

from app.errors import Unreachable

EXTENSION = "post"
LAST_MAIL = "last_mail"
"""Name of the setting that keeps when a mail was sent last."""

TIMEOUT_S = 20
MOST_WAITING = 1000
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


@dataclass
class _Waiting:
    mail: Mail
    due: datetime | None = None
    tries: int = 0


class Post:
    """The mails of one process that wait to be sent."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        """Take the live configuration: a switch patched later counts at once."""
        self.config = config
        self._waiting: deque[_Waiting] = deque(maxlen=MOST_WAITING)

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, mail: Mail) -> bool:
        """Queue a mail; False where this installation sends none."""
        if not is_on(self.config):
            return False
        self._waiting.append(_Waiting(mail))
        return True

    def empty(self, now: datetime) -> int:
        """Send what is due and return how many went.

        Raises Unreachable for the first mail that is given up, after the others.
        """
        sent, lost = 0, None
        for _ in range(len(self._waiting)):
            one = self._waiting.popleft()
            if one.due is not None and one.due > now:
                self._waiting.append(one)
                continue
            try:
                send(self.config, one.mail)
            except Unreachable as error:
                if one.tries == len(AGAIN):
                    lost = lost or error
                    continue
                one.due, one.tries = now + AGAIN[one.tries], one.tries + 1
                self._waiting.append(one)
                log.warning("A mail could not be sent, it is tried again: %s", error)
            else:
                sent += 1
        if lost is not None:
            raise lost
        return sent


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
            f"The mail server {host}:{port} did not take a mail "
            f"({type(error).__name__}: {_said(error)}).",
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
