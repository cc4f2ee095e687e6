"""A process whose disk fails in one of several ways, and gets well again.

    python troubled_child.py TROUBLE FOLDER

Prints what happened as one line of JSON: what the state said while it lasted, whether a
question and a new request were refused, and what is stored in the end. The limit on the
size of files stands for a full disk; it holds for the whole process, hence a process.
"""

import json
import os
import resource
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from sqlglot import parse_one

from hedgerow.errors import HedgerowError
from hedgerow.ingest import writer as writer_module
from hedgerow.model.ports import Statement
from tests.crash.writer_child import EVENTS_EACH, PROJECT, opened, request
from tests.world import rows

SOFT, HARD = resource.getrlimit(resource.RLIMIT_FSIZE)
HEALTHY = Statement(tree=parse_one("SELECT count(*) FROM events"), values={})


class Child:
    """Inbox, store and writer on a disk that can be told to fail."""

    def __init__(self, folder):
        self.folder = folder
        self.inbox, self.store, self.writer = opened(folder)
        self.sent = 0

    def send(self, count=1):
        """Append requests; return None, or why one was not acknowledged."""
        for _ in range(count):
            body = request(self.sent + 1)
            try:
                self.inbox.append(1, "capture", datetime.now(UTC), b"{}", body).result()
            except HedgerowError as error:
                return error.code
            self.sent += 1
        return None

    def failure(self):
        """Return what the state says once it says that something is wrong."""
        for _ in range(3000):
            if (said := self.writer.state(PROJECT.id)["failure"]) is not None:
                return said
            time.sleep(0.01)
        return None

    def answer(self):
        """Return what a question comes to: a number, or why there is none."""
        try:
            return self.store.run(HEALTHY, timeout_s=5).rows[0][0]
        except HedgerowError as error:
            return error.code


def largest_file(size):
    """Let no file grow beyond ``size`` bytes; None: as before."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (SOFT if size is None else size, HARD))


def full_while_committing(child):
    """The log of the events database cannot grow."""
    child.send(20)
    largest_file(4096)
    child.writer.start()
    said = {"failure": child.failure(), "refused": child.send()}
    largest_file(None)
    return said


def full_while_tidying(child):
    """The log cannot be moved into the file, which the engine holds for fatal."""
    child.send(20)
    child.writer.start()
    child.writer.flush(30)
    largest_file((child.folder / "events.duckdb").stat().st_size + 4096)
    said = {"failure": child.failure(), "refused": child.send()}
    largest_file(None)
    return said


def faulty(how, child):
    """A disk that fails on demand; see ``faulty_disk.c``."""
    child.send(20)
    trouble = Path(os.environ["FAULTY_DISK"])
    child.store.checkpoint(idle=True)  # so that the log has to be made anew
    trouble.write_text(how)
    child.writer.start()
    said = {"failure": child.failure(), "refused": child.send()}
    trouble.unlink()
    return said


TROUBLES = {
    "full while committing": full_while_committing,
    "full while tidying": full_while_tidying,
    "syncs fail": lambda child: faulty("fsync", child),
    "read-only": lambda child: faulty("readonly", child),
}


def main():
    """Go through one trouble and say what happened."""
    writer_module.IDLE_AFTER_S = writer_module.TIDY_AGAIN_S = 0.05
    child = Child(Path(sys.argv[2]))
    said = TROUBLES[sys.argv[1]](child)
    said["after"] = child.send(3)
    child.writer.flush(60)
    state = child.writer.state(PROJECT.id)
    said["stored"] = rows(child.store, "SELECT count(*), count(DISTINCT uuid) FROM events")
    said |= {"sent": child.sent * EVENTS_EACH, "failure_after": state["failure"]}
    said["answer_after"] = child.answer()
    child.writer.stop()
    child.inbox.close()
    child.store.close()
    sys.stdout.write(json.dumps(said))


if __name__ == "__main__":
    main()
