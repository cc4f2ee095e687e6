"""Speaks HTTP, byte for byte, to the protocol that capture is served with: no socket."""

import asyncio
import http.client
import io
from dataclasses import dataclass
from functools import partial

import uvicorn
from uvicorn.server import ServerState

from hedgerow.capture.door import Door
from tests.hedgerow.capture_client import Client, Reply


class Wire:
    """The transport of one connection: what was written, and whether it is closed."""

    def __init__(self, client):
        self.addresses = {"peername": (client, 4242), "sockname": ("127.0.0.1", 8000)}
        self.written = b""
        self.closed = False

    def get_extra_info(self, name, default=None):
        return self.addresses.get(name, default)

    def write(self, data):
        assert not self.closed
        self.written += data

    def close(self):
        self.closed = True

    def is_closing(self):
        return self.closed

    def pause_reading(self):
        pass

    def resume_reading(self):
        pass


@dataclass
class DoorClient(Client):
    """Asks as a browser's socket does; answers are read by the standard library."""

    def ask(self, method, target, body=b"", *, client="10.0.0.7", **headers):
        sent = request(method, target, body, **headers)
        wire = asyncio.run(self.talk(sent, client=client))
        return replies(wire.written, method)[0]

    async def talk(self, *pieces, count=1, client="10.0.0.7"):
        """Send pieces over one connection and return it after so many answers."""
        wire = Wire(client)
        door = self.door()
        door.connection_made(wire)
        for piece in pieces:
            door.data_received(piece)
        await until(lambda: door.server_state.total_requests >= count)
        return wire

    def door(self):
        """Return a connection's protocol, not yet connected."""
        config = uvicorn.Config(
            self.capture,
            http=partial(Door, self.capture),
            lifespan="off",
            ws="none",
            log_config=None,
            interface="asgi3",
        )
        return Door(self.capture, config=config, server_state=ServerState(), app_state={})


async def until(holds):
    """Let the loop run until something holds."""
    for _ in range(20_000):
        if holds():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("it never came to hold")


def request(method, target, body=b"", *, version="1.1", **headers):
    """Return the bytes of a request; ``content_type="text/plain"`` becomes a header."""
    headers.setdefault("content_length", str(len(body)))
    lines = [f"{method} {target} HTTP/{version}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join([*lines, "", ""]).encode() + body


def replies(written, method="POST"):
    """Return all answers in what a server wrote."""
    stream = io.BytesIO(written)
    stream.close = lambda: None  # several answers are read from it
    found = []
    while stream.tell() < len(written):
        answer = http.client.HTTPResponse(_Socket(stream), method=method)
        answer.begin()
        body = answer.read()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        found.append(Reply(answer.status, headers, body))
    return found


class _Socket:
    def __init__(self, stream):
        self.stream = stream

    def makefile(self, *_):
        return self.stream
