"""Whose rows these are: names in the file → users here.

Somebody who may import only for oneself has two answers for every name: me, or leave
those rows out. Who may import for others sees each name matched by address, user name
or name shown, and can change it.
"""

from collections import Counter
from collections.abc import Iterator, Mapping

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.imports.reading import Row, Table, unguarded
from app.imports.sources import Columns
from app.models.database import name_key
from app.models.people import User

NOBODY = 0
"""The answer that leaves a person's rows out."""

MOST_NAMES = 500


def names(table: Table, found: Columns) -> Counter[str]:
    """Return the people of the file and how many rows each has; "" where none is named."""
    return Counter(name_of(row, found) for row in table.rows())


def name_of(row: Row, found: Columns) -> str:
    """Return whom a row names: the address where there is one, else the name."""
    for field in ("email", "user"):
        place = found.get(field, -1)
        if 0 <= place < len(row.cells) and row.cells[place].strip():
            return unguarded(row.cells[place].strip())[:254]
    return ""


def proposed(
    session: Session, me: User, given: Counter[str], *, others: bool
) -> dict[str, int]:
    """Return for each name the user it most likely is; NOBODY where nobody fits."""
    known = dict(_known(session)) if others else dict(_keys(me))
    alone = len(given) == 1 and set(known.values()) == {me.id}
    otherwise = me.id if alone else NOBODY  # one person there, one here
    return {
        name: known.get(name_key(name), otherwise) if name else me.id
        for name in list(given)[:MOST_NAMES]
    }


def _known(session: Session) -> Iterator[tuple[str, int]]:
    users = session.scalars(select(User).where(User.is_active, User.role != "viewer"))
    for user in users:
        yield from _keys(user)


def _keys(user: User) -> Iterator[tuple[str, int]]:
    for word in (user.display_name, user.username, user.email):
        if word:
            yield name_key(word), user.id


def allowed(me: User, answers: Mapping[str, int], *, others: bool) -> dict[str, int]:
    """Return the answers this person may give; any other leaves the rows out."""
    return {
        name: number if others or number == me.id else NOBODY
        for name, number in answers.items()
    }
