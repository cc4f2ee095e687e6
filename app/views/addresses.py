"""Addresses that leave the house: in mails, and on pages to be copied."""

from typing import Any

from flask import current_app, url_for


def public(endpoint: str, **values: Any) -> str:
    """Return the whole address of a page, as people outside reach it."""
    said = str(current_app.config["PUBLIC_URL"]).rstrip("/")
    if not said:
        return url_for(endpoint, _external=True, **values)
    path = url_for(endpoint, **values)
    prefix = str(current_app.config["URL_PREFIX"])
    return said + path.removeprefix(prefix)


def password_link(token: str) -> str:
    """Return the link with which somebody chooses a password."""
    return public("signin.password", token=token)
