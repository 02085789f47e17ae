"""The pytest plugin: fixtures of an emulator, the marker `lyceum`, and what failed tests tell of it.

It is loaded in every session of a project that has the emulator installed, so it imports nothing of it before a
fixture asks. docs/pytest.md is its manual.
"""

from __future__ import annotations

import os
import re
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

if TYPE_CHECKING:
    import httpx2

    from emulator.embedded import Emulator, Lyceum

MARKER = "lyceum(scenario=None, seed=None, clock='manual', step=None, strict=False, fail_on_violations=None)"
_MARKER_HELP = (
    f"{MARKER}: how this test's tenant begins. scenario: what its submissions take that the test gives no other (a"
    " name, a dict, YAML text, a path); seed: what runs draw from, in place of the test's node id; clock: 'manual',"
    " 'per_request' (each request moves it by step, '5s' by default) or 'real'; strict: going beyond the contract"
    " counts as breaking it; fail_on_violations: whether the test fails at its end if its client broke the contract,"
    " in place of the ini option lyceum_fail_on_violations."
)
_EACH = "lyceum_each_worker_runs_all"
_TOKEN_VARIABLE = "LYCEUM_EMULATOR_CONTROL_TOKEN"  # noqa: S105  the name of the variable that `serve` reads, too


class _Wish(NamedTuple):
    """The marker's arguments."""

    scenario: Any = None
    seed: int | None = None
    clock: str = "manual"
    step: Any = None
    strict: bool = False
    fail_on_violations: bool | None = None


_TENANT = pytest.StashKey["Lyceum"]()
_WISH = pytest.StashKey[_Wish]()
_BEGAN_MS = pytest.StashKey[int]()
"""The wall's time when the test's tenant began; only where the server is this session's alone."""


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("lyceum", "Lyceum Cloud emulator")
    group.addoption("--lyceum-url", metavar="URL", help="Use the emulator that runs there instead of starting one.")
    group.addoption(
        "--lyceum-control-token",
        metavar="TOKEN",
        help=f"What the emulator at --lyceum-url wants for its control API.  [default: ${_TOKEN_VARIABLE}]",
    )
    group.addoption(
        "--lyceum-namespace",
        metavar="NAME",
        help="Tells this session's tenants from another's that uses the emulator at --lyceum-url at the same time.",
    )
    group.addoption(
        "--lyceum-artifacts", metavar="DIR", help="Write what a failed test tells of its tenant there, as JSON."
    )
    parser.addini("lyceum_url", "The same as --lyceum-url.", default="")
    parser.addini("lyceum_scenarios", "Directories of scenario files for the emulator that is started.", type="paths")
    parser.addini("lyceum_socket", "Whether the emulator that is started listens on a port.", type="bool", default=True)
    parser.addini(
        "lyceum_fail_on_violations",
        "Whether a test fails at its end if its client broke the contract.",
        type="bool",
        default=True,
    )
    parser.addini("lyceum_namespace", "The same as --lyceum-namespace.", default="")


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", _MARKER_HELP)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:  # noqa: ANN401  pytest-xdist's, which may not be there
    """Tell a worker of pytest-xdist what its own configuration does not: there `--dist` is always `no`."""
    node.workerinput[_EACH] = node.config.getoption("dist") == "each"


@pytest.fixture(scope="session")
def lyceum_server(request: pytest.FixtureRequest) -> Emulator:
    """The emulator of this session: started in a thread at a free port of 127.0.0.1, one for each xdist worker; or
    the one at --lyceum-url, for all of them. `lyceum_server.tenant("name")` opens one more tenant."""
    __tracebackhide__ = True
    from emulator.embedded import Emulator

    config = request.config
    url = _url(config)
    if url:
        token = config.getoption("lyceum_control_token") or os.environ.get(_TOKEN_VARIABLE)
        handed_down: dict[str, Any] = getattr(config, "workerinput", {})
        worker: str = handed_down.get("workerid", "")
        namespace = config.getoption("lyceum_namespace") or config.getini("lyceum_namespace")
        if handed_down.get(_EACH, False):
            namespace = f"{namespace} {worker}"  # every worker runs the same tests
        emulator = Emulator(url=url, control_token=token, name=f"session {worker}", namespace=namespace)
    else:
        emulator = Emulator(scenarios=config.getini("lyceum_scenarios"), listen=config.getini("lyceum_socket"))
    emulator.start()
    # Not at this fixture's end: the last test's report is made after that, and wants to ask it.
    config.add_cleanup(lambda: _forget(emulator))
    return emulator


@pytest.fixture
def lyceum(request: pytest.FixtureRequest, lyceum_server: Emulator, tmp_path_factory: pytest.TempPathFactory) -> Lyceum:
    """A fresh tenant of the emulator for this test alone, with its own key, manual clock, queue and journal. Its runs
    follow from the test's node id, so they are the same every time. The marker `lyceum` says how it begins."""
    from emulator.clock import wall_ms
    from emulator.embedded import ControlError

    item = request.node
    wish = _wish(item)
    tenant = lyceum_server.tenant(
        item.nodeid,
        seed=wish.seed,
        clock=wish.clock,  # type: ignore[arg-type]  # the emulator refuses what is no clock
        step=wish.step,
        strict=wish.strict,
        home=lambda: tmp_path_factory.mktemp("lyceum-home"),
    )
    if not _url(request.config):
        item.stash[_BEGAN_MS] = wall_ms()
    try:
        tenant.reset()
        item.stash[_TENANT] = tenant
        item.stash[_WISH] = wish
        if wish.scenario is not None:
            tenant.always(wish.scenario)
    except (ControlError, OSError) as error:
        # Not by pytest.fail: only so nothing is shown of the error that was met.
        told = f"{item.nodeid}: the emulator cannot begin the test so: {error}"
        raise pytest.fail.Exception(told, pytrace=False) from None
    return tenant


@pytest.fixture
def lyceum_client(lyceum: Lyceum) -> Iterator[httpx2.Client]:
    """An httpx2 client of the test's tenant: its base URL and token are set."""
    with lyceum.client() as client:
        yield client


@pytest.fixture
def lyceum_async_client(lyceum: Lyceum) -> httpx2.AsyncClient:
    """An asynchronous httpx2 client of the test's tenant, for any plugin and any event loop. Keeps no connections."""
    return lyceum.async_client()


@pytest.fixture
def lyceum_asgi_client(lyceum: Lyceum) -> httpx2.AsyncClient:
    """The same without a socket: requests go into the application directly. Not with --lyceum-url."""
    return lyceum.asgi_client()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Forget the tenant when all is reported, which is after the end of its fixture."""
    try:
        return (yield)
    finally:
        tenant = item.stash.get(_TENANT, None)
        if tenant is not None:
            del item.stash[_TENANT]
            _forget(tenant)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, object, object]:
    """A test that passes fails all the same if its client broke the contract."""
    result = yield
    tenant = item.stash.get(_TENANT, None)
    if tenant is not None and _fails_on_violations(item):
        violations = tenant.violations
        if violations:
            listed = "\n".join(f"  {each}" for each in violations[:20])
            more = f"\n  and {len(violations) - 20} more" if len(violations) > 20 else ""
            pytest.fail(f"the client broke the contract {_times(len(violations))}:\n{listed}{more}", pytrace=False)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Failed tests show what the emulator saw."""
    report = yield
    tenant = item.stash.get(_TENANT, None)
    if report.failed and tenant is not None:
        from emulator.embedded.report import evidence, sections

        found = evidence(tenant, item.stash.get(_BEGAN_MS, None))
        report.sections += sections(found)
        directory = item.config.getoption("lyceum_artifacts")
        if directory:
            told = _write(Path(directory), report, found)
            report.sections.append(("lyceum artifacts", told))
    return report


def _url(config: pytest.Config) -> str:
    """Of the emulator that runs elsewhere; empty if this session starts one."""
    return str(config.getoption("lyceum_url") or config.getini("lyceum_url"))


def _wish(item: pytest.Item) -> _Wish:
    """What the marker says; of several, the nearest for each argument."""
    given: dict[str, Any] = {}
    for marker in item.iter_markers("lyceum"):
        unknown = sorted(set(marker.kwargs) - set(_Wish._fields))
        if marker.args or unknown:
            what = f"`{unknown[0]}`" if unknown else "arguments without a name"
            pytest.fail(f"{item.nodeid}: the marker lyceum does not know {what}; it is {MARKER}", pytrace=False)
        given = {**marker.kwargs, **given}
    wish = _Wish(**given)
    if wish.clock not in ("manual", "per_request", "real"):
        pytest.fail(
            f"{item.nodeid}: the marker's clock is 'manual', 'per_request' or 'real', and not {wish.clock!r}",
            pytrace=False,
        )
    return wish


def _fails_on_violations(item: pytest.Item) -> bool:
    wished = item.stash[_WISH].fail_on_violations
    return bool(item.config.getini("lyceum_fail_on_violations")) if wished is None else wished


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"


def _forget(tenant: Lyceum) -> None:
    from emulator.embedded import ControlError

    try:
        tenant.close()
    except ControlError:
        # The emulator is gone, or was replaced; a test that needed it has said so.
        return


def _write(directory: Path, report: pytest.TestReport, found: dict[str, Any]) -> str:
    """Put what was found into a file of `directory`. Returns which, or why not."""
    import json
    from hashlib import sha256

    readable = re.sub(r"[^A-Za-z0-9_.-]+", "-", report.nodeid)[-80:].strip("-.")
    mark = sha256(report.nodeid.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    path = directory / f"{readable}-{mark}-{report.when}.json"
    about = {"test": report.nodeid, "when": report.when, "failure": report.longreprtext[-20_000:]}
    try:
        directory.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(about | found, indent=2), encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        return f"could not be written: {error}"
    return str(path)
