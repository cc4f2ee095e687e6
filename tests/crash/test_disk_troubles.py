"""While a disk is full, read-only or failing, everything waits; afterwards it is all there.

Nothing that was acknowledged is lost or doubled, the state says what is wrong, and no
restart is needed, not even after an error that is fatal to the engine.
"""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def faulty_disk(tmp_path_factory):
    """A library that lets the disk of a process fail; needs a C compiler."""
    built = tmp_path_factory.mktemp("faulty") / "faulty_disk.so"
    source = HERE / "faulty_disk.c"
    subprocess.run(["cc", "-shared", "-fPIC", "-o", built, source, "-ldl"], check=True)
    return built


@pytest.mark.parametrize(
    ("trouble", "said", "refused"),
    [
        pytest.param(
            "full while committing",
            "Could not write file",
            "inbox_unavailable",
            id="a full disk",
        ),
        pytest.param(
            "full while tidying",
            "FATAL Error: Failed to create checkpoint",
            "inbox_unavailable",
            id="a full disk while the log is moved, fatal to the engine",
        ),
        pytest.param(
            "syncs fail",
            "fsync failed",
            "inbox_unavailable",
            id="failing syncs, fatal to the engine",
        ),
        pytest.param(
            "read-only",
            "Read-only file system",
            None,
            id="a read-only folder of the events database",
        ),
    ],
)
def test_nothing_is_lost_and_no_restart_is_needed(
    faulty_disk, tmp_path, trouble, said, refused
):
    told = subprocess.run(
        [sys.executable, HERE / "troubled_child.py", trouble, tmp_path],
        env={
            **os.environ,
            "LD_PRELOAD": str(faulty_disk),
            "FAULTY_DISK": str(tmp_path / "how"),
            "PYTHONPATH": str(HERE.parent.parent),
        },
        stdout=subprocess.PIPE,
        check=True,
    )
    happened = json.loads(told.stdout)
    sent = happened["sent"]

    assert said in happened["failure"]
    assert "Nothing is lost" in happened["failure"]
    assert happened["refused"] == refused
    assert (happened["after"], happened["failure_after"]) == (None, None)
    assert happened["stored"] == [[sent, sent]]
    assert happened["answer_after"] == sent
