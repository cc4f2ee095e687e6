"""Numbers, shares, times and names as people read them.

Tables show figures exactly, tiles compactly with the exact figure on hover. The minus is
a minus, ranges have a dash, a share has one decimal and a thin space. Zero is ``0`` and
"there is none" is a dash: a missing figure must never look like a small one.

Pure: the time now is an argument, already in the project's zone.
"""

from datetime import datetime, timedelta

NONE_VALUE = "$$_posthog_breakdown_null_$$"
OTHER_VALUE = "$$_posthog_breakdown_other_$$"
SENTINELS = {NONE_VALUE: "(not set)", OTHER_VALUE: "Other"}
MONTHS = (
    "Jan",
    "Feb",
    "Mar",
    "Apr",
    "May",
    "Jun",
    "Jul",
    "Aug",
    "Sep",
    "Oct",
    "Nov",
    "Dec",
)
NONE = "\u2013"
"""What stands where there is no figure; also the dash of a range."""

MINUS = "\u2212"
THIN = "\u202f"
"""A narrow space that does not break, before a per cent sign."""


def exact(number: float | None) -> str:
    """Return ``12,345`` or ``1.25``: separators, at most two decimals; a dash for none."""
    if number is None:
        return NONE
    rounded = round(number, 2)
    text = f"{abs(rounded):,.0f}" if rounded == int(rounded) else f"{abs(rounded):,.2f}"
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return f"{MINUS}{text}" if rounded < 0 else text


def compact(number: float | None) -> str:
    """Return the figure for a tile: exact below 10,000, then ``12.4k``, ``1.2M``."""
    if number is None or abs(number) < 10_000:
        return exact(number)
    sign = MINUS if number < 0 else ""
    for size, unit in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        scaled = abs(number) / size
        if scaled >= 0.9995:
            return f"{sign}{f'{scaled:.1f}' if scaled < 99.95 else f'{scaled:,.0f}'}{unit}"
    return exact(number)


def percent(share: float | None, *, digits: int = 1) -> str:
    """Return a share between 0 and 1 as ``37.3 %``; a dash where there is none."""
    if share is None:
        return NONE
    text = f"{abs(share) * 100:,.{digits}f}"
    return f"{MINUS if share < 0 and float(text.replace(',', '')) else ''}{text}{THIN}%"


def duration(seconds: float | None) -> str:
    """Return ``41s``, ``3m 12s``, ``1h 05m`` or ``2d 5h``: the two largest units."""
    if seconds is None:
        return NONE
    whole = round(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m {whole % 60:02d}s"
    if whole < 86400:
        return f"{whole // 3600}h {whole % 3600 // 60:02d}m"
    return f"{whole // 86400}d {whole % 86400 // 3600}h"


def ago(then: datetime, now: datetime) -> str:
    """Return how long ago something was, in words: ``just now``, ``4 min ago``."""
    seconds = (now - then).total_seconds()
    if seconds < 10:
        return "just now"
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size):,} {unit} ago"
    return f"{int(seconds)} s ago"


def day(moment: datetime, *, year: bool = False) -> str:
    """Return ``21 Sep``, with the year where asked."""
    text = f"{moment.day} {MONTHS[moment.month - 1]}"
    return f"{text} {moment.year}" if year else text


def day_range(start: datetime, end: datetime) -> str:
    """Return both days with a dash between; one day is one day, other years are named."""
    years = start.year != end.year
    if start.date() == end.date():
        return day(start)
    return f"{day(start, year=years)} {NONE} {day(end, year=years)}"


def bucket(text: str, interval: str) -> str:
    """Return the name of a bucket under an axis, from its entry in ``days``."""
    moment = datetime.fromisoformat(text)
    match interval:
        case "minute" | "hour":
            clock = f"{moment:%H:%M}"
            return f"{day(moment)} {clock}"
        case "month":
            return f"{MONTHS[moment.month - 1]} {moment.year}"
        case _:
            return day(moment)


def bucket_end(start: datetime, interval: str) -> datetime:
    """Return when the bucket that begins at ``start`` is over, by the wall clock."""
    match interval:
        case "minute":
            return start + timedelta(minutes=1)
        case "hour":
            return start + timedelta(hours=1)
        case "week":
            return start + timedelta(days=7)
        case "month":
            return (start.replace(day=1) + timedelta(days=32)).replace(day=1)
        case _:
            return start + timedelta(days=1)


def short(text: str, length: int) -> str:
    """Return a text cut to ``length`` characters, with an ellipsis where it was longer."""
    return text if len(text) <= length else f"{text[: length - 1]}\u2026"


def value_name(value: object) -> str:
    """Return a breakdown value as people read it; several joined by a middle dot."""
    if isinstance(value, list):
        return " · ".join(value_name(each) for each in value)
    return SENTINELS.get(str(value), str(value))
