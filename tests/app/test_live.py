"""Streams that tell of the timer: what they say, how many there are, how they end."""

import os
import signal

import pytest
from sqlalchemy import delete

from app.models.people import UserSession
from app.views import live
from app.views.live import EXTENSION, Streams


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(live, "LOOK_S", 0.01)
    monkeypatch.setattr(live, "PING_S", 0.0)


def opened(browser, tab="a"):
    answer = browser.client.get(f"/timer/live?tab={tab}", buffered=False)
    return answer, (part.decode() for part in answer.iter_encoded())


def test_a_stream_tells_the_timer_at_once_and_again_when_it_changes(browser):
    browser.get("/profile/more")
    answer, said = opened(browser)
    first = [next(said), next(said)]
    browser.post("/timer/start", {"description": "Draft"}, htmx=True)
    news = next(part for part in said if not part.startswith(":"))
    answer.close()

    assert first == ["retry: 2000\n\n", "event: timer\ndata: none\n\n"]
    assert news == "event: timer\ndata: 1.1\n\n"


def test_no_proxy_holds_a_stream_back(browser):
    answer, _ = opened(browser)
    answer.close()

    assert answer.mimetype == "text/event-stream"
    assert answer.headers["X-Accel-Buffering"] == "no"
    assert answer.headers["Cache-Control"] == "no-store, no-transform"


def test_silence_is_broken_so_that_a_closed_page_is_noticed(browser):
    answer, said = opened(browser)
    parts = [next(said) for _ in range(3)]
    answer.close()

    assert parts[2] == ": still here\n\n"


def test_a_session_that_ends_ends_its_stream(browser, app):
    answer, said = opened(browser)
    next(said), next(said)
    with app.extensions["database"].writing() as session:
        session.execute(delete(UserSession))
    rest = [part for part in said if not part.startswith(":")]
    answer.close()

    assert rest == ["event: end\ndata: \n\n"]


def test_who_is_not_signed_in_gets_no_stream(visitor):
    assert visitor.client.get("/timer/live").status_code == 302


def test_when_all_streams_are_taken_a_page_is_told_to_ask(browser, app):
    app.extensions[EXTENSION] = Streams(most=1)
    answer, said = opened(browser, "a")
    next(said)
    late = browser.client.get("/timer/live?tab=b").text
    answer.close()

    assert late == "event: full\ndata: \n\n"
    assert len(app.extensions[EXTENSION]) == 0


def test_the_next_page_of_a_tab_takes_its_stream():
    streams = Streams(most=1)
    before, after = streams.open("a"), streams.open("a")
    streams.close(before)

    assert before.ended
    assert len(streams) == 1
    streams.close(after)
    assert len(streams) == 0


def test_streams_end_with_their_process():
    streams = Streams()
    stream = streams.open("a")
    news, write = os.pipe()
    os.write(write, bytes([signal.SIGCHLD, signal.SIGTERM]))
    live._watch(news, streams)

    assert stream.ended
    assert streams.open("b") is None
    os.close(news)
    os.close(write)


def test_a_stream_ends_after_a_while_and_leaves_its_place(browser, app, monkeypatch):
    monkeypatch.setattr(live, "LASTS_S", 0.0)
    text = browser.client.get("/timer/live?tab=a").text

    assert text == "retry: 2000\n\n"
    assert len(app.extensions[EXTENSION]) == 0
