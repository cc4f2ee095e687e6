"""Projects, whose key this is, and how the ingestion of a project gets on."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from hedgerow.api.callers import Caller, projects_of
from hedgerow.api.endpoints import Listing, Page, listing
from hedgerow.errors import InvalidInput, NotAllowed
from hedgerow.meta import accounts, audit, projects
from hedgerow.meta.projects import ProjectFields
from hedgerow.meta.tables import ProjectRow
from hedgerow.model.projects import Project

GROUP_TYPES_MAX = 5
FLUSH_MAX_S = 300.0


class NewProject(ProjectFields, kw_only=True, forbid_unknown_fields=True):
    """A project to be made."""

    group_types: list[str] | UnsetType = UNSET
    """Names that fix the indexes, at most five."""


class ProjectAnswer(msgspec.Struct, kw_only=True):
    """A project as it is shown."""

    id: int
    name: str
    api_token: str
    timezone: str
    week_start_day: int
    test_account_filters: list[dict[str, Any]]
    path_cleaning_filters: list[dict[str, Any]]
    group_types: list[str]
    union_properties: dict[str, list[str]]
    person_display_properties: list[str]
    retention_days: int | None
    anonymize_ips: bool
    privacy_rules: list[dict[str, Any]]


class Me(msgspec.Struct, kw_only=True):
    """Whose key this is."""

    id: int
    email: str
    name: str
    is_admin: bool
    scopes: list[str]
    expires_at: datetime | None
    projects: list[dict[str, Any]]
    """``id``, ``name`` and ``role`` of each project the key reaches."""


class FlushWish(msgspec.Struct, forbid_unknown_fields=True):
    """How long to wait."""

    timeout_s: float = 30.0


def me(caller: Caller, _body: None, _params: None) -> Me:
    """Tell whose key this is and what it reaches."""
    reached = projects_of(caller.parts, caller.key, caller.user)
    with caller.parts.metadata.reading() as session:
        roles = {one.id: accounts.role_of(session, caller.user, one.id) for one in reached}
    return Me(
        id=caller.user.id,
        email=caller.user.email,
        name=caller.user.name,
        is_admin=caller.user.is_admin,
        scopes=caller.key.scopes,
        expires_at=caller.key.expires_at,
        projects=[
            {"id": one.id, "name": one.name, "role": roles[one.id]} for one in reached
        ],
    )


def list_projects(caller: Caller, _body: None, page: Page) -> Listing:
    """List the projects that the key reaches."""
    reached = projects_of(caller.parts, caller.key, caller.user)
    shown = reached[page.offset : page.offset + page.limit]
    return listing(
        caller.url, page, [_answer(caller, one) for one in shown], total=len(reached)
    )


def create_project(caller: Caller, body: NewProject, _params: None) -> ProjectAnswer:
    """Make a project; for administrators of the server, with a key that reaches all."""
    if not caller.user.is_admin or caller.key.projects is not None:
        raise NotAllowed(
            "This key cannot make projects.",
            hint="Use the key of an administrator that is not limited to some projects.",
        )
    names = [] if body.group_types is UNSET else _checked_names(body.group_types)
    with caller.parts.metadata.writing() as session:
        row = projects.create(session, body, caller.now)
        accounts.set_role(session, caller.user.id, row.id, "owner")
        audit.note(
            session,
            caller.actor,
            "created",
            ("project", row.id),
            project_id=row.id,
            after={"name": row.name},
        )
    caller.parts.directory.refresh()
    project = projects.plain(row)
    if names:
        caller.parts.command(project.id, {"do": "fix_group_types", "names": names})
    return _shown(project, names)


def read_project(caller: Caller, _body: None, _params: None) -> ProjectAnswer:
    """Show a project."""
    return _answer(caller, caller.project)


def change_project(caller: Caller, body: ProjectFields, _params: None) -> ProjectAnswer:
    """Change what is given and leave the rest."""
    before = msgspec.to_builtins(caller.project)
    with caller.parts.metadata.writing() as session:
        row: ProjectRow = projects.change(session, caller.project.id, body)
        session.flush()
        project = projects.plain(row)
        audit.note(
            session,
            caller.actor,
            "changed",
            ("project", row.id),
            project_id=row.id,
            before=before,
            after=msgspec.to_builtins(project),
        )
    caller.parts.directory.refresh()
    return _answer(caller, project)


def delete_project(caller: Caller, _body: None, _params: None) -> None:
    """Delete a project with everything in it, events and persons too.

    The command is on disk first: a crash in between leaves an empty project that can be
    deleted again, never events that nobody can reach.
    """
    project = caller.project
    caller.parts.command(project.id, {"do": "delete_project"}, wait=False)
    with caller.parts.metadata.writing() as session:
        projects.remove(session, project.id)
        audit.note(
            session,
            caller.actor,
            "deleted",
            ("project", project.id),
            project_id=project.id,
            before={"name": project.name},
        )
    caller.parts.directory.refresh()


def ingestion(caller: Caller, _body: None, _params: None) -> Mapping[str, Any]:
    """Tell how far the writer is with this project."""
    return caller.parts.ingestion.state(caller.project.id)


def flush(caller: Caller, body: FlushWish, _params: None) -> Mapping[str, Any]:
    """Wait until everything acknowledged before the call can be queried."""
    if not 0 < body.timeout_s <= FLUSH_MAX_S:
        raise InvalidInput(
            f"timeout_s is {body.timeout_s:g}.",
            hint=f"Use more than 0 and at most {FLUSH_MAX_S:g} seconds.",
            attr="timeout_s",
        )
    caller.parts.ingestion.flush(body.timeout_s)
    return caller.parts.ingestion.state(caller.project.id)


def _answer(caller: Caller, project: Project) -> ProjectAnswer:
    kinds = caller.parts.reader.group_types(project.id)
    indexed = sorted((one.index, one.name) for one in kinds if one.index is not None)
    return _shown(project, [name for _, name in indexed])


def _shown(project: Project, group_types: list[str]) -> ProjectAnswer:
    known = {
        name: getattr(project, name)
        for name in ProjectAnswer.__struct_fields__
        if name != "group_types"
    }
    return ProjectAnswer(**known, group_types=group_types)


def _checked_names(names: list[str]) -> list[str]:
    if len(names) > GROUP_TYPES_MAX or len(set(names)) < len(names):
        raise InvalidInput(
            f"group_types has {len(names)} names: {', '.join(names[:8])}.",
            hint=f"Give at most {GROUP_TYPES_MAX}, each once.",
            attr="group_types",
        )
    bad = [name for name in names if not 1 <= len(name) <= 400]
    if bad:
        raise InvalidInput(
            f"The group type {bad[0][:40]!r} has {len(bad[0])} characters.",
            hint="Use 1 to 400.",
            attr="group_types",
        )
    return names
