"""Installations: what each is, how its life goes, and what it reports.

A life is decided once, before the first day: born, updates, rollback, pause, days missed,
end. Reporting then only walks through it, so the truth about a fleet (who is silent, who
runs what) can be read from the lives without looking at an event: ``truth`` does so.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from hashlib import sha256
from random import Random
from typing import Any

import msgspec

from hedgerow.simulate.rhythm import ZONES, Span, midnight, pick

RELEASES = (
    ("2.8.0", -200),
    ("2.9.0", -120),
    ("2.9.1", -95),
    ("3.0.0", -62),
    ("3.0.1", -48),
    ("3.1.0-rc.1", -24),
    ("3.1.0", -16),
)
"""Version and the day of its release, counted from the end of the simulation."""

HABITS = {"keen": 25, "normal": 50, "slow": 17, "never": 8}
"""How soon an installation updates, by weight."""

MEDIAN_LAG_DAYS = {"keen": 1.5, "normal": 9.0, "slow": 35.0}
ODD_VERSIONS = (
    "latest",
    "v2.9.1",
    "a3f9c21e",
    "3.0.0+deb12",
    "3.2.0-dev",
    "unknown",
)
"""What those few report who run no release as it was published."""

PLATFORMS = {
    "Linux": ("5.15.0", "6.1.0", "6.8.0"),
    "Windows": ("10.0.19045", "10.0.22631"),
    "Darwin": ("23.4.0",),
}
COPY = {"platform": "Linux", "platform_machine": "armv7l", "deployment_method": "snap"}
"""What is different on the second machine of a copied installation."""

COPY_S = 60
"""Seconds after the first machine at which the second one reports; then the first again."""

FRIDAY = 4
ERRORS_PER_DAY = {"3.1.0": 0.09, "3.0.0": 0.04}
"""Mean errors of an installation and day, by version; others 0.02."""


class Life(msgspec.Struct, kw_only=True):
    """One installation and everything that will happen to it. Days are indexes."""

    distinct_id: str
    zone: str
    second: int
    """Second of the local day at which it reports."""

    about: dict[str, Any]
    """Properties that stay: platform, release, machine, Python, deployment, sign-in."""

    born: int
    """Its first day; negative: before the simulation began."""

    ends: int
    """The day from which on it is never heard of again; beyond the last day: it lives."""

    pause: range
    """Days on which it is not heard of."""

    off_at_weekends: bool
    missed: frozenset[int]
    """Days on which it runs but nothing arrives."""

    copied: bool
    """Whether a second machine was started from a copy of it, under the same id."""

    versions: list[tuple[int, str]]
    """From which day on it runs what, in order of time; the first from its birth."""

    def version_on(self, day: int) -> str:
        """Return what it runs at the end of a day."""
        return next(text for since, text in reversed(self.versions) if since <= day)

    def alive_on(self, day: int) -> bool:
        """Return whether it may report on a day."""
        return self.born <= day < self.ends and day not in self.pause

    def heard_on(self, day: int, span: Span) -> bool:
        """Return whether it reports on a day; it always does on its first one."""
        if not self.alive_on(day) or day == self.born:
            return day == self.born
        resting = self.off_at_weekends and span.date_of(day).weekday() > FRIDAY
        return not resting and day not in self.missed

    def reports_at(self, day: int, span: Span) -> datetime:
        """Return the instant of a day from which on it reports, UTC."""
        return midnight(span.date_of(day), self.zone) + timedelta(seconds=self.second)


def lives(rng: Random, count: int, span: Span) -> list[Life]:
    """Return ``count`` installations."""
    return [_life(rng, number, span) for number in range(count)]


def _life(rng: Random, number: int, span: Span) -> Life:
    platform = pick(rng, {"Linux": 78, "Windows": 15, "Darwin": 7})
    docker = platform == "Linux" and rng.random() < 0.8
    # two in three were there before the first day; the others come, a little faster each week
    born = (
        -rng.randrange(1, 300)
        if rng.random() < 0.66
        else int(span.days * rng.random() ** 0.8)
    )
    ends = span.days + 1
    if rng.random() < 0.18:
        ends = max(born, 0) + rng.randrange(3, span.days)
    pause = range(0)
    if rng.random() < 0.1:
        start = rng.randrange(span.days)
        pause = range(start, start + rng.randrange(4, 25))
    return Life(
        distinct_id=sha256(f"{rng.getrandbits(128)}:{number}".encode()).hexdigest(),
        zone=pick(rng, ZONES),
        second=rng.randrange(86_400),
        about={
            "platform": platform,
            "platform_release": rng.choice(PLATFORMS[platform]),
            "platform_machine": "aarch64" if rng.random() < 0.2 else "x86_64",
            "python_version": rng.choice(("3.11.5", "3.12.0", "3.12.0", "3.13.1")),
            "deployment_method": "docker" if docker else "native",
            "auth_method": "oidc" if rng.random() < 0.3 else "local",
            "environment": "production" if rng.random() < 0.94 else "development",
            "users_band": rng.choice(("1", "1", "2-5", "2-5", "6-20", "21-100")),
        },
        born=born,
        ends=ends,
        pause=pause,
        off_at_weekends=not docker and rng.random() < 0.5,
        missed=frozenset(day for day in range(span.days + 1) if rng.random() < 0.012),
        copied=rng.random() < 0.015,
        versions=_versions(rng, born, span),
    )


def _versions(rng: Random, born: int, span: Span) -> list[tuple[int, str]]:
    """Return from which day on an installation born on a day runs which version."""
    released = [(text, span.days + ago) for text, ago in RELEASES]
    ready = [text for text, day in released if day <= born and "-" not in text]
    history = [(born, ready[-1] if ready else released[0][0])]
    if rng.random() < 0.04:
        return [(born, rng.choice(ODD_VERSIONS))]
    habit = pick(rng, HABITS)
    if habit == "never":
        return history
    for text, day in released:
        candidate = "-" in text
        if day <= born or (candidate and rng.random() > 0.04):
            continue
        when = day + int(rng.lognormvariate(0, 0.9) * MEDIAN_LAG_DAYS[habit])
        if rng.random() < 0.25:
            continue  # this one is skipped
        history = [step for step in history if step[0] < when or step is history[0]]
        history.append((max(when, born + 1), text))
        if text == "3.0.0" and rng.random() < 0.06:  # a rollback, and the second try
            before = history[-2][1]
            history += [(when + 2, before), (when + 12, text)]
    return history


def report(rng: Random, life: Life, day: int, span: Span) -> Iterator[dict[str, Any]]:
    """Yield what an installation sends on a day, in order; nothing when it is not heard of."""
    if not life.heard_on(day, span):
        return
    first_day = day == life.born
    version, before = life.version_on(day), life.version_on(max(day - 1, life.born))
    at = life.reports_at(day, span)
    block = _block(life, version, at.strftime("%Y-%m-%d %H:%M:%S"))

    def sent(name: str, seconds: float, **own: Any) -> dict[str, Any]:
        when = at + timedelta(seconds=seconds)
        return _event(rng, name, life.distinct_id, when, {**block, **own})

    if first_day or before != version or rng.random() < 1 / 30:
        yield from _groups(rng, life, version, at)
    if first_day:
        yield sent("telemetry.install", 1)
    if before != version:
        steps = {"old_version": before, "new_version": version}
        yield sent("telemetry.update", 2, **steps, direction=_direction(before, version))
    beat = {"db_engine": "sqlite", "users_band": life.about["users_band"]}
    yield sent("telemetry.health", 3, **beat)
    if life.copied:
        yield sent("telemetry.health", 3 + COPY_S, **beat, **COPY)
        yield sent("telemetry.health", 3 + 2 * COPY_S, **beat)
    while rng.random() < ERRORS_PER_DAY.get(version, 0.02):
        shape = {
            "error_class": rng.choice(("KeyError", "OperationalError", "TimeoutError"))
        }
        yield sent(
            "error.unhandled",
            rng.randrange(60, 20_000),
            feature_category="error",
            occurrences=1,
            status_code=500,
            endpoint=rng.choice(("reports.show", "entries.list", "exports.download")),
            error_hash=f"{rng.getrandbits(64):016x}",
            **shape,
        )


def _direction(before: str, after: str) -> str:
    """Return ``up`` or ``down``: only listed releases are ever updated to."""
    order = [text for text, _ in RELEASES]
    return "up" if order.index(after) > order.index(before) else "down"


def _block(life: Life, version: str, last_seen: str) -> dict[str, Any]:
    """Return the properties of every telemetry event, those of the person among them."""
    about = {k: v for k, v in life.about.items() if k != "users_band"}
    born_with = life.versions[0][1]
    return {
        **about,
        "version": version,
        "app_version": version,
        "timezone": life.zone,
        "$groups": {"version": version, "platform": about["platform"]},
        "$geoip_disable": True,
        "$ip": None,
        "$set": {
            "current_version": version,
            "current_platform": about["platform"],
            "environment": about["environment"],
            "deployment_method": about["deployment_method"],
            "auth_method": about["auth_method"],
            "timezone": life.zone,
            "last_seen": last_seen,
        },
        "$set_once": {
            "first_seen_platform": about["platform"],
            "first_seen_python_version": about["python_version"],
            "first_seen_version": born_with,
        },
    }


def _groups(
    rng: Random, life: Life, version: str, at: datetime
) -> Iterator[dict[str, Any]]:
    kinds = {
        "version": (
            version,
            {"version_number": version, "python_versions": [life.about["python_version"]]},
        ),
        "platform": (
            life.about["platform"],
            {
                "platform_name": life.about["platform"],
                "platform_release": life.about["platform_release"],
            },
        ),
    }
    for kind, (key, properties) in kinds.items():
        yield _event(
            rng,
            "$groupidentify",
            life.distinct_id,
            at,
            {"$group_type": kind, "$group_key": key, "$group_set": properties, "$ip": None},
        )


def _event(
    rng: Random, name: str, distinct_id: str, at: datetime, properties: dict[str, Any]
) -> dict[str, Any]:
    return {
        "uuid": uuid(rng),
        "event": name,
        "distinct_id": distinct_id,
        "timestamp": at.strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
        "properties": properties,
    }


def uuid(rng: Random) -> str:
    """Return a random UUID of version 4, as text."""
    digits = f"{rng.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
