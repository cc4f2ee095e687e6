"""Is it alive, is it ready: for whoever watches over the installation. No sign-in, no names."""

import secrets
import tempfile
from http import HTTPStatus
from typing import Any

from flask import Blueprint, abort, current_app, jsonify, request
from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response

from app.config import VERSION
from app.models import Database
from app.models.entries import TimeEntry
from app.models.people import User, UserSession
from app.models.schema import current, newest

blueprint = Blueprint("system", __name__)


@blueprint.get("/_health")
def health() -> Response:
    """Answer as long as the process does."""
    return jsonify(status="ok", version=VERSION)


@blueprint.get("/_ready")
def ready() -> tuple[Response, int]:
    """Say whether requests can be served: database, migrations, data folder."""
    found = checks()
    well = all(found.values())
    status = HTTPStatus.OK if well else HTTPStatus.SERVICE_UNAVAILABLE
    return jsonify(status="ready" if well else "not ready", checks=found), status


def checks() -> dict[str, bool]:
    """Return what has to hold for requests to be served."""
    return {
        "database": _database_answers(),
        "migrations": _schema_is_current(),
        "data_folder": _folder_is_writable(),
    }


def _open() -> Database:
    database: Database = current_app.extensions["database"]
    return database


def _database_answers() -> bool:
    try:
        with _open().reading() as session:
            session.execute(text("SELECT 1"))
    except SQLAlchemyError:
        return False
    return True


def _schema_is_current() -> bool:
    try:
        return current(_open()) == newest()
    except SQLAlchemyError:
        return False


def _folder_is_writable() -> bool:
    try:
        with tempfile.TemporaryFile(dir=current_app.config["DATA_DIR"]):
            return True
    except OSError:
        return False


@blueprint.get("/metrics")
def metrics() -> Response:
    """Figures for Prometheus; only where switched on, with a token if one is set."""
    config = current_app.config
    if not config["ENABLE_METRICS"]:
        abort(404)
    token = config["METRICS_TOKEN"]
    given = request.headers.get("Authorization", "")
    if token and not secrets.compare_digest(given.encode(), f"Bearer {token}".encode()):
        return Response("A bearer token is needed.\n", HTTPStatus.UNAUTHORIZED)
    lines = [f"timetracker_{name} {value}" for name, value in _figures().items()]
    return Response("\n".join(lines) + "\n", mimetype="text/plain; version=0.0.4")


def _figures() -> dict[str, Any]:
    with _open().reading() as session:
        return {
            "users": session.scalar(select(func.count(User.id)).where(User.is_active)),
            "entries": session.scalar(
                select(func.count(TimeEntry.id)).where(TimeEntry.deleted_at.is_(None))
            ),
            "running_timers": session.scalar(
                select(func.count(TimeEntry.id)).where(TimeEntry.is_running_now())
            ),
            "sessions": session.scalar(
                select(func.count(UserSession.id)).where(UserSession.user_id.is_not(None))
            ),
        }
