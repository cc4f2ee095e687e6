"""The screen of API tokens: made, shown once, used, revoked."""

import re

import pytest
from sqlalchemy import select

from app.models.people import ApiToken
from app.models.records import AuditLog

from .api_client import Program

NEW = {"name": "Weekly report", "days": "90", "scope": ["read", "reports"]}


def all_rows(app, table):
    with app.extensions["database"].reading() as session:
        return list(session.scalars(select(table)))


def shown_token(browser):
    return re.search(r"tt_[A-Za-z0-9]{40}", browser.text)[0]


def test_a_token_is_made_shown_once_used_and_revoked(browser, app):
    browser.post("/profile/tokens", NEW)
    program = Program(app, shown_token(browser))
    assert program.get("/me").status_code == 200
    assert program.post("/entries", {}).status_code == 403

    assert program.token not in browser.get("/profile/tokens").text
    assert "Weekly report" in browser.text
    browser.post(f"/profile/tokens/{all_rows(app, ApiToken)[0].id}/revoke")
    assert program.get("/me").status_code == 401
    assert "No tokens yet" in browser.get("/profile/tokens").text
    noted = [line.action for line in all_rows(app, AuditLog)]
    assert noted[-2:] == ["api_token.created", "api_token.revoked"]


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"name": " "}, id="no name"),
        pytest.param({"scope": []}, id="may do nothing"),
        pytest.param({"scope": ["everything"]}, id="a scope that is none"),
        pytest.param({"days": "13"}, id="a life that is not offered"),
    ],
)
def test_what_cannot_be_a_token_is_said(browser, app, changed):
    answer = browser.post("/profile/tokens", {**NEW, **changed})

    assert answer.status_code == 422
    assert all_rows(app, ApiToken) == []


def test_an_operator_may_limit_how_long_tokens_live(browser, app):
    app.config["API_TOKEN_MAX_DAYS"] = 20

    assert browser.post("/profile/tokens", {**NEW, "days": "0"}).status_code == 422
    assert browser.post("/profile/tokens", {**NEW, "days": "20"}).status_code == 200


@pytest.mark.parametrize(("on", "status"), [(True, 200), (False, 404)], ids=["on", "off"])
def test_the_screen_is_there_as_long_as_the_api_is(browser, app, on, status):
    app.config["ENABLE_API"] = on

    assert browser.get("/profile/tokens").status_code == status
    assert ("/profile/tokens" in browser.get("/profile").text) == on
