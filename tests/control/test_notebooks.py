"""Notebooks: what they do by default, and the page in place of them."""

from __future__ import annotations

from html.parser import HTMLParser
from typing import Any

import pytest

from emulator.server.settings import Settings
from tests.api import Api, emulator

DEFAULT_WORDS = "no queue entry, name or match applies; notebooks take notebook"
OWN = "timeline: [{running: until_stopped}]\ntimeout: ignore\n"


def launch(api: Api, **body: Any) -> str:
    submission = {"docker_image_ref": "jupyter/base-notebook:latest", "job_type": "customer_notebook", "timeout": 600}
    answer = api.post("/execution/image/start", submission | body)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["execution_id"])


def view(api: Api, run_id: str) -> Any:
    return api.control("GET", f"/runs/{run_id}")


def put(api: Api, name: str, text: str) -> None:
    answer = api.request(
        "PUT", f"/_emulator/scenarios/{name}", content=text, headers={"Content-Type": "application/yaml"}
    )
    assert answer.status_code == 200, answer.text


def chosen(api: Api, run_id: str) -> tuple[str, str]:
    run = view(api, run_id)
    return run["scenario"], run["chosen_by"]["rule"]


def test_a_notebook_without_any_choice_takes_the_scenario_of_notebooks_within_its_timeout(api: Api) -> None:
    run_id = launch(api)
    run = view(api, run_id)
    assert (run["scenario"], run["chosen_by"]["rule"], run["chosen_by"]["detail"]) == (
        "notebook",
        "default",
        DEFAULT_WORDS,
    )
    api.advance(execution_id=run_id, until="running")
    api.advance(by="599s")
    assert api.record(run_id)["status"] == "running"
    assert api.post(f"/workloads/stop/{run_id}").status_code == 200
    api.advance(by="1s")
    record = api.record(run_id)
    assert (record["status"], record["return_code"]) == ("failed", 124)  # its time is up before it has shut down


def test_a_stopped_notebook_is_completed(api: Api) -> None:
    run_id = launch(api)
    api.advance(by="1m")
    api.post(f"/workloads/stop/{run_id}")
    api.advance(by="2s")
    record = api.record(run_id)
    assert (record["status"], record["return_code"]) == ("completed", 0)


def test_a_notebook_that_nobody_stops_is_cut_by_its_timeout(api: Api) -> None:
    run_id = launch(api, timeout=60)
    api.advance(execution_id=run_id, until="terminal")
    record = api.record(run_id)
    assert (record["status"], record["return_code"]) == ("failed", 124)
    assert record["end_time"] == "2026-01-01T00:01:09.000Z"
    assert record["system_errors"] == ["Execution exceeded its time limit of 60 seconds and was terminated."]


def test_a_choice_that_is_made_for_a_notebook_counts(api: Api) -> None:
    named = launch(api, metadata={"emulator.scenario": "oom"})
    api.control("POST", "/queue", {"scenario": "failed"})
    queued = launch(api)
    put(api, "jupyter", "match: {image: 'jupyter/*'}\n" + OWN)
    matched = launch(api)
    assert [chosen(api, run_id) for run_id in (named, queued, matched)] == [
        ("oom", "name"),
        ("failed", "queue"),
        ("jupyter", "match"),
    ]


def test_the_built_in_notebook_that_is_asked_for_by_name_outlives_its_timeout(api: Api) -> None:
    run_id = launch(api, timeout=60, metadata={"emulator.scenario": "notebook"})
    api.advance(by="1h")
    assert api.record(run_id)["status"] == "running"


def test_the_servers_default_is_not_for_notebooks() -> None:
    api = emulator(default_scenario="oom")
    assert chosen(api, launch(api)) == ("notebook", "default")
    assert chosen(api, api.start()) == ("oom", "default")
    assert chosen(api, launch(api, job_type="customer_image")) == ("oom", "default")


def test_a_page_says_what_run_it_is_and_how_it_stands(api: Api) -> None:
    run_id = launch(api, run_name="exploring", docker_run_cmd=["start-notebook.sh", "--NotebookApp.token=sesame"])
    path = view(api, run_id)["notebook_page"]
    assert path == f"/_emulator/notebooks/{run_id}/"
    visitor = api.as_caller(None)
    seen = []
    for moment in ("pending", "running", "terminal"):
        if moment != "pending":
            api.advance(execution_id=run_id, until=moment)
        answer = visitor.request("GET", path)
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
        assert answer.headers["content-security-policy"].startswith("default-src 'none';")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert all(word in answer.text for word in (run_id, "exploring", "jupyter/base-notebook:latest"))
        assert "sesame" not in answer.text
        status = api.record(run_id)["status"]
        assert f"<dt>Status</dt><dd>{status}</dd>" in answer.text
        seen.append((answer.status_code, answer.text.partition("<p>")[2].partition("</p>")[0]))
    assert seen == [
        (409, "This notebook is not running yet. Load the page again once it is."),
        (200, "This notebook is running. On the real service Jupyter would answer here."),
        (410, "This notebook has ended. On the real service nothing would answer here any more."),
    ]


def test_there_is_no_page_for_other_runs_nor_for_none(api: Api) -> None:
    image = api.post("/execution/image/start", {"docker_image_ref": "a"}).json()["execution_id"]
    for run_id in (api.start(), image, "unknown", "%2e%2e", "<script>"):
        answer = api.request("GET", f"/_emulator/notebooks/{run_id}/")
        assert (answer.status_code, answer.json()) == (404, {"detail": "Notebook not found"})
    assert view(api, image)["notebook_page"] is None
    run_id = launch(api)
    without_slash = api.request("GET", f"/_emulator/notebooks/{run_id}")
    assert without_slash.status_code == 404
    assert without_slash.json()["detail"].endswith("did you mean /_emulator/notebooks/{execution_id}/?")
    api.post(f"/workloads/abort/{run_id}")
    api.request("DELETE", f"/api/v2/external/execution/{run_id}")
    assert api.request("GET", f"/_emulator/notebooks/{run_id}/").status_code == 404


class Tags(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.seen: set[str] = set()
        self.attributes: set[str] = set()
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("field", ["run_name", "docker_image_ref"])
@pytest.mark.parametrize(
    "text", ["<script>alert(1)</script>", '"><img src=x onerror=alert(1)>', "</dd><a href='x'>&amp;"]
)
def test_a_page_shows_texts_as_they_are(api: Api, field: str, text: str) -> None:
    run_id = launch(api, **{field: text})
    page = Tags(api.request("GET", f"/_emulator/notebooks/{run_id}/").text)
    assert page.seen == {"html", "head", "meta", "title", "body", "h1", "p", "dl", "dt", "dd"}
    assert page.attributes == {"lang", "charset"}
    assert text in page.text


def test_a_page_needs_no_token_even_where_the_control_api_does() -> None:
    api = emulator(Settings(control_token="the-control-token"))
    run_id = launch(api)
    page = api.as_caller(None).request("GET", f"/_emulator/notebooks/{run_id}/")
    assert page.status_code == 409
    assert api.as_caller(None).request("GET", f"/_emulator/runs/{run_id}").status_code == 401
