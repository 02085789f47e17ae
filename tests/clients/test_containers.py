"""`lyceum docker` and `lyceum compose`."""

import json

import pytest

from tests.clients.official import VERSIONS, OfficialClient, Outcome, execution_id_in

SERVER_OUTPUT = "listening on :8000\nGET /health 200\nGET /missing 404\n"
STACK = "services:\n  db:\n    image: postgres:17\n  web:\n    image: registry.example/web:2\n"
STACK_OUTPUT = "db-1   | ready to accept connections\nweb-1  | connected\ndb-1   | checkpoint complete\nweb-1  | done\n"


@pytest.mark.parametrize("version", VERSIONS)
def test_docker_run_streams_the_containers_output(lyceum: OfficialClient) -> None:
    outcome = lyceum("docker", "run", "registry.example/server:3", "--command", "serve --port 8000")
    execution_id = execution_id_in(outcome.stdout)
    assert outcome == Outcome(0, f"{SERVER_OUTPUT}Execution ID: {execution_id}\n", "")
    assert lyceum.record(execution_id)["status"] == "completed"


def test_docker_run_with_all_its_options_is_accepted(lyceum: OfficialClient) -> None:
    outcome = lyceum(
        *("docker", "run", "registry.example/server:3", "--machine", "gpu.a100", "--timeout", "600"),
        *("--file-name", "server", "--run-name", "server 3", "--label", "nightly", "--metadata", "team=web"),
        *("--command", "serve --port 8000", "--env", "MODE=fast", "--env", "LEVEL=3", "--detach"),
        *("--registry-type", "basic", "--registry-creds", '{"username": "me", "password": "s3cr3t-word"}'),
        *("--s3-mount-path", "/data", "--graceful-timeout", "30"),
    )
    assert outcome.exit_code == 0
    record = lyceum.record(execution_id_in(outcome.stdout))
    assert (record["file_name"], record["hardware_profile"]) == ("server", "gpu.a100")
    assert "s3cr3t-word" not in json.dumps(record)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_detached_container_can_be_followed_later(lyceum: OfficialClient) -> None:
    detached = lyceum("docker", "run", "registry.example/server:3", "--detach")
    execution_id = execution_id_in(detached.stdout)
    assert detached == Outcome(
        0,
        "Image: registry.example/server:3\n"
        "Machine: gpu.l40s\n"
        f"Execution ID: {execution_id}\n"
        "\n"
        f"To stream logs: lyceum docker logs {execution_id}\n",
        "",
    )
    followed = Outcome(0, f"{SERVER_OUTPUT}Execution ID: {execution_id}\n", "")
    assert lyceum("docker", "logs", execution_id) == followed
    assert lyceum("docker", "logs", execution_id) == followed  # now it is over, and is told again in full


def test_docker_logs_of_a_failed_run_say_that_it_failed(lyceum: OfficialClient) -> None:
    arguments = (
        "docker",
        "run",
        "python:3.13",
        "--detach",
        "--metadata",
        "emulator.scenario=exits-with-three",
    )
    execution_id = execution_id_in(lyceum(*arguments).stdout)
    assert lyceum("docker", "logs", execution_id) == Outcome(
        1,
        f"reading data set\nthe data set is empty\nFailed (exit code 3)\nExecution ID: {execution_id}\n",
        "",
    )


def test_docker_logs_of_an_unknown_run_say_that_there_is_no_stream(lyceum: OfficialClient) -> None:
    unknown = "9d73319c-6f1c-4b4c-90e4-044244353ce4"
    assert lyceum("docker", "logs", unknown) == Outcome(
        1, f"Stream not found - execution may have already completed\nExecution ID: {unknown}\n", ""
    )


@pytest.mark.parametrize("version", VERSIONS)
def test_docker_run_on_a_machine_that_is_not_on_offer_names_those_that_are(lyceum: OfficialClient) -> None:
    outcome = lyceum("docker", "run", "python:3.13", "--machine", "gpu.abacus")
    first, _, body = outcome.stdout.partition("\n")
    assert (outcome.exit_code, first) == (1, "Error: HTTP 403")
    detail = json.loads(body)["detail"]
    available = lyceum.get("/user/quotas/available-hardware")["available_hardware_profiles"]
    assert "gpu.l40s" in available
    missing = [profile for profile in available if not profile.endswith("x") and profile not in detail]
    assert missing == []  # gpu.l40s.2x and the like go without saying


def test_compose_run_interleaves_the_lines_of_its_services(lyceum: OfficialClient) -> None:
    outcome = lyceum("compose", "run", lyceum.file("stack-a.yml", STACK))
    execution_id = execution_id_in(outcome.stdout)
    assert outcome == Outcome(0, f"{STACK_OUTPUT}Execution ID: {execution_id}\n", "")
    record = lyceum.record(execution_id)
    assert (record["status"], record["file_name"]) == ("completed", "stack-a.yml")


def test_a_detached_stack_can_be_followed_later(lyceum: OfficialClient) -> None:
    detached = lyceum("compose", "run", lyceum.file("stack-b.yml", STACK), "--detach")
    execution_id = execution_id_in(detached.stdout)
    assert detached == Outcome(
        0,
        "Compose file: stack-b.yml\n"
        "Machine: gpu.l40s\n"
        f"Execution ID: {execution_id}\n"
        "\n"
        f"To stream logs: lyceum compose logs {execution_id}\n",
        "",
    )
    followed = Outcome(0, f"{STACK_OUTPUT}Execution ID: {execution_id}\n", "")
    assert lyceum("compose", "logs", execution_id) == followed


def test_the_built_in_stack_prints_lines_of_several_services(lyceum: OfficialClient) -> None:
    file_name = lyceum.file("compose.yml", STACK)
    outcome = lyceum("compose", "run", file_name, "--metadata", "emulator.scenario=compose-stack")
    lines = outcome.stdout.split("\n")
    services = {line.partition("|")[0].strip() for line in lines if "|" in line}
    assert outcome.exit_code == 0
    assert len(services) >= 2


def test_a_compose_text_that_is_not_yaml_becomes_a_failed_run(lyceum: OfficialClient) -> None:
    outcome = lyceum("compose", "run", lyceum.file("stack-broken.yml", "services: [\n  - {unclosed\n"))
    record = lyceum.record(execution_id_in(outcome.stdout))
    assert (outcome.exit_code, record["status"]) == (1, "failed")
