"""A program that uses the API, and the people whose tokens it has."""

import json
from datetime import UTC, datetime

from app import create_app
from app.config import Config
from app.models.people import User
from app.people import accounts, tokens
from app.people.tokens import SCOPES
from app.settings import Settings

PREFIX = "/api/v1"
NOW = datetime(2025, 10, 20, 8, 0, tzinfo=UTC)


class Program:
    """Something that calls the API with one token."""

    def __init__(self, app, token):
        self.app, self.client, self.token = app, app.test_client(), token

    def call(self, method, path, body=None, *, headers=None, **query):
        sent = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return self.client.open(
            PREFIX + path,
            method=method,
            query_string=query,
            headers={**sent, **(headers or {})},
            **({} if body is None else {"json": body}),
        )

    def get(self, path, **query):
        return self.call("GET", path, **query)

    def post(self, path, body=None, **headers):
        return self.call("POST", path, body, headers=headers)

    def patch(self, path, body, **headers):
        return self.call("PATCH", path, body, headers=headers)

    def delete(self, path, **headers):
        return self.call("DELETE", path, headers=headers)

    def made(self, path, body):
        """Make something and return it."""
        answer = self.post(path, body)
        assert answer.status_code == 201, answer.text
        return answer.json


def installation(folder, *, rate=120):
    """Return an application of its own, for a whole module, with an administrator ann."""
    made = create_app(Config(DATA_DIR=folder, APP_ENV="testing", API_RATE_PER_MINUTE=rate))
    made.extensions["clock"] = lambda: NOW
    person(made, "ann", "admin")
    return made


def person(app, name, role):
    """Add somebody in Berlin."""
    with app.extensions["database"].writing() as session:
        new = accounts.NewUser(username=name, role=role, timezone="Europe/Berlin")
        return accounts.make(session, new, Settings()).id


def program_of(app, name="ann", scopes=SCOPES, *, expires_at=None):
    """Return a program with a new token of this person."""
    with app.extensions["database"].writing() as session:
        user = session.query(User).filter_by(username=name).one()
        given = [s for s in scopes if s != "admin" or user.is_admin]
        made = tokens.make(session, user, "test", given, expires_at=expires_at)
        return Program(app, made.text)


def wrong_fields(answer):
    """Return which fields a refusal names."""
    return [one["field"] for one in json.loads(answer.data)["errors"]]
