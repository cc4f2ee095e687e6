"""What a store keeps of a fleet beside its events: see ``store.digests``.

Only what stands in the settings decides what is kept; versions are kept as texts, so another
scheme, other releases or limits need nothing drawn anew.
"""

import hashlib
from datetime import UTC, datetime

import msgspec
from sqlglot import exp

from hedgerow.insights.fleet.params import Asked
from hedgerow.insights.fleet.reported import reported
from hedgerow.insights.fleet.settings import FleetSettings
from hedgerow.insights.shown import written
from hedgerow.model.ports import Digest, Statement
from hedgerow.query.sources import Events
from hedgerow.query.values import Values

FORM = 1
"""Of the kept rows; another one draws them anew."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
KEPT = (
    "k",
    "id",
    "kind",
    "at",
    "arrived",
    "day",
    "version",
    "old",
    "new",
    "environment",
)


def dimensions(settings: FleetSettings) -> dict[str, str]:
    """Return the columns of what is kept of a day's reports, with their properties."""
    return {
        "platform": settings.platform_property,
        "platform_release": settings.platform_release_property,
        "machine": settings.machine_property,
        "python": settings.python_property,
        "deployment": settings.deployment_property,
        "auth": settings.auth_property,
        "zone": settings.timezone_property,
        "size": settings.size_property,
        "public": "fleet_public",
    }


def digest(asked: Asked) -> Digest:
    """Return what the store keeps of the fleet that is asked about."""
    settings = asked.settings
    named = (settings.heartbeat_event, settings.update_event, settings.install_event)
    decisive = (
        FORM,
        asked.zone.key,
        named,
        settings.version_properties,
        settings.old_version_property,
        settings.new_version_property,
        settings.environment_property,
        sorted(dimensions(settings).items()),
    )
    return Digest(
        project_id=asked.context.project.id,
        settings=hashlib.sha256(msgspec.json.encode(decisive)).hexdigest(),
        events=frozenset(one for one in named if one is not None),
        reported=lambda since, until: _reported(asked, since, until),
    )


def _reported(asked: Asked, since: datetime, until: datetime) -> Statement:
    """Return every fleet event between two moments, UTC, whatever the question is of."""
    context = msgspec.structs.replace(asked.context, first_event_at=since)
    day = (until - EPOCH).days
    whole = msgspec.structs.replace(asked, context=context, at=until, as_of=day)
    values = Values()
    events = Events(context, values)
    more = [
        exp.alias_(events.property("event", name).text, column)
        for column, name in dimensions(asked.settings).items()
    ]
    rows = reported(events, whole, since=since, more=more, used=KEPT)
    return written(Statement(tree=rows, values=values.by_name), context)
