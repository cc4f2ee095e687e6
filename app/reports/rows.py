"""Entries as a list, narrowed by a question, streamed.

This is the one place that turns a ``Question`` into a condition, so that list, report,
export and API mean the same entries. A person sees own entries, those of projects led,
or as a manager all.
"""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy import ColumnElement, Select, and_, exists, false, func, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.models.entries import TimeEntry, entry_tags
from app.models.people import User
from app.models.work import Project, ProjectMember
from app.people.roles import rank
from app.reports.filters import EARLIEST, NONE, Question
from app.tracking.recorded import with_details

BATCH = 1000
"""Entries held in memory at once while streaming."""


def seen_by(user: User) -> ColumnElement[bool]:
    """Return the condition that picks the entries this person may see."""
    if rank(user.role) >= rank("manager"):
        return true()
    own = TimeEntry.user_id == user.id
    led = select(ProjectMember.project_id).where(
        ProjectMember.user_id == user.id, ProjectMember.is_lead
    )
    return or_(own, TimeEntry.project_id.in_(led))


def condition(
    question: Question, user: User, first: date, last: date
) -> ColumnElement[bool]:
    """Return what picks the entries a question is about, the trash left out.

    With a fixed zone an entry's own day may be one off, so the range is a day wider here
    and whoever divides entries by day cuts it exactly.
    """
    slack = timedelta(days=1) if question.zone else timedelta()
    begun = TimeEntry.local_date.between(first - slack, last + slack)
    return and_(begun, narrowed(question, user))


def reaching(
    question: Question, user: User, first: date, last: date
) -> ColumnElement[bool]:
    """Return what picks the entries that may have time on these days, early begun ones too.

    Not every one of them has: whoever divides entries by day leaves the others out.
    """
    slack = timedelta(days=1) if question.zone else timedelta()
    within = TimeEntry.local_date.between(first - slack, last + slack)
    since = datetime.combine(max(first, EARLIEST) - timedelta(days=1), time(), UTC)
    early = and_(
        TimeEntry.local_date < first - slack,
        TimeEntry.within_day.is_(False),
        or_(TimeEntry.ended_at.is_(None), TimeEntry.ended_at > since),
    )
    return and_(or_(within, early), narrowed(question, user))


def across(question: Question, user: User, first: date, last: date) -> ColumnElement[bool]:
    """Return what picks those of them that do not lie on one day: some per cent."""
    since = datetime.combine(max(first, EARLIEST) - timedelta(days=1), time(), UTC)
    late_enough = or_(
        TimeEntry.local_date >= first,
        TimeEntry.ended_at.is_(None),
        TimeEntry.ended_at > since,
    )
    return and_(
        TimeEntry.within_day == false(),  # as the index of these says it
        TimeEntry.local_date <= last,
        late_enough,
        narrowed(question, user),
    )


def narrowed(question: Question, user: User) -> ColumnElement[bool]:
    """Return what picks the entries of a question on whatever day."""
    wanted: list[ColumnElement[bool]] = [
        TimeEntry.deleted_at.is_(None),
        seen_by(user),
        *_by_numbers(question),
        *_by_flags(question),
    ]
    if question.tags:
        wanted.append(_by_tags(question))
    if question.text:
        needle = question.text.lower()
        wanted.append(func.lower(TimeEntry.description).contains(needle, autoescape=True))
    return and_(*wanted)


def _by_numbers(question: Question) -> Iterator[ColumnElement[bool]]:
    if question.users:
        yield TimeEntry.user_id.in_(question.users)
    yield from by_work(question, TimeEntry.project_id, TimeEntry.task_id)


def by_work(
    question: Question,
    project: InstrumentedAttribute[int | None],
    task: InstrumentedAttribute[int | None],
) -> Iterator[ColumnElement[bool]]:
    """Yield what picks the projects, tasks and clients of a question by these columns."""
    if question.projects:
        yield _among(project, question.projects)
    if question.tasks:
        yield _among(task, question.tasks)
    if question.clients:
        clients = select(Project.id).where(_among(Project.client_id, question.clients))
        of_clients: ColumnElement[bool] = project.in_(clients)
        if NONE in question.clients:
            of_clients = or_(of_clients, project.is_(None))
        yield of_clients


def _among(
    column: InstrumentedAttribute[int | None], numbers: tuple[int, ...]
) -> ColumnElement[bool]:
    real = [number for number in numbers if number != NONE]
    chosen = column.in_(real) if real else false()
    return or_(chosen, column.is_(None)) if NONE in numbers else chosen


def _by_flags(question: Question) -> Iterator[ColumnElement[bool]]:
    if question.billable is not None:
        yield TimeEntry.billable.is_(question.billable)
    if question.incomplete is not None:
        yield TimeEntry.incomplete.is_(question.incomplete)
    if question.sources:
        yield TimeEntry.source.in_(question.sources)
    if not question.archived:
        away = select(Project.id).where(Project.archived_at.is_not(None))
        yield or_(TimeEntry.project_id.is_(None), TimeEntry.project_id.not_in(away))


def _by_tags(question: Question) -> ColumnElement[bool]:
    def has(numbers: tuple[int, ...]) -> ColumnElement[bool]:
        found = exists().where(
            entry_tags.c.entry_id == TimeEntry.id, entry_tags.c.tag_id.in_(numbers)
        )
        return found.correlate(TimeEntry)  # also where a report itself is by tag

    match question.tag_mode:
        case "all":
            return and_(*(has((number,)) for number in question.tags))
        case "none":
            return ~has(question.tags)
        case _:
            return has(question.tags)


def ordered(query: Select[TimeEntry], sort: str) -> Select[TimeEntry]:
    """Return the query in the order asked for; equal ones keep a stable order."""
    newest = (TimeEntry.local_date.desc(), TimeEntry.started_at.desc(), TimeEntry.id.desc())
    match sort:
        case "date":
            return query.order_by(TimeEntry.local_date, TimeEntry.started_at, TimeEntry.id)
        case "duration":
            return query.order_by(TimeEntry.seconds, *newest)
        case "-duration":
            return query.order_by(TimeEntry.seconds.desc(), *newest)
        case "project":
            query = query.outerjoin(Project, TimeEntry.project_id == Project.id)
            return query.order_by(func.coalesce(Project.name_key, ""), *newest)
        case "user":
            query = query.join(User, TimeEntry.user_id == User.id)
            return query.order_by(User.username_key, *newest)
        case "description":
            return query.order_by(func.lower(TimeEntry.description), *newest)
        case _:
            return query.order_by(*newest)


def page(
    session: Session, picked: ColumnElement[bool], sort: str, *, limit: int, offset: int = 0
) -> list[TimeEntry]:
    """Return one page of entries."""
    query = ordered(select(TimeEntry).where(picked), sort)
    return list(session.scalars(with_details(query).limit(limit).offset(offset)))


def stream(session: Session, picked: ColumnElement[bool], sort: str) -> Iterator[TimeEntry]:
    """Yield entries one after the other, in constant memory.

    Details are loaded a batch at a time, and each batch is let go after use.
    """
    query = ordered(select(TimeEntry).where(picked), sort).with_only_columns(TimeEntry.id)
    numbers = list(session.scalars(query))
    for start in range(0, len(numbers), BATCH):
        wanted = numbers[start : start + BATCH]
        found = session.scalars(
            with_details(select(TimeEntry).where(TimeEntry.id.in_(wanted)))
        )
        by_number = {entry.id: entry for entry in found}
        for number in wanted:
            if number in by_number:
                yield by_number[number]
        session.expunge_all()


def count(session: Session, picked: ColumnElement[bool]) -> tuple[int, int]:
    """Return how many entries these are and their seconds, the running one aside."""
    query = select(func.count(), func.coalesce(func.sum(TimeEntry.seconds), 0)).where(
        picked
    )
    number, seconds = session.execute(query).one()
    return int(number or 0), int(seconds or 0)
