"""Clients: ``/clients``."""

from dataclasses import replace
from typing import Any

from sqlalchemy import Select, select

from app.api import kinds, rounding
from app.api.call import Answer, Call
from app.api.idents import word
from app.api.paging import ARCHIVED, PAGE, SINCE, Order, listed
from app.api.shapes import Field, Shape, given, may, need
from app.api.shown import iso
from app.audit import Object
from app.models.work import Client, Project, Tag
from app.work import clients
from app.work.clients import ClientFields
from app.work.projects import HUES

CLIENT = Shape(
    "Client",
    {
        "id": given(kinds.ident("client")),
        "name": given(kinds.text(300)),
        "number": given(kinds.text(50), null=True),
        "currency": given(kinds.text(3), null=True),
        "color": given(kinds.whole(1, HUES), "A hue of the palette."),
        "notes": given(kinds.text(100_000), null=True),
        "rounding": rounding.SHOWN,
        "archived": given(kinds.flag),
        "created_at": given(kinds.instant),
        "updated_at": given(kinds.instant),
    },
)
_OPTIONAL = {
    "number": may(kinds.text(50), null=True),
    "currency": may(kinds.text(3), "ISO 4217, such as EUR.", null=True),
    "color": may(kinds.whole(1, HUES)),
    "notes": may(kinds.text(10_000), null=True),
    "rounding": rounding.SET,
}
NAME = kinds.text(300, least=1)
CLIENT_NEW = Shape("ClientNew", {"name": need(NAME), **_OPTIONAL})
CLIENT_CHANGE = Shape("ClientChange", {"name": may(NAME), **_OPTIONAL})
LISTED: dict[str, Field] = {**PAGE, **SINCE, **ARCHIVED}


def narrowed(
    call: Call, query: Select[Any], table: type[Client | Project | Tag]
) -> Select[Any]:
    """Return a query of archivable things as ``archived`` and ``updated_since`` narrow it."""
    archived, since = call.query.get("archived"), call.query.get("updated_since")
    if archived is not None:
        away = table.archived_at
        query = query.where(away.is_not(None) if archived else away.is_(None))
    return query if since is None else query.where(table.updated_at >= since)


def _shown(client: Client) -> dict[str, Any]:
    return {
        "id": word("client", client.id),
        "name": client.name,
        "number": client.number,
        "currency": client.currency,
        "color": client.color,
        "notes": client.notes,
        "rounding": rounding.shown(client),
        "archived": client.archived_at is not None,
        "created_at": iso(client.created_at),
        "updated_at": iso(client.updated_at),
    }


def _answer(call: Call, client: Client) -> Answer:
    call.session.flush()
    call.session.refresh(client)
    return Answer(body=_shown(client))


def _named(client: Client) -> Object:
    return Object(type="client", id=client.id, label=client.name)


def list_clients(call: Call) -> Answer:
    """List clients."""
    return listed(call, narrowed(call, select(Client), Client), Order((Client.id,)), _shown)


def read_client(call: Call) -> Answer:
    """Return one client."""
    return Answer(body=_shown(clients.find(call.session, call.path["client"])))


def create_client(call: Call) -> Answer:
    """Add a client."""
    fields = ClientFields(**{**call.body, **rounding.taken(call.body)})
    client, _ = clients.save(call.session, None, fields)
    call.note("client.created", _named(client))
    call.tell("client.created", {"has_rate": False})
    return _answer(call, client)


def change_client(call: Call) -> Answer:
    """Change what is given of a client."""
    old = clients.find(call.session, call.path["client"])
    wanted = {**call.body, **rounding.taken(call.body)}
    fields = replace(clients.fields_of(old), **wanted)
    client, changed = clients.save(call.session, old, fields)
    if changed:
        call.note("client.updated", _named(client), dict.fromkeys(changed, (None, None)))
        call.tell("client.updated", {"fields": changed})
    return _answer(call, client)


def archive_client(call: Call) -> Answer:
    """Put a client away; its projects stay."""
    client = clients.find(call.session, call.path["client"])
    clients.archive(client, call.now)
    call.note("client.archived", _named(client))
    call.tell("client.archived")
    return _answer(call, client)


def unarchive_client(call: Call) -> Answer:
    """Bring a client back."""
    client = clients.find(call.session, call.path["client"])
    clients.restore(call.session, client)
    call.note("client.unarchived", _named(client))
    return _answer(call, client)


def delete_client(call: Call) -> Answer:
    """Remove a client without projects."""
    client = clients.find(call.session, call.path["client"])
    call.note("client.deleted", _named(client))
    clients.delete(call.session, client)
    call.tell("client.deleted")
    return Answer()
