"""The emulated cloud: every tenant, the server's clock, the scenarios."""

from __future__ import annotations

from dataclasses import replace
from weakref import WeakValueDictionary

from emulator.clock import Clock
from emulator.errors import TooMany
from emulator.runs.run import Run
from emulator.scenario.choice import Queue, choose
from emulator.scenario.compose import with_compose_file
from emulator.scenario.library import Library
from emulator.scenario.picking import pick
from emulator.scenario.script import resolve
from emulator.scenario.submission import Submission
from emulator.tenants.identity import Identity, digest, uuid_of
from emulator.tenants.tenant import Tenant

MAX_TENANTS = 10_000


class Cloud:
    """All state of one emulator. Used from one thread: that of the server's event loop.

    `queue` serves every tenant, after its own.
    """

    def __init__(self, library: Library, *, default_scenario: str, seed: int, clock: Clock) -> None:
        """Raises NotFound if the library has no `default_scenario`."""
        self.library = library
        self.default_name = library.get(default_scenario).name
        self.seed = seed
        self.clock = clock
        self.queue = Queue()
        self.tenants: dict[str, Tenant] = {}
        self._owners: dict[str, Tenant] = {}
        # Requests of a new token that are under way at once have to meet in one tenant, which one of them may keep.
        self._newcomers: WeakValueDictionary[str, Tenant] = WeakValueDictionary()

    def tenant(self, token: str) -> Tenant:
        """The tenant that `token` opens; one that is new here exists only until the request is over.

        It comes into being by its first write (`settle`).
        """
        key = digest("token", token).hex()
        tenant = self.tenants.get(key) or self._newcomers.get(key)
        if tenant is None:
            tenant = self._newcomers[key] = Tenant(key, Identity(self.seed, key), self.clock, self._owners)
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
        for scenario in tenant.added:
            library = library.with_added(scenario)
        return library

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

        Raises Invalid for an unknown scenario name, TooMany at the limit of tenants; then nothing is changed.
        """
        self._check_room(tenant)
        library = self.library_of(tenant)
        scenario, choice = choose(
            submission, named, (tenant.queue, self.queue), library, library.get(self.default_name)
        )
        self.settle(tenant)
        origin = (self.seed, tenant.key, tenant.submissions)
        run_seed = int.from_bytes(digest(*origin, "seed")[:8]) >> 11  # JavaScript reads integers up to 2^53
        run_seed = run_seed if seed is None else seed
        scenario, picked = pick(scenario, run_seed, tenant.turns[scenario.name])
        script = resolve(with_compose_file(scenario, submission), run_seed)
        run = Run(uuid_of(*origin), run_seed, submission, script, choice, now_ms, warnings=warnings, picked=picked)
        tenant.add(run)
        return run

    def owner_of(self, execution_id: str) -> Tenant | None:
        """The tenant that has this run, whoever asks."""
        return self._owners.get(execution_id)

    def reset(self) -> tuple[int, int]:
        """Forget all tenants and set the clock back. Returns how many runs and tenants there were."""
        runs = sum(tenant.reset() for tenant in self.tenants.values())
        tenants = len(self.tenants)
        self.tenants.clear()
        self.queue.clear()
        self.library = replace(self.library, added=())
        self.clock.reset()
        return runs, tenants
