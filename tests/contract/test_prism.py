"""Prism between a client and the emulator: it finds nothing to refuse, neither in what the official client sends nor in
what the emulator answers to it and to a tour of every operation."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from emulator.contract.operations import Operation
from tests.clients.official import VERSIONS, OfficialClient, execution_id_in
from tests.contract.prism import CONTROL_PATH, Prism, proxying, violations
from tests.contract.tour import KEY, Send, Tour, stops
from tests.process import Server, serving

SCENARIOS = Path(__file__).parents[1] / "clients" / "scenarios"

EXCEPTIONS = {
    413: "Prism reads a whole body before it passes it on, and its own limit is below the emulator's",
    415: "Prism refuses a media type that the contract does not know before the emulator can",
    422: "Prism refuses what is malformed before the emulator can; 5.16 never answers a body that is no JSON at all",
    429: "the emulator would have to hold ten thousand tenants: tests/contract/test_every_answer.py",
}
"""Documented answers that cannot be seen through Prism. All others are."""

THROUGH = [(operation, code) for operation, code in stops("service") if code not in EXCEPTIONS]
QUERIES = [(operation, code) for operation, code in stops("service") if code == 422 and operation.body is None]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving("--speed", "100", "--scenarios", SCENARIOS) as server:
        yield server


@pytest.fixture(scope="module")
def prism(server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prism]:
    with proxying(server.url, tmp_path_factory.mktemp("prism")) as prism:
        yield prism


def sender(url: str) -> Iterator[Send]:
    with httpx2.Client(base_url=url, timeout=30) as http:

        def send(
            method: str, url: str, *, headers: dict[str, str], params: dict[str, object], content: bytes | None
        ) -> httpx2.Response:
            return http.request(method, url, headers=headers, params=params, content=content)  # type: ignore[arg-type]

        yield send


@pytest.fixture(scope="module")
def tour(server: Server, prism: Prism) -> Iterator[Tour]:
    """Asks for answers of the emulated service through Prism. Its runs stand still."""
    for send in sender(prism.url):
        for control in sender(server.url):
            key = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
            control("PATCH", "/_emulator/clock", headers=key, params={}, content=b'{"mode": "manual"}')
            yield Tour(send, control)


def test_prism_does_refuse_what_breaks_the_contract(prism: Prism) -> None:
    """In both directions: otherwise the tests below would find nothing, whatever happens."""
    headers = {"Authorization": f"Bearer {KEY}"}
    start = f"{prism.url}/api/v2/external/execution/streaming/start"
    refused = httpx2.post(start, headers=headers, json={"code": "pass", "timeout": 601}, timeout=30)
    assert (refused.status_code, violations(refused)) == (
        422,
        ["body.timeout: Request body property timeout must be <= 600"],
    )
    lacking = httpx2.get(f"{prism.url}{CONTROL_PATH}", timeout=30)
    assert (lacking.status_code, violations(lacking)) == (
        500,
        ["response.body: Response body must have required property 'never'"],
    )


@pytest.mark.parametrize(
    ("operation", "status_code"), THROUGH, ids=[f"{operation.operation_id}-{code}" for operation, code in THROUGH]
)
def test_prism_passes_every_answer_on(tour: Tour, operation: Operation, status_code: int) -> None:
    answer = tour.ask(operation, status_code)
    assert violations(answer) == []
    assert answer.status_code == status_code, answer.text


@pytest.mark.parametrize(
    ("operation", "status_code"), QUERIES, ids=[operation.operation_id for operation, _ in QUERIES]
)
def test_prism_refuses_the_queries_that_the_emulator_does(tour: Tour, operation: Operation, status_code: int) -> None:
    answer = tour.ask(operation, status_code)
    assert answer.status_code == status_code, answer.text
    assert [told for told in violations(answer) if told.startswith("query.")]


def test_prism_finds_nothing_in_what_the_official_client_does(prism: Prism, tmp_path: Path) -> None:
    lyceum = OfficialClient(VERSIONS[0], tmp_path, prism.url, "lk_official_client_through_prism")
    if not lyceum.executable.exists():
        pytest.skip(f"lyceum-cli {VERSIONS[0]} is not installed: make clients")
    before = prism.told()
    said = [lyceum("auth", "login", "--url", prism.url, "--api-key", lyceum.key)]
    said.append(lyceum("python", "run", lyceum.file("train-one.py"), "--metadata", "team=vision"))
    python_run = execution_id_in(said[-1].stdout)
    said.append(lyceum("docker", "run", "registry.example/server:3", "--detach", "--env", "MODE=fast"))
    docker_run = execution_id_in(said[-1].stdout)
    said.append(lyceum("docker", "logs", docker_run))
    said.append(lyceum("compose", "run", lyceum.file("compose.yml", "services: {web: {image: redis:8}}\n")))
    said.append(lyceum("notebook", "launch", "--token", "sesame"))
    said.append(lyceum("notebook", "stop", execution_id_in(said[-1].stdout)))
    about_jobs = (["list"], ["history"], ["status", python_run], ["logs", python_run], ["metrics", docker_run])
    said += [lyceum("jobs", *words) for words in about_jobs]
    said.append(lyceum("gpu", "machines"))
    assert [outcome for outcome in said if outcome.exit_code != 0] == []
    assert prism.told() == before
