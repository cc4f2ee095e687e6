"""The contract's cases, asked over HTTP of a server started as a user would start it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.contract.server import serving

pytestmark = pytest.mark.slow
CONTRACT = Path(__file__).parents[3] / "shared" / "contract"
FILES = sorted(one.stem for one in CONTRACT.glob("*.json"))


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    with serving(tmp_path_factory.mktemp("contract") / "data") as running:
        yield running


def test_the_contract_is_here():
    assert "trends" in FILES


@pytest.mark.parametrize("name", FILES)
def test_every_case_of_the_contract_is_answered_as_it_says(server, name):
    runner, cases = CONTRACT / "run.py", CONTRACT / f"{name}.json"
    where = ["--url", server.url, "--key", server.made["api_key"]]

    done = subprocess.run(
        [sys.executable, str(runner), *where, str(cases)],
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr
