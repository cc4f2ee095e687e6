"""TimeTracker: a time tracker for one person up to a company of a few hundred."""

from app.telemetry.send import identify_user, track_event

__all__ = ["identify_user", "track_event"]
