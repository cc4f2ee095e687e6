"""Properties that come by themselves: of the deployment, the request, the installation.

Paths are told as the code knows them: whatever varies in an address is ``:id``, so no
number, name or token of a person's work can travel in one. A request without a known
route has no path at all.
"""

import platform
import re
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from flask import Request
from ua_parser import parse

from app.config import VERSION

BROWSERS = (
    ("Edge", "Edge"),
    ("Opera", "Opera"),
    ("Samsung Internet", "Samsung Internet"),
    ("Firefox", "Firefox"),
    ("Safari", "Safari"),
    ("Chrom", "Chrome"),
)
"""What a family name contains, and what it is called: ``Mobile Safari`` is Safari."""

SYSTEMS = {
    "Windows": "Windows",
    "Mac OS X": "Mac OS X",
    "iOS": "iOS",
    "Android": "Android",
    "Chrome OS": "Chrome OS",
}
LINUXES = ("Linux", "Ubuntu", "Fedora", "Debian", "Red Hat", "SUSE", "Arch Linux", "Mint")
CONTAINERS = (Path("/.dockerenv"), Path("/run/.containerenv"))


class Browser(NamedTuple):
    """What a User-Agent says; None where it does not."""

    family: str | None
    device: str | None
    system: str | None


@lru_cache(maxsize=512)
def browser(user_agent: str) -> Browser:
    """Read a User-Agent; programs (no known browser family) have no properties."""
    read = parse(user_agent)
    given = read.user_agent.family if read.user_agent else ""
    family = next((name for part, name in BROWSERS if part in given), None)
    if family is None:
        return Browser(None, None, None)
    system = read.os.family if read.os else ""
    os = "Linux" if system.startswith(LINUXES) else SYSTEMS.get(system)
    return Browser(family, _device(user_agent, os), os)


def _device(user_agent: str, system: str | None) -> str:
    if "iPad" in user_agent or (system == "Android" and "Mobile" not in user_agent):
        return "Tablet"
    return "Mobile" if system in {"iOS", "Android"} else "Desktop"


def deployment(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return block [D]."""
    return {
        "environment": config["APP_ENV"],
        "app_version": VERSION,
        "deployment_method": deployment_method(config),
    }


def deployment_method(config: Mapping[str, Any]) -> str:
    """Return ``docker`` or ``native``: as configured, else by the marks of a container."""
    configured = str(config["DEPLOYMENT_METHOD"])
    return configured or (
        "docker" if any(mark.exists() for mark in CONTAINERS) else "native"
    )


def request_properties(request: Request | None, *, shared: bool) -> dict[str, Any]:
    """Return block [R]; ``shared`` leaves out the host, for a project of several."""
    if request is None:
        return {"via": "system"}
    seen = browser(request.headers.get("User-Agent", ""))
    path = told_path(request)
    host = {} if shared else {"$host": request.host}
    url = path if shared else f"{request.scheme}://{request.host}{path}"
    found = {
        "$browser": seen.family,
        "$device_type": seen.device,
        "$os": seen.system,
        "$current_url": url,
        "$pathname": path,
        **host,
        "route": request.endpoint,
        "via": "api" if (request.endpoint or "").startswith("api.") else "web",
    }
    return {name: value for name, value in found.items() if value}


def told_path(request: Request) -> str:
    """Return the request's path with ``:id`` for all that varies."""
    if request.url_rule is None:
        return "/:id"
    fixed = re.sub(r"<[^>]*>", ":id", request.url_rule.rule)
    segments = (":id" if ":id" in part else part for part in fixed.split("/"))
    return request.script_root + "/".join(segments)


def objects_to_tracking(request: Request | None, config: Mapping[str, Any]) -> bool:
    """Whether the browser asks not to be tracked and this installation respects it."""
    if request is None or not config["RESPECT_BROWSER_DNT"]:
        return False
    return "1" in (request.headers.get("DNT"), request.headers.get("Sec-GPC"))


def groups() -> dict[str, str]:
    """Return the two groups every event of this installation belongs to."""
    return {"version": VERSION, "platform": system_name()}


def system_name() -> str:
    """Return the kind of operating system, as one of the catalogue's words."""
    name = platform.system()
    return name if name in {"Linux", "Windows", "Darwin"} else "other"


def machine() -> str:
    """Return the kind of processor, as one of the catalogue's words."""
    name = {"AMD64": "x86_64", "arm64": "aarch64"}.get(
        platform.machine(), platform.machine()
    )
    return name if name in {"x86_64", "aarch64", "armv7l"} else "other"


def release() -> str:
    """Return the numeric part of the kernel's release: ``5.15.0`` of ``5.15.0-91-generic``."""
    found = re.match(r"\d+(\.\d+)*", platform.release())
    return found[0] if found else "0"


def auth_method(config: Mapping[str, Any]) -> str:
    """Return ``oidc`` where single sign-on is offered, else ``local``."""
    offered = config["ENABLE_OIDC"] and config["AUTH_METHOD"] != "local"
    return "oidc" if offered else "local"


def coarse_minutes(seconds: float, most: int = 1440) -> int:
    """Return a duration in steps of five minutes: coarse enough to be no timesheet."""
    return min(int(seconds) // 60 // 5 * 5, most)


def local_moment(now: datetime, zone: str) -> dict[str, int]:
    """Return block [L]: hour (0 to 23) and weekday (Monday is 1) in a person's zone."""
    there = now.astimezone(ZoneInfo(zone))
    return {"local_hour": there.hour, "local_weekday": there.isoweekday()}
