"""Tell what happened, as far as consent permits: ``track_event`` and ``identify_user``.

All of these are called after the transaction committed. None raises and none waits:
what may not be told is neither built nor logged, what cannot be told is a line in the
log. Each asks the same questions first, the cheapest first: is there a sink, does
consent cover it, does the browser object, did the person opt out?
"""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from flask import Request, has_request_context, request
from sqlalchemy import select

from app.models.people import User, UserSession
from app.telemetry import context, failures
from app.telemetry.catalog import EVENTS
from app.telemetry.messages import Message
from app.telemetry.reporter import Reporter, of_app
from app.telemetry.sinks import ANALYTICS, TELEMETRY, are_one

logger = logging.getLogger("app.telemetry")


def track_event(
    user_id: int | None, name: str, properties: Mapping[str, Any] | None = None
) -> None:
    """Report an event of the catalogue; ``user_id`` None means the installation.

    Inside a request the request's properties are added. ``export.completed`` also
    reports ``export.<format>``.
    """
    try:
        reporter = _ready()
        if reporter is None or _objects(reporter, user_id):
            return
        reporter.tell(_event(reporter, user_id, name, properties or {}))
        kind = (properties or {}).get("export_type")
        if name == "export.completed" and isinstance(kind, str):
            reporter.tell(_event(reporter, user_id, f"export.{kind}", properties or {}))
    except (
        Exception
    ):  # the promise never to raise: what is reported must not break what is done
        logger.exception("%s could not be reported.", name)


def identify_user(
    user: User, *, logged_in: bool = True, auth_method: str | None = None
) -> None:
    """Report a user's role and ways of signing in: on login, before ``auth.login``.

    ``auth_method`` is how this login happened (as the newest session unless given).
    After a role change by an administrator ``logged_in`` is False: the last login is
    left out then.
    """
    try:
        reporter = _ready()
        if reporter is None or _objects(reporter, user.id):
            return
        method = auth_method or _way_in(reporter, user)
        told = _person(user, method, logged_in=logged_in)
        reporter.tell(_event(reporter, user.id, "$identify", told))
    except (
        Exception
    ):  # the promise never to raise: what is reported must not break what is done
        logger.exception("A user could not be identified.")


def track_failure(
    part: str, error: BaseException, *, user_id: int | None = None, status_code: int = 0
) -> None:
    """Report ``error.<part>``: class and place of an exception, never its content.

    ``part`` is ``unhandled``, ``database``, ``oidc``, ``email``, ``export``, ``import``
    or ``scheduler``. The same failure is told at most once an hour. ``endpoint`` is the
    route in a request, else the name of the part.
    """
    try:
        reporter = _ready(TELEMETRY)
        if reporter is None:
            return
        now = datetime.now(UTC)
        times = reporter.hourly.occurrences(failures.hash_of(error), now)
        if times is None:
            return
        here = _request()
        told = failures.properties(
            error,
            endpoint=(here.endpoint or "") if here else part,
            status_code=status_code,
            occurrences=times,
        )
        _tell_failure(reporter, f"error.{part}", told, user_id)
    except (
        Exception
    ):  # the promise never to raise: what is reported must not break what is done
        logger.exception("A failure could not be reported.")


def sample(reporter: Reporter, user: User, now: datetime) -> list[Message]:
    """Return an example of what is told of a user: a login, as it would be told now."""
    login = {"auth_method": user.auth_method, "is_first_login": False}
    built = [
        _event(reporter, user.id, "$identify", _person(user, user.auth_method)),
        _event(reporter, user.id, "auth.login", login),
    ]
    return [message._replace(at=now) for message in built]


def _tell_failure(
    reporter: Reporter, name: str, told: Mapping[str, Any], user_id: int | None
) -> None:
    """Tell both sinks; the makers' is told of the installation only."""
    here = _request()
    route = {"route": here.endpoint} if here and here.endpoint else {}
    makers = {
        **context.deployment(reporter.config),
        **route,
        **told,
        "feature_category": "error",
    }
    reporter.post(
        Message(
            name,
            reporter.fingerprint,
            makers,
            datetime.now(UTC),
            str(uuid4()),
            context.groups(),
        )
    )
    if are_one(reporter.config) or not reporter.reports_to(ANALYTICS):
        return
    if not _objects(reporter, user_id):
        nobody = {} if user_id is not None else {"$process_person_profile": False}
        reporter.tell(_event(reporter, user_id, name, {**told, **nobody}))


def _ready(sink: str = ANALYTICS) -> Reporter | None:
    """Return the reporter if detailed events may be sent now."""
    reporter = of_app()
    if reporter is None or not reporter.reports_to(sink):
        return None
    return reporter if reporter.watch.glance().layer == "detailed" else None


def _request() -> Request | None:
    return request._get_current_object() if has_request_context() else None  # type: ignore[attr-defined]  # noqa: SLF001  # werkzeug's own way out of its proxy


def _objects(reporter: Reporter, user_id: int | None) -> bool:
    """Whether the browser or the person does not want to be told of."""
    if context.objects_to_tracking(_request(), reporter.config):
        return True
    if user_id is None:
        return False
    with reporter.database.reading() as session:
        user = session.get(User, user_id)
        return user is None or user.analytics_opt_out


def _event(
    reporter: Reporter, user_id: int | None, name: str, properties: Mapping[str, Any]
) -> Message:
    """Put what comes by itself around an event's own properties."""
    shared = reporter.config["ANALYTICS_SHARED_PROJECT"]
    event = EVENTS.get(name)
    blocks = event.blocks if event else ""
    told = {
        **context.request_properties(_request(), shared=shared),
        **context.deployment(reporter.config),
        **({"feature_category": name.partition(".")[0]} if "F" in blocks else {}),
        **({"$process_person_profile": False} if event and event.personless else {}),
        **properties,
    }
    if user_id is None:
        subject = reporter.fingerprint
    else:
        subject = f"{reporter.fingerprint[:12]}-{user_id}" if shared else str(user_id)
    return Message(name, subject, told, datetime.now(UTC), groups=context.groups())


def _way_in(reporter: Reporter, user: User) -> str:
    """Return how somebody signed in last; as their account does where nobody knows."""
    query = select(UserSession.auth_method).where(
        UserSession.user_id == user.id, UserSession.auth_method.is_not(None)
    )
    with reporter.database.reading() as session:
        last = session.scalar(query.order_by(UserSession.signed_in_at.desc()).limit(1))
    return last or user.auth_method


def _person(user: User, auth_method: str, *, logged_in: bool = True) -> dict[str, Any]:
    """Return a user's person properties, exactly as the founding guide has them."""
    always: dict[str, Any] = {
        "role": user.role,
        "is_admin": user.is_admin,
        "last_login": _iso(user.last_login_at) if logged_in else None,
        "auth_method": auth_method,
    }
    once = {"first_login": _iso(user.first_login_at), "signup_method": user.signup_method}
    return {"$set": _said(always), "$set_once": _said(once)}


def _said(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else f"{moment.astimezone(UTC):%Y-%m-%dT%H:%M:%S}"
