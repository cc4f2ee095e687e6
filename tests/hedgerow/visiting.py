"""Hedgerow on an empty folder, and browsers at it without a socket."""

from datetime import UTC, datetime

from starlette.testclient import TestClient

from hedgerow.api.questions import Questions
from hedgerow.meta import access, accounts, credentials, projects
from hedgerow.meta.projects import ProjectFields
from hedgerow.serve.house import House
from hedgerow.serve.running import application
from hedgerow.settings import Settings
from hedgerow.web.visits import SESSION

PASSWORD = "a long enough password"


class Server:
    """One Hedgerow on an empty folder, and browsers at it."""

    def __init__(self, folder):
        self.house = House(Settings(data=str(folder)))
        self.house.start()
        self.questions = Questions(2, self.house.clock)
        self.app = application(self.house, self.questions)

    def close(self):
        self.questions.close()
        self.house.close()

    def browser(self):
        return TestClient(self.app, follow_redirects=False, base_url="http://hedgerow.test")

    def now(self):
        return datetime.now(UTC)

    def project(self, name="TimeTracker"):
        with self.house.metadata.writing() as session:
            row = projects.create(session, ProjectFields(name=name), self.now())
        self.house.directory.refresh()
        return row

    def user(self, email, project=None, role=None, *, is_admin=False):
        with self.house.metadata.writing() as session:
            user = accounts.create_user(
                session, email, PASSWORD, now=self.now(), is_admin=is_admin
            )
            if project is not None:
                accounts.set_role(session, user.id, project.id, role)
        return user

    def signed_in(self, user):
        """A browser that has this user's session cookie."""
        with self.house.metadata.writing() as session:
            cookie = access.open_session(session, user, now=self.now())
        browser = self.browser()
        browser.cookies.set(SESSION, cookie)
        browser.headers["X-CSRF-Token"] = credentials.digest(f"form of {cookie}")
        return browser

    def captured(self, project, *events, at=None):
        """Send events as an SDK would, and wait until they can be asked about."""
        when = {} if at is None else {"timestamp": at.isoformat()}
        batch = [
            {"event": name, "distinct_id": who, "properties": properties or {}, **when}
            for name, who, properties in events
        ]
        token = self.house.directory.project_of_id(project.id).api_token
        reply = self.browser().post("/batch/", json={"api_key": token, "batch": batch})
        assert reply.status_code == 200
        self.house.flush(10)
