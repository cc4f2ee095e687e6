"""Fixtures for all tests: one events database in memory for the run."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from hedgerow.model.projects import Project
from hedgerow.store.on_duckdb import DuckStore
from tests.world import a_project

settings.register_profile("long", max_examples=1_000_000, deadline=None)
settings.register_profile("steady", deadline=None)  # speed is a matter of bench/
settings.load_profile("steady")  # --hypothesis-profile is read after this, and wins

WHOLE = {
    "store",
    "house",
    "client",
    "api",
    "admin",
    "metadata",
    "app",
    "database",
    "browse",
}
"""Fixtures that put a real disk or a whole program behind a test."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what goes through a whole store or program: ``make quick`` leaves it out."""
    for item in items:
        if WHOLE & set(getattr(item, "fixturenames", ())):
            item.add_marker("whole")


@pytest.fixture(scope="session")
def store() -> Iterator[DuckStore]:
    """The events database of the run; every test has a project of its own in it."""
    opened = DuckStore(None)
    yield opened
    opened.close()


@pytest.fixture
def project() -> Project:
    """A project nobody else has used."""
    return a_project()
