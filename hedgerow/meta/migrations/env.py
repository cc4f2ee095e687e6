"""How Alembic reaches the metadata: over the connection that ``database.migrate`` opened."""

from alembic import context

from hedgerow.meta.tables_fleet import FleetPublished

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=FleetPublished.metadata,  # that of all tables
    render_as_batch=True,  # SQLite changes a table by copying it
)
with context.begin_transaction():
    context.run_migrations()
