"""Tags: made, renamed, merged, archived. Entries keep theirs whatever happens."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import delete, func, insert, select
from sqlalchemy.orm import Session

from app.errors import Conflict, Count, InvalidInput, NotFound, said
from app.models.database import name_key
from app.models.entries import entry_tags
from app.models.work import Tag

LONGEST = 100
HUES = 10


def every(session: Session, *, archived: bool = False) -> list[Tag]:
    """Return the tags in use, or those put away, by name."""
    away = Tag.archived_at.is_not(None) if archived else Tag.archived_at.is_(None)
    return list(session.scalars(select(Tag).where(away).order_by(Tag.name_key)))


def find(session: Session, number: int) -> Tag:
    """Return a tag by its number."""
    tag = session.get(Tag, number)
    if tag is None:
        raise NotFound(
            said("There is no tag number %(number)s.", number=number), attr="tag"
        )
    return tag


def _checked(name: str) -> str:
    cleaned = " ".join(name.split())
    if not 1 <= len(cleaned) <= LONGEST:
        raise InvalidInput(
            said("A tag cannot be called %(cleaned)r.", cleaned=cleaned[:40]), hint=said("Use 1 to %(longest)s characters.", longest=LONGEST),
            attr="name",
        )  # fmt: skip
    if "," in cleaned:
        raise InvalidInput("A tag has no comma in it.", hint="Make two of it.", attr="name")
    return cleaned


def by_name(session: Session, name: str) -> Tag | None:
    """Return the tag of this name, case aside."""
    return session.scalar(select(Tag).where(Tag.name_key == name_key(name)))


def make(session: Session, name: str, *, color: int | None = None) -> Tag:
    """Add a tag."""
    cleaned = _checked(name)
    same = by_name(session, cleaned)
    if same is not None:
        hint = said("Restore that one.") if same.archived_at else said("Use that one.")
        raise Conflict(
            said("There is a tag %(name)r already.", name=same.name), hint=hint, attr="name"
        )
    number = session.scalar(select(func.count(Tag.id))) or 0
    tag = Tag(name=cleaned, color=color or number % HUES + 1)
    session.add(tag)
    session.flush()
    return tag


def rename(session: Session, tag: Tag, name: str, *, color: int | None = None) -> None:
    """Call a tag something else; entries show the new name at once."""
    cleaned = _checked(name)
    same = by_name(session, cleaned)
    if same is not None and same.id != tag.id:
        raise Conflict(
            said("There is a tag %(name)r already.", name=same.name),
            hint="Merge the two instead.",
            attr="name",
        )
    tag.name, tag.color = cleaned, color or tag.color
    session.flush()


def merge(session: Session, tags: Sequence[Tag], into: Tag) -> int:
    """Give all entries of ``tags`` the tag ``into`` instead; return how many it now has."""
    others = [tag.id for tag in tags if tag.id != into.id]
    if not others:
        raise InvalidInput("Choose two tags or more to merge.")
    having = select(entry_tags.c.entry_id).where(entry_tags.c.tag_id == into.id)
    missing = (
        select(entry_tags.c.entry_id, func.min(into.id))
        .where(entry_tags.c.tag_id.in_(others), entry_tags.c.entry_id.not_in(having))
        .group_by(entry_tags.c.entry_id)
    )
    found = [{"entry_id": row[0], "tag_id": into.id} for row in session.execute(missing)]
    session.execute(delete(entry_tags).where(entry_tags.c.tag_id.in_(others)))
    if found:
        session.execute(insert(entry_tags), found)
    session.execute(delete(Tag).where(Tag.id.in_(others)))
    session.expire_all()
    return uses(session).get(into.id, 0)


def uses(session: Session) -> dict[int, int]:
    """Return for each tag how many entries have it."""
    query = select(entry_tags.c.tag_id, func.count()).group_by(entry_tags.c.tag_id)
    return {row[0]: row[1] for row in session.execute(query)}


def archive(tag: Tag, now: datetime) -> None:
    """Put a tag away: it vanishes from pickers, entries keep it."""
    tag.archived_at = now


def restore(tag: Tag) -> None:
    """Bring a tag back."""
    tag.archived_at = None


def remove(session: Session, tag: Tag) -> None:
    """Delete a tag that no entry has."""
    count = uses(session).get(tag.id, 0)
    if count:
        raise Conflict(
            said("%(name)r is on entries: %(n)s.", name=tag.name, n=Count(count)),
            hint="Archive it, or merge it into another.",
        )
    session.delete(tag)
    session.flush()
