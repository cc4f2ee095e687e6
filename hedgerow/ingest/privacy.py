"""A project's rules of privacy: what is never kept, or only disguised.

A rule is ``{"property": "email", "action": "drop" | "hash" | "shorten", "length"?: 3}``. It
holds for events and for people, wherever the property stands, and runs before anything is
stored: what a rule takes away is nowhere, not under the name of its first value either
(``$initial_…``). ``hash`` keeps equal values equal, so counting
still works; ``shorten`` keeps the first ``length`` characters (default 1) of a text.

With ``anonymize_ips`` no IP address is kept; the place it stood for has been looked up
before and stays.
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

from hedgerow.ingest.drafts import Batch
from hedgerow.ingest.properties import INITIAL
from hedgerow.ingest.sizes import json_text
from hedgerow.model.projects import Project

ACTIONS = frozenset({"drop", "hash", "shorten"})


def hide(batch: Batch) -> None:
    """Drop, hash or shorten what the project's rules name."""
    for draft in batch.drafts:
        project = draft.project
        if project.anonymize_ips or draft.properties.get("$cookieless_mode") is True:
            for one in (draft.properties, draft.set, draft.set_once):
                one.pop("$ip", None)
        if project.privacy_rules:
            apply_rules(draft.properties, project)
            draft.set = hidden(draft.set, project)
            draft.set_once = hidden(draft.set_once, project)
            group_set = draft.properties.get("$group_set")
            if isinstance(group_set, dict):
                draft.properties["$group_set"] = hidden(group_set, project)


def hidden(properties: dict[str, Any], project: Project) -> dict[str, Any]:
    """Return properties as the project's rules leave them."""
    if not properties or not project.privacy_rules:
        return properties
    left = dict(properties)
    apply_rules(left, project)
    return left


def apply_rules(properties: dict[str, Any], project: Project) -> None:
    """Apply a project's rules to properties in place."""
    for named, action, length in rules(project.privacy_rules):
        for name in (named, INITIAL.get(named)):
            value = None if name is None else properties.get(name)
            if name is None or value is None:
                continue
            if action == "drop":
                del properties[name]
            elif action == "hash":
                properties[name] = hashed(value, project)
            elif isinstance(value, str):
                properties[name] = value[:length]


def rules(given: Sequence[dict[str, Any]]) -> list[tuple[str, str, int]]:
    """Return rules as name, action and length.

    One that is not understood drops its property: too little kept can be put right, too
    much cannot.
    """
    understood = []
    for rule in given:
        action, length = rule.get("action"), rule.get("length", 1)
        if action not in ACTIONS or not isinstance(length, int) or length < 0:
            action, length = "drop", 0
        understood.append((str(rule.get("property")), str(action), length))
    return understood


def hashed(value: Any, project: Project) -> str:
    """Return 32 hex digits that stand for a value; keyed by the project's token."""
    text = value if isinstance(value, str) else json_text(value)
    key = project.api_token.encode()[:64]
    return blake2b(text.encode(), key=key, digest_size=16).hexdigest()
