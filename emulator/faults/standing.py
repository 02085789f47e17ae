"""Faults in force: how often each met a request and hit it, and what all of them do to the next one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct, field

from emulator.errors import NotFound, TooMany
from emulator.faults.effect import Effect
from emulator.faults.fault import Asked, Fault
from emulator.faults.latency import MAX_MS
from emulator.noise import uniform

MAX_FAULTS = 1_000
"""So many faults at most has a tenant, or the server."""

_DRAW_HIT, _DRAW_LATENCY, _DRAW_LINE = range(1, 4)


class Tally(Struct):
    """How many requests a fault met in its time, and how many of them it hit."""

    met: int = 0
    hit: int = 0


class Standing(Struct, frozen=True, eq=False):
    """A fault in force since `since_ms`; only its tally changes. `name` is what the journal calls it."""

    name: str
    fault: Fault
    since_ms: int
    seed: int
    tally: Tally = field(default_factory=Tally)

    @property
    def left(self) -> int | None:
        """How often it may still hit; None without a limit."""
        return None if self.fault.times is None else self.fault.times - self.tally.hit

    def meets(self, asked: Asked, now_ms: int) -> bool:
        """Whether the request counts for this fault."""
        age_ms, until_ms = now_ms - self.since_ms, self.fault.until_ms
        in_time = age_ms >= self.fault.from_ms and (until_ms is None or age_ms < until_ms)
        return in_time and self.left != 0 and self.fault.meets(asked)

    def strikes(self) -> bool:
        """Count a request that it meets; whether that one is hit. The same seed hits the same requests."""
        number = self.tally.met
        self.tally.met += 1
        hit = number >= self.fault.skip and uniform(self.seed, _DRAW_HIT, number) < self.fault.probability
        self.tally.hit += hit
        return hit

    def latency_ms(self) -> int:
        """How long the answer to the request that it hit last is held back."""
        latency = self.fault.latency
        return 0 if latency is None else latency.drawn_ms(uniform(self.seed, _DRAW_LATENCY, self.tally.met))


class Hit(Struct, frozen=True):
    """What is done to one answer: `fault` spoils it, None if it is only late. `told` is for the journal."""

    fault: Fault | None
    latency_ms: int
    told: str
    line_key: tuple[int, ...] = ()

    @property
    def refuses(self) -> bool:
        return self.fault is not None and self.fault.refuses

    def strikes_line(self, number: int) -> bool:
        """Whether the fault hits this line of the answer, counted from 0."""
        share = 0.0 if self.fault is None else self.fault.share
        return uniform(*self.line_key, number) < share


def strike(standings: Iterable[tuple[Standing, int]], asked: Asked) -> Hit | None:
    """What the faults, each with the time on its clock, do to a request; None if nothing.

    Latencies add up. Of several effects the first counts; what comes behind it neither acts nor counts.
    """
    latency_ms, told = 0, []
    for standing, now_ms in standings:
        if not standing.meets(asked, now_ms) or not standing.strikes():
            continue
        fault, late_ms = standing.fault, standing.latency_ms()
        latency_ms = min(MAX_MS, latency_ms + late_ms)
        told.append(f"{standing.name}: {_deed(fault, late_ms)}")
        if fault.effect is not Effect.LATENCY:
            line_key = (standing.seed, _DRAW_LINE, standing.tally.met)
            return Hit(fault, latency_ms, "; ".join(told), line_key)
    return Hit(None, latency_ms, "; ".join(told)) if told else None


def _deed(fault: Fault, late_ms: int) -> str:
    """`unavailable, answered 503, done all the same, 200 ms late`."""
    parts = [] if fault.effect is Effect.LATENCY else [fault.effect.value]
    if fault.answer is not None:
        parts.append(f"answered {fault.answer.status_code}")
    if fault.handled:
        parts.append("done all the same")
    if fault.latency is not None:
        parts.append(f"{late_ms} ms late")
    return ", ".join(parts)


class Standings:
    """The faults of one owner, in the order in which they were added.

    `armed` is shared by all owners of a server: as long as nobody's mark is in it, no request is looked at.
    """

    def __init__(self, mark: str, armed: set[str], *, prefix: str = "fault") -> None:
        self._mark = mark
        self._armed = armed
        self._prefix = prefix
        self._count = 0
        self._by_name: dict[str, Standing] = {}

    def __iter__(self) -> Iterator[Standing]:
        return iter(self._by_name.values())

    @property
    def count(self) -> int:
        """How many there ever were: the next one is named after that."""
        return self._count

    def add(self, fault: Fault, since_ms: int, seed: int) -> Standing:
        """Put a fault in force; its own seed comes before `seed`. Raises TooMany."""
        if len(self._by_name) >= MAX_FAULTS:
            raise TooMany(f"there are {MAX_FAULTS} faults already: delete some")
        self._count += 1
        name = f"{self._prefix}-{self._count}"
        own_seed = fault.seed if fault.seed is not None else seed + self._count
        standing = self._by_name[name] = Standing(name, fault, since_ms, own_seed)
        self._armed.add(self._mark)
        return standing

    def remove(self, name: str) -> Standing:
        """Lift one fault. Raises NotFound."""
        standing = self._by_name.pop(name, None)
        if standing is None:
            raise NotFound(f"there is no fault `{name[:100]}`")
        if not self._by_name:
            self._armed.discard(self._mark)
        return standing

    def clear(self) -> int:
        """Lift all. Returns how many there were."""
        count = len(self._by_name)
        self._by_name.clear()
        self._armed.discard(self._mark)
        return count

    def reset(self) -> None:
        """As if there had never been any."""
        self.clear()
        self._count = 0

    def restore(self, standings: Iterable[Standing], count: int) -> None:
        """Put these in force in place of what there is, as they stood when there had been `count`."""
        self.clear()
        self._count = count
        self._by_name = {standing.name: standing for standing in standings}
        if self._by_name:
            self._armed.add(self._mark)


def of_run(faults: Iterable[Fault], scenario: str, submitted_ms: int, seed: int) -> tuple[Standing, ...]:
    """The faults that a run's scenario brings, in force from its submission on."""
    return tuple(
        Standing(
            f"{scenario}, faults[{number}]",
            fault,
            submitted_ms,
            fault.seed if fault.seed is not None else seed + number,
        )
        for number, fault in enumerate(faults)
    )
