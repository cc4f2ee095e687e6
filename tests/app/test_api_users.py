"""Accounts by the API: made, changed, let go; and who cannot be let go."""

import pytest
from sqlalchemy import select

from app.models.entries import TimeEntry
from app.models.people import User, UserSession
from app.models.records import AuditLog

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
