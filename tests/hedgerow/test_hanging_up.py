"""Who hangs up is answered 499, and the engine stops working for them."""

import asyncio
import json

import pytest

from hedgerow.api.questions import Questions
from hedgerow.serve.running import application

ROWS = ", ".join(
    f"(SELECT arrayJoin(range(10000)) AS n) AS t{number}" for number in range(4)
)
ENDLESS = {"kind": "HogQLQuery", "query": f"SELECT count() FROM {ROWS}"}


async def hung_up(app, path, headers, body, is_working):
    """Return the status that a request gets whose caller leaves once the engine works."""
    sent = []
    request = {"type": "http.request", "body": body, "more_body": False}
    left = [request]

    async def receive():
        if left:
            return left.pop()
        while not is_working():  # noqa: ASYNC110 - the engine sets no event
            await asyncio.sleep(0.01)
        return {"type": "http.disconnect"}

    async def send(message):
        sent.append(message)

    scope = {
        "type": "http",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "scheme": "http",
        "query_string": b"",
        "headers": [(name.lower().encode(), text.encode()) for name, text in headers],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 8000),
        "http_version": "1.1",
    }
    await app(scope, receive, send)
    return next(one["status"] for one in sent if one["type"] == "http.response.start")


@pytest.mark.slow
def test_a_question_stops_when_its_asker_hangs_up(house, api):
    questions = Questions(1, house.clock)
    app = application(house, questions)
    running = house.store._questions._running
    headers = [*api.key.header.items(), ("Content-Type", "application/json")]
    body = json.dumps({"query": ENDLESS}).encode()
    path = f"/api/projects/{api.id}/query/"

    status = asyncio.run(hung_up(app, path, headers, body, lambda: bool(running)))

    questions.close()
    assert status == 499
    assert not running
