"""Every operation gives every answer that its contract documents for it: nothing is documented that cannot occur."""

from __future__ import annotations

import httpx2
import pytest

from emulator.contract.operations import Operation
from emulator.tenants import cloud
from tests.api import Api, emulator
from tests.contract.tour import Tour, stops

CANNOT_OCCUR: dict[tuple[str, int], str] = {}
"""Operation and status code that are documented and come from no request, with the reason."""

EVERY = [(operation, code) for contract in ("service", "control") for operation, code in stops(contract)]


@pytest.fixture(scope="module")
def api() -> Api:
    return emulator()


@pytest.fixture
def tour(api: Api, monkeypatch: pytest.MonkeyPatch) -> Tour:
    monkeypatch.setattr(cloud, "MAX_TENANTS", 1)  # one has to be too many

    def send(
        method: str, url: str, *, headers: dict[str, str], params: dict[str, object], content: bytes | None
    ) -> httpx2.Response:
        answer = api.as_caller(None).request(method, url, headers=headers, params=params, content=content)
        assert isinstance(answer, httpx2.Response)
        return answer

    return Tour(send, send)


@pytest.mark.parametrize(
    ("operation", "status_code"), EVERY, ids=[f"{operation.operation_id}-{code}" for operation, code in EVERY]
)
def test_every_documented_answer_is_given(tour: Tour, operation: Operation, status_code: int) -> None:
    if (operation.operation_id, status_code) in CANNOT_OCCUR:
        with pytest.raises(LookupError):
            tour.ask(operation, status_code)
        return
    answer = tour.ask(operation, status_code)
    assert answer.status_code == status_code, answer.text


def test_exceptions_are_documented() -> None:
    known = {(operation.operation_id, code) for operation, code in EVERY}
    assert CANNOT_OCCUR.keys() <= known
    assert all(CANNOT_OCCUR.values())
    assert len(EVERY) > 200
