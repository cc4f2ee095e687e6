"""Adding up slices anew where entries, rules or rates changed: a job, some at a time.

Every entry is rounded and priced by the functions that a report itself uses, and only
added up here. What a slice says is therefore what its entries say, to the second and to
the cent; ``differing`` proves it on demand.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, delete, insert, select, text
from sqlalchemy.orm import Session

from app.models.database import Database
from app.models.entries import TimeEntry, entry_tags
from app.models.sums import DAY, EVERYBODY, TAG, WORK, Slice, SliceChange, SliceSum
from app.reports.filters import begin
from app.reports.terms import Terms, now_in_force
from app.settings import Settings
from app.tracking import rounding
from app.tracking.days import DAY as ONE_DAY
from app.work import rates

PEOPLE_AT_ONCE, DAYS_AT_ONCE = 50, 3
"""Slices of one transaction: about ten thousand entries of a busy installation."""

READ = (
    TimeEntry.id,
    TimeEntry.user_id,
    TimeEntry.project_id,
    TimeEntry.task_id,
    TimeEntry.rate_override,
    TimeEntry.local_date,
    TimeEntry.seconds,
    TimeEntry.billable,
)
"""What is read of an entry that lies on one day."""

Pair = tuple[int, date]
"""Person, or 0, and the first day."""


class Like(NamedTuple):
    """What the entries of one sum have in common."""

    grain: str
    project_id: int | None = None
    task_id: int | None = None
    tag_id: int | None = None
    billable: bool = False
    rate: int | None = None
    currency: str | None = None


@dataclass
class Sum:
    """What they add up to, in the order of the table."""

    entries: int = 0
    seconds: int = 0
    rounded: int = 0
    earned: int = 0
    earned_exactly: int = 0


Sums = dict[Like, Sum]


def _table(model: type[SliceSum | SliceChange]) -> Any:
    """Return the table itself: into it, all rows go by one statement."""
    return model.__table__


def waiting(session: Session, settings: Settings) -> bool:
    """Return whether anything is to be added up."""
    if session.scalar(select(SliceChange.id).limit(1)) is not None:
        return True
    terms = now_in_force(session, settings)
    outdated = select(Slice.id).where(Slice.made_under != terms.mark).limit(1)
    return session.scalar(outdated) is not None


def bring_up_to_date(database: Database, settings: Settings) -> int:
    """Add up whatever changed; return how many slices that were.

    A transaction holds some of them, so that writers never wait long, and each reads the
    rules and rates anew.
    """
    done = 0
    with database.reading() as session:
        everything = _outdated(session, now_in_force(session, settings))
    for pairs in _portions(everything):
        with database.writing() as session:
            make(session, now_in_force(session, settings), pairs)
        done += len(pairs)
    return done


def forget(session: Session) -> None:
    """Throw all sums away and note that everything is to be added up."""
    session.execute(delete(SliceSum))
    session.execute(delete(Slice))
    session.execute(delete(SliceChange))
    worked = select(TimeEntry.user_id, TimeEntry.local_date).distinct()
    days = {(user, day) for user, day in session.execute(worked)}
    pairs = {(user, begin("month", day, 1)) for user, day in days}
    pairs |= {(EVERYBODY, day) for _, day in days}
    noted = [{"person": person, "begins": first} for person, first in sorted(pairs)]
    if noted:
        session.execute(insert(_table(SliceChange)), noted)


def _outdated(session: Session, terms: Terms) -> list[Pair]:
    changed = session.execute(select(SliceChange.person, SliceChange.begins).distinct())
    found = {(person, begins) for person, begins in changed}
    old = select(Slice.person, Slice.begins).where(Slice.made_under != terms.mark)
    found |= {(person, begins) for person, begins in session.execute(old)}
    return sorted(found, key=lambda pair: (pair[0] != EVERYBODY, pair[1], pair[0]))


def _portions(pairs: Iterable[Pair]) -> Iterator[list[Pair]]:
    """Yield days some at a time, and people of one month some at a time."""
    for everybody, of_kind in groupby(
        pairs, key=lambda pair: pair[1] if pair[0] != EVERYBODY else None
    ):
        alike = list(of_kind)
        most = DAYS_AT_ONCE if everybody is None else PEOPLE_AT_ONCE
        for start in range(0, len(alike), most):
            yield alike[start : start + most]


def make(session: Session, terms: Terms, pairs: list[Pair]) -> None:
    """Add up slices of one kind, all days or all people of a month, and keep the sums.

    The notes of changes are read first and only those are taken away: what is written
    meanwhile is noted again and stays to be done.
    """
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("LOCK TABLE slices IN EXCLUSIVE MODE"))
    people, firsts = {pair[0] for pair in pairs}, {pair[1] for pair in pairs}
    its_notes = select(SliceChange.id).where(
        SliceChange.begins.in_(firsts), SliceChange.person.in_(people)
    )
    notes = list(session.scalars(its_notes))
    sums = added_up(session, terms, pairs)
    session.execute(delete(SliceChange).where(SliceChange.id.in_(notes)))
    its_slices = select(Slice).where(Slice.begins.in_(firsts), Slice.person.in_(people))
    known = {(kept.person, kept.begins): kept for kept in session.scalars(its_slices)}
    for pair in pairs:
        kept = known.get(pair)
        if kept is None:
            kept = known[pair] = Slice(person=pair[0], begins=pair[1])
            session.add(kept)
        kept.made_under = terms.mark
    session.flush()
    numbers = {pair: known[pair].id for pair in pairs}
    old = SliceSum.slice_id.in_(numbers.values())
    session.execute(
        delete(SliceSum).where(old).execution_options(synchronize_session=False)
    )
    made = [
        {"slice_id": numbers[pair], **like._asdict(), **vars(figures)}
        for pair, of_pair in sums.items()
        for like, figures in of_pair.items()
    ]
    if made:
        session.execute(insert(_table(SliceSum)), made)


def added_up(session: Session, terms: Terms, pairs: list[Pair]) -> dict[Pair, Sums]:
    """Return what the entries of these slices add up to."""
    picked = _picked(pairs)
    by_month = pairs[0][0] != EVERYBODY
    tags = _tags(session, picked) if by_month else {}
    query: Any = select(*READ).where(picked)
    found: dict[Pair, Sums] = {pair: {} for pair in pairs}
    for number, user, project, task, own, day, seconds, billable in session.execute(query):
        price = terms.price((user, project, task, own), day) if billable else None
        figures = _figures(seconds, terms.rule(project), price)
        currency = price.currency if price else None
        if not by_month:
            like = Like(DAY, billable=billable, currency=currency)
            _add(found[EVERYBODY, day], like, figures)
            continue
        sums = found[user, day.replace(day=1)]
        rate = price.amount if price else None
        _add(sums, Like(WORK, project, task, None, billable, rate, currency), figures)
        for tag in tags.get(number, (None,)):
            _add(sums, Like(TAG, None, None, tag, billable, None, currency), figures)
    return found


def _picked(pairs: list[Pair]) -> ColumnElement[bool]:
    people, firsts = sorted({pair[0] for pair in pairs}), {pair[1] for pair in pairs}
    whole = TimeEntry.deleted_at.is_(None) & TimeEntry.within_day.is_(True)
    if people == [EVERYBODY]:
        return whole & TimeEntry.local_date.in_(firsts)
    (first,) = firsts
    following = (first.replace(day=28) + 4 * ONE_DAY).replace(day=1)
    in_month = TimeEntry.local_date.between(first, following - ONE_DAY)
    return whole & in_month & TimeEntry.user_id.in_(people)


def _tags(session: Session, picked: ColumnElement[bool]) -> dict[int, list[int]]:
    query = select(entry_tags).join(TimeEntry, TimeEntry.id == entry_tags.c.entry_id)
    found: dict[int, list[int]] = {}
    for number, tag in session.execute(query.where(picked)):
        found.setdefault(number, []).append(tag)
    return found


def _figures(
    seconds: int, rule: rounding.Rule, price: rates.Price | None
) -> tuple[int, int, int, int]:
    rounded = seconds if rule.is_exact else rounding.rounded_again(seconds, rule)
    if price is None:
        return seconds, rounded, 0, 0
    earned = rates.amount(rounded, price)
    exactly = earned if rounded == seconds else rates.amount(seconds, price)
    return seconds, rounded, earned, exactly


def _add(sums: Sums, like: Like, figures: tuple[int, int, int, int]) -> None:
    found = sums.get(like)
    if found is None:
        sums[like] = Sum(1, *figures)
        return
    found.entries += 1
    found.seconds += figures[0]
    found.rounded += figures[1]
    found.earned += figures[2]
    found.earned_exactly += figures[3]


def differing(session: Session, settings: Settings) -> Iterator[Pair]:
    """Yield the slices that are to be trusted and yet are not what their entries add up to."""
    terms = now_in_force(session, settings)
    changed = select(SliceChange.person, SliceChange.begins)
    noted = {(person, begins) for person, begins in session.execute(changed)}
    trusted = select(Slice.person, Slice.begins).where(Slice.made_under == terms.mark)
    pairs = {(person, begins) for person, begins in session.execute(trusted)} - noted
    in_order = sorted(pairs, key=lambda pair: (pair[0] != EVERYBODY, pair[1], pair[0]))
    for portion in _portions(in_order):
        right = added_up(session, terms, portion)
        kept = _kept(session, portion)
        yield from (pair for pair in portion if right[pair] != kept.get(pair, {}))


def _kept(session: Session, pairs: list[Pair]) -> dict[Pair, Sums]:
    columns: list[Any] = [getattr(SliceSum, name) for name in Like._fields]
    columns += [getattr(SliceSum, name) for name in vars(Sum())]
    query = (
        select(Slice.person, Slice.begins, *columns)
        .join(Slice, Slice.id == SliceSum.slice_id)
        .where(Slice.begins.in_({pair[1] for pair in pairs}))
        .where(Slice.person.in_({pair[0] for pair in pairs}))
    )
    found: dict[Pair, Sums] = {}
    width = len(Like._fields)
    for person, begins, *rest in session.execute(query):
        like, figures = Like(*rest[:width]), Sum(*rest[width:])
        found.setdefault((person, begins), {})[like] = figures
    return found
