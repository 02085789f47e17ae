"""docs/scenarios.md: every example is read, every mistake is told as shown, every recipe does what it claims."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest
from jsonschema_rs import Draft202012Validator
from msgspec.structs import replace

from emulator.clock import START_MS, Clock, ClockMode, ClockSettings
from emulator.control.wire import composition_view
from emulator.documents import read_document
from emulator.errors import ScenarioError
from emulator.resources import SCENARIO_DIRECTORY
from emulator.runs.output import log_lines, recorded
from emulator.runs.run import Run
from emulator.runs.timing import moments
from emulator.scenario.choice import Rule
from emulator.scenario.file.keys import KEYS
from emulator.scenario.file.reference import tables, with_tables
from emulator.scenario.file.schema import scenario_schema
from emulator.scenario.library import Library
from emulator.scenario.lints import lint
from emulator.scenario.submission import Kind, Submission
from emulator.statuses import RunStatus
from emulator.tenants.cloud import Cloud
from emulator.tenants.tenant import Tenant

PAGE_FILE = Path(__file__).parents[1] / "docs" / "scenarios.md"
PAGE = PAGE_FILE.read_text("utf-8")
HOUR_MS = 3_600_000
PYTHON = Submission(Kind.PYTHON, "gpu.h100", code="pass")


class Block(NamedTuple):
    """A fenced block: what stands behind its fence, and the heading that it belongs to."""

    words: str
    text: str
    heading: str

    @property
    def name(self) -> str:
        named = re.match(r"# ([a-z0-9-]+)\.yaml\n", self.text)
        assert named, f"the example below {self.heading!r} does not begin with its file's name"
        return named[1]


def blocks_of(page: str) -> list[Block]:
    found, heading = [], ""
    for part in re.finditer(r"^(#+ .*)$|^```(.*)\n((?:.*\n)*?)```$", page, re.MULTILINE):
        if part[1]:
            heading = part[1].lstrip("# ")
        else:
            found.append(Block(part[2], part[3], heading))
    return found


BLOCKS = blocks_of(PAGE)
EXAMPLES = {block.name: block for block in BLOCKS if block.words == "yaml"}
MISTAKES = [(block, shown) for block, shown in pairwise(BLOCKS) if block.words == "yaml mistake"]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Library:
    """All examples of the page in one directory, as a user would have them."""
    directory = tmp_path_factory.mktemp("scenarios")
    for name, block in EXAMPLES.items():
        (directory / f"{name}.yaml").write_text(block.text, "utf-8")
    return Library.load([directory], built_in=SCENARIO_DIRECTORY)


# The page.


def test_the_examples_have_names_of_their_own(library: Library) -> None:
    assert len(EXAMPLES) == sum(block.words == "yaml" for block in BLOCKS) > 20
    assert set(EXAMPLES) <= {scenario.name for scenario in library.scenarios()}
    assert not set(EXAMPLES) & {scenario.name for scenario in library.built_in}


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_schema_accepts_every_example(name: str) -> None:
    Draft202012Validator(scenario_schema()).validate(read_document(EXAMPLES[name].text).plain())


@pytest.mark.parametrize("name", EXAMPLES)
def test_no_example_has_an_oddity_but_a_missing_summary(library: Library, name: str) -> None:
    assert {found.rule for found in lint(library.get(name))} <= {"no-summary"}


@pytest.mark.parametrize(("mistake", "shown"), MISTAKES, ids=[block.name for block, _ in MISTAKES])
def test_every_mistake_is_told_as_shown(library: Library, mistake: Block, shown: Block) -> None:
    assert shown.words == "text"
    with pytest.raises(ScenarioError) as refused:
        library.read(mistake.text, name=mistake.name, source=f"{mistake.name}.yaml")
    assert str(refused.value).splitlines() == shown.text.splitlines()


def test_blocks_are_of_kinds_that_tests_know() -> None:
    assert Counter(block.words for block in BLOCKS).keys() == {"yaml", "yaml mistake", "text", "json"}
    assert len(MISTAKES) == sum(block.words == "text" for block in BLOCKS) == 3


@pytest.mark.parametrize("key", [key.name for key in KEYS])
def test_every_key_has_a_section_with_an_example_of_it(key: str) -> None:
    examples = [block for block in EXAMPLES.values() if block.heading == key]
    assert examples, f"docs/scenarios.md has no section `### {key}` with an example"
    assert any(re.search(rf"^{key}:", block.text, re.MULTILINE) for block in examples)


def test_the_tables_are_current() -> None:
    """If this fails: `python -m emulator.scenario.file.reference docs/scenarios.md`."""
    assert with_tables(PAGE) == PAGE
    assert [PAGE.count(f"<!-- table: {name} -->") for name in tables()] == [1] * len(tables())


def test_every_built_in_scenario_is_in_the_table() -> None:
    for path in SCENARIO_DIRECTORY.glob("*.yaml"):
        assert f"\n| `{path.stem}` | " in PAGE


def test_links_lead_to_headings() -> None:
    headings = {
        re.sub(r"[^\w -]", "", heading).strip().lower().replace(" ", "-")
        for heading in re.findall(r"^#+ (.*)$", PAGE, re.MULTILINE)
    }
    linked = re.findall(r"\]\(#([^)]*)\)", PAGE)
    assert linked
    assert set(linked) <= headings


# The recipes.


class Trial:
    """One tenant of a new emulator whose scenarios are those of the page."""

    def __init__(self, library: Library) -> None:
        clock = Clock(ClockSettings(ClockMode.MANUAL))
        self.cloud = Cloud(library, default_scenario="completed", seed=0, clock=clock)
        self.tenant: Tenant = self.cloud.tenant("lk_reads_the_docs")

    def submit(self, named: str | None = None, submission: Submission = PYTHON) -> Run:
        return self.cloud.submit(self.tenant, submission, START_MS, named=named)

    def stop(self, run: Run, at_ms: int) -> Run:
        return self.tenant.stop(run.execution_id, at_ms)


def after(run: Run, age_ms: int) -> RunStatus:
    return run.course.status_at(START_MS + age_ms)


def end(run: Run) -> tuple[RunStatus, int | None]:
    assert run.course.end is not None
    return run.course.end.ending.status, run.course.end.ending.return_code


def running_at(run: Run) -> int:
    begins_ms = run.course.started_ms(RunStatus.RUNNING)
    assert begins_ms is not None
    return begins_ms


def ends_at(run: Run) -> int:
    assert run.course.end is not None
    return run.course.end.at_ms


def lines(run: Run) -> list[str]:
    return [line.message for line in log_lines(run, START_MS + 24 * HOUR_MS)]


COMPLETED, FAILED = (RunStatus.COMPLETED, 0), (RunStatus.FAILED, 1)
LOST = (RunStatus.SYSTEM_FAILURE, None)


def retry(trial: Trial) -> None:
    """The third attempt succeeds and all after it; another tenant and a reset begin anew."""
    submission = replace(PYTHON, file_name="retry-it.py")
    runs = [trial.submit(submission=submission) for _ in range(4)]
    assert [end(run) for run in runs] == [LOST, LOST, COMPLETED, COMPLETED]
    assert [run.chosen_by.rule for run in runs] == [Rule.MATCH] * 4
    assert [run.course.started_ms(RunStatus.RUNNING) is None for run in runs] == [False, True, False, False]
    assert lines(runs[0]) == ["epoch 1/11", "epoch 2/11", "epoch 3/11", "epoch 4/11", "epoch 5/11"]
    assert len(lines(runs[2])) == 11
    (shown,) = (block.text for block in BLOCKS if block.words == "json")
    assert composition_view(runs[1]) == json.loads(shown)
    other = trial.cloud.tenant("lk_somebody_else")
    assert end(trial.cloud.submit(other, submission, START_MS)) == LOST
    trial.tenant.reset()
    assert [end(trial.submit("retry")) for _ in range(3)] == [LOST, LOST, COMPLETED]


def too_slow(trial: Trial) -> None:
    cut, whole = (trial.submit("too-slow", replace(PYTHON, timeout_s=limit)) for limit in (60, 600))
    assert (end(cut), ends_at(cut) - running_at(cut)) == ((RunStatus.FAILED, 124), 60_000)
    assert (end(whole), ends_at(whole) - running_at(whole)) == (COMPLETED, 5 * 60_000)


def queue_of_an_hour(trial: Trial) -> None:
    run = trial.submit("queue-of-an-hour")
    assert (after(run, HOUR_MS - 1), after(run, HOUR_MS)) == (RunStatus.PENDING, RunStatus.STARTING)
    assert (end(run), lines(run)) == (COMPLETED, ["at last"])


def flaky(trial: Trial) -> None:
    runs = [trial.submit("flaky") for _ in range(800)]
    ends = Counter(end(run) for run in runs)
    before_running = sum(run.course.started_ms(RunStatus.RUNNING) is None for run in runs)
    assert ends.keys() == {COMPLETED, LOST}
    assert 160 < ends[LOST] < 240
    assert 70 < before_running < 130
    assert all(bool(run.picked.draw and run.picked.draw.name) == (end(run) == LOST) for run in runs)


def notebook(trial: Trial) -> None:
    run = trial.submit(submission=Submission(Kind.DOCKER, "gpu.l40s", image="jupyter/base-notebook:latest"))
    assert run.script.scenario.name == "notebook-on-demand"
    assert (run.course.end, after(run, 20 * HOUR_MS)) == (None, RunStatus.RUNNING)
    stopped = trial.stop(run, START_MS + HOUR_MS)
    assert (end(stopped), ends_at(stopped)) == (COMPLETED, START_MS + HOUR_MS + 2_000)
    assert lines(stopped)[1:3] == ["[I ServerApp] Saving file at /Untitled.ipynb"] * 2


def stack(trial: Trial) -> None:
    compose = "services: {web: {image: nginx}, db: {image: postgres}}"
    run = trial.submit(submission=Submission(Kind.COMPOSE, "gpu.h100", compose=compose))
    assert (run.script.scenario.name, end(run)) == ("stack", FAILED)
    services = [line.partition("  |")[0].strip() for line in lines(run) if "|" in line]
    assert services[:6] == ["web-1", "db-1"] * 3
    assert lines(run)[-2:] == [
        "db-1   | PANIC:  could not write to file: No space left on device",
        "db-1 exited with code 1",
    ]


def out_of_memory(trial: Trial) -> None:
    from emulator.telemetry.plan import workload_of
    from emulator.telemetry.series import sample
    from emulator.telemetry.window import Window

    run = trial.submit(submission=replace(PYTHON, file_name="big-model.py"))
    assert (run.script.scenario.name, end(run)) == ("out-of-memory", FAILED)
    assert recorded(run, ends_at(run)).stderr == "torch.OutOfMemoryError: CUDA out of memory.\n"
    window = Window(running_at(run), ends_at(run), 1_000)
    memory = sample(workload_of(run), window, ends_at(run))["gpuMemoryUtilizationPercent"].values
    assert memory[10] < 55 < memory[60] < 99 <= max(memory)


def log_flood(trial: Trial) -> None:
    run = trial.submit("log-flood")
    found = lines(run)
    assert len(found) == 100_000
    assert [line[:12] for line in (found[0], found[-1])] == ["000001 DEBUG", "100000 DEBUG"]
    assert end(run) == COMPLETED


def many_scripts(trial: Trial) -> None:
    run = trial.submit("many-scripts")
    assert lines(run) == [
        "日本語 · العربية · עברית · हिन्दी · 👩‍💻 🏳️‍🌈",
        "cafe\u0301 is not café",
        "",
        "\x1b[31m✘ Größe überschritten\x1b[0m",
        "\r▕1/6▏\r▕2/6▏\r▕3/6▏\r▕4/6▏\r▕5/6▏\r▕6/6▏",
    ]
    assert run.course.end is not None
    assert run.course.end.ending.result == {"greeting": "Здравствуй, 世界 🌍"}


def interrupted(trial: Trial) -> None:
    minute_ms = START_MS + 60_000
    submission = replace(PYTHON, run_name="interrupt-me")
    stopped = trial.stop(trial.submit(submission=submission), minute_ms)
    assert (end(stopped), ends_at(stopped)) == ((RunStatus.CANCELLED, 143), minute_ms + 3_000)
    assert moments(stopped, minute_ms + HOUR_MS).finished_ms == minute_ms + 3_000
    run = trial.submit("interrupted")
    aborted = trial.tenant.abort(run.execution_id, minute_ms)
    assert (end(aborted), ends_at(aborted)) == ((RunStatus.ABORTED, 137), minute_ms)


PROOFS: dict[str, Callable[[Trial], None]] = {
    "retry": retry,
    "too-slow": too_slow,
    "queue-of-an-hour": queue_of_an_hour,
    "flaky": flaky,
    "notebook-on-demand": notebook,
    "stack": stack,
    "out-of-memory": out_of_memory,
    "log-flood": log_flood,
    "many-scripts": many_scripts,
    "interrupted": interrupted,
}


def test_there_are_ten_recipes_each_with_a_proof() -> None:
    recipes = [name for name, block in EXAMPLES.items() if re.match(r"\d+\. ", block.heading)]
    assert recipes == list(PROOFS)
    assert len(recipes) == 10


@pytest.mark.parametrize("name", PROOFS)
def test_a_recipe_does_what_it_claims(library: Library, name: str) -> None:
    PROOFS[name](Trial(library))
