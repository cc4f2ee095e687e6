"""Which variant of something measured a person sees.

Variants live here and in the configuration, never on the analytics server. ``split``
gives each half of the people one, by a hash of person and experiment: the same person
always sees the same, and another experiment divides them differently.
"""

import hashlib
from collections.abc import Mapping
from typing import Any

EXPERIMENTS = {"export_dialog": "EXPORT_DIALOG_VARIANT"}
"""Name of the experiment → variable that says which variant."""


def variant(config: Mapping[str, Any], name: str, user_id: int) -> str:
    """Return ``a`` or ``b``: what is told as ``experiment_variant``."""
    configured = str(config[EXPERIMENTS[name]])
    if configured != "split":
        return configured
    digest = hashlib.sha256(f"{name}:{user_id}".encode()).digest()
    return "ab"[digest[0] % 2]
