"""Changes of the schema of the metadata, a file each, applied at start by Alembic."""
