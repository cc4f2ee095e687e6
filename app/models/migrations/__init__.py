"""How Alembic reaches the tables: ``env`` is its entrance, ``versions`` its history."""
