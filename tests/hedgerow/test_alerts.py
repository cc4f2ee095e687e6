"""Alerts in a whole house: looked at when due, told once, kept with what each came to."""

import json
import threading
from datetime import timedelta
from email import message_from_string, policy
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import msgspec
import pytest
from sqlalchemy import delete

from hedgerow.alerts import telling, webhooks
from hedgerow.alerts.looking import look_at_due
from hedgerow.alerts.webhooks import NotDelivered
from hedgerow.insights.fleet.ready_alerts import READY
from hedgerow.meta import accounts, alerts, audit, outgoing
from hedgerow.meta.alerts import Look, Wish
from hedgerow.meta.tables import Insight
from hedgerow.meta.tables_alerts import Alert, AlertMessage
from tests.hedgerow.visiting import Server as Hedgerow
from tests.mail_server import Server as MailServer
from tests.mail_server import Smtp

pytestmark = pytest.mark.slow  # a whole server, though without a socket

BASE = "https://stats.example.org"
ME = "ed@example.org"
TRENDS = {
    "kind": "TrendsQuery",
    "series": [{"kind": "EventsNode", "event": "sign up"}],
    "trendsFilter": {"display": "BoldNumber"},
}
BELOW = {"lower": "5", "kind": "absolute_value"}


class Hook:
    """A receiver of webhooks; ``status`` is what it answers."""

    def __init__(self):
        self.calls, self.status = [], 200
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.calls.append((dict(self.headers), body))
                self.send_response(hook.status)
                self.send_header("Location", "http://127.0.0.1:9/")
                self.end_headers()

            def log_message(self, *_):
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/told?x=1"
        serve = self._server.serve_forever
        threading.Thread(target=serve, args=(0.01,), daemon=True).start()

    def close(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="module")
def hook():
    made = Hook()
    yield made
    made.close()


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
    made = Hedgerow(tmp_path_factory.mktemp("alerts"))
    made.house.settings = msgspec.structs.replace(
        made.house.settings, smtp_host="127.0.0.1", smtp_port=smtp.server_address[1],
        smtp_security="none", mail_from="hedgerow@example.org", alert_private_networks=True,
    )  # fmt: skip
    made.somebody = made.user(ME)
    yield made
    made.close()


@pytest.fixture
def project(server, hook, smtp):
    """A project of the test's own; nobody has been told anything yet."""
    hook.calls.clear()
    smtp.mails.clear()
    hook.status, smtp.status = 200, 250
    made = server.project()
    with server.house.metadata.writing() as session:
        session.execute(delete(Alert))
        accounts.set_role(session, server.somebody.id, made.id, "editor")
    return server.house.directory.project_of_id(made.id)


@pytest.fixture
def insight(server, project):
    now = server.now()
    with server.house.metadata.writing() as session:
        row = Insight(
            project_id=project.id, short_id=f"i{project.id:07}", name="Sign-ups",
            query=TRENDS, created_at=now, updated_at=now,
        )  # fmt: skip
        session.add(row)
    return row


@pytest.fixture
def browser(server):
    return server.signed_in(server.somebody)


@pytest.fixture
def made(server, project, insight, hook):
    """An alert below five sign-ups, told by mail and webhook."""
    wish = Wish(
        name="Few sign-ups", insight_id=insight.id, emails=[ME], webhook_url=hook.url,
        definition={"threshold": {"configuration": {"bounds": {"lower": 5}}}},
    )  # fmt: skip
    with server.house.metadata.writing() as session:
        return alerts.create(session, project, wish, server.now(), created_by=None)


class Later:
    """Looks and tells at chosen times."""

    def __init__(self, server, project):
        self.house, self.project, self.now = server.house, project, server.now()
        self.now += timedelta(minutes=1)  # after whatever the test makes

    def look(self, **length):
        self.now += timedelta(**length)
        house = self.house
        look_at_due(house.metadata, house.directory.project_of_id, house.asking, self.now)
        return telling.send_waiting(house.metadata, house.settings, BASE, lambda: self.now)

    def row(self, alert):
        with self.house.metadata.reading() as session:
            return alerts.alert(session, self.project.id, alert.id)

    def told(self, alert):
        with self.house.metadata.reading() as session:
            looks = alerts.history(session, alert.id)
        return [(check.state, [one.state for one in told]) for check, told in looks]


@pytest.fixture
def later(server, project):
    return Later(server, project)


def test_an_alert_that_fires_is_told_once_by_mail_and_webhook(later, made, hook, smtp):
    sent = later.look()
    again = later.look(minutes=1)
    next_day = later.look(days=1)

    assert (sent, again, next_day) == (2, 0, 0)
    assert later.told(made) == [("Firing", []), ("Firing", ["sent", "sent"])]
    mail = message_from_string(smtp.mails[0], policy=policy.default)
    assert mail["Subject"] == "[Hedgerow] Few sign-ups fires"
    assert (mail["To"], mail["From"]) == (ME, "hedgerow@example.org")
    assert "sign up: 0, below 5." in mail.get_content()
    assert f"{BASE}/p/{made.project_id}/alerts/{made.id}" in mail.get_content()
    ((_, body),) = hook.calls
    told = json.loads(body)
    assert told["alert"] == {"id": made.id, "name": "Few sign-ups"}
    assert (told["state"], told["value"]) == ("Firing", 0.0)


def test_a_webhook_can_be_checked_by_its_signature(later, made, hook):
    later.look()

    ((headers, body),) = hook.calls
    stamp = headers["X-Hedgerow-Timestamp"]
    signed = webhooks.signature(made.webhook_secret, stamp, body)
    assert headers["X-Hedgerow-Signature"] == signed
    assert webhooks.signature("another", stamp, body) != signed


def test_what_is_back_to_normal_is_told_too(server, later, made, project, smtp):
    later.look()
    server.captured(project, *[("sign up", f"p{n}", {}) for n in range(5)])
    later.look(days=1)

    assert later.row(made).state == "Not firing"
    mail = message_from_string(smtp.mails[-1], policy=policy.default)
    assert mail["Subject"] == "[Hedgerow] Few sign-ups is back to normal"


def test_a_message_that_is_refused_is_tried_again_until_it_is_given_up(later, made, hook):
    hook.status = 500
    later.look()
    for minutes in (1, 5, 30, 600):
        later.look(minutes=minutes)

    assert len(hook.calls) == 4
    assert later.told(made)[-1] == ("Firing", ["sent", "failed"])


def test_what_was_leaving_as_the_process_died_is_not_sent_again(server, later, made, hook):
    house = server.house
    look_at_due(house.metadata, house.directory.project_of_id, house.asking, later.now)
    with house.metadata.writing() as session:
        claimed = alerts.claim(session, later.now)

    with house.metadata.writing() as session:
        outgoing.after_a_stop(session, AlertMessage)
    later.look()

    assert claimed.message.channel == "mail"
    assert later.told(made) == [("Firing", ["unclear", "sent"])]


def test_two_that_look_at_the_same_time_keep_one_look(server, project, later, made):
    row = later.row(made)
    look = Look(state="Firing", value=0.0, text="few")
    with server.house.metadata.writing() as session:
        first = alerts.record(session, project, row, look, later.now)
        second = alerts.record(session, project, row, look, later.now)

    assert first is not None
    assert second is None


def test_a_muted_alert_rests_and_is_told_anew_afterwards(server, later, made, smtp):
    later.look()
    with server.house.metadata.writing() as session:
        row = alerts.alert(session, made.project_id, made.id)
        alerts.snooze(row, later.now + timedelta(days=2))
    later.look(days=1)
    resting = len(smtp.mails)
    later.look(days=1, hours=1)

    assert (resting, len(smtp.mails)) == (1, 2)


def test_an_alert_whose_insight_fails_says_so_and_is_tried_again(server, later, made, smtp):
    with server.house.metadata.writing() as session:
        session.get(Insight, made.insight_id).query = {"kind": "FunnelsQuery"}
    later.look()

    row = later.row(made)
    assert row.state == "Errored"
    assert "cannot watch" in row.last_text
    assert row.next_check_at > later.now
    mail = message_from_string(smtp.mails[0], policy=policy.default)
    assert mail["Subject"].endswith("could not be checked")


def test_who_left_the_project_is_told_nothing_more(server, later, made, project, smtp):
    with server.house.metadata.writing() as session:
        accounts.remove_member(session, server.somebody.id, project.id)
    later.look()
    house = server.house
    tried = telling.try_out(house.metadata, house.settings, made, "", later.now)

    assert smtp.mails == []
    assert [target for target, _ in tried] == [made.webhook_url]


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:1/x",
        "http://localhost:1/x",
        "http://[::1]:1/x",
        "http://[::ffff:127.0.0.1]:1/x",
        "http://10.0.0.1/x",
        "http://169.254.169.254/latest/meta-data",
        "http://0.0.0.0:1/x",
        "http://224.0.0.1/x",
    ],
)
def test_webhooks_stay_out_of_the_servers_own_network(server, url):
    with pytest.raises(NotDelivered, match="private network"):
        webhooks.call(url, "s", {}, server.now(), private=False)


@pytest.mark.parametrize(
    ("status", "said"), [(302, "redirect is not followed"), (404, "answered 404")]
)
def test_a_webhook_that_does_not_take_it_is_said_why(server, hook, status, said):
    hook.status = status
    with pytest.raises(NotDelivered, match=said):
        webhooks.call(hook.url, "s", {}, server.now(), private=True)


@pytest.mark.parametrize("host", ["a" * 70 + ".example", "hook..example"])
def test_a_host_that_can_be_no_name_is_said_and_holds_no_message_up(server, host):
    with pytest.raises(NotDelivered, match="there is no such name"):
        webhooks.call(f"https://{host}/x", "s", {}, server.now(), private=False)


def test_every_ready_made_alert_can_be_asked_of_a_real_fleet(server, project, later):
    server.captured(project, ("telemetry.health", "i1", {"version": "3.0.0"}))
    with server.house.metadata.writing() as session:
        for key, ready in READY.items():
            wish = Wish(name=ready.title, fleet_rule=key)
            alerts.create(session, project, wish, server.now(), created_by=None)
    later.look()

    with server.house.metadata.reading() as session:
        rows, _ = alerts.alerts(session, project.id)
    assert {row.fleet_rule: row.state for row in rows} == dict.fromkeys(READY, "Not firing")
    assert all(row.last_text for row in rows)


def fields(insight, **more):
    return {"name": "Few", "insight": insight.short_id, "every": "daily", **BELOW, **more}


def test_an_alert_is_made_changed_and_deleted_on_the_screen(
    server, browser, project, insight, later
):
    base = f"/p/{project.id}/alerts"
    assert "No alerts yet" in browser.get(base).text
    reply = browser.post(base, data=fields(insight, emails=ME))
    page = reply.headers["location"]
    later.look(seconds=1)

    assert "below 5" in browser.get(page).text
    assert "fires" in browser.get(base).text
    browser.post(page, data=fields(insight, lower="", upper="50", name="Many"))
    with server.house.metadata.reading() as session:
        row = alerts.alert(session, project.id, int(page.rpartition("/")[2]))
    assert (row.name, row.state, row.emails) == ("Many", "Not firing", [])
    browser.post(f"{page}/act", data={"do": "delete"})
    assert browser.get(page).status_code == 404
    with server.house.metadata.reading() as session:
        noted = [(one.action, one.who) for one in audit.entries(session, project.id)]
    assert noted == [("deleted", ME), ("changed", ME), ("created", ME)]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        pytest.param({"lower": ""}, "neither a lower nor an upper", id="no bound"),
        pytest.param({"lower": "five"}, "is no number", id="no number"),
        pytest.param({"emails": "stranger@example.org"}, "is nobody of", id="a stranger"),
        pytest.param({"webhook_url": "ftp://x"}, "no address for a webhook", id="no http"),
        pytest.param(
            {"webhook_url": "https://a:b@x/"}, "no address", id="a password in it"
        ),
        pytest.param({"series": "7"}, "no series 7", id="no such series"),
        pytest.param({"kind": "anomaly"}, "one number, not a course", id="a total"),
        pytest.param({"every": "yearly"}, "There is no interval", id="no such interval"),
    ],
)
def test_a_form_that_cannot_be_kept_says_why_and_keeps_what_was_typed(
    browser, project, insight, wrong, said
):
    reply = browser.post(f"/p/{project.id}/alerts", data=fields(insight, **wrong))

    assert reply.status_code == 400
    assert said in reply.text
    assert 'value="Few"' in reply.text


def test_a_test_says_what_arrived(browser, made, hook, smtp):
    smtp.status = 550
    page = browser.post(
        f"/p/{made.project_id}/alerts/{made.id}/act", data={"do": "try"}
    ).text

    assert "did not take the mail" in page
    assert "arrived" in page
    assert json.loads(hook.calls[0][1])["state"] == "Test"


@pytest.mark.parametrize(
    ("do", "shown"),
    [
        ("snooze", "Muted until"),
        ("wake", "has not been looked at"),
        ("off", "switched off"),
        ("on", "has not been looked at"),
        ("look", "has not been looked at"),
    ],
)
def test_an_alert_can_be_muted_and_switched(browser, made, do, shown):
    page = f"/p/{made.project_id}/alerts/{made.id}"

    browser.post(f"{page}/act", data={"do": do})

    assert shown in browser.get(page).text


def test_what_still_fires_as_it_is_switched_on_again_is_told(browser, later, made, smtp):
    page = f"/p/{made.project_id}/alerts/{made.id}"
    later.look()
    for do in ("off", "on"):
        browser.post(f"{page}/act", data={"do": do})
    later.look(minutes=1)

    assert len(smtp.mails) == 2


def test_the_fleets_alerts_are_set_up_once(browser, server, project):
    base = f"/p/{project.id}/alerts"
    browser.post(f"{base}/fleet")
    browser.post(f"{base}/fleet")

    with server.house.metadata.reading() as session:
        rows, total = alerts.alerts(session, project.id)
    assert total == len(READY)
    assert {row.fleet_rule for row in rows if not row.enabled} == {
        key for key, ready in READY.items() if not ready.on
    }
    assert "Set up" not in browser.get(base).text


def test_the_api_speaks_of_alerts_as_posthog_does(api, house):
    insight = api.post(
        "/insights", {"name": "Sign-ups", "query": {**TRENDS, "trendsFilter": {}}}
    )
    bounds = {"configuration": {"type": "percentage", "bounds": {"upper": 0.2}}}
    asked = {
        "name": "Fewer", "insight": insight["id"], "threshold": bounds,
        "condition": {"type": "relative_decrease"}, "calculation_interval": "hourly",
    }  # fmt: skip

    made = api.post("/alerts", asked)
    look_at_due(
        house.metadata, house.directory.project_of_id, house.asking,
        house.clock() + timedelta(minutes=1),
    )  # fmt: skip
    shown = api.get(f"/alerts/{made['id']}")
    muted = api.patch(f"/alerts/{made['id']}", {"snoozed_until": "2099-01-01T00:00:00Z"})
    awake = api.patch(f"/alerts/{made['id']}", {"snoozed_until": None})
    stricter = api.patch(
        f"/alerts/{made['id']}", {"config": {"check_ongoing_interval": True}}
    )
    counted = api.get("/alerts")["count"]
    api.call("DELETE", f"/alerts/{made['id']}", status=204)

    assert made["threshold"]["configuration"]["bounds"]["upper"] == 0.2
    assert [one["state"] for one in shown["checks"]] == ["Not firing"]
    assert muted["state"] == "Snoozed"
    assert awake["state"] == "Not firing"
    assert awake["next_check_at"] < shown["next_check_at"]
    assert stricter["config"]["check_ongoing_interval"] is True
    assert stricter["condition"] == {"type": "relative_decrease"}
    assert counted == 1
    assert api.refused("GET", f"/alerts/{made['id']}", status=404)["code"] == "not_found"


@pytest.mark.parametrize(
    ("body", "named"),
    [
        pytest.param({}, "insight", id="neither insight nor rule"),
        pytest.param({"fleet_rule": "nothing"}, "fleet_rule", id="no such rule"),
        pytest.param(
            {"fleet_rule": "clones", "emails": ["x@y.z"]}, "emails", id="a stranger"
        ),
        pytest.param(
            {"fleet_rule": "clones", "colour": 1}, "colour", id="an unknown field"
        ),
        pytest.param({"fleet_rule": "clones", "name": " "}, "name", id="no name"),
    ],
)
def test_the_api_refuses_an_alert_by_its_field(api, body, named):
    refused = api.refused("POST", "/alerts", {"name": "x", **body})

    assert refused["attr"] == named
