"""Tell what happened, as far as consent permits: ``track_event`` and ``identify_user``.

Both are called after the transaction committed. Neither raises nor waits: what cannot
be told is not told.
"""

from collections.abc import Mapping
from typing import Any

from app.models.people import User


def track_event(
    user_id: int | None, name: str, properties: Mapping[str, Any] | None = None
) -> None:
    """Report an event of the catalogue; ``user_id`` None means the installation.

    Inside a request the request's properties are added. ``export.completed`` also
    reports ``export.<format>``.
    """
    del user_id, name, properties


def identify_user(user: User, *, logged_in: bool = True) -> None:
    """Report a user's role and ways of signing in: on login, before ``auth.login``.

    After a role change by an administrator ``logged_in`` is False: the last login is
    left out then.
    """
    del user, logged_in


def track_failure(
    part: str, error: BaseException, *, user_id: int | None = None, status_code: int = 0
) -> None:
    """Report ``error.<part>``: class and place of an exception, never its content.

    ``part`` is ``unhandled``, ``database``, ``oidc``, ``email``, ``export``, ``import``
    or ``scheduler``. The same failure is told at most once an hour.
    """
    del part, error, user_id, status_code
