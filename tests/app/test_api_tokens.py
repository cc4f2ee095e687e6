"""The screen of API tokens: made, shown once, used, revoked."""

import re

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


WRONG = {
    "no name": {"name": " "},
    "may do nothing": {"scope": []},
    "a scope that is none": {"scope": ["everything"]},
    "a life that is not offered": {"days": "13"},
}


def test_what_cannot_be_a_token_is_said(browser, app):
    answers = {
        why: browser.post("/profile/tokens", {**NEW, **changed}).status_code
        for why, changed in WRONG.items()
    }

    assert answers == dict.fromkeys(WRONG, 422)
    assert all_rows(app, ApiToken) == []


def test_an_operator_may_limit_how_long_tokens_live(browser, app):
    app.config["API_TOKEN_MAX_DAYS"] = 20

    assert browser.post("/profile/tokens", {**NEW, "days": "0"}).status_code == 422
    assert browser.post("/profile/tokens", {**NEW, "days": "20"}).status_code == 200


def test_the_screen_is_there_as_long_as_the_api_is(browser, app):
    for on, status in ((True, 200), (False, 404)):
        app.config["ENABLE_API"] = on

        assert browser.get("/profile/tokens").status_code == status
        assert ("/profile/tokens" in browser.get("/profile").text) == on
