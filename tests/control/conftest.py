"""An emulator of its own for every test."""

import pytest

from tests.api import Api, emulator


@pytest.fixture
def api() -> Api:
    return emulator()
