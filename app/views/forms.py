"""Reading forms: text → values, and which field was wrong."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from babel.numbers import get_currency_precision
from flask import request
from werkzeug.datastructures import MultiDict

from app.errors import InvalidInput, said

HIGHEST_RATE = 2**31 - 1
"""Minor units an hour."""


def form() -> MultiDict[str, str]:
    """Return the fields of the form that was sent."""
    return request.form


def text(name: str, default: str = "") -> str:
    """Return a field without blanks around it."""
    return request.form.get(name, default).strip()


def number_or_none(name: str, source: Mapping[str, str] | None = None) -> int | None:
    """Return a whole number; None where the field is empty."""
    given = (source if source is not None else request.form).get(name, "").strip()
    if not given:
        return None
    if not given.lstrip("-").isdecimal() or len(given) > 18:
        raise InvalidInput(
            said("%(given)r is no whole number.", given=given[:40]), attr=name
        )
    return int(given)


def rate(name: str, currency: str) -> int:
    """Return an hourly rate in minor units of the currency: ``95,50`` is 9550."""
    try:
        major = Decimal(text(name).replace(",", "."))
    except InvalidOperation as error:
        raise InvalidInput(
            "The rate cannot be read.", hint="Write 95.50.", attr=name
        ) from error
    digits = get_currency_precision(currency)
    if not (major.is_finite() and 0 <= major <= Decimal(HIGHEST_RATE).scaleb(-digits)):
        raise InvalidInput(
            said("A rate is 0 to %(most)s.", most=Decimal(HIGHEST_RATE).scaleb(-digits)),
            hint="Write 95.50.",
            attr=name,
        )
    return int(major.scaleb(digits))


def numbers(name: str) -> list[int]:
    """Return every whole number that was ticked under this name."""
    return [int(given) for given in request.form.getlist(name) if given.isdecimal()]


def ticked(name: str) -> bool:
    """Return whether a box is ticked."""
    return request.form.get(name, "") not in {"", "0", "false", "off"}


def kept() -> dict[str, Any]:
    """Return what was typed, to fill the form in again; never a password."""
    return {
        name: value
        for name, value in request.form.items()
        if not name.startswith("password") and name != "csrf_token"
    }
