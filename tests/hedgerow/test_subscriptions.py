"""Subscriptions in a whole house: mailed when due, each once, kept with what came of it."""

import threading
from datetime import timedelta
from email import message_from_string, policy

import msgspec
import pytest
from sqlalchemy import delete, select

from hedgerow.alerts import posting
from hedgerow.meta import accounts, audit, boards, outgoing, subscriptions
from hedgerow.meta.subscriptions import Wish
from hedgerow.meta.tables_subscriptions import (
    Subscription,
    SubscriptionDelivery,
    SubscriptionMessage,
)
from hedgerow.serve import alerting
from tests.hedgerow.visiting import Server as Hedgerow
from tests.mail_server import Server as MailServer
from tests.mail_server import Smtp

pytestmark = pytest.mark.slow  # a whole server, though without a socket

BASE = "https://stats.example.org"
ME, OTHER = "ed@example.org", "vi@example.org"
BY_PLAN = {
    "kind": "TrendsQuery",
    "series": [{"kind": "EventsNode", "event": "sign up"}],
    "breakdownFilter": {"breakdown": "plan"},
    "trendsFilter": {"display": "ActionsTable"},
}
OVER_TIME = {**BY_PLAN, "dateRange": {"date_from": "-60d"}, "trendsFilter": {}}
BROKEN = {"kind": "TrendsQuery", "series": []}


@pytest.fixture(scope="module")
def smtp():
    made = MailServer(("127.0.0.1", 0), Smtp)
    made.mails, made.heard, made.status = [], [], 250
    threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


@pytest.fixture(scope="module")
def server(tmp_path_factory, smtp):
    made = Hedgerow(tmp_path_factory.mktemp("subscriptions"))
    made.house.settings = msgspec.structs.replace(
        made.house.settings, smtp_host="127.0.0.1", smtp_port=smtp.server_address[1],
        smtp_security="none", mail_from="hedgerow@example.org",
    )  # fmt: skip
    made.somebody, made.viewer = made.user(ME), made.user(OTHER)
    yield made
    made.close()


@pytest.fixture
def project(server, smtp):
    """A project of the test's own; nobody has been mailed anything yet."""
    smtp.mails.clear()
    smtp.status = 250
    made = server.project()
    with server.house.metadata.writing() as session:
        session.execute(delete(Subscription))
        accounts.set_role(session, server.somebody.id, made.id, "editor")
        accounts.set_role(session, server.viewer.id, made.id, "viewer")
    return server.house.directory.project_of_id(made.id)


@pytest.fixture
def insight(server, project):
    with server.house.metadata.writing() as session:
        return boards.create_insight(
            session, project.id, BY_PLAN, now=server.now(), name="Sign-ups by plan"
        )


@pytest.fixture
def board(server, project, insight):
    with server.house.metadata.writing() as session:
        made = boards.create_dashboard(session, project.id, "Growth", now=server.now())
        boards.add_tile(session, made.id, text="Numbers of **all** plans")
        for name, query in (("Course", OVER_TIME), ("Odd", BROKEN)):
            one = boards.create_insight(
                session, project.id, query, now=server.now(), name=name
            )
            boards.add_tile(session, made.id, insight_id=one.id)
        boards.add_tile(session, made.id, insight_id=insight.id)
    return made


class Later:
    """Mails at chosen times."""

    def __init__(self, server, project):
        self.house, self.project, self.now = server.house, project, server.now()
        self.letters = alerting.letters(server.house, BASE)

    def subscribed(self, *, emails=(ME,), **of):
        wish = Wish(
            frequency="daily", start_date=self.now + timedelta(minutes=1), emails=emails, **of
        )  # fmt: skip
        with self.house.metadata.writing() as session:
            return subscriptions.create(
                session, self.project, wish, self.now, created_by=None
            )

    def due(self, **length):
        self.now += timedelta(**length)
        house = self.house
        posting.note_due(house.metadata, house.directory.project_of_id, self.now)

    def mailed(self, **length):
        self.due(**length)
        return posting.send_waiting(
            self.house.metadata, self.house.settings, self.letters.write, lambda: self.now
        )

    def row(self, made):
        with self.house.metadata.reading() as session:
            return subscriptions.subscription(session, self.project.id, made.id)

    def told(self, made):
        with self.house.metadata.reading() as session:
            found = subscriptions.history(session, made.id)
        return [(one.trouble, [mail.state for mail in mails]) for one, mails in found]


@pytest.fixture
def later(server, project):
    return Later(server, project)


@pytest.fixture
def browser(server):
    return server.signed_in(server.somebody)


def parts_of(raw):
    mail = message_from_string(raw, policy=policy.default)
    text, html = (mail.get_body((kind,)).get_content() for kind in ("plain", "html"))
    return mail, text, html


def test_an_insight_is_mailed_once_when_it_is_due(server, project, insight, later, smtp):
    server.captured(
        project,
        ("sign up", "a", {"plan": "<b>pro</b>"}),
        ("sign up", "b", {"plan": "<b>pro</b>"}),
        ("sign up", "c", {"plan": "free"}),
    )
    made = later.subscribed(insight_id=insight.id, emails=(ME, OTHER))

    counts = [later.mailed(), later.mailed(minutes=1), later.mailed(minutes=1)]

    assert counts == [0, 2, 0]
    assert later.told(made) == [("", ["sent", "sent"])]
    mail, text, html = parts_of(smtp.mails[0])
    assert (mail["Subject"], mail["To"]) == ("[Hedgerow] Sign-ups by plan", ME)
    rows = [line.split() for line in text.splitlines()]
    assert ["<b>pro</b>", "2"] in [row[:2] for row in rows]
    assert ["free", "1"] in [row[:2] for row in rows]
    assert "&lt;b&gt;pro&lt;/b&gt;" in html
    assert "<b>pro" not in html
    for part in (text, html):
        assert f"{BASE}/p/{project.id}/insights/{insight.short_id}" in part
        assert f"{BASE}/p/{project.id}/subscriptions/{made.id}" in part


def test_a_figure_that_fails_costs_no_other(server, project, board, later, smtp):
    server.captured(project, ("sign up", "a", {"plan": "pro"}))
    made = later.subscribed(dashboard_id=board.id)
    later.mailed(minutes=1)

    _, text, html = parts_of(smtp.mails[0])
    assert "Numbers of <b>all</b> plans" in html
    assert "This could not be computed" in text
    assert "earlier behind" in text
    assert text.index("Course") < text.index("Odd") < text.index("Sign-ups by plan")
    ((trouble, states),) = later.told(made)
    assert trouble.startswith("Odd: ")
    assert states == ["sent"]


def test_nothing_to_show_is_said_in_words(project, insight, later, smtp):
    later.subscribed(insight_id=insight.id)
    later.mailed(minutes=1)

    assert "No sign up received yet" in parts_of(smtp.mails[0])[1]


def test_what_was_missed_while_the_server_was_away_is_sent_once(insight, later, smtp):
    made = later.subscribed(insight_id=insight.id)

    assert later.mailed(days=9) == 1
    assert later.row(made).next_delivery_date > later.now


def test_what_was_leaving_as_the_process_died_is_not_sent_again(server, insight, later):
    made = later.subscribed(insight_id=insight.id, emails=(ME, OTHER))
    later.due(minutes=1)
    with server.house.metadata.writing() as session:
        first = subscriptions.waiting(session, later.now).message
        assert subscriptions.claim(session, first.id, "")
        assert not subscriptions.claim(session, first.id, "")

    with server.house.metadata.writing() as session:
        outgoing.after_a_stop(session, SubscriptionMessage)

    assert later.mailed() == 1
    assert later.told(made) == [("", ["unclear", "sent"])]


def test_two_that_look_at_the_same_time_keep_one_delivery(server, project, insight, later):
    made = later.subscribed(insight_id=insight.id)
    row, then = later.row(made), later.now + timedelta(minutes=1)
    with server.house.metadata.writing() as session:
        first = subscriptions.record(session, project, row, then)
        second = subscriptions.record(session, project, row, then)

    assert (first is None, second is None) == (False, True)


def test_a_mail_that_is_refused_is_tried_again_until_it_is_given_up(insight, later, smtp):
    smtp.status = 550
    made = later.subscribed(insight_id=insight.id)
    later.mailed(minutes=1)
    tried = later.told(made)
    for minutes in (1, 5, 30, 600):
        later.mailed(minutes=minutes)

    assert tried == [("", ["waiting"])]
    assert later.told(made) == [("", ["failed"])]


def test_what_is_deleted_is_not_mailed_and_said_so(server, board, later, smtp):
    made = later.subscribed(dashboard_id=board.id)
    with server.house.metadata.writing() as session:
        boards.dashboard(session, board.project_id, board.id).deleted = True
    later.mailed(minutes=1)

    assert smtp.mails == []
    ((trouble, states),) = later.told(made)
    assert "There is no dashboard" in trouble
    assert states == ["failed"]


def test_who_left_the_project_is_mailed_nothing_more(server, project, insight, later, smtp):
    made = later.subscribed(insight_id=insight.id)
    with server.house.metadata.writing() as session:
        accounts.remove_member(session, server.somebody.id, project.id)
    later.mailed(minutes=1)

    assert smtp.mails == []
    assert "in the project any more" in later.told(made)[0][0]


def test_the_history_is_kept_for_90_days(server, insight, later):
    made = later.subscribed(insight_id=insight.id)
    later.mailed(minutes=1)
    later.mailed(days=91)

    with server.house.metadata.reading() as session:
        kept = session.scalars(
            select(SubscriptionDelivery).where(
                SubscriptionDelivery.subscription_id == made.id
            )
        ).all()
    assert [one.at for one in kept] == [later.now]


def test_the_house_mails_what_is_due(server, insight, later, smtp):
    later.now -= timedelta(minutes=2)
    later.subscribed(insight_id=insight.id)

    alerting.post(server.house, BASE)

    assert len(smtp.mails) == 1


def fields(**more):
    return {
        "title": "Mondays", "interval": "2", "frequency": "weekly", "emails": ME,
        "byweekday": "monday", "start_day": "2099-01-05", "start_time": "07:30", **more,
    }  # fmt: skip


def test_a_subscription_is_made_changed_and_deleted_on_the_screen(
    server, browser, project, board
):
    base = f"/p/{project.id}/subscriptions"
    assert "No subscriptions yet" in browser.get(base).text
    of = browser.get(f"{base}?dashboard={board.id}").text
    assert "Nobody gets this by mail yet" in of
    assert f"{base}/new?dashboard={board.id}" in of
    assert "Mails <bdi>Growth" in browser.get(f"{base}/new?dashboard={board.id}").text
    page = browser.post(base, data=fields(dashboard=board.id)).headers["location"]

    shown = browser.get(page).text
    assert "every 2 weeks on Monday at 07:30" in shown
    assert "Sent next on 5 Jan 2099, 07:30" in shown
    assert "Mondays" in browser.get(f"{base}?dashboard={board.id}").text
    month = {"frequency": "monthly", "bysetpos": "-1", "title": "", "interval": "1"}
    browser.post(page, data=fields(**month, until="2099-12-31"))
    assert "on the last Monday at 07:30" in browser.get(page).text
    browser.post(f"{page}/act", data={"do": "off"})
    assert "is paused" in browser.get(page).text
    browser.post(f"{page}/act", data={"do": "on"})
    assert "Sent next on 26 Jan 2099" in browser.get(page).text
    browser.post(f"{page}/act", data={"do": "delete"})
    assert browser.get(page).status_code == 404
    with server.house.metadata.reading() as session:
        noted = [(one.action, one.who) for one in audit.entries(session, project.id)]
    assert noted[0] == ("deleted", ME)
    assert noted[-1] == ("created", ME)


def test_the_form_offers_what_can_be_mailed(browser, project, board, insight):
    base = f"/p/{project.id}/subscriptions"
    page = browser.get(f"{base}/new").text
    made = browser.post(base, data=fields(of=f"insight:{insight.short_id}"))

    assert f'value="dashboard:{board.id}"' in page
    assert "Sign-ups by plan" in browser.get(made.headers["location"]).text


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        pytest.param({"interval": "0"}, "interval is 0", id="no interval"),
        pytest.param({"interval": "x"}, "interval is 0", id="no number"),
        pytest.param({"frequency": "hourly"}, "cannot be used", id="no such unit"),
        pytest.param({"byweekday": "someday"}, "cannot be used", id="no such day"),
        pytest.param({"start_day": "soon"}, "Choose a day", id="no date"),
        pytest.param({"until": "2099-01-04"}, "until_date is", id="ends before it starts"),
        pytest.param({"emails": "stranger@example.org"}, "is nobody of", id="a stranger"),
        pytest.param({"emails": []}, "0 addresses", id="nobody"),
        pytest.param({"dashboard": ""}, "of an insight or of a dashboard", id="nothing"),
    ],
)
def test_a_form_that_cannot_be_kept_says_why_and_keeps_what_was_typed(
    browser, project, board, wrong, said
):
    sent = fields(dashboard=board.id) | wrong
    reply = browser.post(f"/p/{project.id}/subscriptions", data=sent)

    assert reply.status_code == 400
    assert said in reply.text
    assert 'value="Mondays"' in reply.text


def test_a_test_goes_to_oneself_alone_and_says_what_arrived(browser, later, insight, smtp):
    made = later.subscribed(insight_id=insight.id, emails=(OTHER,))
    act = f"/p/{made.project_id}/subscriptions/{made.id}/act"

    assert "arrived" in browser.post(act, data={"do": "try"}).text
    assert parts_of(smtp.mails[0])[0]["To"] == ME
    smtp.status = 550
    assert "did not take the mail" in browser.post(act, data={"do": "try"}).text
    assert later.told(made) == []


def test_a_viewer_takes_themselves_off_and_changes_nothing_else(server, later, insight):
    made = later.subscribed(insight_id=insight.id, emails=(ME, OTHER))
    browser = server.signed_in(server.viewer)
    page = f"/p/{made.project_id}/subscriptions/{made.id}"

    assert "Mail me no more" in browser.get(page).text
    browser.post(f"{page}/leave")

    assert later.row(made).emails == [ME]
    assert later.row(made).enabled
    assert "Mail me no more" not in browser.get(page).text


def test_when_the_last_one_leaves_it_rests(server, later, insight):
    made = later.subscribed(insight_id=insight.id, emails=(OTHER,))
    page = f"/p/{made.project_id}/subscriptions/{made.id}"

    server.signed_in(server.viewer).post(f"{page}/leave")

    assert not later.row(made).enabled


def asked(**more):
    return {
        "target_type": "email", "target_value": "admin@example.org", "frequency": "weekly",
        "start_date": "2099-01-01T09:00:00Z", **more,
    }  # fmt: skip


def test_the_api_speaks_of_subscriptions_as_posthog_does(api):
    insight = api.post("/insights", {"name": "Sign-ups", "query": BY_PLAN})
    board = api.post("/dashboards", {"name": "Growth"})
    made = api.post(
        "/subscriptions",
        asked(insight=insight["id"], byweekday=["friday", "monday"], title="Twice"),
    )
    api.post("/subscriptions", asked(dashboard=board["id"], title="Board", until_date=None))

    rested = api.patch(f"/subscriptions/{made['id']}", {"enabled": False, "interval": 2})
    of_board = api.get(f"/subscriptions?dashboard={board['id']}")["results"]
    api.call("DELETE", f"/subscriptions/{made['id']}", status=204)

    assert made["summary"] == "sent every week on Monday and Friday at 09:00"
    assert made["next_delivery_date"] == "2099-01-02T09:00:00Z"
    assert made["byweekday"] == ["monday", "friday"]
    assert (rested["enabled"], rested["interval"]) == (False, 2)
    assert [one["title"] for one in of_board] == ["Board"]
    gone = api.refused("GET", f"/subscriptions/{made['id']}", status=404)
    assert gone["code"] == "not_found"


@pytest.mark.parametrize(
    ("body", "named"),
    [
        pytest.param({}, "dashboard", id="of nothing"),
        pytest.param({"target_type": "slack"}, "target_type", id="no mail"),
        pytest.param({"target_value": "x@y.z"}, "target_value", id="a stranger"),
        pytest.param({"target_value": " , "}, "target_value", id="nobody"),
        pytest.param({"frequency": "hourly"}, "frequency", id="no such frequency"),
        pytest.param({"interval": 0}, "interval", id="no interval"),
        pytest.param({"byweekday": ["someday"]}, "byweekday[0]", id="no such day"),
        pytest.param({"bysetpos": 1}, "bysetpos", id="a place without days"),
        pytest.param({"start_date": "2026-01-01T09:00:00"}, "start_date", id="no zone"),
        pytest.param({"until_date": "2098-01-01T00:00:00Z"}, "until_date", id="over"),
        pytest.param({"colour": 1}, "colour", id="an unknown field"),
    ],
)
def test_the_api_refuses_a_subscription_by_its_field(api, board_of_api, body, named):
    of = {} if named == "dashboard" else {"dashboard": board_of_api}
    refused = api.refused("POST", "/subscriptions", asked(**of) | body)

    assert refused["attr"] == named


@pytest.fixture
def board_of_api(api):
    return api.post("/dashboards", {"name": "Growth"})["id"]
