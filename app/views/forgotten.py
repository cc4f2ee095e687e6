"""The two questions about a running timer: still working? and: you were away.

The first stands on the page once a timer has run for ``LONG_TIMER_HOURS``; it proposes
the moment its owner was last seen. The second comes from a browser that may tell whether
somebody is there; the page sends how many seconds nobody was, the server's clock does
the rest. Nothing changes until answered, and nothing about idleness is kept.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

from flask import (
    Blueprint,
    current_app,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from werkzeug.wrappers import Response

from app.errors import InvalidInput, NotFound, said
from app.languages import gettext as _
from app.models.entries import TimeEntry
from app.models.people import User
from app.telemetry.context import coarse_minutes, local_moment
from app.telemetry.send import track_event
from app.telemetry.told import discarded
from app.tracking import durations, forgotten, timers
from app.tracking.days import zone
from app.tracking.forgotten import Answer, Idle
from app.views import context, forms
from app.views.context import browser_session, commit, db, demand, now, settings
from app.views.pages import is_htmx, toast
from app.views.signin import back
from app.views.timer import tell_stop

blueprint = Blueprint("forgotten", __name__, url_prefix="/timer")

ANSWERS: dict[str, Answer] = {
    "keep": "keep",
    "stop": "discard_and_stop",
    "continue": "discard_and_continue",
    "split": "split_off",
}
LONGEST_IDLE_S = 7 * 86_400


@dataclass(frozen=True)
class Question:
    """What the page asks about a timer that has run for long."""

    entry: TimeEntry
    worked: int
    seen: str
    """When its owner was last seen, as a field of a form has it."""
    first: str
    last: str


def question() -> Question | None:
    """Return what is to be asked on this page; None where nothing is."""
    person = context.user_or_none()
    if person is None or current_app.config["READ_ONLY"] or request.method != "GET":
        return None
    entry = timers.running(db(), person)
    if entry is None or not forgotten.to_ask(entry, now(), settings()):
        return None
    began, where = entry.started_at or now(), person.timezone
    return Question(
        entry,
        timers.worked_seconds(entry, now()),
        seen=_field(max(began, min(_last_seen(person, entry), now())), where),
        first=_field(began, where),
        last=_field(now(), where),
    )


def _last_seen(person: User, entry: TimeEntry) -> datetime:
    """Return when this person was last here before the question; kept while it stands."""
    kept = browser_session().get("last_seen")
    if kept and kept["entry"] == entry.id:
        return datetime.fromtimestamp(kept["at"], UTC)
    seen = person.last_seen_at or now()
    browser_session()["last_seen"] = {"entry": entry.id, "at": int(seen.timestamp())}
    return seen


def _field(at: datetime, where: str) -> str:
    return f"{at.astimezone(zone(where)):%Y-%m-%dT%H:%M}"


def _answered(message: str, undo: int | None = None) -> Response:
    """Go back to the page, with what happened and how to take it back."""
    if is_htmx():
        return toast(make_response(""), message, undo=undo)
    taken_back = url_for("entries.undo", step=undo) if undo else None
    context.say(message, undo=taken_back)
    return redirect(back(url_for("dashboard.today")), code=HTTPStatus.SEE_OTHER)


@blueprint.post("/still")
def still() -> Response:
    """Take the answer about a timer that has run for long."""
    person = demand("track")
    number, given = forms.number_or_none("entry") or 0, forms.text("answer")
    if given == "keep":
        forgotten.still_working(db(), person, number, now())
        commit()
        browser_session().pop("last_seen", None)
        _tell(person, 0, "keep", "long_running")
        return _answered(_("The timer goes on"))
    if given == "discard":
        thrown = timers.discard(db(), person, now()) if _runs(person, number) else None
        commit()
        if thrown is None:
            return _answered(_("No timer was running any more."))
        track_event(person.id, *discarded(person, thrown.entry, now()))
        _tell(person, 0, "discard_and_stop", "long_running")
        return _answered(_("Timer discarded"), thrown.step.id)
    if given != "ended":
        raise InvalidInput(
            said("%(given)r is no answer.", given=given[:20]),
            hint="Choose one of the three.",
        )
    at = _moment(forms.text("ended"), person)
    stopped = forgotten.ended(db(), person, number, at, now())
    commit()
    tell_stop(person, stopped.entry)
    _tell(person, int((now() - at).total_seconds()), "discard_and_stop", "long_running")
    length = durations.prose(stopped.entry.seconds or 0)
    return _answered(_("Stopped: %(length)s", length=length), stopped.step.id)


def _runs(person: User, number: int) -> bool:
    entry = timers.running(db(), person)
    return entry is not None and entry.id == number


def _moment(text: str, person: User) -> datetime:
    """Read what a field of date and time holds, in this person's zone."""
    try:
        local = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(
            said("%(text)r is no moment.", text=text[:30]), hint="Write it like 2025-10-20T17:30.",
            attr="ended",
        ) from error  # fmt: skip
    where = zone(person.timezone)
    return durations.moment(f"{local:%H:%M}", local.date(), where, now()).instant


def _tell(person: User, seconds: int, said: Answer, trigger: str) -> None:
    track_event(
        person.id,
        "timer.idle_detected",
        {
            **local_moment(now(), person.timezone),
            "idle_minutes": coarse_minutes(seconds),
            "resolution": said,
            "trigger": trigger,
        },
    )


@blueprint.get("/idle")
def idle() -> str:
    """Return the question for somebody who was away for so many seconds."""
    person = _may_be_idle()
    entry = timers.running(db(), person)
    away = min(forms.number_or_none("seconds", request.args) or 0, LONGEST_IDLE_S)
    if entry is None or timers.open_break(entry) or away < 1:
        raise NotFound("There is nothing to ask.")
    began = max(now() - timedelta(seconds=away), entry.started_at or now())
    return render_template(
        "_idle.html", entry=entry, began=began, ended=now(),
        seconds=int((now() - began).total_seconds()),
    )  # fmt: skip


def _may_be_idle() -> User:
    if not current_app.config["ENABLE_IDLE_DETECTION"]:
        raise NotFound("Idle detection is switched off on this installation.")
    return demand("track")


@blueprint.post("/idle")
def answer() -> Response:
    """Do with the idle time what was said."""
    person = _may_be_idle()
    said = ANSWERS.get(forms.text("answer"))
    began, ended = forms.number_or_none("began"), forms.number_or_none("ended")
    if said is None or began is None or ended is None or not 0 < began <= ended < 10**11:
        raise InvalidInput("That is no answer.", hint="Choose one of the four.")
    away = Idle(
        entry_id=forms.number_or_none("entry") or 0,
        began=datetime.fromtimestamp(began, UTC),
        ended=datetime.fromtimestamp(ended, UTC),
    )
    step = forgotten.answer(db(), person, away, said, now(), settings=settings())
    entry = db().get_one(TimeEntry, away.entry_id)
    commit()
    if said == "discard_and_stop":
        tell_stop(person, entry)
    _tell(person, ended - began, said, "idle")
    words = {
        "keep": _("The time is kept"),
        "discard_and_stop": _("Stopped when you left"),
        "discard_and_continue": _("The time away is a break now"),
        "split_off": _("The time away is an entry of its own now"),
    }
    return _answered(words[said], step.id if step else None)
