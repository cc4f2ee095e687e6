"""Fixtures for all tests: one events database in memory for the run."""

from collections.abc import Iterator

import pytest

from hedgerow.model.projects import Project
from hedgerow.store.on_duckdb import DuckStore
from tests.world import a_project


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
