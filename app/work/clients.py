"""Clients: made, changed, archived; deleted only where nothing belongs to them."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.errors import Conflict, Count, InvalidInput, NotFound, Referenced, said
from app.models.database import name_key
from app.models.work import AS_ABOVE, Client, OwnRounding, Project
from app.work.projects import HUES, checked_name
from app.work.rounded import checked


@dataclass(frozen=True, kw_only=True)
class ClientFields:
    """What a form or the API says of a client."""

    name: str
    currency: str | None = None
    number: str | None = None
    notes: str | None = None
    color: int | None = None
    """None: the next hue of a new client, the same of one that is there."""
    rounding: OwnRounding = AS_ABOVE


def fields_of(client: Client) -> ClientFields:
    """Return what a client says now."""
    return ClientFields(
        name=client.name,
        currency=client.currency,
        number=client.number,
        notes=client.notes,
        color=client.color,
        rounding=client.rounding,
    )


def every(session: Session, *, archived: bool = False) -> list[Client]:
    """Return the clients in use, or those put away, by name."""
    away = Client.archived_at.is_not(None) if archived else Client.archived_at.is_(None)
    return list(session.scalars(select(Client).where(away).order_by(Client.name_key)))


def find(session: Session, number: int) -> Client:
    """Return a client by its number."""
    client = session.get(Client, number)
    if client is None:
        raise NotFound(
            said("There is no client number %(number)s.", number=number), attr="client"
        )
    return client


def save(
    session: Session, client: Client | None, fields: ClientFields
) -> tuple[Client, list[str]]:
    """Make a client, or change one; return it with the fields that changed."""
    name = checked_name(fields.name)
    code = (fields.currency or "").strip().upper()
    _refuse_same_name(session, client, name)
    if code and not (len(code) == 3 and code.isascii() and code.isalpha()):
        raise InvalidInput(
            said("%(code)r is no currency.", code=code),
            hint="Use three letters: EUR.",
            attr="currency",
        )
    if client is None:
        count = session.scalar(select(func.count(Client.id))) or 0
        client = Client(name=name, color=count % HUES + 1)
        session.add(client)
    wanted = {
        "name": name,
        "currency": code or None,
        "number": (fields.number or "").strip()[:50] or None,
        "notes": (fields.notes or "").strip() or None,
        "color": fields.color or client.color,
        "rounding": checked(fields.rounding),
    }
    changed = [key for key, value in wanted.items() if getattr(client, key) != value]
    for key in changed:
        setattr(client, key, wanted[key])
    session.flush()
    return client, changed


def _refuse_same_name(session: Session, client: Client | None, name: str) -> None:
    same = session.scalar(
        select(Client).where(
            Client.name_key == name_key(name),
            Client.archived_at.is_(None),
            Client.id != (client.id if client else 0),
        )
    )
    if same is not None:
        raise Conflict(
            said("There is a client %(name)r already.", name=same.name),
            hint="Take another name.",
            attr="name",
        )


def archive(client: Client, now: datetime) -> None:
    """Put a client away; its projects stay."""
    client.archived_at = now


def restore(session: Session, client: Client) -> None:
    """Bring a client back, unless another took its name meanwhile."""
    _refuse_same_name(session, client, client.name)
    client.archived_at = None


def delete(session: Session, client: Client) -> None:
    """Remove a client without projects; otherwise say how many, and offer archive."""
    count = session.scalar(
        select(func.count(Project.id)).where(Project.client_id == client.id)
    )
    if count:
        raise Referenced(
            said("%(name)r has projects: %(n)s.", name=client.name, n=Count(count)),
            hint="Archive it instead.",
        )
    session.delete(client)
    session.flush()
