"""Who works on a project, and who leads it.

A lead sees and edits the project's entries, whoever recorded them. Managers and leads
decide who is in; where only members see a project, leaving it hides it.
"""

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from app.errors import InvalidInput, NotFound, said
from app.models.people import User
from app.models.work import Project, ProjectMember


def every(session: Session, project: Project) -> list[ProjectMember]:
    """Return the members of a project, leads first, then by name."""
    query = (
        select(ProjectMember)
        .join(ProjectMember.user)
        .where(ProjectMember.project_id == project.id)
        .options(joinedload(ProjectMember.user))
        .order_by(ProjectMember.is_lead.desc(), User.username_key)
    )
    return list(session.scalars(query))


def others(session: Session, project: Project) -> list[User]:
    """Return active users who are no members yet, by name."""
    inside = select(ProjectMember.user_id).where(ProjectMember.project_id == project.id)
    query = select(User).where(User.is_active, User.id.not_in(inside))
    return list(session.scalars(query.order_by(User.username_key)))


def put(
    session: Session, project: Project, user_id: int | None, *, lead: bool
) -> ProjectMember:
    """Make somebody a member or lead of a project, whatever they were before."""
    user = session.get(User, user_id) if user_id is not None else None
    if user is None or not user.is_active:
        raise InvalidInput(
            "Nobody was chosen who could work on this project.",
            hint="Choose an active user.",
            attr="user_id",
        )
    member = session.get(ProjectMember, (project.id, user.id))
    if member is None:
        member = ProjectMember(project_id=project.id, user_id=user.id)
        session.add(member)
    member.is_lead = lead
    session.flush()
    return member


def remove(session: Session, project: Project, user_id: int) -> User:
    """Take somebody out of a project; their time on it stays. Returns who it was."""
    member = session.get(ProjectMember, (project.id, user_id))
    if member is None:
        raise NotFound(
            said(
                "User number %(user_id)s is no member of %(name)r.",
                user_id=user_id,
                name=project.name,
            )
        )
    user = session.get_one(User, user_id)
    session.delete(member)
    session.flush()
    return user
