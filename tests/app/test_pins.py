"""What somebody starts often: pinned, started, moved, taken off; and continuing the last."""

import re

import pytest
from sqlalchemy import select

from app.errors import Conflict, NotFound
from app.models.entries import Pin, TimeEntry
from app.models.work import Project
from app.people import accounts
from app.settings import Settings
from app.tracking import pins, timers
from app.tracking.timers import About
from app.work import projects
from app.work.projects import ProjectFields

from .conftest import MONDAY


@pytest.fixture
def worked(session, ann, clock, settings):
    """Something ann worked on, for a minute."""

    def work(text="Draft", project=None):
        about = About(description=text, project_id=project.id if project else None)
        timers.start(session, ann, about, clock(), settings=settings)
        clock.forward(minutes=1)
        return timers.stop(session, ann, clock(), settings=settings).entry

    return work


def texts(session, person):
    return [one.description for one in pins.listed(session, person)]


def test_what_is_pinned_twice_is_pinned_once(session, ann, worked):
    first, again = worked("Draft"), worked("Draft")

    assert pins.pin(session, ann, first).id == pins.pin(session, ann, again).id


def test_ten_works_can_be_pinned_and_no_more(session, ann, worked):
    for number in range(pins.AT_MOST):
        pins.pin(session, ann, worked(f"Work {number}"))

    with pytest.raises(Conflict, match="10 works are pinned"):
        pins.pin(session, ann, worked("One more"))


@pytest.mark.parametrize(
    ("moved", "up", "order"),
    [
        pytest.param(2, True, ["a", "c", "b"], id="the last one up"),
        pytest.param(0, False, ["b", "a", "c"], id="the first one down"),
        pytest.param(0, True, ["a", "b", "c"], id="the first stays first"),
        pytest.param(2, False, ["a", "b", "c"], id="the last stays last"),
    ],
)
def test_pins_change_places(session, ann, worked, moved, up, order):
    made = [pins.pin(session, ann, worked(text)) for text in "abc"]

    pins.move(session, ann, made[moved].id, up=up)

    assert texts(session, ann) == order


def test_somebody_elses_pin_is_not_there(session, ann, make_user, worked):
    made = pins.pin(session, ann, worked())

    with pytest.raises(NotFound):
        pins.take_off(session, make_user("ben"), made.id)


def test_a_pin_of_an_archived_project_starts_without_it(session, ann, worked):
    project = projects.make(session, ann, ProjectFields(name="Site"))
    made = pins.pin(session, ann, worked("Draft", project))
    project.archived_at = MONDAY
    session.flush()

    assert pins.about(session, ann, made) == About(description="Draft")


def test_a_pin_starts_a_timer_from_the_dashboard(browser, app, clock, ann_in):
    with app.extensions["database"].writing() as session:
        person = session.merge(ann_in)
        project = projects.make(session, person, ProjectFields(name="Site"))
        about = About(description="Draft", project_id=project.id)
        timers.start(session, person, about, clock(), settings=Settings())
        entry = timers.stop(
            session, person, clock.forward(minutes=5), settings=Settings()
        ).entry
    assert "Pin to the dashboard" in browser.get(f"/entries/{entry.id}/menu").text

    browser.post(f"/pins/entry/{entry.id}")
    page = browser.get("/").text
    number = re.search(r'data-pin="(\d+)"', page)[1]
    browser.post(f"/pins/{number}/start")

    with app.extensions["database"].reading() as session:
        running = session.scalar(select(TimeEntry).where(TimeEntry.is_running_now()))
        assert (running.description, running.project_id) == ("Draft", project.id)
        assert session.get(Project, project.id) is not None
    browser.post(f"/pins/{number}/off")
    with app.extensions["database"].reading() as session:
        assert session.scalars(select(Pin)).all() == []


def test_a_viewer_pins_nothing(app, visitor):
    from_settings = Settings()
    with app.extensions["database"].writing() as session:
        new = accounts.NewUser(username="vic", role="viewer", password="long enough words")
        accounts.make(session, new, from_settings)
    visitor.sign_in("vic", "long enough words")

    assert visitor.post("/pins/1/start").status_code == 403


def test_the_last_work_is_continued_with_one_key(browser, app, clock):
    assert browser.post("/timer/last").status_code == 404
    browser.post("/timer/start", {"description": "Draft", "key": "a"})
    clock.forward(minutes=3)
    browser.post("/timer/stop")

    assert 'data-key="c"' in browser.get("/").text
    browser.post("/timer/last", {"key": "b"})
    browser.post("/timer/last", {"key": "b"})

    with app.extensions["database"].reading() as session:
        found = session.scalars(select(TimeEntry).order_by(TimeEntry.id)).all()
    assert [(e.description, e.is_running) for e in found] == [
        ("Draft", False),
        ("Draft", True),
    ]
