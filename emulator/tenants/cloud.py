"""The emulated cloud: every tenant, the server's clock, the scenarios."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from msgspec.structs import replace

from emulator.clock import Clock, ClockSettings
from emulator.errors import TooMany
from emulator.faults.standing import Standings
from emulator.runs.run import Run
from emulator.scenario.choice import Queue, choose
from emulator.scenario.submission import Submission
from emulator.scenario.unread import UnreadLibrary
from emulator.tenants.identity import Identity, key_of, seed_of, uuid_of
from emulator.tenants.journal import Journal
from emulator.tenants.making import make_run
from emulator.tenants.tenant import Tenant

if TYPE_CHECKING:
    from emulator.scenario.library import Library
    from emulator.scenario.model import Scenario

MAX_TENANTS = 10_000


class Cloud:
    """All state of one emulator. Used from one thread: that of the server's event loop.

    `queue` serves every tenant, after its own, and `faults` hit every tenant. `armed` is empty as long as there are no
    faults: neither those, nor of a tenant, nor of a run's scenario.
    """

    def __init__(self, library: Library | UnreadLibrary, *, default_scenario: str, seed: int, clock: Clock) -> None:
        """Raises NotFound if the library has no `default_scenario`."""
        self._library = library
        if default_scenario not in self.scenario_names:
            self.library.get(default_scenario)
        self.default_name = self._first_default = default_scenario
        self._last_default: Scenario | None = None
        self._first_seed = seed
        self.seed = seed
        self.clock = clock
        self.queue = Queue()
        self.armed: set[str] = set()
        self.faults = Standings("", self.armed, prefix="server-fault")
        self.journal = Journal()
        self.tenants: dict[str, Tenant] = {}
        self._owners: dict[str, Tenant] = {}
        # Requests of a new token that are under way at once have to meet in one tenant, which one of them may keep.
        self._newcomers: WeakValueDictionary[str, Tenant] = WeakValueDictionary()

    @property
    def library(self) -> Library:
        """The scenarios for everybody; the built-in ones are read when they are first asked for."""
        if isinstance(self._library, UnreadLibrary):
            self._library = self._library.read()
        return self._library

    @library.setter
    def library(self, library: Library) -> None:
        if not isinstance(self._library, UnreadLibrary):
            self._last_default = self._library.find(self.default_name) or self._last_default
        self._library = library

    def _default_of(self, library: Library) -> Scenario:
        """The default scenario of `library`; where it is gone, since its file was renamed, as it was last."""
        found = library.find(self.default_name) or self._last_default
        return library.get(self.default_name) if found is None else found

    @property
    def scenario_names(self) -> tuple[str, ...]:
        """The names of those, in the order in which they are asked; reads no file."""
        if isinstance(self._library, UnreadLibrary):
            return self._library.names
        return tuple(scenario.name for scenario in self._library.scenarios())

    def tenant(self, token: str) -> Tenant:
        """The tenant that `token` opens; one that is new here exists only until the request is over.

        It comes into being by its first write (`settle`).
        """
        return self.tenant_of(key_of(token))

    def tenant_of(self, key: str) -> Tenant:
        """The tenant with this key, as `tenant` gives it."""
        tenant = self.tenants.get(key) or self._newcomers.get(key)
        if tenant is None:
            tenant = self._newcomers[key] = Tenant(key, Identity(self.seed, key), self.clock, self._owners, self.armed)
        return tenant

    def settle(self, tenant: Tenant) -> None:
        """Keep a tenant that is about to be written to. Raises TooMany at the limit."""
        self._check_room(tenant)
        self.tenants[tenant.key] = tenant

    def _check_room(self, tenant: Tenant) -> None:
        if tenant.key not in self.tenants and len(self.tenants) >= MAX_TENANTS:
            raise TooMany(f"this emulator keeps at most {MAX_TENANTS} tenants; reset it to begin anew")

    def library_of(self, tenant: Tenant) -> Library:
        """The scenarios in force for `tenant`: its own before everybody's."""
        library = self.library
        if not tenant.added:
            return library
        composed = tenant.composed  # of what they are made of, which takes longer than a submission
        if composed is None or composed[0] is not library or composed[1] is not tenant.added:
            own = {scenario.name for scenario in tenant.added}
            others = tuple(each for each in library.added if each.name not in own)
            composed = library, tenant.added, library.having_added((*others, *tenant.added))
            tenant.composed = composed
        return composed[2]

    def submit(
        self,
        tenant: Tenant,
        submission: Submission,
        now_ms: int,
        *,
        named: str | None = None,
        warnings: tuple[str, ...] = (),
        seed: int | None = None,
    ) -> Run:
        """Start a run. `named` is the scenario that the request's header asks for, `seed` the run's own, in place
        of the one that follows from the server's.

        A GPU selection starts its runs on all profiles with it. Raises Invalid for an unknown scenario name, TooMany
        at the limit of tenants; then nothing is changed.
        """
        self._check_room(tenant)
        library = self.library_of(tenant)
        scenario, choice = choose(
            submission, named, (tenant.queue, self.queue), library, partial(self._default_of, library)
        )
        self.settle(tenant)
        if tenant.environment.names or submission.environment:
            given = tenant.environment.names.union(submission.environment)
            submission = replace(submission, environment=tuple(sorted(given)))
        origin = (self.seed, tenant.key, tenant.submissions)
        if seed is None:
            seed = seed_of(*origin) if tenant.seed is None else seed_of("tenant", tenant.seed, tenant.submissions)
        earlier = tenant.turns.get(scenario.name, 0)
        run = make_run(uuid_of(*origin), seed, submission, scenario, choice, now_ms, earlier=earlier, warnings=warnings)
        tenant.add(run)
        return run

    def now_ms_of(self, key: str) -> int:
        """The time on the clock of a tenant, which need not be kept; the server's without one."""
        tenant = self.tenants.get(key)
        return (tenant or self).clock.now_ms()

    def slug_of(self, key: str) -> str:
        """The name of the org of a tenant, which need not be kept."""
        tenant = self.tenants.get(key)
        return (tenant.identity if tenant else Identity(self.seed, key)).slug

    def owner_of(self, execution_id: str) -> Tenant | None:
        """The tenant that has this run, whoever asks."""
        return self._owners.get(execution_id)

    def drop(self, tenant: Tenant) -> int:
        """Forget a tenant and all that is its; whoever sends its token again meets it anew. Returns how many runs
        there were.
        """
        self.journal.clear(tenant.key)
        self.tenants.pop(tenant.key, None)
        return tenant.reset()

    def reset(self, *, clock: ClockSettings | None = None, seed: int | None = None) -> tuple[int, int]:
        """Forget all tenants and set the clock back. Returns how many runs and tenants there were.

        `clock` and `seed` are in place of those that the server was started with, until the next reset.
        """
        runs = sum(tenant.reset() for tenant in self.tenants.values())
        tenants = len(self.tenants)
        self.tenants.clear()
        self.queue.clear()
        self.faults.reset()
        self.journal.clear()
        if not isinstance(self._library, UnreadLibrary):
            self._library = self._library.having_added(())
        self.clock.reset(clock)
        self.default_name = self._first_default
        self.seed = self._first_seed if seed is None else seed
        for tenant in self._newcomers.values():  # whoever still holds one, as a stream does, may bring it back
            tenant.become(Identity(self.seed, tenant.key))
        return runs, tenants
