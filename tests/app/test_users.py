"""Administration, Users: who may, what happens to accounts, and what is told of it."""

import json
import re

import pytest
from sqlalchemy import select

from app.config import Config
from app.errors import Conflict, InvalidInput, Referenced
from app.models.entries import TimeEntry
from app.models.people import LoginAttempt, User, UserSession
from app.models.records import AuditLog
from app.people import accounts, directory
from app.people.directory import Wanted
from app.settings import Settings
from app.telemetry import consent
from app.tracking import timers
from tests.app.telemetry.conftest import Recorder

from .conftest import MONDAY, PASSWORD, Browser

ABOUT = timers.About(description="Design")


def add(app, name, role="user", **fields):
    """Make an account with the usual password and return its number."""
    with app.extensions["database"].writing() as session:
        new = accounts.NewUser(username=name, role=role, password=PASSWORD)
        person = accounts.make(session, new, Settings(timezone="Europe/Berlin"))
        for key, value in fields.items():
            setattr(person, key, value)
        return person.id


def person(app, number):
    with app.extensions["database"].reading() as session:
        return session.get(User, number)


def audit(app):
    with app.extensions["database"].reading() as session:
        return list(session.scalars(select(AuditLog).order_by(AuditLog.id)))


def signed_in(app, name):
    other = Browser(app.test_client())
    other.sign_in(name)
    return other


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        pytest.param({}, ["Ann Lee", "Bob", "Örn"], id="active ones"),
        pytest.param({"q": "ÖRN"}, ["Örn"], id="a name, case aside"),
        pytest.param({"q": "lee"}, ["Ann Lee"], id="part of a name"),
        pytest.param({"q": "b@example"}, ["Bob"], id="part of an address"),
        pytest.param({"q": "100%"}, [], id="a sign of patterns is a sign"),
        pytest.param({"role": "manager"}, ["Bob"], id="a role"),
        pytest.param({"state": "inactive"}, ["Cy"], id="who was put away"),
        pytest.param({"state": "all"}, ["Ann Lee", "Bob", "Cy", "Örn"], id="all"),
    ],
)
def test_accounts_are_found(session, make_user, asked, found):
    make_user("ann", "admin", display_name="Ann Lee")
    make_user("bob", "manager", display_name="Bob", email="b@example.org")
    make_user("cy", display_name="Cy", is_active=False)
    make_user("örn", display_name="Örn")

    wanted = Wanted(
        **{"text" if key == "q" else key: value for key, value in asked.items()}
    )
    listed, total = directory.listed(session, wanted)
    assert sorted(one.display_name for one in listed) == found
    assert total == len(found)


def test_hundreds_of_accounts_come_in_pages(app, browser):
    with app.extensions["database"].writing() as session:
        for n in range(120):
            new = accounts.NewUser(username=f"p{n:03}")
            accounts.make(session, new, Settings())
    first = browser.get("/admin/users").get_data(as_text=True)
    last = browser.get("/admin/users?from=100").get_data(as_text=True)

    assert "1 to 50 of 121" in first
    assert "101 to 121 of 121" in last
    assert ">p119<" in last


def test_who_is_invited_chooses_a_password_and_signs_in(app, browser):
    answer = browser.post(
        "/admin/users/new",
        {"username": "bob", "display_name": "Bob", "email": "bob@example.org", "role": "manager"},
    )  # fmt: skip
    link = re.search(r'value="http://localhost(/password/[^"]+)"', browser.text)[1]
    assert answer.status_code == 200

    bob = Browser(app.test_client())
    bob.get(link)
    bob.post(link, {"password": PASSWORD, "password_again": PASSWORD})
    assert bob.sign_in("bob").status_code == 200
    assert "Projects" in bob.text
    assert (person(app, 2).role, person(app, 2).signup_method) == ("manager", "admin")
    assert app.test_client().get(link).status_code == 404, "it works once"


@pytest.mark.parametrize(
    ("form", "said"),
    [
        pytest.param({"username": "ANN"}, "already", id="a name that is taken"),
        pytest.param({"username": "a b"}, "without spaces", id="a name with a blank"),
        pytest.param(
            {"username": "bob", "email": "bob"}, "no mail address", id="no address"
        ),
        pytest.param({"username": "bob", "role": "king"}, "no role", id="no such role"),
    ],
)
def test_what_cannot_be_an_account_is_said_beside_the_form(app, browser, form, said):
    assert browser.post("/admin/users/new", form).status_code == 422
    assert said in browser.text
    assert person(app, 2) is None


def test_names_address_and_role_are_changed(app, browser):
    number = add(app, "bob")
    browser.post(
        f"/admin/users/{number}",
        {"username": "bobby", "display_name": "Bob B", "email": "", "role": "manager"},
    )

    changed = person(app, number)
    assert (changed.username, changed.role) == ("bobby", "manager")
    line = next(row for row in audit(app) if row.action == "user.role")
    assert line.changes == {"role": ["user", "manager"]}
    names = next(row for row in audit(app) if row.action == "user.updated")
    assert names.changes == {"username": [], "display_name": []}, "fields, not names"


@pytest.mark.parametrize(
    ("path", "form"),
    [
        pytest.param("/admin/users/1", {"username": "ann", "role": "user"}, id="demoted"),
        pytest.param("/admin/users/1/deactivate", {}, id="deactivated"),
        pytest.param("/admin/users/1/delete", {}, id="deleted"),
    ],
)
def test_the_last_administrator_stays(app, browser, path, form):
    assert browser.post(path, form).status_code == 409
    assert (person(app, 1).role, person(app, 1).is_active) == ("admin", True)


def test_an_inactive_administrator_does_not_count_as_one(session, make_user):
    ann = make_user("ann", "admin")
    make_user("bob", "admin", is_active=False)

    with pytest.raises(Conflict, match="last administrator"):
        accounts.deactivate(session, ann)


def test_who_is_deactivated_is_out_at_once_and_their_timer_stops(app, browser, clock):
    number = add(app, "bob")
    bob = signed_in(app, "bob")
    bob.post("/timer/start", {"key": "k"})
    clock.forward(minutes=30)
    browser.post(f"/admin/users/{number}/deactivate")

    assert "Sign in" in bob.get("/entries").get_data(as_text=True)
    assert bob.sign_in("bob").status_code == 401
    with app.extensions["database"].reading() as session:
        entry = session.scalar(select(TimeEntry))
        assert (entry.seconds, entry.stopped_by) == (1800, "admin")
    browser.post(f"/admin/users/{number}/reactivate")
    assert bob.sign_in("bob").status_code == 200


def test_a_reset_link_ends_the_earlier_one_and_the_waiting(app, browser):
    number = add(app, "bob")
    visitor = Browser(app.test_client())
    for _ in range(5):
        visitor.sign_in("bob", "wrong wrong wrong")
    assert "must wait" in browser.get("/admin/users").get_data(as_text=True)
    links = []
    for _ in range(2):
        browser.post(f"/admin/users/{number}/link")
        links.append(
            re.search(r'value="http://localhost(/password/[^"]+)"', browser.text)[1]
        )

    assert app.test_client().get(links[0]).status_code == 404
    assert app.test_client().get(links[1]).status_code == 200
    assert "must wait" not in browser.get("/admin/users").get_data(as_text=True)


def test_an_administrator_lets_somebody_try_again(app, browser):
    number = add(app, "bob")
    visitor = Browser(app.test_client())
    for _ in range(5):
        visitor.sign_in("bob", "wrong wrong wrong")
    assert visitor.sign_in("bob").status_code == 429
    browser.post(f"/admin/users/{number}/unlock")

    assert visitor.sign_in("bob").status_code == 200
    with app.extensions["database"].reading() as session:
        assert session.scalars(select(LoginAttempt)).all() == []


def test_somebody_is_signed_out_everywhere_but_not_the_administrator_here(app, browser):
    number = add(app, "bob")
    bob = signed_in(app, "bob")
    browser.post(f"/admin/users/{number}/sessions")
    assert "Sign in" in bob.get("/entries").get_data(as_text=True)
    browser.post("/admin/users/1/sessions")

    assert browser.get("/admin/users").status_code == 200
    with app.extensions["database"].reading() as session:
        assert {row.user_id for row in session.scalars(select(UserSession))} <= {1, None}


def test_an_account_without_time_is_deleted_with_a_receipt(app, browser):
    number = add(app, "bob")
    assert "so it is deleted" in browser.get(f"/admin/users/{number}/delete").text
    browser.post(f"/admin/users/{number}/delete")

    assert person(app, number) is None
    assert f"Account {number} was deleted" in browser.text
    line = audit(app)[-1]
    assert (line.action, line.object_label) == ("user.deleted", f"User {number}")


def test_an_account_with_time_is_anonymised_and_every_entry_stays(app, browser, clock):
    number = add(app, "bob", email="bob@example.org")
    bob = signed_in(app, "bob")
    bob.post("/timer/start", {"key": "k", "description": "Design"})
    clock.forward(minutes=30)
    bob.post("/timer/stop")
    assert "so it is anonymised" in browser.get(f"/admin/users/{number}/delete").text
    browser.post(f"/admin/users/{number}/delete")

    gone = person(app, number)
    assert (gone.display_name, gone.email, gone.password_hash) == (
        f"Former user {number}", None, None,
    )  # fmt: skip
    with app.extensions["database"].reading() as session:
        entry = session.scalar(select(TimeEntry))
        assert (entry.user_id, entry.seconds) == (number, 1800)
    assert '1</span> <span class="dim">stay, those in the trash' in browser.text
    assert (
        "bob"
        not in json.dumps([[row.object_label, row.changes] for row in audit(app)]).lower()
    )
    assert bob.sign_in("bob").status_code == 401
    assert browser.post(f"/admin/users/{number}/reactivate").status_code == 422
    assert browser.post(f"/admin/users/{number}/link").status_code == 422


def test_time_in_the_trash_keeps_an_account_too(session, ann, settings):
    timers.start(session, ann, ABOUT, MONDAY, settings=settings)
    timers.discard(session, ann, MONDAY)

    assert directory.belongings(session, ann).entries == 1
    with pytest.raises(Referenced, match="entries: 1,"):
        directory.remove(session, ann)


def test_who_is_anonymised_cannot_come_back(session, make_user):
    make_user("root", "admin")
    bob = make_user("bob")
    assert directory.anonymise(session, bob, MONDAY) == f"Former user {bob.id}"

    with pytest.raises(InvalidInput, match="anonymised"):
        directory.reactivate(bob)


class Told:
    """An application that reports everything to a server on loopback."""

    def __init__(self, app, sink):
        self.app, self.sink = app, sink

    def events(self):
        self.app.extensions["reporter"].flush()
        return [
            (event["event"], event["properties"])
            for event in self.sink.events
            if event["event"].startswith(("admin.", "$identify"))
        ]


@pytest.fixture
def told(database, tmp_path, clock, furnished):
    sink = Recorder()
    with database.writing() as session:
        new = accounts.NewUser(username="ann", role="admin", password=PASSWORD)
        ann = accounts.make(session, new, Settings())
        consent.choose(session, "detailed", reason="admin", at=MONDAY, user_id=ann.id)
    config = Config(DATA_DIR=tmp_path, ANALYTICS_HOST=sink.url, ANALYTICS_KEY="phc_x",
                    ANALYTICS_PROJECT_ID="7")  # fmt: skip
    app = furnished(config)
    app.extensions["clock"] = clock
    yield Told(app, sink)
    sink.close()


def test_acts_on_accounts_are_told_without_names(told):
    browser = signed_in(told.app, "ann")
    browser.post("/admin/users/new", {"username": "secretbob", "role": "user"})
    form = {"username": "secretbob", "display_name": "Bob Secret", "role": "manager"}
    browser.post("/admin/users/2", form)
    browser.post("/admin/users/2/deactivate")
    browser.post("/admin/users/2/delete")

    found = [(name, {key: own.get(key) for key in ("role", "fields", "old_role", "new_role", "by") if key in own}, own.get("$set"))
             for name, own in told.events()]  # fmt: skip
    assert [(name, own) for name, own, _ in found if name.startswith("admin.")] == [
        ("admin.user_created", {"role": "user"}),
        ("admin.user_updated", {"fields": ["display_name"]}),
        ("admin.user_role_changed", {"old_role": "user", "new_role": "manager", "by": "admin"}),
        ("admin.user_deactivated", {}),
        ("admin.user_deleted", {}),
    ]  # fmt: skip
    person = {"role": "manager", "is_admin": False, "auth_method": "local"}
    assert person in [given for *_, given in found]
    assert "secret" not in told.sink.text.lower()


@pytest.mark.parametrize(
    ("key", "status", "said"),
    [
        pytest.param("", 200, "is still there", id="no key: the receipt names the id"),
        pytest.param("phx_1", 200, "deleted the person 2", id="a key: deleted there"),
        pytest.param("phx_1", 404, "knew nobody called 2", id="nothing was there"),
        pytest.param("phx_1", 403, "refused with status 403", id="refused"),
    ],
)
def test_a_removed_user_is_removed_at_the_analytics_server(told, key, status, said):
    told.app.config["ANALYTICS_API_KEY"] = key
    add(told.app, "bob")
    browser = signed_in(told.app, "ann")
    browser.get("/admin/users/2/delete")
    told.app.extensions["reporter"].flush()
    told.sink.status = status
    browser.post("/admin/users/2/delete")

    assert said in browser.text
    asked = "/api/projects/7/persons/2/delete" in told.sink.paths
    assert asked is bool(key)
