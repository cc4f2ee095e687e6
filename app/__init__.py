"""TimeTracker: a time tracker for one person up to a company of a few hundred.

``create_app`` builds the web application: configuration, database, what it reports, its
views. ``track_event`` and ``identify_user`` are its public face for plug-ins; inside,
views and jobs import ``app.telemetry.send``.
"""

import dataclasses
import os
import secrets
import signal
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from app import api, jobs, mail
from app.config import Config, from_environment
from app.models import Database, schema
from app.models.database import open_database
from app.telemetry import reporter
from app.telemetry.send import identify_user, track_event
from app.views import REGISTERED, context, forgotten, live, pages, register, setup, timer

PARENT_LOOK_S = 0.5
"""Seconds between two looks whether the parent process is still there."""

LAST_ANSWERS_S = 5.0
"""Seconds a worker without a parent has for its last answers."""

__all__ = ["create_app", "furnish", "identify_user", "serving", "track_event"]


def create_app(config: Config | None = None) -> Flask:
    """Return the application; the database is brought up to date, nothing is sent yet."""
    config = config or from_environment()
    app = Flask(__name__, static_folder="static/dist", static_url_path="/static")
    furnish(app, config, open_database(config))
    pages.prepare(app)
    live.prepare(app)
    app.jinja_env.globals["timer_header"] = lambda: timer.header(context.user())
    app.jinja_env.globals |= {
        "forgotten_question": forgotten.question,
        "may_register": register.is_open,
        "sends_links": register.sends_links,
    }
    for blueprint in REGISTERED:
        app.register_blueprint(blueprint)
    app.register_blueprint(api.blueprint)
    _behind_proxies(app, config)
    return app


def furnish(app: Flask, config: Config, database: Database) -> None:
    """Give an application all that differs between two of them; its routes do not."""
    app.config.from_mapping(
        {field.name: getattr(config, field.name) for field in dataclasses.fields(config)}
    )
    folder = Path(config.DATA_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    app.config["SECRET_KEY"] = config.SECRET_KEY or _kept_key(folder / "secret-key")
    app.config["MAX_CONTENT_LENGTH"] = config.MAX_UPLOAD_MB * 1_000_000
    app.config["TRUSTED_HOSTS"] = list(config.ALLOWED_HOSTS) or None
    app.config["URL_PREFIX"] = urlsplit(config.PUBLIC_URL).path.rstrip("/")
    app.extensions["clock"] = context.system_clock
    app.extensions["database"] = database
    schema.migrate(database)
    app.extensions[mail.EXTENSION] = mail.Post(app.config, database)
    reporter.install(app, database)


def serving() -> Flask:
    """Return the application as a server runs it: with its scheduler, first run announced."""
    app = create_app()
    setup.announce(app)
    setup.warn(app)
    database: Database = app.extensions["database"]
    jobs.start(app, database)
    live.end_with_process(app)
    threading.Thread(
        target=_end_with, args=(os.getppid(),), name="parent", daemon=True
    ).start()
    return app


def _end_with(parent: int) -> None:
    """End this worker when the process that started it is gone, even killed.

    Otherwise it would keep the port, and the next start would find it taken.
    """
    while os.getppid() == parent:
        time.sleep(PARENT_LOOK_S)
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(LAST_ANSWERS_S)
    os._exit(1)


def _kept_key(path: Path) -> str:
    """Return the key that signs tokens: made once, readable by us only.

    It appears under its name when it is whole, so that being killed in between leaves none.
    """
    if not path.exists():
        whole = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
        handle = os.open(whole, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w") as file:
            file.write(secrets.token_urlsafe(48))
            file.flush()
            os.fsync(handle)
        whole.replace(path)
    return path.read_text().strip()


def _behind_proxies(app: Flask, config: Config) -> None:
    if config.TRUSTED_PROXIES:
        hops = config.TRUSTED_PROXIES
        app.wsgi_app = ProxyFix(  # type: ignore[method-assign]  # Flask's own way to wrap it
            app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops, x_port=hops, x_prefix=hops
        )
