"""The fleets' public pages are published once a night, each at a time of its own."""

import logging
import threading

from hedgerow.api.fleet_publishing import publish_due
from hedgerow.errors import HedgerowError
from hedgerow.serve.house import House

LOG = logging.getLogger(__name__)
FIRST_AFTER_S = 120.0
EVERY_S = 900.0


class Nightly:
    """Looks every quarter of an hour for pages that are due, in a thread of its own."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="publishing", daemon=True)

    def start(self) -> None:
        """Begin; the first time shortly after the start."""
        self._thread.start()

    def stop(self) -> None:
        """Publish no more; wait for the page that is being computed."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        wait_s = FIRST_AFTER_S
        while not self._stopped.wait(wait_s):
            wait_s = EVERY_S
            house = self._house
            try:
                done = publish_due(
                    house.metadata, house.store, house.directory.all(), house.clock()
                )
            except HedgerowError as error:
                LOG.warning("A fleet's page could not be published: %s", error)
            else:
                for project_id in done:
                    LOG.info("Published the fleet's page of project %d.", project_id)
