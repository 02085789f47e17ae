"""`scenario simulate`: one run without a server, which is the run that a server gives."""

from __future__ import annotations

import json

import pytest

from emulator.app import create_service
from emulator.cli.drawing import printable, shares
from emulator.cli.options import EXAMPLE_KEY
from emulator.clock import START_MS, ClockMode, ClockSettings
from emulator.control.wire import run_view
from emulator.scenario.submission import Kind, Submission
from emulator.server import wire
from tests.cli.conftest import Scenario, Write

MINE = """\
summary: Mine.
timeline: [{pending: 10s}, {starting: 30s}, {running: 1m}, {failed: {return_code: 3, error: "boom"}}]
output:
  - {at: 500ms, text: "begin\\n"}
  - {every: 20s, from: 10s, text: "step {n}\\n"}
  - {at: 1m, stream: stderr, text: "boom\\n"}
"""


def test_a_run_is_drawn_from_its_submission_to_its_end(scenario: Scenario, write: Write) -> None:
    write("mine.yaml", MINE)
    said = scenario("simulate", "mine.yaml", "--seed", "7", "--hardware", "h100", COLUMNS="62")
    assert said == (
        0,
        """\
mine  mine.yaml
Mine.
python on gpu.h100, time limit 1m, seed 7

░░░░░░▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒▒████████████████████████████████████
   status    after  lasts  at
░  pending      0s    10s  2026-01-01T00:00:00.000Z
▒  starting    10s    30s  2026-01-01T00:00:10.000Z
█  running     40s     1m  2026-01-01T00:00:40.000Z
●  failed    1m40s         2026-01-01T00:01:40.000Z

Output  5 lines
   after  running
40s500ms   +500ms  out  begin
     50s     +10s  out  step 1
   1m10s     +30s  out  step 2
   1m30s     +50s  out  step 3
   1m40s      +1m  err  boom

Ending  failed, return code 3, as its timeline says
        error: boom
Billing $0.069750  for 1m30s of gpu.h100 at $2.79 an hour
""",
        "",
    )


def test_of_many_lines_the_first_and_the_last_are_drawn(scenario: Scenario, write: Write) -> None:
    write("mine.yaml", "timeline: [{running: 10s}]\noutput: [{every: 1s, from: 1s, text: 'line {n}\n\n'}]\n")
    lines = scenario("simulate", "mine.yaml", "--lines", "3").lines()
    start = lines.index("Output  10 lines")
    assert [" ".join(line.split()) for line in lines[start + 2 : start + 6]] == [
        "1s +1s out line 1",
        "2s +2s out line 2",
        "… 7 more",
        "10s +10s out line 10",
    ]


@pytest.mark.parametrize(("most", "drawn"), [("0", 0), ("1", 1), ("5", 5), ("6", 5)])
def test_no_more_lines_are_drawn_than_asked_for(scenario: Scenario, write: Write, most: str, drawn: int) -> None:
    write("mine.yaml", MINE)
    said = scenario("simulate", "mine.yaml", "--lines", most)
    assert sum(" out  " in line or " err  " in line for line in said.lines()) == drawn


def test_a_run_that_never_ends_is_drawn_for_an_hour(scenario: Scenario) -> None:
    lines = scenario("simulate", "notebook").lines()
    assert lines[4].endswith("█→")
    assert "█  running      9s  until stopped  2026-01-01T00:00:09.000Z" in lines
    assert "Ending  none: the run goes on until somebody stops it" in lines
    assert lines[-1] == "Billing $1.192644  for 1h8s of gpu.l40s at $1.19 an hour, and it goes on"


def test_a_run_that_gets_no_machine_costs_nothing(scenario: Scenario, write: Write) -> None:
    write("mine.yaml", "timeline: [{pending: 5s}, cancelled]\n")
    lines = scenario("simulate", "mine.yaml").lines()
    assert lines[-4:] == [
        "Output  none",
        "",
        "Ending  cancelled, return code 143, as its timeline says",
        "Billing $0.000000  no machine was assigned",
    ]


def test_a_run_that_takes_no_time_has_no_bar(scenario: Scenario, write: Write) -> None:
    write("mine.yaml", "timeline: [{running: 0s}]\n")
    said = scenario("simulate", "mine.yaml")
    assert (said.code, said.lines()[4]) == (0, "")


@pytest.mark.parametrize(
    ("options", "ending"),
    [
        (["--timeout", "20s"], "failed, return code 124, cut by the client's time limit"),
        (["--stop-at", "50s"], "completed, return code 0, stopped"),
        (["--stop-at", "5s"], "cancelled, return code 143, stopped"),
        (["--abort-at", "50s"], "aborted, return code 137, aborted"),
        (["--stop-at", "0s"], "cancelled, return code 143, stopped"),
    ],
)
def test_time_limit_stop_and_abort_end_it_as_on_a_server(
    scenario: Scenario, write: Write, options: list[str], ending: str
) -> None:
    write("mine.yaml", MINE)
    assert f"Ending  {ending}" in scenario("simulate", "mine.yaml", *options).lines()


def test_an_order_after_the_end_is_refused(scenario: Scenario) -> None:
    said = scenario("simulate", "completed", "--abort-at", "1h")
    assert (said.code, said.err) == (2, "lyceum-emulator: Execution is already completed\n")


def test_it_is_the_first_run_of_a_new_server(scenario: Scenario) -> None:
    """The same id, seed and bytes as `serve` gives to the key that the README uses."""
    service = create_service(clock=ClockSettings(ClockMode.MANUAL))
    tenant = service.cloud.tenant(EXAMPLE_KEY)
    submission = Submission(Kind.PYTHON, "gpu.h100", file_name="train.py", code="")
    run = service.cloud.submit(tenant, submission, START_MS, named="oom")
    end = run.course.end
    assert end is not None
    simulated = scenario("simulate", "oom", "--json", "--file-name", "train.py", "--hardware", "gpu.h100").json()
    assert simulated["run"] == json.loads(json.dumps(run_view(tenant, run, end.at_ms)))
    assert simulated["record"] == json.loads(json.dumps(wire.record(tenant, run, end.at_ms)))
    assert simulated["timing"] == wire.timing(run, end.at_ms)["timing"]


def test_json_has_all_of_the_output(scenario: Scenario, write: Write) -> None:
    write("mine.yaml", MINE)
    view = scenario("simulate", "mine.yaml", "--json").json()
    assert (view["at"], view["ended"]) == ("2026-01-01T00:01:40.000Z", True)
    assert len(view["output"]) == 5
    assert view["output"][-1] == {
        "at": "2026-01-01T00:01:40.000Z",
        "after_s": 100.0,
        "stream": "stderr",
        "text": "boom\n",
    }


@pytest.mark.parametrize(
    ("at", "shown"),
    [
        ("0s", ("pending", None, "", None)),
        ("10s", ("starting", None, "", None)),
        ("50s", ("running", None, "begin\nstep 1\n", None)),
        ("1m39s999ms", ("running", None, "begin\nstep 1\nstep 2\nstep 3\n", None)),
        ("1m40s", ("failed", 3, "begin\nstep 1\nstep 2\nstep 3\n", "boom")),
        ("9h", ("failed", 3, "begin\nstep 1\nstep 2\nstep 3\n", "boom")),
    ],
)
def test_at_prints_the_record_as_it_is_then(
    scenario: Scenario, write: Write, at: str, shown: tuple[str, int | None, str, str | None]
) -> None:
    write("mine.yaml", MINE)
    record = scenario("simulate", "mine.yaml", "--at", at).json()
    assert (record["status"], record["return_code"], record["stdout"], record["errors"]) == shown


def test_the_same_seed_gives_the_same_run_and_another_gives_another(scenario: Scenario) -> None:
    first, again, other = (scenario("simulate", "oom", "--seed", seed).out for seed in ("1", "1", "2"))
    assert first == again
    assert first != other


def test_the_seed_that_a_run_shows_gives_that_run_again(scenario: Scenario, write: Write) -> None:
    write("own/any.yaml", "timeline: [{running: 1s..1h}]\ntimeout: ignore\n")
    shown = scenario("simulate", "any", "--scenarios", "own", "--attempt", "5", "--json").json()
    again = scenario("simulate", "any", "--scenarios", "own", "--seed", shown["run"]["seed"], "--json").json()
    assert again["run"]["transitions"] == shown["run"]["transitions"]


def test_variants_are_drawn_by_the_seed_and_named(scenario: Scenario, write: Write) -> None:
    write(
        "flaky.yaml", "extends: completed\nvariants: [{weight: 1}, {name: lost, timeline: [{running: 9s}, failed]}]\n"
    )
    drawn = {scenario("simulate", "flaky.yaml", "--seed", str(seed)).lines()[4] for seed in range(12)}
    assert drawn == {
        "variant 1 of 2, drawn by the run's seed: 1 in 2",
        "variant 2 of 2 (lost), drawn by the run's seed: 1 in 2",
    }


def test_attempts_go_through_a_sequence(scenario: Scenario, write: Write) -> None:
    write("retry.yaml", "extends: completed\nsequence: [{timeline: [{running: 9s}, failed]}, {}]\n")
    endings = []
    for attempt in ("1", "2", "3"):
        lines = scenario("simulate", "retry.yaml", "--attempt", attempt).lines()
        endings.append(next(line for line in lines if line.startswith("Ending")).split()[1].rstrip(","))
    assert endings == ["failed", "completed", "completed"]


def test_without_a_name_the_submission_gets_what_a_server_gives_it(scenario: Scenario, write: Write) -> None:
    write("own/mine.yaml", MINE + 'match: {file_name: "*.py"}\n')
    lines = scenario("simulate", "--scenarios", "own", "--file-name", "a.py").lines()
    assert lines[0] == "mine  own/mine.yaml"
    assert lines[3] == "chosen by match: its match holds for this submission: own/mine.yaml"
    assert scenario("simulate", "--scenarios", "own").lines()[0] == "completed  built-in"


def test_a_compose_file_that_cannot_be_read_fails_the_run(scenario: Scenario, write: Write) -> None:
    write("compose.yaml", "- not a mapping\n")
    said = scenario("simulate", "compose-stack", "--compose", "compose.yaml")
    assert "        error: docker-compose.yml: top-level object must be a mapping" in said.lines()


def test_an_invalid_file_is_told_with_every_problem(scenario: Scenario, write: Write) -> None:
    write("bad.yaml", "timeline:\n  - running: 5\n  - complete\n")
    assert scenario("simulate", "bad.yaml") == (
        2,
        "",
        "lyceum-emulator: bad.yaml:2:14: timeline[0].running: `5` has no unit: write `5s` or `5m`\n"
        "lyceum-emulator: bad.yaml:3:5: timeline[1]: `complete` is no status: did you mean `completed`?\n",
    )


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["oomm"], "there is no scenario `oomm`: did you mean `oom`?"),
        (["none.yaml"], "cannot read none.yaml: No such file or directory"),
        (["oom", "--at", "3"], "'3' is not a duration such as 5s"),
        (["oom", "--attempt", "0"], "0 is not in the range"),
        (["oom", "--seed", "-1"], "-1 is not in the range"),
    ],
)
def test_what_cannot_be_simulated_is_refused_with_exit_code_2(
    scenario: Scenario, arguments: list[str], words: str
) -> None:
    said = scenario("simulate", *arguments)
    assert (said.code, said.out) == (2, "")
    assert words in said.err


def test_what_would_move_the_cursor_is_drawn_escaped(scenario: Scenario, write: Write) -> None:
    write("mine.yaml", 'timeline: [{running: 1s}]\noutput: [{at: 0s, text: "\\e[2J[red]x[/] :smile: \\r\\n"}]\n')
    assert r"   0s      +0s  out  \x1b[2J[red]x[/] :smile: \r" in scenario("simulate", "mine.yaml").lines()
    assert printable("é 世 \u2028\t") == "é 世 \\u2028\\t"


@pytest.mark.parametrize(
    ("lengths", "cells"),
    [([1, 1], [5, 5]), ([0, 3], [0, 10]), ([1, 1_000_000], [1, 9]), ([1, 1, 1_000_000], [1, 1, 8]), ([0, 0], [0, 0])],
)
def test_every_stage_has_its_share_of_the_bar_and_at_least_one_cell(lengths: list[int], cells: list[int]) -> None:
    assert shares(lengths, 10) == cells


def test_a_gpu_selection_is_drawn_with_a_row_for_each_profile(scenario: Scenario, write: Write) -> None:
    write(
        "choose.yaml",
        """\
summary: Two GPUs.
timeline: [{pending: 1s}, {starting: 2s}, {running: 10s}]
selection:
  profiles:
    gpu.a100: {}
    gpu.h100: {timeline: [{pending: 9s}, {system_failure: {error: "No capacity."}}]}
""",
    )
    said = scenario("simulate", "choose.yaml", "--kind", "gpu_selection", "--seed", "7", COLUMNS="90").out
    assert [line.split() for line in said.splitlines() if line.startswith("gpu.")] == [
        ["gpu.a100", "1", "3s", "10s", "$0.004417", "completed,", "best,", "fastest,", "cheapest"],
        ["gpu.h100", "1", "system_failure:", "No", "capacity."],
    ]
    assert said.endswith(
        "Ending  completed, return code 0, as its timeline says\nBilling $0.005300  for all profiles together\n"
    )
    shown = scenario("simulate", "choose.yaml", "--kind", "gpu_selection", "--json").json()
    assert shown["gpu_selection"]["metadata"]["selection_results"]["best"] == "gpu.a100"
    assert [job["status"] for job in shown["run"]["sub_jobs"]] == ["completed", "system_failure"]
