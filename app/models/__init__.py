"""The tables of TimeTracker. Importing this package makes all of them known."""

from app.models import entries, people, records, saved, sums, work
from app.models.database import Base, Database

__all__ = ["Base", "Database", "entries", "people", "records", "saved", "sums", "work"]
