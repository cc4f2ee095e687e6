"""One computation for one question: who waits, who computes, who may give up."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from hedgerow.errors import QueryCancelled, QueryTimedOut
from hedgerow.insights.cached import Cache

ANSWER = {"results": [1]}


class Waiting:
    """A cancel that tells when somebody waits, and then says what it is told to."""

    def __init__(self, *, gives_up: bool = False) -> None:
        self.seen = threading.Event()
        self.gives_up = gives_up

    def is_set(self) -> bool:
        self.seen.set()
        return self.gives_up


class Slow:
    """A computation that has begun, and ends when it may."""

    def __init__(self, error: Exception | None = None) -> None:
        self.begun, self.may_end, self.error = threading.Event(), threading.Event(), error

    def __call__(self) -> dict[str, list[int]]:
        self.begun.set()
        assert self.may_end.wait(60)
        if self.error is not None:
            raise self.error
        return ANSWER


def never() -> dict[str, list[int]]:
    raise AssertionError("this answer was being computed already")


@pytest.fixture
def threads():
    with ThreadPoolExecutor(2) as pool:
        yield pool


def test_who_asks_what_is_being_computed_waits_for_that(threads):
    cache, slow, waiting = Cache(), Slow(), Waiting()
    first = threads.submit(cache.once, "key", slow, None)
    assert slow.begun.wait(60)
    second = threads.submit(cache.once, "key", never, waiting)
    assert waiting.seen.wait(60)

    slow.may_end.set()

    assert (first.result(), second.result()) == ((ANSWER, False), (ANSWER, True))


def test_another_question_does_not_wait(threads):
    cache, slow = Cache(), Slow()
    first = threads.submit(cache.once, "key", slow, None)
    assert slow.begun.wait(60)

    assert cache.once("another", lambda: ANSWER, None) == (ANSWER, False)

    slow.may_end.set()
    assert first.result() == (ANSWER, False)


def test_if_it_fails_the_next_one_computes(threads):
    late = QueryTimedOut("Too late.", hint="")
    cache, slow, waiting = Cache(), Slow(error=late), Waiting()
    first = threads.submit(cache.once, "key", slow, None)
    assert slow.begun.wait(60)
    second = threads.submit(cache.once, "key", lambda: ANSWER, waiting)
    assert waiting.seen.wait(60)

    slow.may_end.set()

    assert first.exception() is late
    assert second.result() == (ANSWER, False)


def test_who_gives_up_waiting_leaves_the_others_alone(threads):
    cache, slow = Cache(), Slow()
    first = threads.submit(cache.once, "key", slow, None)
    assert slow.begun.wait(60)

    with pytest.raises(QueryCancelled):
        cache.once("key", never, Waiting(gives_up=True))

    slow.may_end.set()
    assert first.result() == (ANSWER, False)
    assert cache.once("key", never, None) == (ANSWER, True)


def test_what_failed_is_not_kept():
    cache = Cache()
    with pytest.raises(ZeroDivisionError):
        cache.once("key", lambda: {"results": 1 // 0}, None)

    assert cache.find("key") is None
    assert cache.once("key", lambda: ANSWER, None) == (ANSWER, False)
