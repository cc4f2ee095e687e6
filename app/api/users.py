"""Accounts, for administrators: ``/users``.

A new account has no password: ``link`` of the answer, shown once, lets its owner choose
one within 24 hours. The last active administrator can be neither demoted nor deactivated,
and nobody does either to the account whose token is used. ``users_gone`` is about those
who leave for good.
"""

from typing import Any

from flask import render_template
from sqlalchemy import select

from app import mail
from app.api import kinds
from app.api.call import Answer, Call
from app.api.idents import word
from app.api.paging import PAGE, SINCE, Order, listed
from app.api.shapes import Field, Shape, given, may, need
from app.api.shown import iso
from app.audit import Object
from app.errors import Conflict, InvalidInput
from app.languages import gettext as _
from app.models.people import ROLES, User
from app.people import accounts, directory, sessions
from app.people.directory import Changes
from app.telemetry import told
from app.telemetry.reporter import EXTENSION, Reporter
from app.tracking import timers

_FIELDS: dict[str, Field] = {
    "id": given(kinds.ident("user")),
    "username": given(kinds.text(150)),
    "display_name": given(kinds.text(200)),
    "email": given(kinds.text(254), null=True),
    "role": given(kinds.one_of(*ROLES)),
    "active": given(kinds.flag),
    "auth_method": given(kinds.one_of("local", "oidc")),
    "timezone": given(kinds.text(64)),
    "last_login_at": given(kinds.instant, null=True),
    "created_at": given(kinds.instant),
    "updated_at": given(kinds.instant),
}
USER = Shape("User", _FIELDS)
MADE = Shape(
    "UserMade",
    {
        **_FIELDS,
        "link": given(kinds.text(2000), "Chooses a password: once, in 24 hours."),
        "mailed": given(kinds.flag, "The link goes to the address by mail, too."),
    },
)
USERS: dict[str, Field] = {**PAGE, **SINCE, "active": may(kinds.flag)}

_NAME, _SHOWN, _EMAIL = kinds.text(150, least=1), kinds.text(200), kinds.text(254)
USER_NEW = Shape(
    "UserNew",
    {
        "username": need(_NAME, "Without spaces; no two differ in case only."),
        "display_name": may(_SHOWN, "The user name unless given."),
        "email": may(_EMAIL, null=True),
        "role": may(kinds.one_of(*ROLES), "`user` unless given."),
    },
)
USER_CHANGE = Shape(
    "UserChange",
    {
        "username": may(_NAME),
        "display_name": may(_SHOWN),
        "email": may(_EMAIL, null=True),
        "role": may(kinds.one_of(*ROLES)),
        "active": may(kinds.flag, "False: signs out, stops the timer, ends tokens' use."),
    },
)


def shown(user: User) -> dict[str, Any]:
    """Return an account as JSON."""
    return {
        "id": word("user", user.id),
        "username": user.username,
        "display_name": user.display_name,
        "email": user.email,
        "role": user.role,
        "active": user.is_active,
        "auth_method": user.auth_method,
        "timezone": user.timezone,
        "last_login_at": iso(user.last_login_at),
        "created_at": iso(user.created_at),
        "updated_at": iso(user.updated_at),
    }


def _answer(call: Call, user: User, **more: Any) -> Answer:
    call.session.flush()
    call.session.refresh(user)
    return Answer(body={**shown(user), **more})


def named(user: User) -> Object:
    """Return a user as the audit trail calls them."""
    return Object(type="user", id=user.id, label=user.display_name)


def list_users(call: Call) -> Answer:
    """List everybody who has an account."""
    query = select(User)
    if "active" in call.query:
        query = query.where(User.is_active.is_(call.query["active"]))
    if "updated_since" in call.query:
        query = query.where(User.updated_at >= call.query["updated_since"])
    return listed(call, query, Order((User.id,)), shown)


def read_user(call: Call) -> Answer:
    """Return one user."""
    return Answer(body=shown(directory.find(call.session, call.path["user"])))


def create_user(call: Call) -> Answer:
    """Make an account; the link of the answer is shown this once."""
    new = accounts.NewUser(
        username=call.body["username"],
        display_name=call.body.get("display_name", ""),
        email=call.body.get("email"),
        role=call.body.get("role", "user"),
    )
    user = accounts.make(call.session, new, call.settings)
    token = accounts.make_link(call.session, user, "password", call.now)
    call.note("user.created", named(user), {"role": (None, user.role)})
    call.tell("admin.user_created", {"role": user.role})
    link = f"{call.address}/password/{token}"
    return _answer(call, user, link=link, mailed=_invite(call, user, link))


def _invite(call: Call, user: User, link: str) -> bool:
    """Queue the mail with the link; False where no mail is sent, or nobody's address is known."""
    if not user.email or not mail.is_on(call.config):
        return False
    post: mail.Post = call.extensions[mail.EXTENSION]
    reporter: Reporter = call.extensions[EXTENSION]
    letter = mail.Mail(
        to=user.email,
        name=user.display_name,
        subject=_("Your account at TimeTracker"),
        text=render_template("mail/invitation.txt", person=user, link=link),
    )
    call.afterwards.append(reporter.wake.set)
    return post.put(letter, call.now, within=call.session)


def change_user(call: Call) -> Answer:
    """Change names, address or role; let somebody in no more, or again."""
    user = directory.find(call.session, call.path["user"])
    if directory.is_anonymous(user):
        raise InvalidInput(
            f"{user.display_name!r} was anonymised.", hint="Make a new account instead."
        )
    _describe(call, user)
    if "role" in call.body:
        _give_role(call, user, call.body["role"])
    active = call.body.get("active", user.is_active)
    if active != user.is_active:
        (_let_in if active else _let_out)(call, user)
    return _answer(call, user)


def _describe(call: Call, user: User) -> None:
    wanted = Changes(
        username=call.body.get("username", user.username),
        display_name=call.body.get("display_name", user.display_name),
        email=call.body.get("email", user.email),
    )
    changed = directory.change(call.session, user, wanted)
    if changed:
        call.note("user.updated", named(user), changed)
        call.tell("admin.user_updated", {"fields": sorted(changed)})


def _give_role(call: Call, user: User, role: str) -> None:
    before = accounts.change_role(call.session, user, role)
    if before == role:
        return
    call.note("user.role", named(user), {"role": (before, role)})
    call.tell(
        "admin.user_role_changed", {"old_role": before, "new_role": role, "by": "admin"}
    )
    call.identified.append(user)


def refuse_oneself(call: Call, user: User) -> None:
    """Raise Conflict where an administrator is about to lock themselves out."""
    if user.id == call.user.id:
        raise Conflict(
            "You cannot do this to your own account.", hint="Ask another administrator."
        )


def stop_timer(call: Call, user: User) -> None:
    """Stop the timer of somebody who cannot do it any more."""
    if timers.running(call.session, user) is not None:
        stopped = timers.stop(
            call.session, user, call.now, settings=call.settings, stopped_by="admin"
        )
        call.tell(*told.stopped(user, stopped.entry, call.now), of=user)


def _let_out(call: Call, user: User) -> None:
    refuse_oneself(call, user)
    accounts.deactivate(call.session, user)
    sessions.revoke_others(call.session, user, None)
    stop_timer(call, user)
    call.note("user.deactivated", named(user), {"is_active": (True, False)})
    call.tell("admin.user_deactivated")


def _let_in(call: Call, user: User) -> None:
    directory.reactivate(user)
    call.note("user.reactivated", named(user), {"is_active": (False, True)})
    call.tell("admin.user_updated", {"fields": ["is_active"]})
