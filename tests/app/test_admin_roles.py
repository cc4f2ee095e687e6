"""Every address under /admin: closed to all but administrators, whatever is added there."""

import pytest

from app.people import accounts
from app.settings import Settings

from .conftest import PASSWORD, Browser

FOR_MANAGERS = "/admin/rates"
"""Rates are a matter of managers, too."""


def admin_addresses(app):
    """Every (method, path) of administration, with numbers filled in."""
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/admin") and not rule.rule.startswith(FOR_MANAGERS):
            values = dict.fromkeys(rule.arguments, 1)
            _, path = rule.build(values)
            for method in sorted(rule.methods & {"GET", "POST"}):
                yield method, path


@pytest.mark.parametrize("role", ["viewer", "user", "manager"])
def test_administration_is_closed_to_others(app, role):
    with app.extensions["database"].writing() as session:
        new = accounts.NewUser(username="bob", role=role, password=PASSWORD)
        accounts.make(session, new, Settings())
    bob = Browser(app.test_client())
    bob.sign_in("bob")
    form = {"csrf_token": bob.token()}
    found = list(admin_addresses(app))

    assert len(found) > 20
    refused = {
        address: bob.client.open(address[1], method=address[0], data=form).status_code
        for address in found
    }
    assert set(refused.values()) == {403}, refused


def test_administration_is_closed_to_who_is_not_signed_in(app):
    stranger = Browser(app.test_client())
    stranger.get("/login")
    form = {"csrf_token": stranger.token()}
    for method, path in admin_addresses(app):
        answer = stranger.client.open(path, method=method, data=form)
        assert (path, answer.status_code) == (path, 302)
        assert answer.location.startswith("/login")


def test_the_menu_shows_administration_to_administrators_only(app, browser):
    with app.extensions["database"].writing() as session:
        new = accounts.NewUser(username="bob", role="manager", password=PASSWORD)
        accounts.make(session, new, Settings())
    bob = Browser(app.test_client())
    bob.sign_in("bob")

    for path in ("/", "/profile/more", "/profile/palette"):
        assert "/admin/users" in browser.get(path).get_data(as_text=True), path
        assert "/admin/users" not in bob.get(path).get_data(as_text=True), path
