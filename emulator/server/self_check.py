"""The emulator held against its own contract: every answer, while it serves."""

from __future__ import annotations

import logging
from collections import deque

from starlette.responses import Response, StreamingResponse

from emulator.contract.answers import DocumentedAnswers
from emulator.contract.operations import Operation
from emulator.tenants.journal import Exchange

log = logging.getLogger(__name__)

_KEPT = 100


class SelfCheck:
    """An observer that counts the answers that break the contract, logs them, and keeps the last ones in words."""

    def __init__(self) -> None:
        self.breaches = 0
        self.last: deque[str] = deque(maxlen=_KEPT)
        self._documented: dict[int, DocumentedAnswers] = {}

    def __call__(self, exchange: Exchange, response: Response) -> None:
        operation = exchange.operation
        if operation is None or exchange.method in ("HEAD", "OPTIONS"):
            return  # the contract says nothing about paths that it does not know
        if exchange.fault is not None or not exchange.status_code:
            return  # what was asked for may break the contract, and what never was answered cannot
        body = None if isinstance(response, StreamingResponse) else bytes(response.body)
        media_type = response.headers.get("content-type", "").partition(";")[0].strip()
        for problem in self._answers(operation).problems(response.status_code, media_type, body):
            self.breaches += 1
            told = f"{operation.operation_id}: {problem}"
            self.last.append(told)
            log.error("this emulator broke its contract: %s", told)

    def _answers(self, operation: Operation) -> DocumentedAnswers:
        documented = self._documented.get(id(operation))
        if documented is None:
            documented = self._documented[id(operation)] = DocumentedAnswers(operation)
        return documented
