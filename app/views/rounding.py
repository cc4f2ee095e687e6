"""Own rounding rules of a client or project, as a form says them.

The fields are those of the macro in ``_rounding.html``; an empty one leaves the rule to
the level above.
"""

from app.models.work import OwnRounding
from app.views import forms


def typed() -> OwnRounding:
    """Return the rules as they were typed; ``work.rounded`` checks them."""
    return OwnRounding(
        minutes=forms.number_or_none("rounding_minutes"),
        method=forms.text("rounding_method") or None,
        level=forms.text("rounding_level") or None,
        minimum=forms.number_or_none("rounding_minimum"),
    )
