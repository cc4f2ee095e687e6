"""Removed users are removed where their events went, too.

Where the analytics sink is a Hedgerow and the operator gave a key that may delete
persons (``ANALYTICS_API_KEY``, ``ANALYTICS_PROJECT_ID``), the person and its events are
deleted there with a receipt. Elsewhere somebody has to do it by hand: ``subject`` is the
id to look for.
"""

from collections.abc import Mapping
from typing import Any

import requests

from app.errors import Unreachable, said
from app.telemetry.reporter import Reporter
from app.telemetry.sinks import ANALYTICS, TIMEOUT_S, sink


def subject(reporter: Reporter, user_id: int) -> str:
    """Return the distinct id under which the analytics sink knows a user."""
    if reporter.config["ANALYTICS_SHARED_PROJECT"]:
        return f"{reporter.fingerprint[:12]}-{user_id}"
    return str(user_id)


def can_delete(config: Mapping[str, Any]) -> bool:
    """Return whether this installation may delete persons at its analytics sink."""
    known = config["ANALYTICS_API_KEY"] and config["ANALYTICS_PROJECT_ID"]
    return bool(known and sink(config, ANALYTICS))


def delete(reporter: Reporter, user_id: int) -> str:
    """Delete a user's person and events at the Hedgerow; return in words what it said.

    Raises Unreachable where it did not, with what is to be done.
    """
    config = reporter.config
    at, who = sink(config, ANALYTICS), subject(reporter, user_id)
    if at is None or not can_delete(config):
        raise Unreachable(
            "No server was named that could delete anything.",
            hint="Set ANALYTICS_API_KEY and ANALYTICS_PROJECT_ID.",
        )
    project = config["ANALYTICS_PROJECT_ID"]
    try:
        answer = requests.post(
            f"{at.host.rstrip('/')}/api/projects/{project}/persons/{who}/delete",
            json={"delete_events": True},
            headers={"Authorization": f"Bearer {config['ANALYTICS_API_KEY']}"},
            timeout=TIMEOUT_S,
            allow_redirects=False,
        )
    except requests.RequestException as error:
        raise Unreachable(
            said("%(host)s did not answer.", host=at.host),
            hint=said("Delete the person %(who)s there by hand.", who=who),
        ) from error
    if answer.status_code == requests.codes.not_found:
        return f"{at.host} knew nobody called {who}."
    if answer.status_code != requests.codes.ok:
        raise Unreachable(
            said(
                "%(host)s refused with status %(status_code)s.",
                host=at.host,
                status_code=answer.status_code,
            ),
            hint=said("Delete the person %(who)s there by hand.", who=who),
        )
    return f"{at.host} deleted the person {who} with everything they did."
