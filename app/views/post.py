"""What this program writes to people: rendered here, queued, sent by the scheduler."""

from typing import Any

from flask import current_app, render_template

from app.errors import said
from app.languages import speaking_to, told
from app.mail import EXTENSION, Mail, Post, is_on
from app.models.people import User
from app.telemetry.reporter import EXTENSION as REPORTER
from app.views.context import now


def works() -> bool:
    """Return whether mail is sent at all."""
    return is_on(current_app.config)


def put(person: User, name: str, subject: str, **values: Any) -> bool:
    """Queue the mail ``name``; False where none is sent, or there is no address."""
    if not person.email or not works():
        return False
    post: Post = current_app.extensions[EXTENSION]
    with speaking_to(person):
        text = render_template(f"mail/{name}.txt", person=person, **values)
        heading = told(subject)
    queued = post.put(
        Mail(to=person.email, name=person.display_name, subject=heading, text=text), now()
    )
    current_app.extensions[REPORTER].wake.set()
    return queued


def invite(person: User, link: str) -> bool:
    """Send the link of a new account."""
    return put(person, "invitation", said("Your account at TimeTracker"), link=link)


def reset(person: User, link: str) -> bool:
    """Send the link with which a password is chosen anew."""
    return put(person, "reset", said("A new password for TimeTracker"), link=link)


def confirm(person: User, link: str) -> bool:
    """Send the link that confirms an address."""
    return put(person, "confirm", said("Confirm your account at TimeTracker"), link=link)
