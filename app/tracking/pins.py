"""Pins: what somebody starts often, at most ten, started from the dashboard with one key.

A pin remembers a project, a task and a text. What has become of them since counts when it
is started: a project that is archived or no longer seen is left out, the text stays.
"""

from sqlalchemy import func, select
from sqlalchemy.orm import Session, joinedload

from app.errors import Conflict, NotFound, said
from app.models.entries import Pin, TimeEntry
from app.models.people import User
from app.models.work import Project
from app.tracking import suggestions
from app.tracking.timers import About

AT_MOST = 10


def listed(session: Session, user: User) -> list[Pin]:
    """Return this person's pins in their order."""
    query = (
        select(Pin)
        .where(Pin.user_id == user.id)
        .order_by(Pin.position, Pin.id)
        .options(joinedload(Pin.project).joinedload(Project.client), joinedload(Pin.task))
    )
    return list(session.scalars(query))


def find(session: Session, user: User, number: int) -> Pin:
    """Return a pin of this person."""
    pin = session.get(Pin, number)
    if pin is None or pin.user_id != user.id:
        raise NotFound("There is no such pin.", hint="It may have been taken off.")
    return pin


def pin(session: Session, user: User, entry: TimeEntry) -> Pin:
    """Pin what an entry is about, at the end; what is pinned already stays where it is."""
    _wait_for_others(session, user)
    there = listed(session, user)
    same = (entry.project_id, entry.task_id, entry.description)
    for one in there:
        if (one.project_id, one.task_id, one.description) == same:
            return one
    if len(there) >= AT_MOST:
        raise Conflict(
            said("%(at_most)s works are pinned already.", at_most=AT_MOST),
            hint="Take one off the dashboard first.",
        )
    last = session.scalar(select(func.max(Pin.position)).where(Pin.user_id == user.id))
    made = Pin(
        user_id=user.id,
        project_id=entry.project_id,
        task_id=entry.task_id,
        description=entry.description,
        position=0 if last is None else last + 1,
    )
    session.add(made)
    session.flush()
    return made


def _wait_for_others(session: Session, user: User) -> None:
    """Let requests of one person wait for one another, or two could both be the tenth."""
    session.execute(select(User.id).where(User.id == user.id).with_for_update())


def take_off(session: Session, user: User, number: int) -> None:
    """Forget a pin; entries are not touched."""
    session.delete(find(session, user, number))
    session.flush()


def move(session: Session, user: User, number: int, *, up: bool) -> None:
    """Let a pin change places with its neighbour; the first and the last stay."""
    moved = find(session, user, number)
    order = listed(session, user)
    here = order.index(moved)
    there = here + (-1 if up else 1)
    if 0 <= there < len(order):
        order[here], order[there] = order[there], order[here]
    for position, one in enumerate(order):
        one.position = position
    session.flush()


def about(session: Session, user: User, pinned: Pin) -> About:
    """Return what a timer started from a pin is about."""
    project = None
    if pinned.project_id is not None:
        project = suggestions.open_project(session, user, pinned.project_id)
    return About(
        project_id=project.id if project else None,
        task_id=pinned.task_id if project else None,
        description=pinned.description,
    )
