"""Messages that leave once: claimed before they do, tried again, given up, or unclear.

The messages of alerts and of subscriptions are rows of two tables with one life, which is
told here: waiting, leaving, and then sent, failed or unclear.
"""

from datetime import datetime, timedelta

from sqlalchemy import update
from sqlalchemy.orm import Mapped, Session, mapped_column

AGAIN = (timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=30))
"""When a message that was refused is tried again, until it is given up."""

ERROR_MAX = 500


class Outgoing:
    """The columns of a message to one target."""

    target: Mapped[str]
    state: Mapped[str] = mapped_column(default="waiting")  # leaving, sent, failed, unclear
    tries: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime]
    error: Mapped[str] = mapped_column(default="")


def claim(message: Outgoing) -> None:
    """Claim a message that waits: from now on nobody else sends it."""
    message.state, message.tries = "leaving", message.tries + 1


def settle(
    session: Session, kind: type[Outgoing], message_id: int, error: str, now: datetime
) -> None:
    """Note that a message was sent, or why not: then it is tried again, or given up."""
    message = session.get(kind, message_id)
    if message is None:
        return
    message.error = error[:ERROR_MAX]
    if not error:
        message.state = "sent"
    elif message.tries > len(AGAIN):
        message.state = "failed"
    else:
        message.state, message.due_at = "waiting", now + AGAIN[message.tries - 1]


def after_a_stop(session: Session, kind: type[Outgoing]) -> None:
    """Mark what was leaving when the last run ended: it may have arrived."""
    session.execute(
        update(kind)
        .where(kind.state == "leaving")
        .values(state="unclear", error="Hedgerow ended while this was being sent.")
    )
