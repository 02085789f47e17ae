"""The scenario format: what a file says, and the value that it becomes."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from emulator.errors import ScenarioError
from emulator.scenario.file.format import read_scenario
from emulator.scenario.json_value import Json
from emulator.scenario.metrics import MetricPhase, Override, Quantity, ShapeName, Unit
from emulator.scenario.model import Match, Scenario, TimeLimit
from emulator.scenario.output import OutputEntry, OutputStream, Placeholder
from emulator.scenario.ranges import DurationRange, NumberRange, Ramp
from emulator.scenario.timeline import Ending, StageSpec
from emulator.statuses import RunStatus

PENDING, STARTING, RUNNING = RunStatus.PENDING, RunStatus.STARTING, RunStatus.RUNNING


def scenario(text: str, name: str = "mine") -> Scenario:
    return read_scenario(text, name=name, source=f"{name}.yaml")


def complaints(text: str) -> list[str]:
    with pytest.raises(ScenarioError) as refused:
        scenario(text)
    return [problem.message for problem in refused.value.problems]


def exactly(ms: int) -> DurationRange:
    return DurationRange(ms, ms)


def test_a_file_becomes_a_scenario() -> None:
    text = """\
summary: Training that runs out of GPU memory four minutes in.
match: {kind: python, file_name: "oom-*.py", labels: [nightly], metadata: {team: "v*"}, hardware: "*h100*"}
timeout: ignore
timeline:
  - pending: 4s
  - starting: 35s..50s
  - running: 4m
  - failed: {return_code: 3, error: "CUDA out of memory.", result: {step: 120}}
output:
  - {at: 500ms, text: "loading\\n"}
  - every: 2s
    from: 20s
    until: 3m
    text: "{n} {loss:.4f} {{x}}\\n"
    fields: {loss: {from: 2.4, to: 0.9}, k: 2..9}
  - {at: 4m, stream: stderr, text: "CUDA out of memory.\\n"}
metrics:
  - {phase: load, for: 25s..30s, shape: load-weights, pcie_rx: 1.2GB/s}
  - {phase: train, shape: train-llm, gpu_memory: {from: 55%, to: 100%}, power: 350W, sm: 60%..80%}
series: {gpuTemperatureCelsius: {2m: 91.5, 0s: 40}}
stop_status: cancelled
shutdown: 1s..2s
seed: 7
hardware: gpu.h100
"""
    read = scenario(text, "oom")
    assert replace(read, drafts=()) == Scenario(
        name="oom",
        summary="Training that runs out of GPU memory four minutes in.",
        source="oom.yaml",
        text=text,
        digest=read.digest,
        timeline=(
            StageSpec(PENDING, exactly(4_000)),
            StageSpec(STARTING, DurationRange(35_000, 50_000)),
            StageSpec(RUNNING, exactly(240_000)),
        ),
        ending=Ending(RunStatus.FAILED, 3, "CUDA out of memory.", {"step": 120}),
        match=Match(
            kind="python",
            file_name="oom-*.py",
            labels=("nightly",),
            metadata={"team": "v*"},
            hardware="*h100*",
        ),
        output=(
            OutputEntry(("loading\n",), from_ms=500),
            OutputEntry(
                (Placeholder("n"), " ", Placeholder("loss", ".4f"), " {x}\n"),
                from_ms=20_000,
                every_ms=2_000,
                until_ms=180_000,
                fields={"loss": Ramp(2.4, 0.9), "k": NumberRange(2, 9)},
            ),
            OutputEntry(("CUDA out of memory.\n",), OutputStream.STDERR, 240_000),
        ),
        metrics=(
            MetricPhase(
                "load",
                ShapeName.LOAD_WEIGHTS,
                DurationRange(25_000, 30_000),
                {Quantity.PCIE_RX: Override(1.2e9, Unit.BYTES_PER_SECOND)},
            ),
            MetricPhase(
                "train",
                ShapeName.TRAIN_LLM,
                None,
                {
                    Quantity.GPU_MEMORY: Override(Ramp(55, 100), Unit.PERCENT),
                    Quantity.POWER: Override(350, Unit.WATT),
                    Quantity.SM: Override(NumberRange(60, 80), Unit.PERCENT),
                },
            ),
        ),
        series={"gpuTemperatureCelsius": ((0, 40), (120_000, 91.5))},
        time_limit=TimeLimit.IGNORE,
        stop_status=RunStatus.CANCELLED,
        shutdown=DurationRange(1_000, 2_000),
        seed=7,
        hardware="gpu.h100",
    )


def test_a_timeline_is_all_that_a_file_needs() -> None:
    read = scenario("timeline: [{running: 3s}]", "my-first_one")
    assert replace(read, drafts=()) == Scenario(
        name="my-first_one",
        summary="My first one.",
        source="my-first_one.yaml",
        text="timeline: [{running: 3s}]",
        digest=read.digest,
        timeline=(
            StageSpec(PENDING, exactly(0)),
            StageSpec(STARTING, exactly(0)),
            StageSpec(RUNNING, exactly(3_000)),
        ),
        ending=Ending(RunStatus.COMPLETED, 0),
    )


def test_json_reads_as_yaml_does() -> None:
    read = scenario('{"timeline": [{"running": "3s"}, "cancelled"], "seed": 4.0}')
    assert (read.ending, read.seed) == (Ending(RunStatus.CANCELLED, 143), 4)


@pytest.mark.parametrize(
    ("timeline", "stages", "ending"),
    [
        ("[{running: 1s}]", {PENDING: 0, STARTING: 0, RUNNING: 1000}, Ending(RunStatus.COMPLETED, 0)),
        (
            "[{pending: 1s}, {running: 1s}]",
            {PENDING: 1000, STARTING: 0, RUNNING: 1000},
            Ending(RunStatus.COMPLETED, 0),
        ),
        ("[{running: until_stopped}]", {PENDING: 0, STARTING: 0, RUNNING: None}, None),
        ("[{pending: until_stopped}]", {PENDING: None}, None),
        ("[{pending: 1s}, {starting: until_stopped}]", {PENDING: 1000, STARTING: None}, None),
        ("[system_failure]", {PENDING: 0}, Ending(RunStatus.SYSTEM_FAILURE)),
        ("[{starting: 1s}, system_failure]", {PENDING: 0, STARTING: 1000}, Ending(RunStatus.SYSTEM_FAILURE)),
        ("[{pending: 1s}, failed]", {PENDING: 1000, STARTING: 0}, Ending(RunStatus.FAILED, 1)),
        ("[failed]", {PENDING: 0, STARTING: 0}, Ending(RunStatus.FAILED, 1)),
        ("[{pending: 1s}, aborted]", {PENDING: 1000}, Ending(RunStatus.ABORTED, 137)),
        ("[{pending: 1s}, cancelled: {error: no}]", {PENDING: 1000}, Ending(RunStatus.CANCELLED, 143, "no")),
        (
            "[{running: 1s}, completed: {return_code: 0, result: [1]}]",
            {PENDING: 0, STARTING: 0, RUNNING: 1000},
            Ending(RunStatus.COMPLETED, 0, None, [1]),
        ),
        (
            "[{running: 1s}, failed: {return_code: 255}]",
            {PENDING: 0, STARTING: 0, RUNNING: 1000},
            Ending(RunStatus.FAILED, 255),
        ),
    ],
)
def test_the_timeline_reaches_as_far_as_the_run_gets(
    timeline: str, stages: dict[RunStatus, int | None], ending: Ending | None
) -> None:
    read = scenario(f"timeline: {timeline}")
    assert {stage.status: stage.duration and stage.duration.low_ms for stage in read.timeline} == stages
    assert read.ending == ending


@pytest.mark.parametrize(
    ("text", "template"),
    [
        ("plain", ("plain",)),
        ("{{}}", ("{}",)),
        ("{{n}}", ("{n}",)),
        ("{{{n}}}", ("{", Placeholder("n"), "}")),
        ("{n}{n}", (Placeholder("n"), Placeholder("n"))),
        ("a{n:05d}b", ("a", Placeholder("n", "05d"), "b")),
        ("{n:.2f} {n:8.3f} {n:g} {n:.1e} {n:d}", None),
    ],
)
def test_texts_are_cut_at_their_placeholders(text: str, template: tuple[str | Placeholder, ...] | None) -> None:
    read = scenario(f"timeline: [{{running: 1s}}]\noutput: [{{at: 0s, text: '{text}'}}]").output[0].text
    if template is None:
        specs = [piece.spec for piece in read if isinstance(piece, Placeholder)]
        assert specs == [".2f", "8.3f", "g", ".1e", "d"]
        assert [format(3.0 if spec[-1] != "d" else 3, spec) for spec in specs] == [
            "3.00",
            "   3.000",
            "3",
            "3.0e+00",
            "3",
        ]
    else:
        assert read == template


def output_of(running: str, entry: str) -> str:
    return f"timeline: [{{running: {running}}}]\noutput:\n  - {entry}\n"


def test_output_may_come_to_a_hundred_thousand_lines_and_no_more() -> None:
    most = scenario(output_of("99999ms", '{every: 1ms, text: "x\\n"}'))
    assert most.output[0].every_ms == 1
    assert complaints(output_of("100s", '{every: 1ms, text: "x\\n"}')) == [
        "up to here `output` comes to 100001 lines, written out, and the most is 100000 lines and 64 MiB"
    ]
    assert scenario(output_of("200s", '{every: 1ms, until: 99999ms, text: "x\\n"}')).output[0].until_ms == 99_999


def test_lines_inside_a_text_and_its_size_count() -> None:
    assert complaints(output_of("50s", '{every: 1ms, text: "x\\ny\\n"}')) == [
        "up to here `output` comes to 100002 lines, written out, and the most is 100000 lines and 64 MiB"
    ]
    assert complaints(output_of("70s", f'{{every: 1s, text: "{"x" * 1000_000}"}}')) == [
        "up to here `output` comes to 67 MiB, written out, and the most is 100000 lines and 64 MiB"
    ]


def test_output_at_the_very_end_is_written_and_after_a_possible_end_is_not_refused() -> None:
    assert scenario(output_of("4s", '{at: 4s, text: "x"}')).output[0].from_ms == 4_000
    assert scenario(output_of("4s..6s", '{at: 6s, text: "x"}')).output[0].from_ms == 6_000
    assert complaints(output_of("4s..6s", '{at: 6001ms, text: "x"}')) == [
        "never written: running ends after 6s, and this starts at 6s1ms"
    ]
    assert scenario(output_of("until_stopped", '{at: 9h, text: "x"}')).output[0].from_ms == 32_400_000


def test_a_mistake_in_one_entry_does_not_hide_the_late_output_of_another() -> None:
    text = output_of("4s", '{at: 3, text: "x"}') + '  - {at: 5s, text: "y"}\n'
    assert complaints(text) == [
        "`3` has no unit: write `3s` or `3m`",
        "never written: running ends after 4s, and this starts at 5s",
    ]


def test_the_digest_follows_name_and_text_and_nothing_else() -> None:
    text = "timeline: [{running: 3s}]"
    one = read_scenario(text, name="one", source="a")
    assert one.digest == read_scenario(text, name="one", source="b").digest
    assert one.digest == "ae7ec08db5d57f2ddb0b4ab7e3f21fe3d8d3b7b0c9cbb0b31a2d56e5e2d7a1d2" or len(one.digest) == 64
    assert one.digest != read_scenario(text, name="two", source="a").digest
    assert one.digest != read_scenario(text + "\n", name="one", source="a").digest


@given(st.text(max_size=300))
def test_any_text_is_read_or_refused_with_one_line_per_problem(text: str) -> None:
    try:
        scenario(text)
    except ScenarioError as error:
        lines, problems = str(error).splitlines(), len(error.problems)
    else:
        lines, problems = [], 0
    assert len(lines) == problems


JSON: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=5,
)


@given(JSON)
def test_a_result_is_any_json(value: Json) -> None:
    read = scenario(json.dumps({"timeline": [{"running": "1s"}, {"completed": {"result": value}}]}))
    assert read.ending == Ending(RunStatus.COMPLETED, 0, None, value)
