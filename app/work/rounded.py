"""Rounding rules of a client or a project: checked before they are kept.

Each of the four may be left to the level above: project, client, installation.
"""

from app.config import STEPS
from app.errors import InvalidInput, said
from app.models.work import OwnRounding

METHODS = ("nearest", "up", "down")
LEVELS = ("entry", "day")
LONGEST_MINIMUM = 24 * 60
"""Minutes."""


def checked(own: OwnRounding) -> OwnRounding:
    """Return the rules, or raise InvalidInput for the one that cannot be."""
    least = own.minimum
    for name, value, fits, hint in (
        (
            "minutes",
            own.minutes,
            own.minutes in STEPS,
            said("Use %(words)s.", words=", ".join(map(str, STEPS))),
        ),
        (
            "method",
            own.method,
            own.method in METHODS,
            said("Use %(words)s.", words=", ".join(METHODS)),
        ),
        (
            "level",
            own.level,
            own.level in LEVELS,
            said("Use %(words)s.", words=", ".join(LEVELS)),
        ),
        (
            "minimum",
            least,
            least is not None and 0 <= least <= LONGEST_MINIMUM,
            said("Use 0 to %(most)s minutes.", most=LONGEST_MINIMUM),
        ),
    ):
        if value is not None and not fits:
            raise InvalidInput(
                said(
                    "Time cannot be rounded with %(what)s %(value)r.",
                    what=name,
                    value=str(value)[:40],
                ),
                hint=hint,
                attr=f"rounding_{name}",
            )
    return own
