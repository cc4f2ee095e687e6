"""Own rounding rules of clients and projects, as the API takes and shows them."""

from collections.abc import Mapping
from typing import Any

from app.api import kinds
from app.api.shapes import Field, Shape, given, may, nested
from app.config import STEPS
from app.models.work import AS_ABOVE, OwnRounding, Rounded
from app.work.rounded import LEVELS, LONGEST_MINIMUM, METHODS

_FIELDS: dict[str, kinds.Kind] = {
    "minutes": kinds.number_of(*STEPS),
    "method": kinds.one_of(*METHODS),
    "level": kinds.one_of(*LEVELS),
    "minimum": kinds.whole(0, LONGEST_MINIMUM),
}
TAKEN = Shape("OwnRounding", {name: may(kind, null=True) for name, kind in _FIELDS.items()})
SHOWN = given(
    nested(TAKEN), "Null, as a whole or in parts: as the level above has it.", null=True
)
SET: Field = may(
    nested(TAKEN), "What is left out or null is as the level above has it.", null=True
)


def shown(thing: Rounded) -> dict[str, Any] | None:
    """Return the rules of a client or project as JSON."""
    own = thing.rounding
    return None if own == AS_ABOVE else own._asdict()


def taken(body: Mapping[str, Any]) -> dict[str, OwnRounding]:
    """Return the rules a body gives, as a keyword; nothing where it says nothing."""
    if "rounding" not in body:
        return {}
    return {"rounding": OwnRounding(**(body["rounding"] or {}))}
