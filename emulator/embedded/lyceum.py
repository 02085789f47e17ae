"""A tenant of an emulator, in the hands of a test."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, TypeAlias

import httpx2
from anyio.to_thread import run_sync

from emulator.embedded.clock import TenantClock
from emulator.embedded.connection import API_PREFIX, Connection
from emulator.embedded.durations import Duration, duration_text
from emulator.embedded.home import variables
from emulator.embedded.scenarios import ScenarioLike, Standing, added_scenario
from emulator.embedded.transport import Application, AsyncTransport, Transport
from emulator.embedded.views import RequestView, RunView, Violation, request_view, run_view
from emulator.errors import Unreachable
from emulator.tenants.identity import seed_of

__tracebackhide__ = True

ClockMode: TypeAlias = Literal["manual", "per_request", "real"]

_MOST = 10_000  # runs or requests in one answer of the control API


class Lyceum:
    """A fresh tenant: its own key, clock, queue, runs and journal. Leaving it forgets all of them.

    Key, ids and everything random follow from `name`: the same name meets the same runs, whenever and wherever.
    Its methods raise ControlRefused, with the emulator's own words, and Unreachable.
    """

    def __init__(
        self,
        connection: Connection | None,
        name: str,
        *,
        seed: int | None = None,
        clock: ClockMode = "manual",
        step: Duration | None = None,
        strict: bool = False,
        namespace: str = "",
        home: Callable[[], Path] | None = None,
    ) -> None:
        """`seed` is what runs draw from, in place of the name. `namespace` tells the tenant from others of the same
        name, whose runs are alike but for their ids. `home` makes the directory for `env`.
        """
        self.name = name
        self.api_key = _api_key(namespace, name)
        self.strict = strict
        self.clock = TenantClock(self)
        self._at = connection
        self._seed = seed_of("name", name) if seed is None else seed
        self._first_clock = {"mode": clock} | ({} if step is None else {"step": duration_text(step)})
        self._standing = Standing(self)
        self._make_home = home
        self._own_home: tempfile.TemporaryDirectory[str] | None = None
        self._env: dict[str, str] | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name!r} {'not running' if self._at is None else f'at {self._at.url}'}>"

    # Where it is, and how to get in.

    @property
    def connection(self) -> Connection:
        """Raises Unreachable before the start and after the end."""
        if self._at is None:
            raise Unreachable("this emulator is not running: use it inside of its `with` block")
        return self._at

    @property
    def url(self) -> str:
        """The emulator's address, as the official client's `auth login --url` takes it."""
        return self.connection.url

    @property
    def base_url(self) -> str:
        """The address with the prefix of the API: what a client of one's own puts before its paths."""
        return self.url + API_PREFIX

    @property
    def headers(self) -> dict[str, str]:
        """The header that opens the tenant."""
        return {"Authorization": f"Bearer {self.api_key}"}

    @property
    def env(self) -> dict[str, str]:
        """Variables for a subprocess: `run(["lyceum", "jobs", "list"], env=os.environ | lyceum.env)`.

        `HOME` is a directory of the test's own, in which the official client is logged in.
        """
        if self._env is None:
            if self._make_home is None:
                self._own_home = tempfile.TemporaryDirectory(prefix="lyceum-")
                home = Path(self._own_home.name)
            else:
                home = self._make_home()
            self._env = variables(self.url, self.base_url, self.api_key, home)
        return dict(self._env)

    def client(self) -> httpx2.Client:
        """A client with base URL and token; without a socket where the emulator has none."""
        return httpx2.Client(
            base_url=self.base_url,
            headers=self.headers,
            transport=None if self.connection.listens else self.transport(),
            verify=self.connection.verify,
            trust_env=False,
        )

    def async_client(self) -> httpx2.AsyncClient:
        """The same for `async` code.

        It keeps no connection open after an answer, so it may be left unclosed, and works in any event loop.
        """
        return httpx2.AsyncClient(
            base_url=self.base_url,
            headers=self.headers,
            transport=None if self.connection.listens else self.async_transport(),
            verify=self.connection.verify,
            trust_env=False,
            limits=httpx2.Limits(max_keepalive_connections=0),
        )

    def asgi_client(self) -> httpx2.AsyncClient:
        """An asynchronous client that needs no socket. Raises Unreachable if the emulator is elsewhere."""
        return httpx2.AsyncClient(
            base_url=self.base_url, headers=self.headers, transport=self.async_transport(), trust_env=False
        )

    def transport(self) -> Transport:
        """For an `httpx2.Client` of one's own that needs no socket. Raises Unreachable if the emulator is elsewhere."""
        return self.connection.transport()

    def async_transport(self) -> AsyncTransport:
        """For an `httpx2.AsyncClient`, in any event loop."""
        return self.connection.async_transport()

    @property
    def app(self) -> Application:
        """The emulator as an ASGI application, for clients that can call one: `httpx.ASGITransport(app=lyceum.app)`."""
        return self.connection.application()

    def control(self, method: str, path: str, json: object = None, *, params: Mapping[str, Any] | None = None) -> Any:  # noqa: ANN401  JSON
        """Any call of the control API, with this tenant's token: `control("GET", "/queue")`.

        Returns the JSON of the answer. Raises ControlRefused, Unreachable.
        """
        return self.connection.control(method, path, key=self.api_key, json=json, params=params)

    # What runs will do.

    def scenario(self, scenario: ScenarioLike, *, times: int = 1, match: Mapping[str, Any] | None = None) -> str:
        """Give the next submissions a scenario: a name, a dict, YAML text, or the path of a file.

        `times` is how many take it, `match` what they must look like: `match={"file_name": "train-*.py"}`.
        Returns the scenario's name. Raises ControlRefused with all that is wrong with it.
        """
        name = added_scenario(self, scenario)
        self._standing.enqueue({"scenario": name, "times": times} | ({} if match is None else {"match": dict(match)}))
        return name

    def always(self, scenario: ScenarioLike) -> str:
        """Give a scenario to all submissions that `scenario` gives no other."""
        name = added_scenario(self, scenario)
        self._standing.set(name)
        return name

    def fault(self, fault: str | None = None, /, **fields: Any) -> Any:  # noqa: ANN401  both are JSON
        """Ask for bad answers: `fault("no-capacity", operation="start_python_execution", times=3)`.

        The fields are those of a fault in the control API, whose view of it is returned.
        """
        return self.control("POST", "/faults", fields if fault is None else {"fault": fault, **fields})

    # What happened.

    def run(self, execution_id: str) -> RunView:
        """A run as it is now, with what is behind it. Raises ControlRefused."""
        return run_view(self, self.control("GET", f"/runs/{execution_id}"))

    @property
    def runs(self) -> tuple[RunView, ...]:
        """All runs, in the order of their submission."""
        shown = self.control("GET", "/runs", params={"limit": _MOST})["runs"]
        return tuple(run_view(self, each) for each in reversed(shown))

    def requests(
        self,
        *,
        operation_id: str | None = None,
        status: int | None = None,
        execution_id: str | None = None,
        violations: bool | None = None,
        limit: int = 1_000,
    ) -> tuple[RequestView, ...]:
        """The requests to the emulated API that fit, in their order; of many, the last `limit`.

        `operation_id` is a name of openapi.yaml, such as `get_execution`, or a pattern such as `start_*`. Raises
        ControlRefused where there is no such operation.
        """
        wanted = {
            "operation_id": operation_id,
            "status": status,
            "execution_id": execution_id,
            "violations": None if violations is None else str(violations).lower(),
            "callbacks": "false",
            "limit": limit,
        }
        shown = self.control("GET", "/requests", params=wanted)["requests"]
        return tuple(request_view(each) for each in reversed(shown))

    @property
    def violations(self) -> tuple[Violation, ...]:
        """Where requests broke the contract; of a strict tenant, also where they went beyond it."""
        found = self.requests() if self.strict else self.requests(violations=True)
        return tuple(
            Violation(each, message)
            for each in found
            for message in (*each.violations, *(each.warnings if self.strict else ()))
        )

    def snapshot(self) -> Any:  # noqa: ANN401  JSON
        """All that the tenant is, to come back to with `restore`."""
        return self.control("GET", "/snapshot")

    def restore(self, snapshot: Any) -> None:  # noqa: ANN401  JSON
        """Back to what `snapshot` saw."""
        self.control("PUT", "/snapshot", snapshot)

    # Its life.

    def reset(self) -> None:
        """Begin anew: no runs, no queue, no journal, and the clock at its start."""
        self.control("POST", "/reset", {"clock": self._first_clock, "seed": self._seed})

    def close(self) -> None:
        """Forget the tenant and all that is its."""
        try:
            self.control("POST", "/reset")
        finally:
            self._leave_home()

    def _leave_home(self) -> None:
        self._env = None
        if self._own_home is not None:
            self._own_home.cleanup()
            self._own_home = None

    def __enter__(self) -> Self:
        self.reset()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return await run_sync(self.__enter__)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await run_sync(self.close)


def _api_key(namespace: str, name: str) -> str:
    """A key of the service's form that only this name has."""
    text = f"{namespace}\0{name}".encode("utf-8", "surrogatepass")
    return f"lk_{hashlib.sha256(text).hexdigest()[:40]}"
