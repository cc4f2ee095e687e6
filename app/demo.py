"""Sample data: a small studio of five people with three months of work behind them.

``timetracker demo`` puts it into an empty database. With ``DEMO_MODE`` a server does so
at its start, shows names and password where one signs in, and begins anew every night
(UTC); it refuses to start on a database that holds anything else. The same day gives the
same data: chance is seeded.
"""

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from app.errors import Conflict
from app.models import Base, Database
from app.models.entries import EntryBreak, Pin, TimeEntry
from app.models.people import User
from app.models.saved import Setting
from app.models.work import Client, Project, ProjectMember, Rate, Tag, Task
from app.people import accounts
from app.reports import saved
from app.settings import Settings

PASSWORD = "a demo for everybody"  # noqa: S105 - no secret: it is shown
MARK = "demo"
"""Name of the setting that says that all there is are sample data, and of which day."""

DAYS = 92
ZONE = "Europe/Berlin"
KEPT = ("installation", "leases", "alembic_version")
"""Tables that a new beginning leaves alone."""

PEOPLE = (
    ("maren", "Maren Lund", "admin", 40),
    ("jonas", "Jonas Weber", "manager", 40),
    ("aylin", "Aylin Kaya", "user", 32),
    ("tom", "Tom Brennan", "user", 40),
    ("vera", "Vera Rossi", "viewer", 0),
)
"""User name, name, role, hours a week."""


class Work(NamedTuple):
    """A project and what is done in it."""

    client: str
    name: str
    hours: int
    """Estimate; 0: none."""
    rate: int
    """Minor units an hour; 0: not billable."""
    tasks: dict[str, tuple[str, ...]]
    """Task → what people write about it."""


WORKS = (
    Work("Nordlicht Optik", "Website relaunch", 560, 9500, {
        "Design": ("Type and colour of the shop", "Icons for the product pages",
                   "Look at the draft with the client"),
        "Development": ("Checkout form", "Search that forgives typing mistakes",
                        "Images load when they are seen"),
        "Content": ("Texts of the eye test page", "Alt texts for the gallery"),
    }),
    Work("Nordlicht Optik", "Newsletter", 40, 8500, {
        "Editing": ("October issue", "Interview with the lens maker"),
    }),
    Work("Hafenkran e.G.", "Booking of boats", 260, 10500, {
        "Concept": ("Workshop notes", "Rules of cancelling"),
        "Development": ("Calendar of slips", "Payment by direct debit", "Mails of reminder"),
        "Testing": ("Trial with the harbour office", "Phones in the sun"),
    }),
    Work("Museum am Wall", "Audio guide", 120, 9000, {
        "Recording": ("Room 4 to 9", "Cut the breaths"),
        "App": ("Offline maps of the rooms", "Larger type"),
    }),
    Work("", "Studio", 0, 0, {
        "Meetings": ("Monday round", "Plan of the week"),
        "Learning": ("CSS layers", "Reading: the humane interface"),
        "Books": ("Receipts", "Quarterly figures"),
    }),
)  # fmt: skip

TAGS = ("on site", "pro bono", "urgent", "review")


def prepare(database: Database, now: datetime, *, is_demo: bool) -> None:
    """Before serving: fill an empty database for a demo; Conflict where it is none.

    The other way round too: without ``DEMO_MODE`` sample data stay what they are.
    """
    if not is_demo:
        return
    with database.writing() as session:
        if not accounts.anyone(session):
            fill(session, now)
        elif session.get(Setting, MARK) is None:
            raise Conflict(
                "DEMO_MODE would replace the data that are here every night.",
                hint="Name an empty DATA_DIR or DATABASE_URL, or unset DEMO_MODE.",
            )


def is_old(session: Session, now: datetime) -> bool:
    """Return whether sample data are of another day."""
    row = session.get(Setting, MARK)
    return row is not None and row.value["day"] != now.date().isoformat()


def begin_anew(session: Session, now: datetime) -> None:
    """Remove everything and fill again; Conflict where it is not a demo."""
    if session.get(Setting, MARK) is None:
        raise Conflict("These are no sample data.", hint="Nothing was removed.")
    tables = [t for t in reversed(Base.metadata.sorted_tables) if t.name not in KEPT]
    for table in [*tables, *tables]:  # removing notes changes in tables emptied before
        session.execute(table.delete())
    session.expunge_all()
    fill(session, now)


def fill(session: Session, now: datetime) -> None:
    """Put the sample data into an empty database."""
    now = now.replace(microsecond=0)
    chance = random.Random(now.date().toordinal())  # noqa: S311 - nothing secret is drawn
    people = _people(session, now)
    tags = [Tag(name=name, color=place + 3) for place, name in enumerate(TAGS)]
    session.add_all(tags)
    projects = [
        _project(session, work, place, people, now.date())
        for place, work in enumerate(WORKS)
    ]
    session.add(Setting(key=MARK, value={"day": now.date().isoformat()}))
    session.flush()
    for person, hours in people:
        if hours:
            for back in range(DAYS, -1, -1):
                day = now.astimezone(ZoneInfo(ZONE)).date() - timedelta(days=back)
                session.add_all(_day(chance, person, hours, day, projects, tags, now))
    _first_things(session, people[0][0], projects)
    session.flush()


def _people(session: Session, now: datetime) -> list[tuple[User, int]]:
    made: list[tuple[User, int]] = []
    for username, name, role, hours in PEOPLE:
        new = accounts.NewUser(
            username=username, display_name=name, role=role, signup_method="setup"
        )
        user = accounts.make(session, new, Settings(timezone=ZONE))
        if made:
            user.password_hash = made[0][0].password_hash
        else:
            accounts.set_password(user, PASSWORD)
        user.weekly_target_minutes = hours * 60 or None
        user.first_login_at = user.last_login_at = now - timedelta(days=1)
        made.append((user, hours))
    return made


def _project(
    session: Session, work: Work, place: int, people: list[tuple[User, int]], today: date
) -> Project:
    client = None
    if work.client:
        client = session.query(Client).filter_by(name=work.client).one_or_none()
        client = client or Client(name=work.client, color=place + 1, currency="EUR")
    project = Project(
        name=work.name,
        client=client,
        color=place + 1,
        billable=work.rate > 0,
        estimate_minutes=work.hours * 60 or None,
        tasks=[Task(name=name) for name in work.tasks],
    )
    session.add(project)
    session.flush()
    session.add_all(
        ProjectMember(project_id=project.id, user_id=person.id, is_lead=n == 1)
        for n, (person, _) in enumerate(people)
    )
    if work.rate:
        begin = today - timedelta(days=2 * DAYS)
        session.add(
            Rate(scope="project", project_id=project.id, amount=work.rate,
                 currency="EUR", valid_from=begin)
        )  # fmt: skip
    return project


def _day(
    chance: random.Random,
    person: User,
    hours: int,
    day: date,
    projects: list[Project],
    tags: list[Tag],
    now: datetime,
) -> Iterator[TimeEntry]:
    """Yield what somebody recorded on a day: nothing on weekends, holidays and days off."""
    if (
        day.isoweekday() > 5
        or chance.random() < 0.06
        or (hours < 40 and day.weekday() == 4)
    ):
        return
    begin = datetime.combine(day, time(8), ZoneInfo(ZONE)).astimezone(UTC)
    begin += timedelta(minutes=5 * chance.randrange(18))
    spans = sorted(chance.sample(range(12, 96), 4))  # in steps of five minutes
    for first, last in pairwise([0, *spans]):
        start = begin + timedelta(minutes=5 * first + chance.choice((0, 0, 5, 15)))
        end = begin + timedelta(minutes=5 * last)
        if (end - start) < timedelta(minutes=10) or end > now:
            continue
        yield _entry(chance, person, start, end, projects, tags)


def _entry(
    chance: random.Random,
    person: User,
    start: datetime,
    end: datetime,
    projects: list[Project],
    tags: list[Tag],
) -> TimeEntry:
    place = chance.choices(range(len(WORKS)), weights=(6, 2, 5, 3, 2))[0]
    task = chance.choice(projects[place].tasks)
    rested = timedelta(minutes=15 if end - start > timedelta(hours=3) else 0)
    middle = start + (end - start) // 2
    middle = middle.replace(second=0)
    entry = TimeEntry(
        user=person,
        kind="timed",
        started_at=start,
        ended_at=end,
        timezone=ZONE,
        local_date=start.astimezone(ZoneInfo(ZONE)).date(),
        seconds=int((end - start - rested).total_seconds()),
        project=projects[place],
        task=task,
        description=chance.choice(WORKS[place].tasks[task.name]),
        billable=projects[place].billable,
        source=chance.choice(("timer", "timer", "manual", "week")),
        stopped_by="user",
        created_by_id=person.id,
        tags=chance.sample(tags, chance.choice((0, 0, 0, 1, 2))),
    )
    if rested:
        entry.breaks = [EntryBreak(started_at=middle, ended_at=middle + rested)]
    return entry


def _first_things(session: Session, person: User, projects: list[Project]) -> None:
    """Give the first person pins and a shared filter, so that those can be seen too."""
    session.add_all(
        Pin(user_id=person.id, project_id=project.id, position=place, description=text)
        for place, (project, text) in enumerate(
            zip(projects[::2], ("Checkout form", "Calendar of slips", "Monday round"),
                strict=True)
        )
    )  # fmt: skip
    query = {"report": "billable", "range": "this_month"}
    kept = saved.save(session, person, "Billable this month", scope="reports", query=query)
    kept.shared = True
