"""What people say about events and properties, and the schema it is kept in."""

from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from hedgerow.errors import BadSetting, InvalidInput, StoreUnavailable
from hedgerow.meta import audit, catalog, database, projects
from hedgerow.meta.database import open_metadata, revisions
from hedgerow.meta.projects import Directory, ProjectFields
from hedgerow.meta.tables import Row


@pytest.fixture
def shop(metadata, now):
    with metadata.writing() as session:
        return projects.create(session, ProjectFields(name="Shop"), now)


def test_the_migrations_make_exactly_the_tables_of_the_program(metadata):
    with metadata.engine.connect() as connection:
        context = MigrationContext.configure(connection)

        assert compare_metadata(context, Row.metadata) == []


def test_the_changes_of_schema_are_known_without_loading_alembic():
    scripts = ScriptDirectory(Path(database.__file__).with_name("migrations"))

    assert revisions() == [one.revision for one in scripts.walk_revisions()][::-1]


def test_metadata_of_a_later_program_are_left_alone(metadata, tmp_path):
    with metadata.writing() as session:
        session.connection().exec_driver_sql("UPDATE alembic_version SET version_num = '9'")
    metadata.close()

    with pytest.raises(StoreUnavailable, match="later version"):
        open_metadata(tmp_path)


@pytest.mark.parametrize("url", ["nonsense", "oracle://host/name"])
def test_an_address_of_no_database_stops_the_start(tmp_path, url):
    with pytest.raises(BadSetting):
        open_metadata(tmp_path, url)


def test_the_kind_people_choose_wins_over_the_one_found(metadata, shop):
    found = {("event", "size"): "String", ("person", "size"): "Numeric"}
    with metadata.writing() as session:
        catalog.describe_property(session, shop.id, ("event", "size"), {"kind": "DateTime"})

        assert catalog.kinds(session, shop.id, found) == {
            ("event", "size"): "DateTime",
            ("person", "size"): "Numeric",
        }


def test_there_is_no_kind_but_four(metadata, shop):
    with metadata.writing() as session, pytest.raises(InvalidInput) as refused:
        catalog.describe_property(session, shop.id, ("event", "size"), {"kind": "Colour"})

    assert refused.value.attr == "property_type"


def test_the_number_of_a_deleted_project_is_never_given_again(metadata, shop, now):
    with metadata.writing() as session:
        projects.remove(session, shop.id)
    with metadata.writing() as session:
        later = projects.create(session, ProjectFields(name="Later"), now)

    assert later.id > shop.id


def test_a_token_finds_its_project_until_it_is_changed(metadata, shop):
    directory = Directory(metadata)
    assert directory.project_of_token(shop.api_token).name == "Shop"
    with metadata.writing() as session:
        fresh = projects.rotate_token(session, shop.id).api_token
    directory.refresh()

    assert directory.project_of_token(shop.api_token) is None
    assert directory.project_of_token(fresh).id == shop.id


def test_the_log_of_changes_keeps_what_differs(metadata, shop, now):
    before, after = {"name": "A", "timezone": "UTC"}, {"name": "B", "timezone": "UTC"}
    with metadata.writing() as session:
        by = audit.actor(None, now)
        audit.note(
            session,
            by,
            "changed",
            ("project", shop.id),
            project_id=shop.id,
            before=before,
            after=after,
        )
    with metadata.reading() as session:
        (entry,) = audit.entries(session, shop.id)

    assert (entry.who, entry.before, entry.after) == (
        "command line",
        {"name": "A"},
        {"name": "B"},
    )
