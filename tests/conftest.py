"""What all tests share."""

import pytest


@pytest.fixture(autouse=True, scope="session")
def state(tmp_path_factory):
    """A folder for the state of commands, so that no test leaves runs in that of whoever tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield
