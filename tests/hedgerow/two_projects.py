"""A project beside another one whose rows must never be seen from it."""

from hedgerow.store.on_duckdb import DuckStore
from tests.hedgerow.asking import Asked, did
from tests.world import a_project

SECRET = "classified"


def beside_secrets(store: DuckStore) -> Asked:
    """Return a project of one event, beside one that keeps secrets."""
    Asked(
        store,
        a_project(),
        persons=[{"distinct_ids": [SECRET], "properties": {"email": SECRET}}],
        groups=[{"type": "company", "key": SECRET, "properties": {"name": SECRET}}],
        events=[did(SECRET, SECRET, "2026-03-14T10:00", plan=SECRET, price=1e300)],
    )
    events = [did("ann", "opened", "2026-03-14T10:00", plan="pro", price=1)]
    persons = [{"distinct_ids": ["ann"], "properties": {"email": "ann@x.org"}}]
    return Asked(store, a_project(), persons=persons, events=events)
