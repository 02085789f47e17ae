"""One emulator for all, and a tenant for each test."""

from collections.abc import Iterator

import pytest

from emulator import Emulator, Lyceum


@pytest.fixture(scope="session")
def running() -> Iterator[Emulator]:
    with Emulator() as emulator:
        yield emulator


@pytest.fixture
def tenant(running: Emulator, request: pytest.FixtureRequest) -> Iterator[Lyceum]:
    with running.tenant(request.node.nodeid) as tenant:
        yield tenant
