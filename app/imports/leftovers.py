"""What an undone import leaves behind: clients, projects, tasks and tags that it made.

Those that nothing else uses go with it. Used is what an entry outside of the undone ones
has (the trash counts), what carries a rate, and what holds something the import did not
make: a project with another task or member, a client with another project. Entries of
the undone import that lie in the trash lose what goes; their time and text stay.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, delete, exists, select, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.imports.targets import Targets
from app.models.entries import Pin, TimeEntry, entry_tags
from app.models.work import Client, Project, ProjectMember, Rate, Tag, Task

KINDS = ("client", "project", "task", "tag")

Made = dict[str, list[int]]
"""Kind → numbers of what an import made."""


def noted(options: Mapping[str, Any], targets: Targets) -> dict[str, Any]:
    """Return the options of a batch with what was made for it since."""
    before: Made = options.get("made", {})
    made = {kind: [*before.get(kind, []), *targets.created[kind]] for kind in KINDS}
    return {**options, "made": made}


def remove(session: Session, number: int, made: Made) -> dict[str, int]:
    """Remove what import ``number`` made and nothing uses; return how many of each kind."""
    gone = dict.fromkeys(KINDS, 0)
    others = ~((TimeEntry.import_batch_id == number) & TimeEntry.deleted_at.is_not(None))
    tags = _free(
        session, Tag.id, made.get("tag", ()),
        exists().where(
            entry_tags.c.tag_id == Tag.id, entry_tags.c.entry_id == TimeEntry.id, others
        ),
    )  # fmt: skip
    session.execute(delete(entry_tags).where(entry_tags.c.tag_id.in_(tags)))
    gone["tag"] = _delete(session, Tag.id, tags)

    tasks = _free(
        session, Task.id, made.get("task", ()),
        exists().where(TimeEntry.task_id == Task.id, others),
        exists().where(Rate.task_id == Task.id),
        exists().where(Pin.task_id == Task.id),
    )  # fmt: skip
    _detach(session, TimeEntry.task_id, tasks)
    gone["task"] = _delete(session, Task.id, tasks)

    projects = _free(
        session, Project.id, made.get("project", ()),
        exists().where(TimeEntry.project_id == Project.id, others),
        exists().where(Task.project_id == Project.id),
        exists().where(Rate.project_id == Project.id),
        exists().where(Pin.project_id == Project.id),
        exists().where(
            ProjectMember.project_id == Project.id, ProjectMember.is_lead.is_(False)
        ),
    )  # fmt: skip
    _detach(session, TimeEntry.project_id, projects)
    session.execute(delete(ProjectMember).where(ProjectMember.project_id.in_(projects)))
    gone["project"] = _delete(session, Project.id, projects)

    clients = _free(
        session, Client.id, made.get("client", ()),
        exists().where(Project.client_id == Client.id),
        exists().where(Rate.client_id == Client.id),
    )  # fmt: skip
    gone["client"] = _delete(session, Client.id, clients)
    return gone


def _free(
    session: Session,
    of: InstrumentedAttribute[int],
    made: Iterable[int],
    *uses: ColumnElement[bool],
) -> list[int]:
    query = select(of).where(of.in_(list(made)), *(~use for use in uses))
    return list(session.scalars(query))


def _detach(
    session: Session, column: InstrumentedAttribute[int | None], numbers: list[int]
) -> None:
    session.execute(
        update(TimeEntry)
        .where(column.in_(numbers))
        .values({column.key: None})
        .execution_options(synchronize_session=False)
    )


def _delete(session: Session, of: InstrumentedAttribute[int], numbers: list[int]) -> int:
    session.execute(
        delete(of.class_)
        .where(of.in_(numbers))
        .execution_options(synchronize_session=False)
    )
    return len(numbers)
