"""Calling a webhook: signed, bounded, and never into the network Hedgerow stands in.

The name is looked up once and that address is called, so a name that changes its mind
between the check and the call gains nothing. Redirects are not followed. A receiver checks
``X-Hedgerow-Signature``: the HMAC-SHA256, in hex, of the timestamp header, a dot and the
body, under the alert's secret. ``id`` stays the same when a call is repeated.
"""

import hashlib
import hmac
import http.client
import ipaddress
import socket
import ssl
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from urllib.parse import SplitResult, urlsplit

import msgspec

from hedgerow.errors import HedgerowError

TIMEOUT_S = 10
PORTS = {"http": 80, "https": 443}


class NotDelivered(HedgerowError):
    """A message that did not arrive; it is tried again a few times."""

    code = "not_delivered"


def call(
    url: str,
    secret: str,
    content: Mapping[str, Any],
    now: datetime,
    *,
    private: bool,
) -> None:
    """POST ``content`` as JSON; ``private``: addresses of one's own network are allowed.

    Raises NotDelivered with what the receiver answered.
    """
    parts = urlsplit(url)
    body = msgspec.json.encode(content)
    stamp = str(int(now.timestamp()))
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Hedgerow",
        "X-Hedgerow-Timestamp": stamp,
        "X-Hedgerow-Signature": signature(secret, stamp, body),
    }
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    connection = _connection(parts, private=private)
    try:
        connection.request("POST", path, body, headers)
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise _failed(parts, str(error) or type(error).__name__) from error
    finally:
        connection.close()
    if not 200 <= status < 300:
        moved = " A redirect is not followed." if 300 <= status < 400 else ""
        raise _failed(parts, f"it answered {status}.{moved}")


def signature(secret: str, stamp: str, body: bytes) -> str:
    """Return what proves to the receiver that a call is ours."""
    return hmac.new(
        secret.encode(), stamp.encode() + b"." + body, hashlib.sha256
    ).hexdigest()


def _connection(parts: SplitResult, *, private: bool) -> http.client.HTTPConnection:
    host = parts.hostname or ""
    port = parts.port or PORTS[parts.scheme]
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:  # the latter: it cannot be a name
        raise _failed(parts, f"there is no such name ({error})") from error
    address = str(found[0][4][0])
    if not private and any(not _is_public(str(one[4][0])) for one in found):
        raise NotDelivered(
            f"{host} is in a private network.",
            hint="HEDGEROW_ALERT_PRIVATE_NETWORKS=true allows that.",
        )
    if parts.scheme == "http":
        plain = http.client.HTTPConnection(host, port, timeout=TIMEOUT_S)
        plain.sock = _open(parts, address, port)
        return plain
    made = http.client.HTTPSConnection(host, port, timeout=TIMEOUT_S)
    context = ssl.create_default_context()
    raw = _open(parts, address, port)
    try:
        made.sock = context.wrap_socket(raw, server_hostname=host)
    except (OSError, ValueError) as error:
        raw.close()
        raise _failed(parts, str(error)) from error
    return made


def _open(parts: SplitResult, address: str, port: int) -> socket.socket:
    try:
        return socket.create_connection((address, port), timeout=TIMEOUT_S)
    except OSError as error:
        raise _failed(parts, str(error)) from error


def _is_public(address: str) -> bool:
    found = ipaddress.ip_address(address.partition("%")[0])
    mapped = getattr(found, "ipv4_mapped", None) or found
    return bool(mapped.is_global and not mapped.is_multicast)


def _failed(parts: SplitResult, why: str) -> NotDelivered:
    return NotDelivered(f"{parts.hostname} was not reached: {why}", hint="")
