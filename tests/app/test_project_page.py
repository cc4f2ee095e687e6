"""One project: its figures are those of the reports, its members decide who sees it."""

import pytest
from sqlalchemy import select

from app.models.work import Project, ProjectMember
from app.people import accounts
from app.settings import Settings

from .conftest import PASSWORD, Browser


@pytest.fixture
def bob(app):
    with app.extensions["database"].writing() as session:
        new = accounts.NewUser(username="bob", password=PASSWORD)
        accounts.make(session, new, Settings(timezone="Europe/Berlin"))
    other = Browser(app.test_client())
    other.sign_in("bob")
    return other


@pytest.fixture
def project(browser):
    browser.post("/projects/new", {"name": "Hedgerow", "estimate": "2 h", "billable": "1"})
    return "/projects/1"


def work(who, clock, minutes):
    who.post(
        "/timer/start", {"project_id": "1", "key": f"k{minutes}", "description": "Design"}
    )
    clock.forward(minutes=minutes)
    who.post("/timer/stop")


def members(app):
    with app.extensions["database"].reading() as session:
        found = session.scalars(select(ProjectMember).order_by(ProjectMember.user_id))
        return [(member.user_id, member.is_lead) for member in found]


def test_everybody_sees_their_own_time_and_leads_all_of_it(browser, bob, project, clock):
    work(browser, clock, 65)
    work(bob, clock, 31)
    of_lead = browser.get(project).get_data(as_text=True)
    of_other = bob.get(project).get_data(as_text=True)

    assert "1h 36m of 2h 00m" in of_lead
    assert "0:31" in of_lead
    assert "1h 36m" not in of_other
    assert '<b class="num">31m</b>' in of_other
    assert "Your own time" in of_other
    assert "Members" in of_other
    assert "Choose somebody" not in of_other


def test_a_project_without_time_says_so(browser, project):
    assert "No time was recorded yet" in browser.get(project).get_data(as_text=True)


def test_members_come_lead_and_go(app, browser, project, bob, clock):
    browser.post(f"{project}/members", {"user_id": "2"})
    assert "bob is a member" in browser.text
    browser.post(f"{project}/members", {"user_id": "2", "lead": "1"})
    assert members(app) == [(1, True), (2, True)]
    work(browser, clock, 20)
    assert "20m" in bob.get(project).text, "a lead sees everybody's time"
    bob.post(f"{project}/members", {"user_id": "1"})
    assert members(app) == [(1, False), (2, True)]
    browser.post(f"{project}/members/2/remove")
    assert members(app) == [(1, False)]
    assert browser.post(f"{project}/members/2/remove").status_code == 404


@pytest.mark.parametrize("number", ["", "99", "x"])
def test_nobody_is_not_made_a_member(app, browser, project, number):
    assert browser.post(f"{project}/members", {"user_id": number}).status_code == 422
    assert members(app) == [(1, True)]


def test_who_is_no_lead_changes_no_members(app, bob, project):
    assert bob.post(f"{project}/members", {"user_id": "2", "lead": "1"}).status_code == 403
    assert bob.post(f"{project}/members/1/remove").status_code == 403
    assert members(app) == [(1, True)]


def test_a_project_for_members_is_not_there_for_others(app, browser, bob, project):
    with app.extensions["database"].writing() as session:
        session.get(Project, 1).visibility = "members"
    assert bob.get(project).status_code == 404
    browser.post(f"{project}/members", {"user_id": "2", "lead": "1"})
    assert bob.get(project).status_code == 200
    bob.post(f"{project}/members/2/remove")

    assert bob.page.request.path == "/projects", "they are out, and led to what they see"


def test_a_viewer_sees_the_project_without_figures(app, browser, project, clock):
    work(browser, clock, 65)
    with app.extensions["database"].writing() as session:
        new = accounts.NewUser(username="eve", role="viewer", password=PASSWORD)
        accounts.make(session, new, Settings())
    eve = Browser(app.test_client())
    eve.sign_in("eve")
    page = eve.get(project)

    assert page.status_code == 200
    assert "Latest entries" not in page.text
    assert "1h 05m" not in page.text
