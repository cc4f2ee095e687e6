"""The tables in code and the tables in the database are the same."""

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from app.errors import SchemaTooNew
from app.models import Base, Database
from app.models.schema import current, migrate, newest


@pytest.fixture
def empty(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/time.db")
    yield database
    database.close()


def test_migrations_make_exactly_the_tables_of_the_models(empty):
    migrate(empty)

    with empty.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []


def test_migrating_twice_changes_nothing(empty):
    assert migrate(empty) is True
    assert migrate(empty) is False
    assert current(empty) == newest()


def test_a_database_of_a_newer_program_is_refused(empty):
    migrate(empty)
    with empty.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(SchemaTooNew, match="9999"):
        migrate(empty)
