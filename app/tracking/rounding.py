"""A way to look at time; integers only, never stored.

A step of minutes, a direction, a level and an optional least length. ``nearest`` rounds
half up. An entry is rounded as a whole; its parts at midnight then share the result by
largest remainder, so that days add up. An exact multiple never changes.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Protocol, TypeVar

from app.settings import Settings

STEPS = (0, 1, 5, 6, 10, 12, 15, 30, 60)
METHODS = ("nearest", "up", "down")

Part = TypeVar("Part", bound=Hashable)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """How time is rounded."""

    minutes: int = 0
    """Step; 0 is exact."""
    method: str = "nearest"
    level: str = "entry"
    """``entry``, or ``day``: per person, project and local day."""
    minimum: int = 0
    """Minutes that anything over 0 counts at least."""

    @property
    def is_exact(self) -> bool:
        """Whether it changes nothing."""
        return self.minutes == 0 and self.minimum == 0


class Own(Protocol):
    """Something that may have rounding rules of its own: a client or a project."""

    rounding_minutes: int | None
    rounding_method: str | None
    rounding_level: str | None
    rounding_minimum: int | None


def of_installation(settings: Settings) -> Rule:
    """Return the rule that holds where nothing else is said."""
    return Rule(
        minutes=settings.rounding_minutes,
        method=settings.rounding_method,
        level=settings.rounding_level,
        minimum=settings.rounding_minimum,
    )


def in_force(general: Rule, *overriding: Own | None) -> Rule:
    """Return the rule after client, then project had their say; each value by itself."""
    rule = general
    for own in overriding:
        if own is not None:
            rule = Rule(
                minutes=_or(own.rounding_minutes, rule.minutes),
                method=_or(own.rounding_method, rule.method),
                level=_or(own.rounding_level, rule.level),
                minimum=_or(own.rounding_minimum, rule.minimum),
            )
    return rule


Value = TypeVar("Value", int, str)


def _or(own: Value | None, above: Value) -> Value:
    return above if own is None else own


def rounded(seconds: int, rule: Rule) -> int:
    """Return seconds as the rule sees them."""
    if seconds <= 0:
        return 0
    seconds = max(seconds, rule.minimum * 60)
    step = rule.minutes * 60
    if not step:
        return seconds
    match rule.method:
        case "up":
            return -(-seconds // step) * step
        case "down":
            return seconds // step * step
        case _:
            return (2 * seconds + step) // (2 * step) * step


@lru_cache(maxsize=100_000)
def rounded_again(seconds: int, rule: Rule) -> int:
    """Return the same, remembered: a report of a million entries has few lengths."""
    return rounded(seconds, rule)


def shared(whole: int, parts: Mapping[Part, int]) -> dict[Part, int]:
    """Return ``whole`` divided like ``parts``, by largest remainder; sums are exact."""
    total = sum(parts.values())
    if total <= 0:
        return dict.fromkeys(parts, 0)
    shares = {key: whole * part // total for key, part in parts.items()}
    left = whole - sum(shares.values())
    by_remainder = sorted(parts, key=lambda key: -(whole * parts[key] % total))
    for key in by_remainder[:left]:
        shares[key] += 1
    return shares
