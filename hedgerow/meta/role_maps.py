"""Roles made of a claim of the identity provider (``HEDGEROW_OIDC_ROLE_MAP``).

    {"analytics": "administrator",      of the whole server
     "product": "editor",               in every project
     "shop": {"3": "admin"},            in project 3
     "*": "viewer"}                     whoever comes

The highest of what fits holds. The map rules the projects it names, or all where it gives
a role in every project: there a role that the claim does not give is taken away.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from hedgerow.errors import BadSetting
from hedgerow.meta.accounts import ROLES, Role

Claims = Mapping[str, Any]

ADMINISTRATOR = "administrator"
"""In the role map: of the whole server."""


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """What one value of the role claim gives."""

    is_admin: bool = False
    everywhere: Role | None = None
    projects: Mapping[int, Role] = {}


def read(text: str) -> dict[str, Grant]:
    """Return what each value of the claim gives. Raises BadSetting."""
    if not text.strip():
        return {}
    try:
        given = msgspec.json.decode(text, type=dict[str, str | dict[str, str]])
        return {value: _grant(roles) for value, roles in given.items()}
    except (msgspec.DecodeError, ValueError) as error:
        raise BadSetting(
            f"HEDGEROW_OIDC_ROLE_MAP {text[:200]!r} cannot be read: {error}.",
            hint="Write JSON such as "
            '{"staff": "viewer", "analytics": "administrator", "shop": {"3": "admin"}}.',
        ) from error


def _grant(given: str | dict[str, str]) -> Grant:
    if given == ADMINISTRATOR:
        return Grant(is_admin=True)
    if isinstance(given, str):
        return Grant(everywhere=_role(given))
    return Grant(projects={int(number): _role(name) for number, name in given.items()})


def _role(name: str) -> Role:
    found = next((role for role in ROLES if role == name), None)
    if found is None:
        raise ValueError(f"there is no role {name!r}, only {', '.join(ROLES)}")
    return found


def claim(claims: Claims, path: str) -> Any:
    """Return the claim at a dotted path; None where there is none."""
    if path in claims:
        return claims[path]  # a claim whose own name has dots, such as an address
    found: Any = claims
    for part in path.split("."):
        if not isinstance(found, Mapping) or part not in found:
            return None
        found = found[part]
    return found


def granted(claims: Claims, path: str, role_map: Mapping[str, Grant]) -> Grant | None:
    """Return what the claims give; None: no value of theirs is in the map."""
    value = claim(claims, path)
    texts = value if isinstance(value, list) else [value]
    values = {text for text in texts if isinstance(text, str)}
    fitting = [grant for name, grant in role_map.items() if name in values | {"*"}]
    if not fitting:
        return None
    projects: dict[int, Role] = {}
    for grant in fitting:
        for number, role in grant.projects.items():
            projects[number] = higher(role, projects.get(number)) or role
    everywhere: Role | None = None
    for grant in fitting:
        everywhere = higher(grant.everywhere, everywhere)
    return Grant(
        is_admin=any(grant.is_admin for grant in fitting),
        everywhere=everywhere,
        projects=projects,
    )


def higher(one: Role | None, other: Role | None) -> Role | None:
    """Return the one that reaches further; None: neither is a role."""
    if one is None or other is None:
        return one or other
    return max(one, other, key=ROLES.index)
