"""The audit trail: read with filters, page by page, and kept as long as it should be."""

from datetime import timedelta

import pytest
from sqlalchemy import func, select

from app import audit
from app.audit import Actor, Asked, Object, record
from app.models.records import AuditLog

from .conftest import MONDAY


@pytest.fixture
def trail(session, make_user):
    """Three lines: ann's, nobody's, bob's by the API a day later."""
    ann, bob = make_user("ann", "admin"), make_user("bob")
    record(session, Actor(user_id=ann.id), "user.role", MONDAY,
           on=Object(type="user", id=bob.id, label="Bob Öst"), changes={"role": ("user", "admin")})  # fmt: skip
    record(session, Actor(user_id=None), "auth.refused", MONDAY)
    record(
        session, Actor(user_id=bob.id, via="api"), "user_2.x", MONDAY + timedelta(days=1)
    )
    session.flush()
    return session


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        pytest.param({}, ["user_2.x", "auth.refused", "user.role"], id="all"),
        pytest.param({"actor_id": 1}, ["user.role"], id="by somebody"),
        pytest.param(
            {"about": "user"}, ["user.role"], id="about: a whole word, no pattern"
        ),
        pytest.param({"text": "bob"}, ["user.role"], id="to what"),
        pytest.param({"text": "refused"}, ["auth.refused"], id="part of the action"),
        pytest.param({"until": MONDAY}, [], id="before"),
        pytest.param({"since": MONDAY + timedelta(days=1)}, ["user_2.x"], id="since"),
        pytest.param({"before": 2}, ["user.role"], id="the next page"),
    ],
)
def test_lines_are_found(trail, asked, found):
    assert [line.action for line in audit.read(trail, Asked(**asked))] == found


def test_descriptions_names_and_passwords_are_noted_by_field_only(session):
    for field in ("description", "notes", "password", "display_name", "email"):
        record(session, Actor(user_id=None), "x.y", MONDAY, changes={field: ("a", "b")})
    session.flush()

    assert {tuple(*line.changes.values()) for line in audit.read(session, Asked())} == {()}


@pytest.mark.parametrize(
    ("days", "left"),
    [pytest.param(0, 3, id="0: for ever"), pytest.param(1, 1, id="a day")],
)
def test_lines_are_kept_as_long_as_the_installation_says(trail, days, left):
    later = MONDAY + timedelta(days=1, hours=1)
    assert audit.purge(trail, later, days=days) == 3 - left
    assert trail.scalar(select(func.count(AuditLog.id))) == left


def test_an_administrator_reads_the_trail_page_by_page(app, browser):
    with app.extensions["database"].writing() as session:
        for n in range(250):
            record(session, Actor(user_id=1, ip="10.1.2.3"), "task.made", MONDAY,
                   on=Object(type="task", label=f"Task-{n:03}"),
                   changes={"status": ("open", "done"), "notes": ("a", "b")})  # fmt: skip
    first = browser.get("/admin/audit?about=task").get_data(as_text=True)

    assert "/export/audit.csv" not in first, "a filtered trail is not what the file has"
    assert "/export/audit.csv" in browser.get("/admin/audit").text
    assert "before=" in first
    assert "Task-249" in first
    assert "Task-149" not in first
    assert "10.1.2.3" in first
    assert "open</bdi> → <bdi>done" in first
    older = browser.get("/admin/audit?about=task&before=51").get_data(as_text=True)
    assert "before=" not in older
    assert "No line is like that" in browser.get("/admin/audit?q=nothing+like+it").text


def test_a_day_of_the_trail_is_a_day_of_who_reads_it(app, browser):
    with app.extensions["database"].writing() as session:
        late = MONDAY.replace(hour=22, minute=30)  # 00:30 on Tuesday in Berlin
        record(session, Actor(user_id=1), "task.made", late, on=Object(label="Midnight"))

    assert "Midnight" in browser.get("/admin/audit?from=2025-10-21&to=2025-10-21").text
    assert "Midnight" not in browser.get("/admin/audit?from=2025-10-20&to=2025-10-20").text
    assert browser.get("/admin/audit?from=nonsense&to=9999-12-31&who=x").status_code == 422


@pytest.mark.parametrize("keeps", [True, False], ids=["addresses kept", "none kept"])
def test_addresses_are_kept_only_where_the_installation_says_so(app, browser, keeps):
    app.config["AUDIT_STORE_IP"] = keeps
    browser.post("/admin/settings", {"CURRENCY": "CHF"})

    with app.extensions["database"].reading() as session:
        line = session.scalar(select(AuditLog).order_by(AuditLog.id.desc()))
    assert line.ip == ("127.0.0.1" if keeps else None)
