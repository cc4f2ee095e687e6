"""Privacy & analytics: what leaves this house, before it leaves, and who decides.

For administrators. The preview is made by the sending code; the log shows what reached
the gate, byte for byte. Switches of the environment are shown, not changed here.
"""

import json
from datetime import timedelta
from http import HTTPStatus
from typing import Any

from flask import (
    Blueprint,
    Response,
    current_app,
    g,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from werkzeug.wrappers import Response as AnyResponse

from app.audit import Object, record
from app.config import VERSION
from app.errors import InvalidInput, TimeTrackerError, said
from app.languages import gettext, told
from app.models.people import User
from app.models.records import Consent, Installation, TelemetryLog
from app.telemetry import consent, installation, log, preview, sinks, table
from app.telemetry.blocks import LAYERS
from app.telemetry.catalog import CONSENT_VERSION
from app.telemetry.reporter import EXTENSION, Reporter
from app.telemetry.send import track_event
from app.views import context, forms
from app.views.context import commit, db, now
from app.views.vocabulary import word

blueprint = Blueprint("privacy", __name__, url_prefix="/admin/privacy")

KILLS = (
    "DO_NOT_TRACK",
    "CONSOLE_DO_NOT_TRACK",
    "ENABLE_TELEMETRY",
    "DEMO_MODE",
    "READ_ONLY",
)
SWITCHES = ("RESPECT_BROWSER_DNT", "TELEMETRY_DRY_RUN", "ANALYTICS_PAGEVIEWS",
            "ANALYTICS_SHARED_PROJECT", "EXPORT_DIALOG_VARIANT")  # fmt: skip
OUTCOMES = (log.SENT, log.HANDED_OVER, log.FAILED, log.DRY_RUN, log.NOT_SENT)
TONES = {log.SENT: "good", log.HANDED_OVER: "good", log.FAILED: "bad", log.DRY_RUN: "warn"}
PER_PAGE = 50


@blueprint.after_app_request
def _count_page(response: Response) -> Response:
    """Tell a full-page load, where this is switched on."""
    person = g.get("user")
    if (
        current_app.config["ANALYTICS_PAGEVIEWS"]
        and request.method == "GET"
        and response.status_code == HTTPStatus.OK
        and response.mimetype == "text/html"
        and "HX-Request" not in request.headers
        and isinstance(person, User)
    ):
        track_event(person.id, "$pageview")
    return response


def _reporter() -> Reporter:
    found: Reporter = current_app.extensions[EXTENSION]
    return found


@blueprint.get("")
def show() -> str:
    """Show state, layers, preview, who decides, fingerprint, history and log."""
    person = context.demand("administer")
    reporter = _reporter()
    reporter.log.flush()
    verdict = reporter.watch.look()
    asked = request.args.get("preview", "")
    shown_layer = (
        asked if asked in LAYERS[1:] else max(verdict.layer, "base", key=LAYERS.index)
    )
    text = render_template(
        "privacy.html",
        verdict=verdict,
        state=_state(reporter),
        answer=_answer(),
        layers=LAYERS,
        limit=current_app.config["TELEMETRY_MAX_LEVEL"],
        deciders=_deciders(verdict),
        switches=[(name, current_app.config[name]) for name in SWITCHES],
        preview_layer=shown_layer,
        preview=_previewed(reporter, shown_layer, person),
        history=_history(),
        tables=[(layer, table.events(layer)) for layer in LAYERS[1:]],
        blocks=table.blocks(),
        outcomes=OUTCOMES,
        **_log_page(),
    )
    track_event(person.id, "admin.telemetry_dashboard_viewed")
    return text


def _state(reporter: Reporter) -> dict[str, Any]:
    """Return where messages go, when the next one is due, and who we are."""
    row = db().get(Installation, 1)
    found = {name: sinks.sink(reporter.config, name) for name in ("analytics", "telemetry")}
    return {
        "hosts": {name: at.host if at else "" for name, at in found.items()},
        "one": sinks.are_one(reporter.config),
        "fingerprint": installation.fingerprint(row) if row else "",
        "copy_noticed_at": row.copy_noticed_at if row else None,
        "failing_days": row.failing_days if row else 0,
        "last": row.health_sent_at if row else None,
        "next": _next(row),
        "consent_is_old": reporter.watch.look().version < CONSENT_VERSION,
        "consent_version": CONSENT_VERSION,
    }


def _next(row: Installation | None) -> Any:
    """Return when the next daily message is due, where one was sent before."""
    if row is None or row.health_sent_at is None:
        return None
    return row.health_sent_at + timedelta(hours=24)


def _answer() -> dict[str, Any] | None:
    history = consent.history(db())
    return _told(history[0]) if history else None


def _history() -> list[dict[str, Any]]:
    return [_told(row) for row in consent.history(db())]


def _told(row: Consent) -> dict[str, Any]:
    who = db().get(User, row.user_id) if row.user_id else None
    return {
        "at": row.at,
        "who": who.display_name if who else "",
        "layer": row.layer,
        "version": row.version,
        "reason": row.reason,
    }


def _deciders(verdict: consent.Verdict) -> list[dict[str, Any]]:
    """Return the rules in their order; the first that decides is in force."""
    config = current_app.config
    rules = [(name, config[name], name == verdict.by) for name in KILLS]
    rules.append(
        (
            "TELEMETRY_MAX_LEVEL",
            config["TELEMETRY_MAX_LEVEL"],
            verdict.by == "TELEMETRY_MAX_LEVEL",
        )
    )
    answer = consent.newest(db())
    chosen = answer.layer if answer and answer.reason != "configuration" else ""
    rules.append(("choice", chosen, verdict.by == "choice"))
    default = config["TELEMETRY_DEFAULT_LEVEL"]
    by_default = verdict.by in {"TELEMETRY_DEFAULT_LEVEL", "unasked"}
    rules.append(("TELEMETRY_DEFAULT_LEVEL", default, by_default))
    return [{"name": n, "value": v, "in_force": f} for n, v, f in rules]


def _previewed(reporter: Reporter, layer: str, person: User) -> list[dict[str, str]]:
    user = person if layer == "detailed" else None
    return [
        {
            "sink": shown.sink,
            "name": shown.message["event"],
            "json": _pretty(shown.message),
        }
        for shown in preview.preview(reporter, layer, now(), user=user)
    ]


def _pretty(message: Any) -> str:
    return json.dumps(message, indent=2, ensure_ascii=False)


def _log_page() -> dict[str, Any]:
    outcome = request.args.get("outcome", "")
    known = outcome if outcome in OUTCOMES else ""
    start = max(forms.number_or_none("from", request.args) or 0, 0)
    with _reporter().database.reading() as fresh:  # what was flushed a moment ago, too
        found = log.rows(fresh, outcome=known)
    return {
        "log": [_logged(row) for row in found[start : start + PER_PAGE]],
        "log_outcome": known,
        "log_total": len(found),
        "log_from": start,
        "log_earlier": start + PER_PAGE if start + PER_PAGE < len(found) else None,
    }


def _logged(row: TelemetryLog) -> dict[str, Any]:
    return {
        "at": row.at,
        "event": row.event,
        "sink": row.sink,
        "outcome": row.outcome,
        "detail": row.detail,
        "took_ms": row.took_ms,
        "tone": TONES.get(row.outcome, ""),
        "json": _pretty(json.loads(row.payload)),
    }


@blueprint.post("/consent")
def choose() -> AnyResponse:
    """Keep an administrator's answer; it counts at once."""
    person = context.demand("administer")
    reporter, layer = _reporter(), forms.text("layer")
    before = reporter.watch.look().layer
    consent.choose(db(), layer, reason="admin", at=now(), user_id=person.id)
    record(
        db(), context.actor(), "consent.changed", now(),
        on=Object(type="consent"), changes={"layer": (before, layer)},
    )  # fmt: skip
    commit()
    reporter.forget_answers()
    told = {"enabled": layer != "off", "old_layer": before, "new_layer": layer}
    track_event(person.id, "admin.telemetry_toggled", told)
    return _back(gettext("Consent is now: %(layer)s.", layer=word(layer)))


@blueprint.post("/test")
def test() -> AnyResponse:
    """Tell both groups now, and say how it went."""
    context.demand("administer")
    commit()  # hold no lock while another server takes its time
    try:
        tried = preview.send_test(_reporter(), now())
    except TimeTrackerError as error:
        return _back(told(error), kind="bad")
    if tried.taken:
        return _back(gettext("%(host)s took the test.", host=tried.host))
    return _back(
        gettext("%(host)s did not take the test: see the log.", host=tried.host), kind="bad"
    )


@blueprint.post("/fingerprint")
def answer_fingerprint() -> AnyResponse:
    """Make a new fingerprint, or confirm the one the database has."""
    context.demand("administer")
    reporter, folder = _reporter(), current_app.config["DATA_DIR"]
    row = db().get_one(Installation, 1)
    answer = forms.text("answer")
    if answer not in {"new", "same"}:
        raise InvalidInput(
            said("%(answer)r is no answer.", answer=answer),
            hint="Say new or same.",
            attr="answer",
        )
    (installation.renew if answer == "new" else installation.keep)(row, folder)
    record(
        db(), context.actor(), f"installation.{answer}", now(),
        on=Object(type="installation"),
    )  # fmt: skip
    commit()
    reporter.forget_answers()
    words = {
        "new": gettext("This is a new installation now."),
        "same": gettext("The fingerprint stays."),
    }
    return _back(words[answer])


@blueprint.post("/forget")
def forget() -> AnyResponse:
    """Ask a sink to delete what it holds of this installation."""
    context.demand("administer")
    commit()  # hold no lock while another server takes its time
    name = forms.text("sink")
    try:
        receipt = preview.forget_us(_reporter(), name)
    except TimeTrackerError as error:
        return _back(told(error), kind="bad")
    with context.database().writing() as writing:
        record(
            writing,
            context.actor(),
            "installation.forgotten",
            now(),
            on=Object(type="installation"),
            changes={"receipt": (None, str(receipt.get("receipt")))},
        )
    return _back(
        gettext("Deleted there: %(n)s events.", n=receipt.get("deleted_events", 0))
    )


@blueprint.get("/log.json")
def download() -> Response:
    """Give the whole log as JSON Lines, one message a line, the newest first."""
    context.demand("administer")
    _reporter().log.flush()
    with _reporter().database.reading() as fresh:  # what was flushed a moment ago, too
        found = log.rows(fresh)
    lines = [
        json.dumps(
            {
                "at": row.at.isoformat(),
                "sink": row.sink,
                "outcome": row.outcome,
                "detail": row.detail,
                "took_ms": row.took_ms,
                "message": json.loads(row.payload),
            },
            ensure_ascii=False,
        )
        for row in found
    ]
    name = f"timetracker-{VERSION}-sent.jsonl"
    return Response(
        "".join(line + "\n" for line in lines),
        mimetype="application/x-ndjson",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _back(text: str, *, kind: str = "good") -> AnyResponse:
    session["toast"] = {"text": text, "kind": kind}
    return redirect(url_for("privacy.show"))
