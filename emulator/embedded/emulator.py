"""An emulator of one's own, or one that runs already."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from emulator.app import DEFAULT_SCENARIO, create_service
from emulator.clock import ClockMode as ServerClockMode
from emulator.clock import ClockSettings
from emulator.embedded.connection import Connection
from emulator.embedded.durations import Duration
from emulator.embedded.lyceum import ClockMode, Lyceum
from emulator.embedded.thread import EmulatorThread
from emulator.errors import EmulatorError
from emulator.server.settings import DEFAULT_HOST, CallbackSettings, Settings

__tracebackhide__ = True


class Emulator(Lyceum):
    """A server in a thread of this process, and at once the handle of its first tenant.

        with Emulator() as lyceum:
            my_client.submit(lyceum.base_url, lyceum.api_key)

    Works as `async with`, too. `tenant` opens more tenants, which see nothing of each other.
    """

    def __init__(
        self,
        *,
        scenarios: Sequence[str | os.PathLike[str]] | os.PathLike[str] = (),
        default_scenario: str = DEFAULT_SCENARIO,
        name: str = "emulator",
        seed: int | None = None,
        clock: ClockMode = "manual",
        step: Duration | None = None,
        strict: bool = False,
        callback_hosts: Sequence[str] = (),
        host: str = DEFAULT_HOST,
        port: int = 0,
        listen: bool = True,
        namespace: str = "",
        url: str | None = None,
        control_token: str | None = None,
    ) -> None:
        """Nothing is started before `start`, which `with` calls.

        `scenarios` are directories, or one, whose files come before the built-in ones; `default_scenario` is for
        submissions that nothing matches. `name`, `seed`, `clock`, `step` and `strict` are the first tenant's.
        `listen=False`: no socket, so only `client`, `async_client` and `app` lead there. With `url` an emulator that
        runs already is used, to which `control_token` opens the control API; what it was started with stays.
        `namespace` is for all tenants: it tells them from those of others who use the same emulator at the same time.
        """
        super().__init__(None, name, seed=seed, clock=clock, step=step, strict=strict, namespace=namespace)
        self._namespace = namespace
        directories = (scenarios,) if isinstance(scenarios, str | os.PathLike) else scenarios
        self._scenarios = tuple(map(Path, directories))
        self._default_scenario = default_scenario
        self._callback_hosts = tuple(callback_hosts)
        self._address = (host, port, listen)
        self._running_at = url
        self._control_token = control_token
        self._thread: EmulatorThread | None = None

    def start(self) -> Self:
        """Raises StartError, InvalidScenarios; Unreachable if there is nothing at the `url`."""
        if self._at is not None:
            raise EmulatorError("this emulator runs already")
        if self._running_at is not None:
            self._at = Connection(self._running_at, control_token=self._control_token)
        else:
            self._thread = self._started()
            self._at = Connection(self._thread.url, self._thread)
        try:
            self.reset()
        except EmulatorError:
            self._hang_up()
            raise
        return self

    def _started(self) -> EmulatorThread:
        service = create_service(
            Settings(callbacks=CallbackSettings(hosts=self._callback_hosts)),
            scenario_directories=self._scenarios,
            default_scenario=self._default_scenario,
            clock=ClockSettings(ServerClockMode.MANUAL),
        )
        host, port, listen = self._address
        thread = EmulatorThread(service, host=host, port=port, listen=listen)
        thread.start()
        return thread

    def stop(self) -> None:
        """End it: streams, connections, thread and socket. One that ran already only forgets the first tenant."""
        if self._at is None:
            return
        try:
            if self._thread is None:
                super().close()
        finally:
            self._leave_home()
            self._hang_up()

    def _hang_up(self) -> None:
        connection, self._at = self._at, None
        thread, self._thread = self._thread, None
        if connection is not None:
            connection.close()
        if thread is not None:
            thread.stop()

    def close(self) -> None:
        """The same as `stop`."""
        self.stop()

    def tenant(
        self,
        name: str,
        *,
        seed: int | None = None,
        clock: ClockMode = "manual",
        step: Duration | None = None,
        strict: bool = False,
        home: Callable[[], Path] | None = None,
    ) -> Lyceum:
        """Another tenant, for `with`. Its key follows from `name`; what is random does, too, or from `seed`."""
        return Lyceum(
            self.connection,
            name,
            seed=seed,
            clock=clock,
            step=step,
            strict=strict,
            namespace=self._namespace,
            home=home,
        )

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()
