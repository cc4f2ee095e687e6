"""Reports as pages: what they say, where figures lead, who sees what, saved filters."""

import re

import pytest

from app.models.people import User
from app.models.saved import SavedFilter

from .reporting_world import app, bob, clock, house, opened, worked

PAGES = ("/reports", "/reports/detailed", "/reports/weekly", "/reports/billable",
         "/reports/person")  # fmt: skip


__all__ = [
    "app",
    "bob",
    "clock",
    "house",
    "opened",
    "worked",
]  # fixtures of this module, too


@pytest.mark.parametrize("page", PAGES)
def test_a_report_without_entries_says_what_to_do(bob, page):
    bob.get(page)

    assert bob.page.status_code == 200
    assert ("Widen it" in bob.text) == (page != "/reports/person")


@pytest.mark.parametrize("page", PAGES)
def test_a_report_names_range_zone_week_and_rounding(worked, page):
    worked.get(page)

    assert "days in the zone of each entry · weeks begin on Monday" in worked.text
    assert "exact to the second" in worked.text


def test_a_figure_of_the_summary_leads_to_its_entries(worked):
    worked.get("/reports?group=client,project")
    links = re.findall(r'href="(/reports/detailed\?[^"]*projects=1[^"]*)"', worked.text)
    worked.get(links[0].replace("&amp;", "&"))

    assert "Total of 1 entries" in worked.text
    assert "1:05:00" in worked.text
    assert "€102.92" in worked.text


def test_a_filter_is_a_chip_that_can_be_dropped(worked):
    worked.get("/reports/detailed?projects=1&billable=1")

    assert worked.text.count('class="chip"') == 2
    assert "Remove the filter Training" in worked.text
    assert 'href="/reports/detailed?billable=1"' in worked.text


def test_the_filter_panel_finds_by_letters(worked):
    found = worked.get("/reports/filter/summary?q=train").get_data(as_text=True)

    assert "Training" in found
    assert "No project" not in found


def test_an_unknown_word_in_the_address_is_refused_by_name(worked):
    assert worked.get("/reports/detailed?projekt=1").status_code == 422
    assert "projekt" in worked.text


def test_every_page_of_the_detailed_report_is_reached(worked, monkeypatch):
    monkeypatch.setattr("app.views.reports.PAGE", 1)
    worked.get("/reports/detailed?page=2")

    assert "Page 2 of 2" in worked.text
    assert "1:35:00" in worked.text  # the total is that of all pages


def test_a_person_without_the_right_to_rates_sees_no_amount(bob, app):
    bob.get("/reports/billable")
    assert "Amount" not in bob.text

    app.config["USERS_SEE_RATES"] = True
    bob.get("/reports/billable?range=this_year")
    assert "€" not in bob.text  # of own time only


def test_the_month_of_somebody_else_is_for_managers(worked, bob):
    assert worked.get("/reports/person?users=1").status_code == 200
    assert bob.get("/reports/person?users=1").status_code == 404


def test_one_question_is_told_once_in_ten_minutes(worked, monkeypatch, app):
    told = []
    monkeypatch.setattr("app.views.reports_shown.track_event", lambda *a: told.append(a))
    app.config["EXPORT_DIALOG_VARIANT"] = "b"
    worked.get("/reports?range=last_month&projects=1")
    worked.get("/reports?range=last_month&projects=1")

    assert len(told) == 1
    _, name, own = told[0]
    assert name == "report.viewed"
    assert own.pop("duration_ms") >= 0
    assert own == {
        "experiment_variant": "b",
        "report_type": "summary",
        "date_range": "month",
        "range_days": 30,
        "group_by": ["project"],
        "rows": 0,
        "filters_used": 1,
    }


def keep(browser, name="Mine", **fields):
    return browser.post("/saved/keep", {"name": name, "report": "summary", **fields})


def kept(app):
    with app.extensions["database"].reading() as session:
        return list(session.query(SavedFilter).order_by(SavedFilter.id))


def test_a_saved_filter_keeps_a_relative_range_relative(app, worked, clock):
    keep(worked, range="last_month", projects="1")
    assert kept(app)[0].query == {
        "range": "last_month",
        "projects": "1",
        "report": "summary",
    }

    clock.forward(days=40)
    worked.sign_in()
    worked.get("/saved/1")
    assert re.search("1 Oct 2025 . 31 Oct 2025", worked.text)
    assert 'value="last_month" selected' in worked.text


def test_saving_under_the_same_name_changes_the_filter(app, worked):
    keep(worked, projects="1")
    keep(worked, projects="")

    assert [one.query for one in kept(app)] == [{"report": "summary"}]


def test_a_saved_filter_refuses_what_is_no_question(app, worked):
    assert keep(worked, projekt="1").status_code == 422
    assert keep(worked, name=" ").status_code == 422
    assert kept(app) == []


def test_others_use_and_copy_a_shared_filter_and_cannot_change_it(app, house):
    worked, bob = house.ann, house.bob
    keep(worked, projects="1")
    assert bob.get("/saved/1").status_code == 404

    worked.post("/saved/1/change", {"shared": "1"})
    assert bob.get("/saved/1").status_code == 200
    assert bob.post("/saved/1/change", {"name": "His"}).status_code == 404
    assert bob.post("/saved/1/delete").status_code == 404
    bob.post("/saved/1/copy")
    owners = [one.user_id for one in kept(app)]
    assert owners == [1, 2]
    assert [one.shared for one in kept(app)] == [True, False]


def test_a_viewer_sees_shared_reports_as_shared_and_nothing_else(app, house):
    worked, eve = house.ann, house.eve
    keep(worked, name="For Eve", projects="1")
    assert eve.get("/reports/detailed").status_code == 403
    assert eve.get("/reports?saved=1").status_code == 404

    worked.post("/saved/1/change", {"shared": "1"})
    eve.get("/saved/1")
    assert "1:05" in eve.text
    assert "0:30" not in eve.text  # what the question leaves out stays out
    assert "€" not in eve.text
    eve.get("/reports?saved=1&projects=0")
    assert "0:30" not in eve.text


def test_what_filters_are_used_for_is_told(worked, monkeypatch):
    told = []
    monkeypatch.setattr("app.views.saved.track_event", lambda _who, *a: told.append(a))
    keep(worked)
    worked.post("/saved/1/change", {"shared": "1"})
    worked.post("/saved/1/delete")

    own, shared = (
        {"scope": "reports", "shared": False},
        {"scope": "reports", "shared": True},
    )
    assert told == [
        ("saved_filter.created", own),
        ("saved_filter.applied", own),
        ("saved_filter.updated", shared),
        ("saved_filter.deleted", shared),
    ]


def test_a_filter_belongs_to_who_saved_it(app, worked):
    keep(worked)
    with app.extensions["database"].writing() as session:
        ann = session.query(User).filter_by(username="ann").one()
        assert [one.user_id for one in session.query(SavedFilter)] == [ann.id]
