"""Capture alone on a socket, for the SDK tests: ``python -m tests.contract.capture_server PORT``.

Its working folder is its data folder. It knows the project tokens ``phc_test`` and
``phc_other``, and serves ``pages/`` of that folder. Requests come in as in ``hedgerow serve``,
by its ``Door``; with ``--record`` all take the long way and are written as they came into
``requests.ndjson``: that is how the bodies in ``tests/hedgerow/wire`` were recorded.
"""

import base64
import json
import sys
from functools import partial
from pathlib import Path

import uvicorn

from hedgerow.capture.door import Door
from hedgerow.capture.endpoints import Capture, handles
from hedgerow.inbox import SqliteInbox
from hedgerow.model.projects import Project
from hedgerow.settings import Settings

PROJECTS = {
    token: Project(id=number, name=token, api_token=token)
    for number, token in enumerate(("phc_test", "phc_other"), 1)
}
HERE = Path.cwd()
inbox = SqliteInbox(HERE / "inbox.sqlite")
capture = Capture(project_of=PROJECTS.get, inbox=inbox, settings=Settings(data=str(HERE)))
requests = (HERE / "requests.ndjson").open("a")


async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        await _live(receive, send)
    elif handles(scope["path"], scope["method"]):
        await capture(scope, _recorded(scope, receive), send)
    else:
        await _page(scope["path"], send)


async def _live(receive, send):
    while (message := await receive())["type"] != "lifespan.shutdown":
        await send({"type": f"{message['type']}.complete"})
    inbox.close()
    await send({"type": "lifespan.shutdown.complete"})


def _recorded(scope, receive):
    pieces = []

    async def recording():
        message = await receive()
        pieces.append(message.get("body", b""))
        if not message.get("more_body"):
            line = {
                "method": scope["method"],
                "path": scope["path"],
                "query": scope["query_string"].decode(),
                "headers": {
                    name.decode(): value.decode() for name, value in scope["headers"]
                },
                "body": base64.b64encode(b"".join(pieces)).decode(),
            }
            requests.write(json.dumps(line) + "\n")
            requests.flush()
        return message

    return recording


async def _page(path, send):
    file = HERE / "pages" / path.strip("/")
    found = file.is_file()
    kind = b"text/javascript" if file.suffix == ".js" else b"text/html; charset=utf-8"
    await send(
        {
            "type": "http.response.start",
            "status": 200 if found else 404,
            "headers": [(b"content-type", kind)],
        }
    )
    await send({"type": "http.response.body", "body": file.read_bytes() if found else b""})


def main(port, *wishes):
    way = {} if "--record" in wishes else {"http": partial(Door, capture)}
    uvicorn.run(
        app,
        port=int(port),
        loop="uvloop",
        ws="none",
        log_level="warning",
        lifespan="on",
        **way,
    )


if __name__ == "__main__":
    main(*sys.argv[1:])
