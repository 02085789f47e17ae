"""`lyceum auth`, `lyceum org current`, `lyceum gpu machines`."""

import json

import pytest

from tests.clients.official import VERSIONS, OfficialClient, Outcome, table_in


def org_lines(lyceum: OfficialClient) -> str:
    org = lyceum.get("/user/org")
    assert org["is_personal"] is True
    return (
        f"Org: {org['slug']} (personal org)\n"
        "No org chosen, so your personal org is used.\n"
        "Share with your team via --org <slug> or 'lyceum org use <slug>'.\n"
    )


def test_logging_in_with_a_key_succeeds_and_names_the_org(stranger: OfficialClient) -> None:
    outcome = stranger("auth", "login", "--url", stranger.url, "--api-key", stranger.key)
    assert outcome == Outcome(0, f"Successfully authenticated!\n{org_lines(stranger)}", "")
    assert stranger("jobs", "list") == Outcome(0, "No running executions found\n", "")


@pytest.mark.parametrize("version", VERSIONS[1:])
def test_older_clients_log_in_with_a_key(stranger: OfficialClient) -> None:
    outcome = stranger("auth", "login", "--url", stranger.url, "--manual", "--api-key", stranger.key)
    assert outcome == Outcome(0, "Successfully authenticated!\n", "")
    config = json.loads((stranger.home / ".lyceum" / "config.json").read_text(encoding="utf-8"))
    assert (config["api_key"], config["base_url"]) == (stranger.key, stranger.url)


def test_logging_in_with_a_malformed_key_fails(stranger: OfficialClient) -> None:
    outcome = stranger("auth", "login", "--url", stranger.url, "--api-key", "lk_short")
    assert outcome == Outcome(1, "Authentication failed: HTTP 401\n", "")


def test_a_command_with_a_malformed_key_says_that_it_was_refused(stranger: OfficialClient) -> None:
    stranger("auth", "login", "--url", stranger.url, "--api-key", "lk_short")
    outcome = stranger("jobs", "list")
    first, detail, hint, end = outcome.stdout.split("\n")
    assert (outcome.exit_code, first, end) == (1, "Error: HTTP 401", "")
    assert detail not in ("", hint)  # the server's own words
    assert hint == "Your session may have expired. Run 'lyceum auth login' to re-authenticate."


def test_a_command_without_a_key_fails_before_any_request(stranger: OfficialClient) -> None:
    refused = "Error: Not authenticated. Run 'lyceum auth login' first.\n"
    assert stranger("jobs", "list") == Outcome(1, refused, "")


def test_auth_status_reports_the_connection_as_working(lyceum: OfficialClient) -> None:
    assert lyceum("auth", "status") == Outcome(
        0,
        f"Config file: {lyceum.home}/.lyceum/config.json\n"
        f"Base URL: {lyceum.url}\n"
        "Authenticated\n"
        f"API Key: {lyceum.key[:8]}...\n"
        f"{org_lines(lyceum)}"
        "API connection working\n",
        "",
    )


def test_org_current_shows_the_org_behind_the_key(lyceum: OfficialClient) -> None:
    org = lyceum.get("/user/org")
    details = f"name: {org['name']}\nid: {org['org_id']}\n"
    assert lyceum("org", "current") == Outcome(0, org_lines(lyceum) + details, "")


def test_an_org_that_is_not_the_keys_own_is_refused(lyceum: OfficialClient) -> None:
    outcome = lyceum("--org", "somebody-elses", "jobs", "list")
    assert (outcome.exit_code, outcome.stdout.split("\n")[0]) == (1, "Error: HTTP 403")


def test_gpu_machines_lists_prices_and_access(lyceum: OfficialClient) -> None:
    machines = lyceum.json("gpu", "machines")
    assert {"gpu.l40s", "gpu.a100", "gpu.h100"} <= {machine["hardware_profile"] for machine in machines}

    available = lyceum.get("/user/quotas/available-hardware")["available_hardware_profiles"]
    assert {machine["hardware_profile"] for machine in machines} <= set(available)

    outcome = lyceum("gpu", "machines")
    table = table_in(outcome.stdout)
    assert (outcome.exit_code, table.title) == (0, "Machine Types")
    assert table.rows == [
        [machine["hardware_profile"], f"${machine['price_per_hour']:.2f}", "✓"] for machine in machines
    ]
