"""Student's t distribution: the tail and the quantile that Welch's test needs.

The standard library has the normal distribution only, and a package for one function would
weigh more than the rest of the program. The tail is a regularised incomplete beta function,
evaluated by its continued fraction (Lentz's method); the quantile inverts it by bisection
inside a bracket. Both agree with an independent implementation to ten digits (tests).
"""

from math import exp, lgamma, log

PRECISION = 1e-15
STEPS = 500
TINY = 1e-300


def two_sided_p(t: float, degrees: float) -> float:
    """Return P(|T| > |t|) for ``degrees`` > 0 degrees of freedom."""
    whole = degrees + t * t
    return _regularised_beta(degrees / whole, t * t / whole, degrees / 2, 0.5)


def quantile(p: float, degrees: float) -> float:
    """Return the t that a share ``p`` in (0.5, 1) of the distribution lies below."""
    low, high = 0.0, 1.0
    tail = 2 * (1 - p)
    while two_sided_p(high, degrees) > tail:
        low, high = high, high * 2
    for _ in range(200):
        middle = (low + high) / 2
        if middle in {low, high}:
            break
        low, high = (middle, high) if two_sided_p(middle, degrees) > tail else (low, middle)
    return (low + high) / 2


def _regularised_beta(x: float, rest: float, a: float, b: float) -> float:
    """``rest`` is 1 - x, given by itself because near 1 the difference would lose digits."""
    if x <= 0:
        return 0.0
    if rest <= 0:
        return 1.0
    front = exp(lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log(rest))
    if x < (a + 1) / (a + b + 2):  # where the fraction converges fast
        return front * _fraction(x, a, b) / a
    return 1 - front * _fraction(rest, b, a) / b


def _fraction(x: float, a: float, b: float) -> float:
    c, d = 1.0, 1 / _away_from_zero(1 - (a + b) * x / (a + 1))
    total = d
    for m in range(1, STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        d = 1 / _away_from_zero(1 + even * d)
        c = _away_from_zero(1 + even / c)
        total *= d * c
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        d = 1 / _away_from_zero(1 + odd * d)
        c = _away_from_zero(1 + odd / c)
        total *= d * c
        if abs(d * c - 1) < PRECISION:
            break
    return total


def _away_from_zero(value: float) -> float:
    return value if abs(value) > TINY else TINY
