"""Settings are read once, and a typo stops the start."""

import pytest

from hedgerow.errors import BadSetting
from hedgerow.settings import Settings, from_environment


def test_without_an_environment_all_is_as_by_default():
    assert from_environment({"PATH": "/bin"}) == Settings()


def test_a_setting_is_read_as_what_it_is():
    found = from_environment({"HEDGEROW_PORT": "9000", "HEDGEROW_QUERY_TIMEOUT_S": "2.5"})

    assert (found.port, found.query_timeout_s) == (9000, 2.5)


@pytest.mark.parametrize(
    "environ",
    [
        pytest.param({"HEDGEROW_PROT": "9000"}, id="a misspelt name"),
        pytest.param({"HEDGEROW_PORT": "http"}, id="no number"),
    ],
)
def test_what_cannot_be_read_stops_the_start(environ):
    with pytest.raises(BadSetting, match=r"docs/settings\.md"):
        from_environment(environ)


def test_what_belongs_to_a_command_is_no_setting():
    assert from_environment({"HEDGEROW_TOKEN": "phc_x"}) == Settings()
