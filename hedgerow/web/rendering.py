"""Templates, and the headers every page of ours carries.

Templates are strict: a value that is missing is an error, not a blank. Everything that
comes out of them is escaped. Scripts and styles come only from our own address, under
names made of their content, so browsers keep them for ever and never see an old one.
"""

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.responses import HTMLResponse

from hedgerow.web.charts import words

DIST = Path(str(resources.files("hedgerow.web") / "static" / "dist"))
ASSETS = "/assets/"
CSP = (
    "default-src 'self'; img-src 'self' data: blob:; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cache-Control": "no-store",
}


@cache
def manifest() -> Mapping[str, str]:
    """Return which file each script, style and picture became when they were bundled."""
    found: dict[str, str] = json.loads((DIST / "manifest.json").read_text())
    return found


def asset(name: str) -> str:
    """Return the address of a script, style or picture by its name in the sources."""
    return ASSETS + manifest()[name]


@cache
def typeface() -> str:
    """Return the address of the Latin letters, which every page wants first."""
    (found,) = DIST.glob("inter-latin-wght-*.woff2")
    return ASSETS + found.name


def icon(name: str) -> Markup:
    """Return one of our icons; it says nothing to a screen reader."""
    address = f"{asset('icons.svg')}#i-{name}"
    return Markup('<svg class="icon" aria-hidden="true"><use href="{}"/></svg>').format(
        address
    )


def as_json(value: Any) -> Markup:
    """Return a value as JSON that may stand inside a script element or an attribute."""
    text = msgspec.json.encode(value).decode()
    for character in "<>&'\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)  # noqa: S704  the characters that mean something in HTML are gone


def moment(value: datetime | None, zone: Any) -> str:
    """Return a time in ``zone`` as ``21 Sep 2025, 10:24:07``; a dash for none."""
    if value is None:
        return words.NONE
    local = value.astimezone(zone)
    return f"{words.day(local, year=True)}, {local:%H:%M:%S}"


def initials(name: str) -> str:
    """Return one or two letters that stand for a name or an address."""
    parts = [part for part in name.replace("@", " ").replace(".", " ").split() if part]
    return "".join(part[0] for part in parts[:2]).upper() or "?"


@cache
def environment() -> Environment:
    """Return the templates, ready to render."""
    made = Environment(
        loader=PackageLoader("hedgerow.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.globals.update(asset=asset, icon=icon, typeface=typeface)
    made.filters.update(
        json=as_json,
        exact=words.exact,
        compact=words.compact,
        percent=words.percent,
        duration=words.duration,
        value_name=words.value_name,
        ago=words.ago,
        day=words.day,
        moment=moment,
        initials=initials,
    )
    return made


def html(template: str, values: Mapping[str, Any]) -> str:
    """Return a rendered template."""
    return environment().get_template(template).render(values)


def response(
    template: str,
    values: Mapping[str, Any],
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """Return a rendered template as a reply with all headers of ours."""
    return HTMLResponse(
        html(template, values), status_code=status, headers={**HEADERS, **(headers or {})}
    )
