"""Every error Hedgerow raises on purpose.

Each says what is wrong, quoting the offending value, and what to do about it. None
knows HTTP: the edge turns ``code`` into a status (``hedgerow.replies``).
"""


class HedgerowError(Exception):
    """Base of all deliberate errors. The edges catch it; the core never does."""

    code = "error"
    """Stable and machine-readable: part of the API, listed in docs/errors.md."""

    def __init__(self, what: str, *, hint: str, attr: str | None = None) -> None:
        super().__init__(f"{what} {hint}".strip())
        self.what, self.hint, self.attr = what, hint, attr


class BadSetting(HedgerowError):
    """A setting that is unknown or cannot be read; it stops the start."""

    code = "bad_setting"


class BadCapture(HedgerowError):
    """A capture request that can never be right: all of it is refused, nothing is kept."""

    code = "invalid_event"

    def __init__(self, code: str, what: str, *, hint: str, attr: str | None = None) -> None:
        super().__init__(what, hint=hint, attr=attr)
        self.code = code  # one of wire-protocol's table: empty_body, invalid_json, …


class InboxUnavailable(HedgerowError):
    """The inbox is full or cannot be written; the client should send again later."""

    code = "inbox_unavailable"


class InvalidQuery(HedgerowError):
    """A question that cannot be answered as written."""

    code = "invalid_query"


class InvalidInput(HedgerowError):
    """A field of a request that cannot be taken as it is."""

    code = "invalid_input"


class NotAuthenticated(HedgerowError):
    """No key, an unknown key, or one that is no longer valid."""

    code = "not_authenticated"


class ProviderUnavailable(HedgerowError):
    """The identity provider cannot be reached, or answers what cannot be understood."""

    code = "provider_unavailable"


class NotAllowed(HedgerowError):
    """A key or role that does not reach this far."""

    code = "permission_denied"


class NotFound(HedgerowError):
    """There is nothing of that name or number here."""

    code = "not_found"


class UnknownRelease(NotFound):
    """A version that is no release on the day asked about."""

    code = "unknown_release"


class FleetNotConfigured(NotFound):
    """No installation has ever sent the heartbeat that is awaited."""

    code = "fleet_not_configured"


class MethodNotAllowed(HedgerowError):
    """There is something of that name, but not for this method."""

    code = "method_not_allowed"


class Conflict(HedgerowError):
    """The change contradicts what is there."""

    code = "conflict"


class TooManyTries(HedgerowError):
    """Too many requests of one kind in a short time."""

    code = "throttled"


class QueryTimedOut(HedgerowError):
    """A question that took longer than its limit and was stopped."""

    code = "query_timed_out"


class QueryTooLarge(HedgerowError):
    """A question that needed more memory or rows than it may use."""

    code = "query_too_large"


class QueryCancelled(HedgerowError):
    """A question nobody waits for any more."""

    code = "query_cancelled"


class FlushTimedOut(HedgerowError):
    """What was acknowledged could not all be written in the time given."""

    code = "flush_timed_out"


class StoreUnavailable(HedgerowError):
    """The events database cannot be opened, read or written."""

    code = "store_unavailable"
