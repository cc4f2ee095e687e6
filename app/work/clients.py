"""Clients: made, changed, archived; deleted only where nothing belongs to them."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.errors import Conflict, InvalidInput, NotFound, Referenced
from app.models.database import name_key
from app.models.work import Client, Project
from app.work.projects import checked_name

HUES = 10


def every(session: Session, *, archived: bool = False) -> list[Client]:
    """Return the clients in use, or those put away, by name."""
    away = Client.archived_at.is_not(None) if archived else Client.archived_at.is_(None)
    return list(session.scalars(select(Client).where(away).order_by(Client.name_key)))


def find(session: Session, number: int) -> Client:
    """Return a client by its number."""
    client = session.get(Client, number)
    if client is None:
        raise NotFound(f"There is no client number {number}.", attr="client")
    return client


def save(
    session: Session, client: Client | None, name: str, currency: str = "", number: str = ""
) -> tuple[Client, list[str]]:
    """Make a client, or change one; return it with the fields that changed."""
    name, code = checked_name(name, "client"), currency.strip().upper()
    _refuse_same_name(session, client, name)
    if code and not (len(code) == 3 and code.isascii() and code.isalpha()):
        raise InvalidInput(
            f"{code!r} is no currency.", hint="Use three letters: EUR.", attr="currency"
        )
    if client is None:
        count = session.scalar(select(func.count(Client.id))) or 0
        client = Client(name=name, color=count % HUES + 1)
        session.add(client)
    wanted = {"name": name, "currency": code or None, "number": number.strip()[:50] or None}
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
            f"There is a client {same.name!r} already.",
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
            f"{client.name!r} has {count:,} projects.", hint="Archive it instead."
        )
    session.delete(client)
    session.flush()
