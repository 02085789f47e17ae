"""The official client behind a bad API: what it shows of a refusal, and where it carries on."""

import json
import urllib.request

import pytest

from tests.clients.official import OfficialClient, Outcome, execution_id_in

LATER = "You can check the execution later with: lyceum status\n"


def ask_for(lyceum: OfficialClient, **fault: object) -> None:
    headers = {"Authorization": f"Bearer {lyceum.key}", "Content-Type": "application/json"}
    body = json.dumps(fault).encode()
    urllib.request.urlopen(urllib.request.Request(f"{lyceum.url}/_emulator/faults", body, headers)).close()


def ended(lyceum: OfficialClient, scenario: str) -> Outcome:
    return lyceum("python", "run", lyceum.file("hello.py"), "--metadata", f"emulator.scenario={scenario}")


def test_a_stream_that_is_refused_is_an_error_and_not_tried_again(lyceum: OfficialClient) -> None:
    outcome = ended(lyceum, "flaky-api")
    run_id = execution_id_in(outcome.stdout)
    assert outcome == Outcome(1, f"Stream failed: HTTP 503\nExecution ID: {run_id}\n{LATER}", "")


def test_a_stream_that_breaks_sends_the_client_to_ask_for_the_status(lyceum: OfficialClient) -> None:
    outcome = ended(lyceum, "broken-stream")
    assert (outcome.exit_code, outcome.stderr) == (0, "")
    shown = outcome.stdout.splitlines()
    assert shown[:5] == [f"step {n}/20" for n in range(1, 6)]
    assert shown[5].startswith("Streaming error: peer closed connection without sending complete message body")
    assert shown[6] == "Checking execution status..."


@pytest.mark.parametrize(
    ("fault", "shown"),
    [
        (
            "no-capacity",
            "Error: HTTP 500\n"
            '{"detail": "The instance could not be provisioned right now. Please try again in a moment."}\n',
        ),
        ("rate-limited", 'Error: HTTP 429\n{"detail": "Too many requests"}\n'),
        ("reset", "Error: [Errno 104] Connection reset by peer\n"),
    ],
)
def test_a_start_that_fails_is_shown_and_starts_nothing(lyceum: OfficialClient, fault: str, shown: str) -> None:
    ask_for(lyceum, fault=fault, operation="start_*")
    assert lyceum("python", "run", lyceum.file("hello.py")) == Outcome(1, shown, "")
    assert lyceum.get("/workloads/list?status=pending&status=running&status=completed") == []
