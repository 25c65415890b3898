"""What all tests share."""

import os
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real recordings and texts; tests that need it skip where it is absent."""
    folder = Path(os.environ.get("VOICE_AGENT_TEST_DATA", CHECKOUT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no test data in {folder}; set VOICE_AGENT_TEST_DATA to its folder")
    return folder
