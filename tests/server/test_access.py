"""Who is let in, and what the others are told."""

import pytest

from emulator.errors import StartError
from emulator.server.settings import Settings
from tests.api import BASE, KEY, Api, emulator


@pytest.mark.parametrize(
    "header",
    [None, "", "Bearer", "Bearer ", "Basic bGs6", "lk_tests_own_key", "Bearer lk_short", "Bearer eyJ.eyJ.x"],
)
def test_a_missing_or_malformed_token_is_refused_with_a_challenge(api: Api, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = api.as_caller(None).get("/user/org", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert set(answer.json()) == {"detail"}


def test_a_key_needs_eight_characters_after_its_prefix(api: Api) -> None:
    assert api.as_caller("lk_1234567").get("/user/org").status_code == 401
    assert api.as_caller("lk_12345678").get("/user/org").status_code == 200


def test_only_configured_keys_are_admitted_where_there_are_any() -> None:
    api = emulator(Settings(api_keys=frozenset({KEY})))
    assert api.get("/user/org").status_code == 200
    assert api.as_caller("lk_some_other_key").get("/user/org").status_code == 401


def test_the_scheme_may_be_written_in_any_case(api: Api) -> None:
    answer = api.as_caller(None).get("/user/org", headers={"Authorization": f"bEARER {KEY}"})
    assert answer.status_code == 200


def test_an_organisation_that_is_not_the_callers_is_forbidden(api: Api) -> None:
    slug = api.get("/user/org").json()["slug"]
    assert api.get("/workloads/list", headers={"X-Org-Slug": slug}).status_code == 200
    refused = api.get("/workloads/list", headers={"X-Org-Slug": "somebody-else"})
    assert refused.status_code == 403
    assert slug in refused.json()["detail"]


def test_nobody_sees_or_touches_the_run_of_another_key(api: Api) -> None:
    theirs = api.start()
    stranger = api.as_caller("lk_a_different_key")
    calls = [
        ("GET", f"/execution/{theirs}"),
        ("DELETE", f"/execution/{theirs}"),
        ("GET", f"/execution/{theirs}/timing"),
        ("GET", f"/execution/{theirs}/metrics"),
        ("GET", f"/logs/execution/{theirs}"),
        ("GET", f"/execution/streaming/{theirs}/status"),
        ("POST", f"/execution/streaming/abort/{theirs}"),
        ("POST", f"/execution/streaming/complete/{theirs}"),
        ("POST", f"/execution/image/abort/{theirs}"),
        ("POST", f"/workloads/abort/{theirs}"),
        ("POST", f"/workloads/stop/{theirs}"),
    ]
    answers = {(method, path): stranger.request(method, BASE + path) for method, path in calls}
    assert {answer.status_code for answer in answers.values()} == {404}
    assert {answer.json()["detail"] for answer in answers.values()} == {"Execution not found"}
    assert stranger.get("/workloads/list").json() == []
    assert api.record(theirs)["status"] == "pending"


def test_reading_with_a_new_key_leaves_nothing_behind(api: Api) -> None:
    for number in range(20):
        assert api.as_caller(f"lk_reader_number_{number}").get("/workloads/list").json() == []
    assert api.as_caller(None).control("POST", "/reset")["tenants_removed"] == 0


def test_a_configured_key_that_nobody_could_send_is_refused_at_the_start() -> None:
    with pytest.raises(StartError, match=r"^an API key begins with `lk_`") as refused:
        emulator(Settings(api_keys=frozenset({"mykey"})))
    assert "mykey" not in str(refused.value)
