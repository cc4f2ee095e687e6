"""What an operator may choose: every environment variable of TimeTracker.

``Config`` is the list. Each line gives name, type, safe default, what values are taken
and what the variable does; ``docs/settings.md`` is generated from it.
``from_environment`` reads all of them once, at start. A value that cannot be read stops
the start with a sentence that says what may stand there. ``create_app`` puts the result
into ``app.config``; views read ``current_app.config`` on every request, so a test can
patch both branches of a switch.

``SECRET_KEY_FILE`` and the like read a secret from a file. Names that other programs or
earlier versions used for the same thing are read too (``OLD_NAMES``).
"""

import dataclasses
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.errors import BadSetting
from app.variables import (
    ADDRESS,
    BOOLEAN,
    COUNT,
    CURRENCY_CODE,
    ENVIRONMENTS,
    FOLDER,
    KEY,
    LANGUAGE,
    LEVELS,
    LIMIT,
    LIST,
    LOCK,
    ROLE_MAP,
    SAID,
    SECRET,
    TEXT,
    ZONE,
    Kind,
    Limit,
    RoleMap,
    among,
    number,
)

VERSION = "0.1.0"
"""Of this program: semver, without a build suffix; unreleased builds end in ``-dev``."""


def _var(default: Any, kind: Kind, note: str) -> Any:
    """One variable: its default, how its text is read, what it does."""
    return dataclasses.field(default=default, metadata={"kind": kind, "note": note})


def _off(note: str, kind: Kind = BOOLEAN) -> Any:
    return _var(default=False, kind=kind, note=note)


def _on(note: str) -> Any:
    return _var(default=True, kind=BOOLEAN, note=note)


STEPS = (0, 1, 5, 6, 10, 12, 15, 30, 60)
EVERYONE = (("*", "user"),)
HERE = Path("timetracker-data")
FIVE, THIRTY = Limit(5, 900), Limit(30, 900)

OLD_NAMES = {
    "POSTHOG_HOST": "ANALYTICS_HOST",
    "POSTHOG_API_KEY": "ANALYTICS_KEY",
    "OIDC_GROUPS_CLAIM": "OIDC_ROLES_CLAIM",
    "OIDC_ROLE_GROUP_MAP": "OIDC_ROLE_MAP",
    "REMEMBER_COOKIE_DAYS": "SESSION_MAX_DAYS",
}
"""Read where the new name is unset."""

SAMPLES = ("change", "your-", "your_", "secret", "example", "dev-", "replace", "insecure")
"""Beginnings of the keys that sample files and tutorials print."""

OPEN_ISSUERS = ("accounts.google.com", "login.microsoftonline.com/common", "gitlab.com",
                "login.microsoftonline.com/consumers", "appleid.apple.com")  # fmt: skip
"""Providers where anyone can have an account."""

SECTIONS = {
    "ALLOW_SELF_REGISTER": "Switches",
    "APP_ENV": "Core",
    "TZ": "Time and money",
    "AUTH_METHOD": "Signing in",
    "API_TOKEN_DEFAULT_DAYS": "API, import, export, mail, analytics",
}
"""The first variable of each section of the documentation."""


@dataclass(frozen=True, kw_only=True)
class Config:
    """Every variable under its own name; the value on the class is the default."""

    ALLOW_SELF_REGISTER: bool = _off("off: registration answers 404")
    ENABLE_EXPORTS: bool = _on("off: no buttons, 403; own-data export in the profile stays")
    ENABLE_PDF_EXPORT: bool = _on("off: no PDF; other formats stay")
    ENABLE_IMPORTS: bool = _on("off: 403, no menu entry")
    ENABLE_API: bool = _on("off: /api/v1 answers 404, tokens page hidden, tokens kept")
    ENABLE_API_WRITE: bool = _on("off: writing methods of the API answer 403")
    READ_ONLY: bool = _off("on: all can be read, changes answer 503, telemetry pauses")
    MAINTENANCE_MESSAGE: str = _var("", TEXT, "text of a banner on every page")
    ENABLE_TELEMETRY: bool = _on("off: nothing is sent; on: what consent permits")
    TELEMETRY_MAX_LEVEL: str = _var("detailed", LEVELS, "upper bound of consent")
    TELEMETRY_DEFAULT_LEVEL: str = _var("off", LEVELS, "for set-ups without a browser")
    TELEMETRY_DRY_RUN: bool = _off("on: messages are built and logged, none is sent")
    DO_NOT_TRACK: bool = _off("set: nothing is sent, over all else", SAID)
    CONSOLE_DO_NOT_TRACK: bool = _off("the same as DO_NOT_TRACK", SAID)
    RESPECT_BROWSER_DNT: bool = _on("off: DNT and Sec-GPC of browsers are not asked")
    ANALYTICS_PAGEVIEWS: bool = _off("on: $pageview for full-page loads at level detailed")
    ENABLE_UPDATE_CHECK: bool = _off("on: asks UPDATE_CHECK_URL once a day")
    ENABLE_METRICS: bool = _off("off: /metrics answers 404")
    ENABLE_IDLE_DETECTION: bool = _on(
        "off: no idle question; the long-timer question stays"
    )
    ENABLE_EMAIL: bool = _on("off: no mail even if MAIL_HOST is set")
    ENABLE_OIDC: bool = _on("off: OIDC sign-in hidden even if configured")
    ENABLE_LOCAL_LOGIN: bool = _on("off: local form only for OIDC_KEEP_ADMINS")
    USERS_CREATE_PROJECTS: bool = _on("off: only managers and administrators make projects")
    USERS_SEE_RATES: bool = _off("on: users see rates and amounts of their own time")
    EXPORT_DIALOG_VARIANT: str = _var(
        "a", among("a", "b", "split"), "the one measured variant"
    )
    DEMO_MODE: bool = _off(
        "on: sample data that begin anew nightly, passwords shown, no mail, no telemetry"
    )

    APP_ENV: str = _var("production", ENVIRONMENTS, "named in what is reported")
    SECRET_KEY: str = _var("", KEY, "signs sessions; empty: made and kept in DATA_DIR")
    DATA_DIR: Path = _var(HERE, FOLDER, "database, key, backups")  # noqa: RUF009  # gives a dataclass field
    DATABASE_URL: str = _var("", SECRET, "postgresql://…; empty: SQLite in DATA_DIR")
    HOST: str = _var("127.0.0.1", TEXT, "0.0.0.0 listens beyond this machine")
    PORT: int = _var(8080, number(0, 65535), "TCP port; 0 takes a free one")
    PUBLIC_URL: str = _var("", ADDRESS, "where people find it; empty: as asked")
    TRUSTED_PROXIES: int = _var(0, number(0, 9), "X-Forwarded-* hops believed")
    ALLOWED_HOSTS: tuple[str, ...] = _var((), LIST, "others answer 400; empty: any")
    MAX_UPLOAD_MB: int = _var(25, number(1), "largest request body in MB; 413 beyond")
    LOG_LEVEL: str = _var(
        "info", among("debug", "info", "warning", "error"), "least level logged"
    )
    LOG_FORMAT: str = _var("text", among("text", "json"), "one line an event either way")
    AUDIT_RETENTION_DAYS: int = _var(730, COUNT, "days audit entries are kept; 0: for ever")
    AUDIT_STORE_IP: bool = _on("off: no addresses in the audit trail")
    TRASH_DAYS: int = _var(30, number(1), "days deleted entries can be restored")
    BACKUP_KEEP: int = _var(5, COUNT, "automatic copies kept from before migrations")
    SETUP_TOKEN: str = _var("", SECRET, "code of the first run; empty: made, in the log")
    METRICS_TOKEN: str = _var("", SECRET, "bearer token of /metrics; empty: none asked")
    UPDATE_CHECK_URL: str = _var("", ADDRESS, "answers JSON with version")
    DEPLOYMENT_METHOD: str = _var("", among("docker", "native"), "empty: detected")

    TZ: str = _var("UTC", ZONE, "zone of new users; timezone of the installation")
    DEFAULT_LOCALE: str = _var("en", LANGUAGE, "language of new users")
    WEEK_START: int = _var(1, number(0, only=(0, 1, 6)), "0 Sunday, 1 Monday, 6 Saturday")
    CURRENCY: str = _var("EUR", CURRENCY_CODE, "of rates that name none")
    ROUNDING_MINUTES: int = _var(
        0, number(0, only=STEPS), "step of reports; 0: exact seconds"
    )
    ROUNDING_METHOD: str = _var("nearest", among("nearest", "up", "down"), "half goes up")
    ROUNDING_LEVEL: str = _var("entry", among("entry", "day"), "what is rounded")
    ROUNDING_MINIMUM: int = _var(0, COUNT, "minutes an entry over 0 counts at least")
    OVERLAP_POLICY: str = _var(
        "warn", among("allow", "warn", "forbid"), "overlapping entries"
    )
    ENTRY_KINDS: str = _var("both", among("timed", "duration", "both"), "entries by hand")
    REQUIRE_PROJECT: bool = _off("on: asked when a timer stops")
    REQUIRE_TASK: bool = _off("on: asked when a timer stops")
    REQUIRE_DESCRIPTION: bool = _off("on: asked when a timer stops")
    ALLOW_FUTURE_ENTRIES: str = _var(
        "today", among("no", "today", "yes"), "today: to its end"
    )
    LONG_TIMER_HOURS: int = _var(
        8, COUNT, "after these the header asks: still working?; 0: never"
    )
    MAX_TIMER_HOURS: int = _var(0, COUNT, "after these a timer stops by itself; 0: never")
    IDLE_TIMEOUT_MINUTES: int = _var(
        10, number(1), "minutes without input that count as idle"
    )
    LOCK_BEFORE: str = _var("", LOCK, "no change on or before it; empty: no lock")

    AUTH_METHOD: str = _var("local", among("local", "oidc", "both"), "what sign-in offers")
    SELF_REGISTER_DOMAINS: tuple[str, ...] = _var((), LIST, "mail domains; empty: any")
    PASSWORD_MIN_LENGTH: int = _var(12, number(8, 256), "characters")
    SESSION_IDLE_HOURS: int = _var(
        12, number(1), "hours without a request that end a session"
    )
    SESSION_MAX_DAYS: int = _var(
        30, number(1), "days of a session with 'keep me signed in'"
    )
    SESSION_COOKIE_SECURE: str = _var(
        "auto", among("auto", "true", "false"), "auto: over TLS"
    )
    SESSION_COOKIE_NAME: str = _var("timetracker", TEXT, "name of the session cookie")
    SESSION_COOKIE_PATH: str = _var("", TEXT, "empty: from PUBLIC_URL")
    LOGIN_RATE_ACCOUNT: Limit = _var(FIVE, LIMIT, "failures per account and address")  # noqa: RUF009  # gives a dataclass field
    LOGIN_RATE_ADDRESS: Limit = _var(THIRTY, LIMIT, "failures per address")  # noqa: RUF009  # gives a dataclass field
    OIDC_ISSUER: str = _var("", ADDRESS, "its discovery document is read here")
    OIDC_CLIENT_ID: str = _var("", TEXT, "as registered at the provider")
    OIDC_CLIENT_SECRET: str = _var("", SECRET, "empty: public client with PKCE")
    OIDC_SCOPES: str = _var("openid profile email", TEXT, "asked of the provider")
    OIDC_NAME: str = _var("Single sign-on", TEXT, "text of the button")
    OIDC_USERNAME_CLAIM: str = _var("preferred_username", TEXT, "dotted path")
    OIDC_NAME_CLAIM: str = _var("name", TEXT, "dotted path")
    OIDC_EMAIL_CLAIM: str = _var("email", TEXT, "dotted path")
    OIDC_ROLES_CLAIM: str = _var("groups", TEXT, "dotted path to a string or a list")
    OIDC_ROLE_MAP: RoleMap = _var(EVERYONE, ROLE_MAP, "highest wins; * is any other")  # noqa: RUF009  # gives a dataclass field
    OIDC_ROLE_SYNC: str = _var(
        "raise", among("first", "raise", "sync"), "roles at later logins"
    )
    OIDC_KEEP_ADMINS: tuple[str, ...] = _var((), LIST, "local users whom sync never lowers")
    OIDC_AUTO_CREATE: bool = _off("on: first login makes an account")
    OIDC_ALLOWED_DOMAINS: tuple[str, ...] = _var((), LIST, "for OIDC_AUTO_CREATE")
    OIDC_LINK_BY_EMAIL: bool = _off("on: a verified address finds the local account")
    OIDC_LOGOUT: bool = _off("on: signing out ends the provider's session too")
    OIDC_REDIRECT_URI: str = _var("", ADDRESS, "empty: from PUBLIC_URL or the request")
    OIDC_CA_FILE: str = _var("", TEXT, "trusted certificates; empty: the system's")
    OIDC_TIMEOUT_S: int = _var(10, number(1, 120), "seconds to wait for the provider")

    API_TOKEN_DEFAULT_DAYS: int = _var(90, COUNT, "proposed life of a token; 0: no end")
    API_TOKEN_MAX_DAYS: int = _var(0, COUNT, "longest life of a token; 0: no limit")
    API_RATE_PER_MINUTE: int = _var(120, number(1), "requests per token")
    API_CORS_ORIGINS: tuple[str, ...] = _var((), LIST, "may call the API; empty: none")
    IMPORT_MAX_MB: int = _var(20, number(1), "largest file to import, in MB")
    IMPORT_MAX_ROWS: int = _var(200_000, number(1), "most rows of one import")
    EXPORT_MAX_ROWS: int = _var(0, COUNT, "most rows of one export; 0: no limit")
    PDF_MAX_ROWS: int = _var(5000, number(1), "most rows of a PDF; CSV is offered beyond")
    MAIL_HOST: str = _var("", TEXT, "SMTP server; empty: no mail")
    MAIL_PORT: int = _var(587, number(1, 65535), "TCP port of the SMTP server")
    MAIL_SECURITY: str = _var("starttls", among("starttls", "tls", "none"), "encryption")
    MAIL_USER: str = _var("", TEXT, "empty: no sign-in at the SMTP server")
    MAIL_PASSWORD: str = _var("", SECRET, "of MAIL_USER")
    MAIL_FROM: str = _var("", TEXT, "sender; empty: MAIL_USER")
    ANALYTICS_HOST: str = _var("", ADDRESS, "Hedgerow or PostHog of users' events")
    ANALYTICS_KEY: str = _var("", SECRET, "project key there; empty: nothing is sent")
    TELEMETRY_HOST: str = _var("", ADDRESS, "of installation events; empty: as analytics")
    TELEMETRY_KEY: str = _var("", SECRET, "project key there; empty: as analytics")
    ANALYTICS_SHARED_PROJECT: bool = _off(
        "on: several installations report into one project"
    )
    ANALYTICS_API_KEY: str = _var("", SECRET, "deletes removed users at a Hedgerow")
    ANALYTICS_PROJECT_ID: str = _var("", TEXT, "the project whose persons that key deletes")

    SET_IN_ENVIRONMENT: frozenset[str] = frozenset()
    """Names the environment gave: an administrator cannot change these at run time."""

    NOTICES: tuple[str, ...] = ()
    """Sentences for the log at start: old names, changed meanings."""

    def mapping(self) -> dict[str, Any]:
        """Every attribute by name, as ``app.config.from_mapping`` takes it."""
        return {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}


VARIABLES = {f.name: f for f in dataclasses.fields(Config) if "kind" in f.metadata}


def from_environment(environ: Mapping[str, str] | None = None) -> Config:
    """Read every variable (of this process, unless given); raise BadSetting for the first wrong."""
    given, notices = _new_names(os.environ if environ is None else environ)
    values = {}
    for name, field in VARIABLES.items():
        text = _text_of(name, given, secret=field.metadata["kind"].secret)
        if text is not None:
            values[name] = _value(name, text, field.metadata["kind"])
    if values.get("ROUNDING_MINUTES") == 1:
        notices.append("ROUNDING_MINUTES=1 rounds to whole minutes; 0 keeps exact seconds.")
    config = Config(**values, SET_IN_ENVIRONMENT=frozenset(values), NOTICES=tuple(notices))
    _check(config)
    return config


def _new_names(environ: Mapping[str, str]) -> tuple[dict[str, str], list[str]]:
    given, notices = dict(environ), []
    for old, new in OLD_NAMES.items():
        if given.get(old) and not given.get(new):
            given[new] = given[old]
            if not old.startswith("POSTHOG_"):  # those are names in their own right
                notices.append(f"{old} is now called {new}; please rename it.")
    return given, notices


def _text_of(name: str, given: Mapping[str, str], *, secret: bool) -> str | None:
    """The variable's text, from itself or from the file ``NAME_FILE``; None where unset."""
    path = given.get(f"{name}_FILE", "") if secret else ""
    text = given.get(name, "").strip()
    if path and text:
        raise BadSetting(
            f"{name} and {name}_FILE are both set.", hint="Keep one of them.", attr=name
        )
    if path:
        try:
            text = Path(path).read_text(encoding="utf-8").strip()
        except OSError as error:
            raise BadSetting(
                f"{name}_FILE={path!r} cannot be read ({error.strerror}).",
                hint="Name a file that this program may read.",
                attr=name,
            ) from error
    return text or None  # an empty variable is an unset one: compose files write NAME=


def _value(name: str, text: str, kind: Kind) -> Any:
    try:
        return kind.read(text)
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        shown = name if kind.secret else f"{name}={text!r}"
        raise BadSetting(
            f"{shown} cannot be used.", hint=f"It takes {kind.words}.", attr=name
        ) from error


def _check(config: Config) -> None:
    """Refuse what each variable alone allows and both together do not."""
    oidc = config.ENABLE_OIDC and config.AUTH_METHOD != "local"
    usable = oidc and bool(config.OIDC_ISSUER and config.OIDC_CLIENT_ID)
    open_to_all = any(host in config.OIDC_ISSUER for host in OPEN_ISSUERS)
    for wrong, name, what, hint in (
        (config.AUTH_METHOD != "local" and config.ENABLE_OIDC and not usable, "AUTH_METHOD",
         f"AUTH_METHOD={config.AUTH_METHOD!r} offers OIDC without a provider.",
         "Set OIDC_ISSUER and OIDC_CLIENT_ID, or AUTH_METHOD=local."),
        (not usable and (not config.ENABLE_LOCAL_LOGIN or config.AUTH_METHOD == "oidc"),
         "ENABLE_LOCAL_LOGIN", "Nobody could sign in: local sign-in is off and OIDC is not usable.",
         "Set ENABLE_LOCAL_LOGIN=true and AUTH_METHOD=local, or configure OIDC."),
        (config.OIDC_AUTO_CREATE and open_to_all and not config.OIDC_ALLOWED_DOMAINS,
         "OIDC_AUTO_CREATE", f"Anyone can have an account at {config.OIDC_ISSUER!r}.",
         "Name your own mail domains in OIDC_ALLOWED_DOMAINS, or set OIDC_AUTO_CREATE=false."),
        (config.SECRET_KEY.lower().startswith(SAMPLES), "SECRET_KEY",
         "SECRET_KEY is a sample value that everybody knows.",
         "Remove it (one is made and kept), or set 32 random characters or more."),
        (bool(config.MAIL_HOST) and "@" not in (config.MAIL_FROM or config.MAIL_USER),
         "MAIL_FROM", "MAIL_HOST is set, but no address that mail comes from.",
         "Set MAIL_FROM to an address such as timetracker@example.org."),
        (bool(config.SELF_REGISTER_DOMAINS) and config.ALLOW_SELF_REGISTER
         and not (config.MAIL_HOST and config.ENABLE_EMAIL), "SELF_REGISTER_DOMAINS",
         "SELF_REGISTER_DOMAINS cannot be held: without mail nobody's address is confirmed.",
         "Set MAIL_HOST, or remove SELF_REGISTER_DOMAINS."),
        (bool(config.ANALYTICS_HOST) != bool(config.ANALYTICS_KEY), "ANALYTICS_HOST",
         "ANALYTICS_HOST and ANALYTICS_KEY belong together, one is missing.", "Set both or none."),
        (bool(config.TELEMETRY_HOST) != bool(config.TELEMETRY_KEY), "TELEMETRY_HOST",
         "TELEMETRY_HOST and TELEMETRY_KEY belong together, one is missing.", "Set both or none."),
    ):  # fmt: skip
        if wrong:
            raise BadSetting(what, hint=hint, attr=name)
