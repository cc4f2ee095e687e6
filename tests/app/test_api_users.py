"""Accounts by the API: made, changed, let go; and who cannot be let go."""

import pytest
from sqlalchemy import select

from app.models.entries import TimeEntry
from app.models.people import User, UserSession
from app.models.records import AuditLog, OutgoingMail

from .api_client import NOW, installation, program_of, wrong_fields


@pytest.fixture
def app(tmp_path):
    made = installation(tmp_path)
    yield made
    made.extensions["reporter"].close()
    made.extensions["database"].close()


@pytest.fixture
def admin(app):
    return program_of(app)


def trail(app):
    with app.extensions["database"].reading() as session:
        lines = session.scalars(select(AuditLog).order_by(AuditLog.id)).all()
        return [(line.action, line.via, line.changes) for line in lines]


def test_a_new_account_gets_a_link_that_sets_a_password_once(app, admin):
    made = admin.made("/users", {"username": "ben", "role": "manager"})
    path = "/password/" + made.pop("link").rsplit("/", 1)[1]

    assert (made["username"], made["display_name"], made["role"]) == (
        "ben",
        "ben",
        "manager",
    )
    assert app.test_client().get(path).status_code == 200
    assert trail(app) == [("user.created", "api", {"role": [None, "manager"]})]
    assert "link" not in admin.get(f"/users/{made['id']}").json


def test_the_link_of_a_new_account_is_not_kept_for_a_repeated_request(admin):
    body, key = {"username": "ben"}, {"Idempotency-Key": "once"}

    assert admin.post("/users", body, **key).status_code == 201
    again = admin.post("/users", body, **key)
    assert (again.status_code, wrong_fields(again)) == (422, ["username"])


@pytest.mark.parametrize(
    ("body", "field"),
    [
        pytest.param({}, "username", id="no name"),
        pytest.param({"username": "a b"}, "username", id="a space"),
        pytest.param({"username": "ANN"}, "username", id="a name that is taken"),
        pytest.param({"username": "ben", "role": "owner"}, "role", id="no such role"),
        pytest.param({"username": "ben", "email": "ben"}, "email", id="no address"),
        pytest.param({"username": "ben", "password": "x"}, "password", id="a password"),
    ],
)
def test_an_account_that_cannot_be_is_refused_by_field(admin, body, field):
    answer = admin.post("/users", body)

    assert (answer.status_code, wrong_fields(answer)) == (422, [field])


def test_names_address_and_role_change_and_are_noted(app, admin):
    made = admin.made("/users", {"username": "ben"})
    changed = admin.patch(
        f"/users/{made['id']}", {"email": "ben@example.org", "role": "admin"}
    ).json

    assert (changed["email"], changed["role"], changed["username"]) == (
        "ben@example.org", "admin", "ben",
    )  # fmt: skip
    assert trail(app)[1:] == [
        ("user.updated", "api", {"email": []}),
        ("user.role", "api", {"role": ["user", "admin"]}),
    ]


def test_who_is_let_go_is_signed_out_and_their_timer_stops(app, admin):
    made = admin.made("/users", {"username": "ben"})
    ben = program_of(app, "ben")
    ben.post("/timer/start", {})
    with app.extensions["database"].writing() as session:
        number = session.scalar(select(User.id).where(User.username == "ben"))
        session.add(UserSession(id="x", user_id=number, last_seen_at=NOW, expires_at=NOW))
    answer = admin.patch(f"/users/{made['id']}", {"active": False})

    assert (answer.status_code, answer.json["active"]) == (200, False)
    assert ben.get("/me").status_code == 401
    with app.extensions["database"].reading() as session:
        assert session.scalar(select(TimeEntry).where(TimeEntry.is_running_now())) is None
        assert session.scalars(select(UserSession)).all() == []
    admin.patch(f"/users/{made['id']}", {"active": True})
    assert ben.get("/me").status_code == 200


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"active": False}, id="deactivated"),
        pytest.param({"role": "manager"}, id="demoted"),
    ],
)
def test_the_last_administrator_stays(app, admin, change):
    me = admin.get("/me").json["id"]
    answer = admin.patch(f"/users/{me}", change)

    assert answer.status_code == 409
    assert trail(app) == []
    assert admin.get("/me").json["role"] == "admin"


def test_nobody_lets_themselves_go(admin):
    admin.made("/users", {"username": "ben", "role": "admin"})
    me = admin.get("/me").json["id"]

    assert admin.patch(f"/users/{me}", {"active": False}).status_code == 409


def test_an_account_without_time_is_deleted_with_a_receipt(app, admin):
    made = admin.made("/users", {"username": "ben"})

    assert admin.delete(f"/users/{made['id']}").status_code == 204
    assert admin.get(f"/users/{made['id']}").status_code == 404
    action, via, figures = trail(app)[-1]
    assert (action, via, figures["entries"]) == ("user.deleted", "api", [0, None])


def test_an_account_that_holds_time_is_anonymised_and_its_entries_stay(app, admin):
    made = admin.made("/users", {"username": "ben", "email": "ben@example.org"})
    ben = program_of(app, "ben")
    ben.made("/entries", {"date": "2025-10-20", "seconds": 3600})
    ben.post("/timer/start", {})
    refused = admin.delete(f"/users/{made['id']}")
    gone = admin.post(f"/users/{made['id']}/anonymise").json

    assert (refused.status_code, gone["email"], gone["active"]) == (409, None, False)
    assert gone["display_name"].startswith("Former user ")
    assert ben.get("/me").status_code == 401
    kept = admin.get("/entries", users=made["id"]).json["results"]
    assert [one["running"] for one in kept] == [False] * len(kept)
    assert kept[-1]["seconds"] == 3600
    assert trail(app)[-1][0] == "user.anonymised"
    assert admin.post(f"/users/{made['id']}/anonymise").json == gone


@pytest.mark.parametrize("act", ["delete", "anonymise"])
def test_nobody_removes_themselves(admin, act):
    me = f"/users/{admin.get('/me').json['id']}"
    answer = admin.delete(me) if act == "delete" else admin.post(f"{me}/anonymise")

    assert answer.status_code == 409


@pytest.mark.parametrize(
    ("host", "email", "mailed"),
    [
        pytest.param("mail.test", "ben@example.org", True, id="mail and address"),
        pytest.param("", "ben@example.org", False, id="no mail"),
        pytest.param("mail.test", None, False, id="no address"),
    ],
)
def test_a_new_account_is_told_of_by_mail_where_mail_works(app, admin, host, email, mailed):
    app.config.update(MAIL_HOST=host, MAIL_FROM="tt@example.org")
    made = admin.made("/users", {"username": "ben", "email": email})

    with app.extensions["database"].reading() as session:
        kept = session.scalars(select(OutgoingMail)).all()
        letters = [(letter.address, made["link"] in letter.text) for letter in kept]
    assert made["mailed"] is mailed
    assert letters == ([(email, True)] if mailed else [])
