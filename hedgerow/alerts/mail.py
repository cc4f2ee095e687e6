"""One message by SMTP, or why not."""

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import make_msgid

from hedgerow.alerts.webhooks import NotDelivered
from hedgerow.settings import Settings

TIMEOUT_S = 20


def send(settings: Settings, to: str, subject: str, text: str, *, html: str = "") -> None:
    """Send a mail, where ``html`` is given in both forms. Raises NotDelivered."""
    if not settings.smtp_host:
        raise NotDelivered(
            "This server sends no mail.", hint="Set HEDGEROW_SMTP_HOST and the others."
        )
    message = EmailMessage()
    message["From"], message["To"] = sender(settings), to
    message["Subject"] = subject.replace("\r", " ").replace("\n", " ")
    message["Message-ID"] = make_msgid(domain="hedgerow")
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(text)
    if html:
        message.add_alternative(html, subtype="html")
    try:
        with _connected(settings) as server:
            if settings.smtp_user:
                server.login(settings.smtp_user, settings.smtp_password)
            server.send_message(message)
    except (OSError, smtplib.SMTPException, UnicodeError) as error:
        raise NotDelivered(
            f"{settings.smtp_host}:{settings.smtp_port} did not take the mail: {error}",
            hint="",
        ) from error


def sender(settings: Settings) -> str:
    """Return the address mails come from."""
    return settings.mail_from or f"hedgerow@{settings.smtp_host}"


def _connected(settings: Settings) -> smtplib.SMTP:
    where = (settings.smtp_host, settings.smtp_port)
    if settings.smtp_security == "tls":
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(*where, timeout=TIMEOUT_S, context=context)
    server = smtplib.SMTP(*where, timeout=TIMEOUT_S)
    if settings.smtp_security == "starttls":
        try:
            server.starttls(context=ssl.create_default_context())
        except (OSError, smtplib.SMTPException):
            server.close()
            raise
    return server
