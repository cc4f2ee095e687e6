"""Tags: ``/tags``."""

from typing import Any

from sqlalchemy import select

from app.api import kinds
from app.api.call import Answer, Call
from app.api.clients import narrowed
from app.api.idents import word
from app.api.paging import Order, listed
from app.api.shapes import Shape, given, may, need
from app.api.shown import iso
from app.audit import Object
from app.models.work import Tag
from app.work import tags

TAG = Shape(
    "Tag",
    {
        "id": given(kinds.ident("tag")),
        "name": given(kinds.text(100)),
        "color": given(kinds.whole(1, tags.HUES)),
        "archived": given(kinds.flag),
        "created_at": given(kinds.instant),
        "updated_at": given(kinds.instant),
    },
)
_NAME, _COLOR = kinds.text(tags.LONGEST, least=1), may(kinds.whole(1, tags.HUES))
TAG_NEW = Shape("TagNew", {"name": need(_NAME), "color": _COLOR})
TAG_CHANGE = Shape("TagChange", {"name": may(_NAME), "color": _COLOR})


def _shown(tag: Tag) -> dict[str, Any]:
    return {
        "id": word("tag", tag.id),
        "name": tag.name,
        "color": tag.color,
        "archived": tag.archived_at is not None,
        "created_at": iso(tag.created_at),
        "updated_at": iso(tag.updated_at),
    }


def _answer(call: Call, tag: Tag) -> Answer:
    call.session.flush()
    call.session.refresh(tag)
    return Answer(body=_shown(tag))


def _named(tag: Tag) -> Object:
    return Object(type="tag", id=tag.id, label=tag.name)


def _found(call: Call) -> Tag:
    return tags.find(call.session, call.path["tag"])


def list_tags(call: Call) -> Answer:
    """List tags."""
    return listed(call, narrowed(call, select(Tag), Tag), Order((Tag.id,)), _shown)


def read_tag(call: Call) -> Answer:
    """Return one tag."""
    return Answer(body=_shown(_found(call)))


def create_tag(call: Call) -> Answer:
    """Add a tag."""
    tag = tags.make(call.session, call.body["name"], color=call.body.get("color"))
    call.note("tag.created", _named(tag))
    return _answer(call, tag)


def change_tag(call: Call) -> Answer:
    """Rename a tag or give it another colour; entries show it at once."""
    tag = _found(call)
    name = call.body.get("name", tag.name)
    tags.rename(call.session, tag, name, color=call.body.get("color"))
    call.note("tag.updated", _named(tag))
    return _answer(call, tag)


def archive_tag(call: Call) -> Answer:
    """Put a tag away: it vanishes from pickers, entries keep it."""
    tag = _found(call)
    tags.archive(tag, call.now)
    call.note("tag.archived", _named(tag))
    return _answer(call, tag)


def unarchive_tag(call: Call) -> Answer:
    """Bring a tag back."""
    tag = _found(call)
    tags.restore(tag)
    call.note("tag.unarchived", _named(tag))
    return _answer(call, tag)


def delete_tag(call: Call) -> Answer:
    """Remove a tag that no entry has."""
    tag = _found(call)
    call.note("tag.deleted", _named(tag))
    tags.remove(call.session, tag)
    return Answer()
