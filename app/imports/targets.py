"""What rows are spent on: clients, projects, tasks and tags, found by name or made.

Names are compared as everywhere, case aside. In the dry run nothing is made: what is
missing is counted. What the person may not see or may not make is a problem of the row.
"""

from dataclasses import dataclass, field

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from app.imports.reading import Line, Problem
from app.models.database import name_key
from app.models.people import User
from app.models.work import Client, Project, Tag, Task
from app.people import roles
from app.settings import Settings
from app.work import clients, projects, tags, tasks
from app.work.clients import ClientFields
from app.work.projects import ProjectFields
from app.work.tasks import TaskFields

LONGEST = {"client": 300, "project": 300, "task": 300}


@dataclass
class Targets:
    """What there is by name, and what is missing."""

    session: Session
    me: User
    settings: Settings
    create: bool
    missing: dict[str, dict[str, str]] = field(
        default_factory=lambda: {"client": {}, "project": {}, "task": {}, "tag": {}}
    )
    """Kind → key → name of what would be made."""
    created: dict[str, list[int]] = field(
        default_factory=lambda: {"client": [], "project": [], "task": [], "tag": []}
    )
    """Kind → numbers of what was made, so that an undo can take it back."""

    def __post_init__(self) -> None:
        self.load()

    def load(self) -> None:
        """Read what there is now."""
        found = self.session.scalars(select(Project).options(joinedload(Project.client)))
        self.projects = {
            (p.client.name_key if p.client else "", p.name_key): p for p in found
        }
        self.by_name: dict[str, list[Project]] = {}
        for project in self.projects.values():
            self.by_name.setdefault(project.name_key, []).append(project)
        self.seen = {p.id for p in projects.every(self.session, self.me)}
        self.seen |= {p.id for p in projects.every(self.session, self.me, archived=True)}
        self.tasks = {
            (task.project_id, task.name_key): task
            for task in self.session.scalars(select(Task))
        }
        self.tags = {tag.name_key: tag for tag in self.session.scalars(select(Tag))}
        self.clients = {
            client.name_key: client
            for client in self.session.scalars(
                select(Client).where(Client.archived_at.is_(None))
            )
        }

    def project(self, said: Line) -> Project | None:
        """Return the project a row names; one without a client may stand for any client."""
        if not said.project:
            return None
        key = (name_key(said.client), name_key(said.project))
        found = self.projects.get(key)
        if found is None and not said.client:
            same = self.by_name.get(key[1], [])
            found = same[0] if len(same) == 1 else None
        return found

    def check(self, said: Line) -> None:
        """Note what a row would make, or raise Problem where that cannot be."""
        for kind, most in LONGEST.items():
            if len(getattr(said, kind)) > most:
                raise Problem(kind, f"A name has at most {most} characters.")
        project = self.project(said)
        if project is not None and project.id not in self.seen:
            raise Problem("project", f"{said.project!r} is not one of your projects.")
        if said.task and not said.project:
            raise Problem("task", "A task needs a project.")
        if said.project and project is None:
            self._check_project(said)
        of = project.id if project else 0
        if said.task and (of, name_key(said.task)) not in self.tasks:
            self._miss("task", f"{said.client}\x1f{said.project}\x1f{said.task}", said.task)
        for tag in said.tags:
            self._check_tag(tag)

    def _check_project(self, said: Line) -> None:
        self._miss("project", f"{said.client}\x1f{said.project}", said.project)
        if said.client and name_key(said.client) not in self.clients:
            self._miss("client", said.client, said.client)

    def _check_tag(self, tag: str) -> None:
        if len(tag) > tags.LONGEST:
            raise Problem("tags", f"A tag has at most {tags.LONGEST} characters.")
        if name_key(tag) not in self.tags:
            self._miss("tag", tag, tag)

    def _miss(self, kind: str, key: str, name: str) -> None:
        act: roles.Act = "tasks.create" if kind == "task" else "work.create"
        column = "tags" if kind == "tag" else kind
        if not self.create:
            raise Problem(column, f"There is no {kind} {name[:60]!r}.")
        if not roles.may(self.me, act, self.settings):
            raise Problem(column, f"There is no {kind} {name[:60]!r}, and you make none.")
        self.missing[kind][name_key(key)] = name

    def made(self, said: Line) -> tuple[Project | None, Task | None, list[Tag]]:
        """Return what a row is spent on, making what is missing; ``check`` allowed it."""
        project = self.project(said) or self._make_project(said)
        task = None
        if project is not None and said.task:
            key = (project.id, name_key(said.task))
            task = self.tasks.get(key)
            if task is None:
                task = tasks.make(
                    self.session, self.me, project.id, TaskFields(name=said.task)
                )
                self.tasks[key] = task
                self.created["task"].append(task.id)
        return project, task, [self._tag(name) for name in said.tags]

    def _make_project(self, said: Line) -> Project | None:
        if not said.project:
            return None
        client = self._client(said.client) if said.client else None
        fields = ProjectFields(
            name=said.project,
            client_id=client.id if client else None,
            billable=said.billable is not False,
        )
        project = projects.make(self.session, self.me, fields)
        key = (client.name_key if client else "", project.name_key)
        self.projects[key] = project
        self.by_name.setdefault(project.name_key, []).append(project)
        self.seen.add(project.id)
        self.created["project"].append(project.id)
        return project

    def _client(self, name: str) -> Client:
        found = self.clients.get(name_key(name))
        if found is None:
            found, _ = clients.save(self.session, None, ClientFields(name=name))
            self.session.flush()
            self.clients[found.name_key] = found
            self.created["client"].append(found.id)
        return found

    def _tag(self, name: str) -> Tag:
        found = self.tags.get(name_key(name))
        if found is None:
            found = tags.make(self.session, name)
            self.session.flush()
            self.tags[found.name_key] = found
            self.created["tag"].append(found.id)
        return found
