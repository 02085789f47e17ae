"""The journal: what the emulated API was asked, and what became of it."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator

from msgspec import Struct

from emulator.contract.operations import Operation
from emulator.errors import FieldProblem

PER_CALLER = 1_000
IN_ALL = 20_000
"""So many requests are kept: of one caller, so that nobody drives out another's, and of all together."""


class Exchange(Struct, eq=False):
    """One request and its answer: filled in while it is under way, unchanged once the journal has it.

    `caller` is the key of the token's tenant, empty where no token was good. `at_ms` is the caller's time, None where
    it never came to that; `received_ms` is the wall's. `body` is JSON without secrets and without what is long.
    `problems` are where the request broke the contract, `refusal` is the `detail` it was answered with, `fault` what
    was done to the answer on purpose; a status code of 0 says that none was sent. The duration is that until the answer
    began. `number` counts from 1. A `callback` is the other way round: a call that the emulator made, or refused to
    make, with what came back.
    """

    method: str
    path: str
    query: str
    received_ms: int
    operation: Operation | None = None
    caller: str = ""
    at_ms: int | None = None
    execution_id: str | None = None
    body: bytes = b""
    body_bytes: int = 0
    status_code: int = 0
    duration_us: int = 0
    problems: tuple[FieldProblem, ...] = ()
    refusal: str | None = None
    warnings: tuple[str, ...] = ()
    fault: str | None = None
    number: int = 0
    callback: bool = False

    @property
    def violations(self) -> tuple[str, ...]:
        """How the request broke the contract, a sentence for each place."""
        return tuple(map(str, self.problems))


class Journal:
    """The last requests of every caller, in a ring each."""

    def __init__(self, *, per_caller: int = PER_CALLER, in_all: int = IN_ALL) -> None:
        self._per_caller = per_caller
        self._in_all = in_all
        self._rings: dict[str, deque[Exchange]] = {}
        # All that is in the rings, by number, oldest first. A plain dict looks for its first entry among all that were
        # deleted before it.
        self._kept: OrderedDict[int, Exchange] = OrderedDict()
        self._count = 0

    def add(self, exchange: Exchange) -> None:
        self._count += 1
        exchange.number = self._count
        ring = self._rings.get(exchange.caller)
        if ring is None:
            ring = self._rings[exchange.caller] = deque()
        elif len(ring) == self._per_caller:
            del self._kept[ring.popleft().number]
        ring.append(exchange)
        self._kept[exchange.number] = exchange
        if len(self._kept) > self._in_all:
            self._forget_oldest()

    def _forget_oldest(self) -> None:
        _, oldest = self._kept.popitem(last=False)
        ring = self._rings[oldest.caller]
        ring.popleft()  # which it is, being the oldest of all
        if not ring:
            del self._rings[oldest.caller]

    def newest_first(self, caller: str | None = None) -> Iterator[Exchange]:
        """The requests of `caller`, or of all."""
        return reversed(self._kept.values() if caller is None else self._rings.get(caller, deque()))

    def clear(self, caller: str | None = None) -> int:
        """Forget the requests of `caller`, or of all. Returns how many there were."""
        if caller is None:
            forgotten = len(self._kept)
            self._rings.clear()
            self._kept.clear()
            return forgotten
        ring = self._rings.pop(caller, deque())
        for exchange in ring:
            del self._kept[exchange.number]
        return len(ring)
