"""Alerts are looked at, subscriptions mailed, and people told, in a thread of its own."""

import logging
import threading

from sqlalchemy.exc import SQLAlchemyError

from hedgerow.alerts import posting, telling
from hedgerow.alerts.looking import look_at_due
from hedgerow.errors import HedgerowError
from hedgerow.meta import outgoing
from hedgerow.meta.tables_alerts import AlertMessage
from hedgerow.meta.tables_subscriptions import SubscriptionMessage
from hedgerow.serve.house import House
from hedgerow.web.letters import Letters

LOG = logging.getLogger(__name__)
FIRST_AFTER_S = 20.0
EVERY_S = 30.0
LEAVE_S = 3.0
"""A message that takes longer to leave is called unclear at the next start."""


class Alerting:
    """Looks every half a minute for what is due."""

    def __init__(self, house: House, base: str) -> None:
        """``base`` is the address people find this server at."""
        self._house, self._base = house, base
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="alerting", daemon=True)

    def start(self) -> None:
        """Begin; what was leaving when the last run ended is not sent again."""
        with self._house.metadata.writing() as session:
            outgoing.after_a_stop(session, AlertMessage)
            outgoing.after_a_stop(session, SubscriptionMessage)
        self._thread.start()

    def stop(self) -> None:
        """Look no more; wait for the message that is leaving."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(LEAVE_S)

    def _run(self) -> None:
        wait_s = FIRST_AFTER_S
        while not self._stopped.wait(wait_s):
            wait_s = EVERY_S
            for look in (once, post):
                try:
                    look(self._house, self._base)
                except (HedgerowError, SQLAlchemyError) as error:
                    LOG.warning("What is due could not be looked at: %s", error)
                except Exception:  # a fault of one must not end the watch over all
                    LOG.exception("What is due could not be looked at.")


def once(house: House, base: str) -> None:
    """Look at the alerts that are due and send what waits."""
    look_at_due(house.metadata, house.directory.project_of_id, house.asking, house.clock())
    telling.send_waiting(house.metadata, house.settings, base, house.clock)


def post(house: House, base: str) -> None:
    """Mail the subscriptions that are due."""
    posting.note_due(house.metadata, house.directory.project_of_id, house.clock())
    write = letters(house, base).write
    posting.send_waiting(house.metadata, house.settings, write, house.clock)


def letters(house: House, base: str) -> Letters:
    """Return what writes the mails of subscriptions."""
    return Letters(
        metadata=house.metadata,
        directory=house.directory,
        ask=house.asking,
        base=base,
        clock=house.clock,
    )
