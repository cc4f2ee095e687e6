"""Users: who they are, how long they stay, and what they do on a day.

Each finds the product without a name, signs up (their anonymous visits become theirs), and
works in sessions. Those who sign in through a company's provider stay longer; those who
begin on a laptop may go on with a phone. In an experiment, variant ``b`` of the export
dialog makes an export after a report likelier.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any

import msgspec

from hedgerow.simulate.fleet import Life, uuid
from hedgerow.simulate.rhythm import ZONES, Span, at_work, midnight, pick, working_second

ROLES = {"admin": 6, "manager": 12, "user": 74, "viewer": 8}
DAILY_LOSS = {"oidc": 0.004, "local": 0.011}
"""Chance that somebody never comes back after a day, by how they sign in."""

LAPTOPS = (
    ("Chrome", "Windows"),
    ("Chrome", "Mac OS X"),
    ("Firefox", "Linux"),
    ("Edge", "Windows"),
)
PHONES = (("Chrome", "Android"), ("Mobile Safari", "iOS"))
HOST = "time.example.org"
PAGES = ("/", "/features", "/pricing", "/docs", "/signup")
EXPORTS = {"csv": 70, "xlsx": 20, "pdf": 10}
EXPORT_AFTER_REPORT = {"a": 0.16, "b": 0.27}


class User(msgspec.Struct, kw_only=True):
    """Somebody who uses the product. Days are indexes; names are never sent."""

    distinct_id: str
    role: str
    auth_method: str
    signup_method: str
    zone: str
    joins: int
    """The day of the first sign-in; negative: before the simulation began."""

    leaves: int
    """From this day on they do not come back."""

    eagerness: float
    """How likely they work on an ordinary weekday, 0 to 1."""

    laptop: tuple[str, str]
    phone: tuple[str, str] | None
    variant: str
    home: Life
    """The installation they work on."""


def people(rng: Random, count: int, fleet: list[Life], span: Span) -> list[User]:
    """Return ``count`` users, spread over the installations."""
    return [_user(rng, number, fleet, span) for number in range(1, count + 1)]


def _user(rng: Random, number: int, fleet: list[Life], span: Span) -> User:
    auth_method = "oidc" if rng.random() < 0.35 else "local"
    joins = -rng.randrange(1, 120) if rng.random() < 0.45 else rng.randrange(span.days)
    stays = int(rng.expovariate(DAILY_LOSS[auth_method])) + 1
    if joins < 0:  # whoever left before the first day is not part of the story
        stays = max(stays, -joins + 1)
    return User(
        distinct_id=str(number),
        role="admin" if number == 1 else pick(rng, ROLES),
        auth_method=auth_method,
        signup_method="oidc" if auth_method == "oidc" else rng.choice(("local", "admin")),
        zone=pick(rng, ZONES),
        joins=joins,
        leaves=joins + stays,
        eagerness=rng.betavariate(4, 2),
        laptop=rng.choice(LAPTOPS),
        phone=rng.choice(PHONES) if rng.random() < 0.3 else None,
        variant="b" if rng.random() < 0.5 else "a",
        home=rng.choice(fleet),
    )


class _Session:
    """One sitting: builds events with a clock that only goes forward."""

    def __init__(self, rng: Random, user: User, day: int, span: Span) -> None:
        self.rng, self.user = rng, user
        self.start = midnight(span.date_of(day), user.zone)
        self.second = working_second(rng)
        on_phone = user.phone is not None and day > user.joins + 7 and rng.random() < 0.4
        browser, system = user.phone if on_phone and user.phone else user.laptop
        # the shared server of the story runs what the user's installation runs that day
        version = user.home.version_on(max(day, user.home.born))
        self.properties = {
            "$browser": browser,
            "$os": system,
            "$device_type": "Mobile" if on_phone else "Desktop",
            "$host": HOST,
            "environment": "production",
            "app_version": version,
            "deployment_method": user.home.about["deployment_method"],
            "via": "web",
            "$groups": {"version": version, "platform": user.home.about["platform"]},
        }

    def now(self) -> datetime:
        return self.start + timedelta(seconds=self.second)

    def later(self, least_s: int, most_s: int) -> None:
        self.second += self.rng.randrange(least_s, most_s)

    def event(self, name: str, path: str, **own: Any) -> dict[str, Any]:
        """Return an event of the user at this moment, with what comes by itself."""
        category = (
            {} if name.startswith("$") else {"feature_category": name.partition(".")[0]}
        )
        return self.raw(name, self.user.distinct_id, {**self.page(path), **category, **own})

    def page(self, path: str) -> dict[str, Any]:
        return {
            **self.properties,
            "$pathname": path,
            "$current_url": f"https://{HOST}{path}",
        }

    def raw(
        self, name: str, distinct_id: str, properties: dict[str, Any]
    ) -> dict[str, Any]:
        return {
            "uuid": uuid(self.rng),
            "event": name,
            "distinct_id": distinct_id,
            "timestamp": self.now().strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
            "properties": properties,
        }


def work(rng: Random, user: User, day: int, span: Span) -> Iterator[dict[str, Any]]:
    """Yield what somebody does on a day, in order; nothing when they do not come."""
    if not user.joins <= day < user.leaves:
        return
    if day != user.joins and not at_work(rng, span, day, user.eagerness):
        return
    session = _Session(rng, user, day, span)
    if day == user.joins:
        yield from _discover(session)
    yield from _sign_in(session, first=day == user.joins)
    if user.role != "viewer":
        yield from _track(session)
    yield from _report(session)
    if rng.random() < 0.3:
        session.later(5, 300)
        yield session.event(
            "auth.logout", "/logout", auth_method=user.auth_method, session_minutes=45
        )


def _discover(session: _Session) -> Iterator[dict[str, Any]]:
    """The pages somebody sees before having a name; then those visits become theirs."""
    anonymous = f"anon-{session.rng.getrandbits(64):016x}"
    for path in PAGES[: session.rng.randrange(2, len(PAGES) + 1)]:
        yield session.raw("$pageview", anonymous, session.page(path))
        session.later(8, 240)
    named = {"$anon_distinct_id": anonymous, **session.page("/signup")}
    yield session.raw("$identify", session.user.distinct_id, named)
    session.later(2, 30)


def _sign_in(session: _Session, *, first: bool) -> Iterator[dict[str, Any]]:
    user = session.user
    now = session.now().strftime("%Y-%m-%dT%H:%M:%S")
    known = {
        "$set": {
            "role": user.role,
            "is_admin": user.role == "admin",
            "last_login": now,
            "auth_method": user.auth_method,
        },
        "$set_once": {"first_login": now, "signup_method": user.signup_method},
    }
    yield session.event("$identify", "/login", **known)
    session.later(1, 3)
    yield session.event(
        "auth.login", "/login", auth_method=user.auth_method, is_first_login=first
    )


def _track(session: _Session) -> Iterator[dict[str, Any]]:
    rng, user = session.rng, session.user
    if rng.random() < (0.12 if user.role in {"admin", "manager"} else 0.03):
        session.later(10, 200)
        yield session.event("project.created", "/projects", billable=rng.random() < 0.6)
    for _ in range(rng.randrange(1, 5)):
        session.later(20, 900)
        yield session.event(
            "timer.started",
            "/",
            local_hour=session.second // 3600 % 24,
            has_project=rng.random() < 0.8,
            origin=rng.choice(("header", "shortcut", "dashboard")),
        )
        worked = rng.randrange(300, 7200)
        session.second += worked
        yield session.event(
            "timer.stopped", "/", duration_minutes=worked // 300 * 5, stopped_by="user"
        )


def _report(session: _Session) -> Iterator[dict[str, Any]]:
    rng, user = session.rng, session.user
    if rng.random() > 0.35:
        return
    session.later(10, 600)
    seen = {"experiment_variant": user.variant}
    yield session.event("report.viewed", "/reports", report_type="summary", **seen)
    if rng.random() > EXPORT_AFTER_REPORT[user.variant]:
        return
    session.later(4, 90)
    kind = pick(rng, EXPORTS)
    export = {
        "export_type": kind,
        "dataset": "entries",
        "rows": rng.randrange(5, 900),
        **seen,
    }
    yield session.event("export.completed", f"/exports/entries.{kind}", **export)
    single = session.event(f"export.{kind}", f"/exports/entries.{kind}", **export)
    del single["properties"][
        "feature_category"
    ]  # so that Feature Usage counts an export once
    yield single
