"""First run: the administrator, where and when we are, and the consent question. Once.

Only whoever can read the log (or set ``SETUP_TOKEN``) has the code for it. Once somebody
exists these addresses answer 404 for ever.
"""

import logging
import secrets
from zoneinfo import available_timezones

from flask import Blueprint, Flask, current_app, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from app import settings as run_time
from app.audit import Object, record
from app.errors import InvalidInput, NotAllowed, NotFound, TimeTrackerError, said
from app.models import Database
from app.models.people import User
from app.people import accounts, oidc
from app.telemetry import consent, reporter
from app.telemetry.send import identify_user, track_event
from app.views import context, forms
from app.views.context import commit, db, now
from app.views.signin import begin_session

log = logging.getLogger("timetracker")
blueprint = Blueprint("setup", __name__)


def announce(app: Flask) -> None:
    """Print how the first run is reached, where nobody exists yet."""
    database: Database = app.extensions["database"]
    with database.writing() as session:
        if accounts.anyone(session):
            return
        code = app.config["SETUP_TOKEN"] or accounts.make_link(
            session, None, "setup", app.extensions["clock"]()
        )
    where = app.config["PUBLIC_URL"] or f"http://{app.config['HOST']}:{app.config['PORT']}"
    log.warning("first run: open %s/setup?code=%s", where.rstrip("/"), code)


def warn(app: Flask) -> None:
    """Say in the log where no administrator could sign in if the provider were down."""
    database: Database = app.extensions["database"]
    with database.reading() as session:
        if accounts.anyone(session) and oidc.locks_out_admins(session, app.config):
            log.warning(
                "No administrator can sign in with a password. If the identity provider "
                "is down nobody can administer this installation: give one a password "
                "(timetracker user reset-link NAME) and name them in OIDC_KEEP_ADMINS."
            )


@blueprint.route("/setup", methods=["GET", "POST"])
def first_run() -> str | Response | tuple[str, int]:
    """Ask for the code, then for the administrator, then never again."""
    if accounts.anyone(db()):
        raise NotFound("There is nothing at this address.")
    code = (request.form.get("code") or request.args.get("code", "")).strip()
    if not code:
        return render_template("setup_code.html", wrong=None)
    try:
        _check(code)
    except TimeTrackerError as error:
        return render_template("setup_code.html", wrong=error), 403
    if request.method == "GET" or "username" not in request.form:
        return _form(code, None)
    try:
        return _make(code)
    except InvalidInput as error:
        db().rollback()
        return _form(code, error), 422


def _check(code: str) -> None:
    fixed = current_app.config["SETUP_TOKEN"]
    if fixed:
        if not secrets.compare_digest(code.encode(), fixed.encode()):
            raise NotAllowed(
                "That is not the code.", hint="It is the value of SETUP_TOKEN."
            )
        return
    try:
        accounts.open_link(db(), code, "setup", now())
    except NotFound as error:
        raise NotAllowed(
            "That is not the code.", hint="It stands in the log of the last start."
        ) from error


def _form(code: str, wrong: InvalidInput | None) -> str:
    config = current_app.config
    return render_template(
        "setup.html",
        code=code,
        wrong=wrong,
        typed=forms.kept(),
        zones=sorted(available_timezones()),
        layer=consent.verdict(config, consent.newest(db())).layer,
        granted=config["TELEMETRY_DEFAULT_LEVEL"] != "off",
        limit=config["TELEMETRY_MAX_LEVEL"],
        fixed=config["SET_IN_ENVIRONMENT"],
        sink=config["ANALYTICS_HOST"] or config["TELEMETRY_HOST"],
    )


def _make(code: str) -> Response:
    """Make the administrator, keep the answers, sign in, tell."""
    form = request.form
    if form.get("password", "") != form.get("password_again", ""):
        raise InvalidInput("The two passwords differ.", attr="password_again")
    values = {
        "TZ": form.get("timezone", "UTC"),
        "CURRENCY": form.get("currency", "EUR").strip().upper(),
        "WEEK_START": int(form.get("week_start", "1")),
    }
    if values["TZ"] not in available_timezones():
        raise InvalidInput(
            said("There is no zone %(values)r.", values=values["TZ"]), attr="timezone"
        )
    currency = str(values["CURRENCY"])
    if not (len(currency) == 3 and currency.isascii() and currency.isalpha()):
        raise InvalidInput(
            said("%(currency)r is no currency.", currency=currency),
            hint="Use three letters: EUR.",
            attr="currency",
        )
    free = {
        name: value
        for name, value in values.items()
        if name not in current_app.config["SET_IN_ENVIRONMENT"]
    }
    run_time.save(db(), current_app.config, free)
    db().flush()
    new = accounts.NewUser(
        username=form.get("username", ""),
        display_name=form.get("display_name", ""),
        role="admin",
        password=form.get("password", ""),
        signup_method="setup",
    )
    least = current_app.config["PASSWORD_MIN_LENGTH"]
    person = accounts.make(db(), new, context.settings(), least_password=least)
    layer = form.get("layer", "off")
    consent.choose(db(), layer, reason="wizard", at=now(), user_id=person.id)
    if not current_app.config["SETUP_TOKEN"]:
        accounts.open_link(db(), code, "setup", now()).used_at = now()
    record(
        db(),
        context.actor(),
        "setup.completed",
        now(),
        on=Object(type="user", id=person.id, label=person.display_name),
        changes={"consent": (None, layer)},
    )
    begin_session(person, "local", keep=False)
    commit()
    current_app.extensions["set_up"] = True
    _tell(person, layer)
    return redirect(url_for("dashboard.today"))


def _tell(person: User, layer: str) -> None:
    told = reporter.of_app()
    if told is not None:
        told.forget_answers()
    identify_user(person)
    track_event(person.id, "auth.login", {"auth_method": "local", "is_first_login": True})
    track_event(
        person.id,
        "setup.completed",
        {
            "telemetry_enabled": layer != "off",
            "telemetry_layer": layer,
            "auth_method": "local",
            "db_engine": "sqlite" if context.database().on_sqlite else "postgresql",
        },
    )
