"""An installation asks to be forgotten: no login, but a proof that it is itself (§4.8).

``POST /i/v0/forget`` with ``api_key``, ``distinct_id`` and ``proof``, in base64. The SHA-256
of the proof's bytes is the distinct id, or stands in the person's ``forget_hash``. Whether an
id is known is not told to anybody who cannot prove it.
"""

import base64
import binascii
import hashlib
import hmac
import threading
from collections import OrderedDict, deque
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hedgerow.api.parts import Parts
from hedgerow.api.requests import converted
from hedgerow.errors import (
    BadCapture,
    HedgerowError,
    InvalidInput,
    NotAllowed,
    TooManyTries,
)
from hedgerow.meta import audit, credentials
from hedgerow.meta.audit import Actor
from hedgerow.model.projects import Project
from hedgerow.replies import json_reply, refusal

AT_MOST = 10
WITHIN = timedelta(minutes=1)
ADDRESSES_KEPT = 10_000
BODY_MAX = 16 * 1024
PROOF_MAX = 4096


class Wish(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Who wants to be forgotten, and the proof."""

    api_key: str
    distinct_id: str
    proof: str


class Receipt(msgspec.Struct, kw_only=True):
    """What was deleted, and when."""

    receipt: str
    deleted_events: int
    at: datetime


class Tries:
    """Counts requests by address; safe to use from several threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_address: OrderedDict[str, deque[datetime]] = OrderedDict()

    def count(self, address: str, now: datetime) -> None:
        """Count one. Raises TooManyTries beyond ten a minute."""
        with self._lock:
            tries = self._by_address.setdefault(address, deque(maxlen=AT_MOST))
            self._by_address.move_to_end(address)
            while len(self._by_address) > ADDRESSES_KEPT:
                self._by_address.popitem(last=False)
            if len(tries) == AT_MOST and now - tries[0] < WITHIN:
                raise TooManyTries(
                    f"More than {AT_MOST} requests came from {address} within a minute.",
                    hint="Wait a minute.",
                )
            tries.append(now)


def routes(parts: Parts, *, trusted_proxies: int) -> list[Route]:
    """Return ``/i/v0/forget``, with or without a slash at its end."""
    tries = Tries()

    async def forget(request: Request) -> Response:
        try:
            said = int(request.headers.get("content-length", "0") or 0)
            raw = await request.body() if said <= BODY_MAX else b""
            if not raw or len(raw) > BODY_MAX:
                raise InvalidInput(
                    f"The body has {max(said, len(raw))} bytes.",
                    hint=f"Send JSON of at most {BODY_MAX} bytes.",
                )
            address = _address(request, trusted_proxies)
            told = await run_in_threadpool(_forgotten, parts, tries, raw, address)
        except HedgerowError as error:
            return refusal(error)
        return json_reply(msgspec.to_builtins(told))

    paths = ("/i/v0/forget", "/i/v0/forget/")
    return [Route(path, forget, methods=["POST"]) for path in paths]


def _forgotten(parts: Parts, tries: Tries, raw: bytes, address: str) -> Receipt:
    now = parts.clock()
    tries.count(address, now)
    try:
        wish = converted(msgspec.json.decode(raw), Wish)
    except msgspec.DecodeError as error:
        raise InvalidInput(f"The body is no JSON: {error}.", hint="Send JSON.") from error
    project = parts.directory.project_of_token(wish.api_key.strip())
    if project is None:
        raise BadCapture(
            "invalid_token",
            "No project has this token.",
            hint="Use the project's token; it begins with phc_.",
            attr="api_key",
        )
    digest = hashlib.sha256(_bytes(wish.proof)).hexdigest()
    person = _person(parts, project, wish.distinct_id)
    kept = (person or {}).get("properties", {}).get("forget_hash")
    wanted = [wish.distinct_id, *([kept] if isinstance(kept, str) else [])]
    if not any(hmac.compare_digest(digest, one.lower()) for one in _ascii(wanted)):
        raise NotAllowed(
            "The proof does not belong to this distinct id.",
            hint="Send the bytes whose SHA-256 is the distinct id, in base64.",
        )
    return _deleted(parts, project, person, now)


def _deleted(
    parts: Parts, project: Project, person: Mapping[str, Any] | None, now: datetime
) -> Receipt:
    receipt = credentials.link_token()
    if person is None:
        return Receipt(receipt=receipt, deleted_events=0, at=now)
    asked = {"do": "delete_person", "person": person["id"], "with_events": True}
    done = parts.command(project.id, asked)
    with parts.metadata.writing() as session:
        by = Actor(user_id=None, who="the installation itself", at=now)
        subject = ("person", f"receipt {receipt}")
        audit.note(session, by, "deleted", subject, project_id=project.id)
    return Receipt(receipt=receipt, deleted_events=int(done["events"]), at=now)


def _person(parts: Parts, project: Project, distinct_id: str) -> Mapping[str, Any] | None:
    query = {"kind": "PersonsNode", "distinctId": distinct_id, "select": ["person"]}
    rows = parts.ask(project.id, query, refresh="force_blocking")["results"]
    found: Mapping[str, Any] | None = rows[0][0] if rows else None
    return found


def _bytes(proof: str) -> bytes:
    try:
        found = base64.b64decode(proof, validate=True)
    except (binascii.Error, ValueError) as error:
        raise InvalidInput(
            "The proof is no base64.", hint="Encode its bytes in base64.", attr="proof"
        ) from error
    if not 1 <= len(found) <= PROOF_MAX:
        raise InvalidInput(
            f"The proof has {len(found)} bytes.",
            hint=f"Send 1 to {PROOF_MAX}.",
            attr="proof",
        )
    return found


def _ascii(texts: list[str]) -> list[str]:
    """Return those that can be compared in constant time: a digest is plain ASCII."""
    return [one for one in texts if one.isascii()]


def _address(request: Request, trusted_proxies: int) -> str:
    direct = request.client.host if request.client else ""
    if not trusted_proxies:
        return direct
    seen = [part.strip() for part in request.headers.get("x-forwarded-for", "").split(",")]
    return seen[-min(trusted_proxies, len(seen))] or direct
