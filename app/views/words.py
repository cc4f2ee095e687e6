"""Words for templates: translations, dates, durations, icons, addresses of assets.

Templates compute nothing; what they need said is said here, in the user's language, zone
and format; ``app.languages`` translates.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from babel import dates, numbers
from flask import Flask, current_app, g, request, session, url_for
from markupsafe import Markup

from app.config import VERSION
from app.languages import direction, gettext, language, locale, ngettext, told
from app.models.people import User
from app.people import roles
from app.tracking import durations
from app.tracking.days import zone
from app.views import context
from app.views.vocabulary import word


def icon(name: str) -> Markup:
    """Return the icon ``name`` of ``icons.svg``."""
    return Markup(
        '<svg class="icon" aria-hidden="true"><use href="{}#i-{}"/></svg>'
    ).format(asset("icons.svg"), name)


def asset(name: str) -> str:
    """Return the address of a bundled file, with its content's hash in it."""
    return url_for("static", filename=current_app.extensions["assets"].get(name, name))


def clock(instant: datetime, where: str) -> str:
    """Return a time of day as this person writes it: ``08:50`` or ``8:50 AM``."""
    local = instant.astimezone(zone(where))
    person = g.get("user")
    if isinstance(person, User) and person.time_format == 12:
        return str(dates.format_time(local, "h:mm a", locale=locale()))
    return local.strftime("%H:%M")


def instant(seconds: int) -> datetime:
    """Return the moment so many seconds after 1970."""
    return datetime.fromtimestamp(seconds, UTC)


def day(value: date, style: str = "EEEE d MMMM") -> str:
    """Return a date in words; ``style`` is a pattern of Unicode's date formats."""
    return str(dates.format_date(value, style, locale=locale()))


def moment(instant: datetime) -> str:
    """Return date and time in the user's zone."""
    person = context.user_or_none()
    where = zone(person.timezone if person else "UTC")
    local = instant.astimezone(where)
    return f"{day(local.date(), 'd MMM y')}, {clock(instant, str(where))}"


def _in_hours(length: int) -> str | None:
    """Return a length as hours with two decimals for who chose that; None for others."""
    person = g.get("user")
    if not isinstance(person, User) or person.duration_format != "decimal":
        return None
    hours = Decimal(durations.decimal(length))
    return str(numbers.format_decimal(hours, "#,##0.00", locale=locale()))


def grid(length: int) -> str:
    """Return a length for tables: ``1:05``, or ``1.08`` for who chose decimal hours."""
    return _in_hours(length) or durations.grid(length)


def prose(length: int) -> str:
    """Return a length for sentences: ``1h 05m``, or ``1.08 h``."""
    hours = _in_hours(length)
    return gettext("%(n)s h", n=hours) if hours else durations.prose(length)


def count(value: int) -> str:
    """Return a whole number with separators."""
    return str(numbers.format_decimal(value, locale=locale()))


def size(length: int) -> str:
    """Return a number of bytes as people say it: ``3.2 MB``."""
    value, unit = float(length), "B"
    for larger in ("kB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    places = 0 if unit == "B" or value >= 100 else 1
    return f"{numbers.format_decimal(round(value, places), locale=locale())} {unit}"


def money(minor: int, currency: str) -> str:
    """Return an amount of minor units with its currency."""
    digits = numbers.get_currency_precision(currency)
    return str(numbers.format_currency(minor / 10**digits, currency, locale=locale()))


def may(act: roles.Act) -> bool:
    """Return whether who is signed in may do this."""
    return roles.may(context.user_or_none(), act, context.settings())


def csrf_token() -> str:
    """Return the token every form carries."""
    return context.browser_session().csrf_token()


def flashed() -> dict[str, Any] | None:
    """Return what the page before wants said here, once."""
    said: dict[str, Any] | None = session.pop("toast", None)
    return said


def has(endpoint: str) -> bool:
    """Return whether this installation has that screen."""
    return endpoint in current_app.view_functions


def here(endpoint: str) -> bool:
    """Return whether this page belongs to the screen ``endpoint`` opens."""
    return (request.blueprint or "") == endpoint.partition(".")[0]


def initials(name: str) -> str:
    """Return one or two letters that stand for a person."""
    words_ = [word for word in name.split() if word]
    return "".join(word[0] for word in (words_[:1] + words_[1:][-1:])).upper() or "?"


def share(part: int, whole: int) -> float:
    """Return per cent, at most 100, for the width of a bar."""
    return min(100.0, round(100 * part / whole, 1)) if whole > 0 else 0.0


def most(bars: Sequence[Any]) -> int:
    """Return the highest of bars and targets, so that all fit."""
    return max(3600, *(int(max(bar.seconds, bar.target)) for bar in bars))


def most_of(buckets: Sequence[tuple[date, Any]]) -> int:
    """Return the highest bucket, at least a minute."""
    return max(60, *(int(sums.seconds) for _, sums in buckets))


def target(length: int) -> str:
    """Return a target briefly: ``8h``, or ``7h 30m`` where it is not whole hours."""
    return prose(length) if length % 3600 else f"{length // 3600}h"


def difference(worked: int, target: int) -> str:
    """Return how much more or less than the target it is: ``+0:10`` or ``-1:13``."""
    gap = worked - target
    sign = "+" if gap > 0 else "" if gap < 0 else "\u00b1"
    return sign + grid(gap)


def plain_http() -> bool:
    """Return whether this page came unencrypted from beyond this machine."""
    local = request.host.partition(":")[0] in {"127.0.0.1", "localhost", "[::1]", "[", ""}
    return not g.get("is_secure") and not local


def request_id() -> str:
    """Return the number under which the log knows this request."""
    return str(g.get("request_id", ""))


def ranges() -> list[tuple[str, str]]:
    """Return the periods to choose from, with their names."""
    _ = gettext
    return [
        ("today", _("Today")),
        ("yesterday", _("Yesterday")),
        ("this_week", _("This week")),
        ("last_week", _("Last week")),
        ("this_month", _("This month")),
        ("last_month", _("Last month")),
        ("this_quarter", _("This quarter")),
        ("last_quarter", _("Last quarter")),
        ("this_year", _("This year")),
        ("last_year", _("Last year")),
        ("last_7_days", _("Last 7 days")),
        ("last_30_days", _("Last 30 days")),
        ("last_90_days", _("Last 90 days")),
        ("all", _("All time")),
        ("custom", _("Custom …")),
    ]


def client_options(clients: Sequence[Any]) -> list[tuple[int, str]]:
    """Return clients as options of a list."""
    return [(client.id, client.name) for client in clients]


def teach(app: Flask) -> None:
    """Give templates these words."""
    app.jinja_env.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]  # comes with the i18n extension
    app.jinja_env.filters |= {
        "prose": prose,
        "target": target,
        "grid": grid,
        "typed": durations.grid,
        "exact": durations.exact,
        "clock": clock,
        "instant": instant,
        "day": day,
        "moment": moment,
        "count": count,
        "money": money,
        "size": size,
        "told": told,
        "word": word,
    }
    app.jinja_env.globals |= {
        "icon": icon,
        "asset": asset,
        "may": may,
        "csrf_token": csrf_token,
        "flashed": flashed,
        "current_user": context.user_or_none,
        "settings": context.settings,
        "now": context.now,
        "language": language,
        "version": VERSION,
        "direction": direction,
        "has": has,
        "most_of": most_of,
        "difference": difference,
        "here": here,
        "initials": initials,
        "share": share,
        "most": most,
        "plain_http": plain_http,
        "request_id": request_id,
        "ranges": ranges,
        "client_options": client_options,
    }
