"""Every error TimeTracker raises on purpose.

Each says what is wrong, quoting the offending value, and what to do about it. None
knows HTTP: ``views.pages`` turns ``code`` into a status and a page, the API into
``application/problem+json``. What quotes a value is written with ``said``, so that it can
be said in another language too.
"""

from typing import Any


class Said(str):
    """A sentence in English that remembers its message and what was filled in."""

    __slots__ = ("message", "values")

    message: str
    values: dict[str, Any]


class Count(int):
    """A number of things: with separators, those of the reader's language."""

    __slots__ = ()

    def __str__(self) -> str:
        """Return it as English writes it."""
        return f"{int(self):,}"


def said(message: str, **values: Any) -> Said:
    """Return ``message`` with ``%(name)s`` filled in; ``languages.told`` translates it."""
    filled = Said(message % values)
    filled.message, filled.values = message, values
    return filled


class TimeTrackerError(Exception):
    """Base of all deliberate errors. Views and commands catch it; rules never do."""

    code = "error"
    """Stable and machine-readable: listed in docs/errors.md."""

    def __init__(self, what: str, *, hint: str = "", attr: str | None = None) -> None:
        super().__init__(f"{what} {hint}".strip())
        self.what, self.hint, self.attr = what, hint, attr


class BadSetting(TimeTrackerError):
    """An environment variable that is unknown or cannot be read; it stops the start."""

    code = "bad_setting"


class InvalidInput(TimeTrackerError):
    """A field that cannot be taken as it was given; ``attr`` names it."""

    code = "invalid_input"


class Malformed(TimeTrackerError):
    """A request to the API whose body is no JSON object."""

    code = "malformed"


class UnsupportedMediaType(TimeTrackerError):
    """A body of another kind than the address takes."""

    code = "unsupported_media_type"


class NotSignedIn(TimeTrackerError):
    """Nobody is signed in, or the session has ended."""

    code = "not_signed_in"


class NotAllowed(TimeTrackerError):
    """The role does not reach this far, or the installation has switched it off."""

    code = "not_allowed"


class NotFound(TimeTrackerError):
    """There is nothing there, or nothing this person may see."""

    code = "not_found"


class Conflict(TimeTrackerError):
    """The change contradicts what is there."""

    code = "conflict"


class Changed(Conflict):
    """Somebody else saved the same thing first; both versions are still there."""

    code = "changed"


class Overlap(Conflict):
    """The time is taken by another entry and the installation forbids that."""

    code = "overlap"


class Locked(TimeTrackerError):
    """The day is on or before the lock date."""

    code = "locked"


class Referenced(Conflict):
    """Something that others still point to cannot be deleted; it can be archived."""

    code = "referenced"


class TooLarge(TimeTrackerError):
    """An upload or an answer beyond the limit of this installation."""

    code = "too_large"


class TooManyTries(TimeTrackerError):
    """Too many tries in a short time; ``retry_after_s`` says when to come back."""

    code = "too_many_tries"

    def __init__(self, what: str, *, hint: str = "", retry_after_s: int = 60) -> None:
        super().__init__(what, hint=hint)
        self.retry_after_s = retry_after_s


class ReadOnly(TimeTrackerError):
    """The installation can be read but not changed at the moment."""

    code = "read_only"


class SchemaTooNew(TimeTrackerError):
    """The database was written by a newer program; starting could harm it."""

    code = "schema_too_new"


class AccountRefused(TimeTrackerError):
    """A sign-in that was refused; ``reason`` is a word of the catalogue of events."""

    code = "account_refused"

    def __init__(self, what: str, *, reason: str, hint: str = "") -> None:
        super().__init__(what, hint=hint)
        self.reason = reason


class StoreUnavailable(TimeTrackerError):
    """The database or the data folder cannot be opened, read or written."""

    code = "store_unavailable"


class Unreachable(TimeTrackerError):
    """Another server (identity provider, mail, analytics) does not answer as it should."""

    code = "unreachable"
