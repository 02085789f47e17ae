"""What is valid in a scenario file and most likely not meant: each rule, its place, and where it is silent."""

from __future__ import annotations

from pathlib import Path

import pytest

from emulator.resources import SCENARIO_DIRECTORY
from emulator.scenario.library import Library
from emulator.scenario.lints import RULES, lint
from emulator.scenario.model import Scenario


def library(tmp_path: Path, *texts: str) -> tuple[Scenario, ...]:
    """The scenarios a, b, ... of these texts."""
    for name, text in zip("abcdefg", texts, strict=False):
        (tmp_path / f"{name}.yaml").write_text(text, encoding="utf-8")
    return Library.load([tmp_path], built_in=SCENARIO_DIRECTORY).filed


def found(tmp_path: Path, *texts: str) -> list[tuple[str, str, int, int, str]]:
    """What there is about the last of `texts`, which is given a summary, but for that: rule, path, place, message."""
    *earlier, last = library(tmp_path, *texts[:-1], texts[-1] + "\nsummary: Last.\n")
    return [
        (each.rule, each.problem.path, each.problem.line, each.problem.column, each.problem.message)
        for each in lint(last, earlier)
    ]


def rules(tmp_path: Path, *texts: str) -> list[str]:
    return [rule for rule, *_ in found(tmp_path, *texts)]


@pytest.mark.parametrize("name", sorted(path.stem for path in SCENARIO_DIRECTORY.glob("*.yaml")))
def test_the_built_in_scenarios_have_none(name: str) -> None:
    assert lint(Library.load(built_in=SCENARIO_DIRECTORY).get(name)) == ()


def test_a_missing_summary_is_told_at_the_first_key(tmp_path: Path) -> None:
    (scenario,) = library(tmp_path, "# a comment\n\ntimeline: [{running: 1s}]\n")
    (only,) = lint(scenario)
    assert (only.rule, only.problem.path, only.problem.line, only.problem.column) == ("no-summary", "", 3, 1)


# -- no-timeout


def test_a_run_longer_than_the_clients_limit_wants_a_timeout(tmp_path: Path) -> None:
    assert found(tmp_path, "timeline:\n  - pending: 1h\n  - running: 30s..60001ms\n") == [
        (
            "no-timeout",
            "timeline[1].running",
            3,
            14,
            "running lasts 1m1ms, and the limit that most clients send, 1m, cuts it:"
            " add `timeout: ignore`, or `timeout: enforce` if that is meant",
        )
    ]


@pytest.mark.parametrize(
    "text",
    [
        "timeline: [{pending: 1h}, {running: 60s}]",
        "timeline: [{running: 61s}]\ntimeout: ignore",
        "timeline: [{running: 61s}]\ntimeout: enforce",
        "timeline: [{pending: 2h}, cancelled]",
        "extends: oom",
        "extends: oom\ntimeline: [{running: 2h}]",
    ],
)
def test_no_timeout_is_wanted_where_none_is_missing(tmp_path: Path, text: str) -> None:
    assert rules(tmp_path, text) == []


def test_a_run_without_end_wants_a_timeout(tmp_path: Path) -> None:
    ((rule, *_, message),) = found(tmp_path, "timeline: [{running: until_stopped}]")
    assert (rule, message.split(",")[0]) == ("no-timeout", "running lasts until somebody stops it")


def test_a_base_that_lacks_a_timeout_is_told_of_itself_only(tmp_path: Path) -> None:
    base = "timeline: [{running: 2m}]"
    assert rules(tmp_path, base, "extends: a") == []
    assert rules(tmp_path, base, "extends: a\ntimeline: [{running: 3m}]") == ["no-timeout"]


def test_a_variant_and_an_entry_of_a_sequence_want_a_timeout_at_their_own_place(tmp_path: Path) -> None:
    text = (
        "timeline: [{running: 1s}]\n"
        "sequence:\n  - timeline: [{running: 2m}]\n  - variants: [{}, {timeline: [{starting: 1s}, {running: 3m}]}]\n"
    )
    assert [path for _, path, *_ in found(tmp_path, text)] == [
        "sequence[0].timeline[0].running",
        "sequence[1].variants[1].timeline[1].running",
    ]


# -- late-output


def test_output_that_a_short_run_ends_before_is_told(tmp_path: Path) -> None:
    text = "timeline: [{running: 10s..20s}]\noutput:\n  - {at: 10s, text: a}\n  - {at: 10001ms, text: b}\n"
    message = "not every run writes this: it starts at 10s1ms, and running may end after 10s"
    assert ("late-output", "output[1].at", 4, 10, message) in found(tmp_path, text)
    assert rules(tmp_path, text).count("late-output") == 1


def test_a_repetition_beyond_the_end_is_told_and_ramps_that_are_cut(tmp_path: Path) -> None:
    plain = 'timeline: [{running: 10s}]\noutput: [{every: 1s, until: 11s, text: "a\\n"}]\n'
    ramp = plain.replace('"a\\n"', '"{v}\\n", fields: {v: {from: 1, to: 2}}')
    message = "beyond the end of running, which lasts 10s"
    assert found(tmp_path, plain) == [("late-output", "output[0].until", 2, 29, message)]
    assert found(tmp_path, ramp)[0][-1] == f"{message}: the ramps of `fields` never get to their `to`"
    assert rules(tmp_path, plain.replace("11s", "10s")) == []


def test_a_timeline_that_is_written_over_an_output_may_cut_it(tmp_path: Path) -> None:
    whole = 'timeline: [{running: 10s}]\noutput: [{every: 1s, until: 10s, text: "a\\n"}]\n'
    assert rules(tmp_path, whole + "variants: [{}, {timeline: [{running: 4s}, failed]}]") == []
    assert rules(tmp_path, whole, "extends: a\ntimeline: [{running: 4s}, failed]") == []


def test_an_output_that_is_written_over_a_timeline_has_to_fit(tmp_path: Path) -> None:
    whole = "timeline: [{running: 10s}]\n"
    late = 'output: [{every: 1s, until: 11s, text: "a\\n"}]'
    assert found(tmp_path, f"{whole}variants: [{{{late}}}]")[0][:2] == ("late-output", "variants[0].output[0].until")
    assert found(tmp_path, whole, f"extends: a\n{late}")[0][:2] == ("late-output", "output[0].until")


# -- late-phase


def test_phases_that_are_never_reached_or_cut_are_told(tmp_path: Path) -> None:
    text = (
        "timeline: [{running: 8s..10s}]\nmetrics:\n"
        "  - {phase: a, for: 4s, shape: eval}\n"
        "  - {phase: b, for: 6001ms..9s, shape: eval}\n"
        "  - {phase: c, shape: eval}\n"
    )
    assert found(tmp_path, text) == [
        ("late-phase", "metrics[1].for", 4, 21, "cut: running ends after 10s, and this goes on to 10s1ms"),
        ("late-phase", "metrics[2]", 5, 5, "never reached: running ends after 10s, and this starts at 10s1ms"),
    ]
    assert rules(tmp_path, text.replace("6001ms..9s", "5999ms")) == []


def test_a_last_phase_that_starts_with_the_end_is_never_reached(tmp_path: Path) -> None:
    text = "timeline: [{running: 4s}]\nmetrics: [{phase: a, for: 4s, shape: eval}, {phase: b, shape: eval}]"
    assert rules(tmp_path, text) == ["late-phase"]


def test_phases_of_a_run_that_never_runs_are_told(tmp_path: Path) -> None:
    text = "timeline: [{pending: 4s}, cancelled]\nmetrics: [{phase: a, shape: eval}]"
    assert found(tmp_path, text) == [("late-phase", "metrics[0]", 2, 11, "never shown: the run ends before `running`")]


def test_a_run_without_end_cuts_no_phase(tmp_path: Path) -> None:
    text = "timeline: [{running: until_stopped}]\ntimeout: ignore\nmetrics: [{phase: a, for: 400h, shape: eval}]"
    assert rules(tmp_path, text) == []


# -- joined-text


def test_a_text_that_the_next_one_of_its_stream_runs_into_is_told_once(tmp_path: Path) -> None:
    text = (
        "timeline: [{running: 9s}]\noutput:\n"
        '  - {at: 1s, text: "one"}\n'
        '  - {at: 2s, stream: stderr, text: "two"}\n'
        '  - {every: 1s, from: 3s, text: "three\\n"}\n'
    )
    message = "the text has no line end, and `three` runs into it: end it with `\\n`, or with a space if that is meant"
    assert found(tmp_path, text) == [("joined-text", "output[0].text", 3, 20, message)]


def test_a_repeated_text_runs_into_itself(tmp_path: Path) -> None:
    text = 'timeline: [{running: 9s}]\noutput: [{every: 1s, text: "{n}"}]'
    ((rule, *_, message),) = found(tmp_path, text)
    assert (rule, message.split(":")[0]) == (
        "joined-text",
        "the text has no line end, and its own next one runs into it",
    )


def test_a_text_that_several_others_run_into_is_told_once(tmp_path: Path) -> None:
    output = '[{every: 4s, text: "a"}, {at: 1s, text: "b\\n"}, {at: 5s, text: "c\\n"}]'
    assert rules(tmp_path, f"timeline: [{{running: 9s}}]\noutput: {output}") == ["joined-text"]


@pytest.mark.parametrize(
    "output",
    [
        '[{at: 1s, text: "a\\n"}, {at: 2s, text: "b"}]',
        '[{at: 1s, text: "a "}, {at: 2s, text: "b"}]',
        '[{at: 1s, text: "a"}, {at: 2s, text: "\\nb"}]',
        '[{every: 1s, text: "\\r{n} of 9"}]',
        '[{every: 1s, from: 9s, text: "once"}]',
        '[{at: 2s, text: "b"}, {at: 1s, text: "a\\n"}]',
    ],
)
def test_texts_that_stay_apart_are_left_alone(tmp_path: Path, output: str) -> None:
    assert rules(tmp_path, f"timeline: [{{running: 9s}}]\noutput: {output}") == []


# -- unused-field


def test_a_field_that_the_text_does_not_name_is_told(tmp_path: Path) -> None:
    text = 'timeline: [{running: 9s}]\noutput: [{at: 1s, text: "{used}\\n", fields: {used: 1, other: 2}}]'
    assert found(tmp_path, text) == [
        ("unused-field", "output[0].fields.other", 2, 62, "not used: the text has no `{other}`")
    ]


# -- repeated-name and never-matches


def test_a_name_that_an_earlier_directory_has_is_told(tmp_path: Path) -> None:
    text = "summary: x\ntimeline: [{running: 1s}]\nmatch: {kind: python}\n"
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    (tmp_path / "one/a.yaml").write_text(text)
    (tmp_path / "two/a.yaml").write_text(text)
    first, second = Library.load([tmp_path / "one", tmp_path / "two"], built_in=SCENARIO_DIRECTORY).filed
    (only,) = lint(second, [first])
    assert only.rule == "repeated-name"
    assert only.problem.message == f"never used: {tmp_path}/one/a.yaml is called `a`, too, and comes first"


def test_a_name_that_the_earlier_file_extends_is_used(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "two").mkdir()
    (tmp_path / "one/a.yaml").write_text("summary: x\nextends: a\n")
    (tmp_path / "two/a.yaml").write_text("summary: y\ntimeline: [{running: 1s}]\n")
    first, second = Library.load([tmp_path / "one", tmp_path / "two"], built_in=SCENARIO_DIRECTORY).filed
    assert lint(second, [first]) == ()


TIMELINE = "timeline: [{running: 1s}]\n"


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ('{file_name: "*.py"}', '{file_name: "oom-*.py"}'),
        ('{file_name: "*.py"}', '{file_name: "*.py"}'),
        ("{}", "{kind: docker}"),
        ("{kind: python}", "{kind: python, run_name: x}"),
        ("{kind: docker}", '{image: "pytorch/*"}'),
        ("{kind: docker}", "{command: x}"),
        ("{labels: [n*]}", "{labels: [x, nightly]}"),
        ("{metadata: {team: v*}}", "{metadata: {team: vision, a: b}}"),
        ("{hardware: h100}", "{hardware: gpu.h100}"),
        ("{hardware: h100*}", "{hardware: gpu.h100.4x}"),
        ('{hardware: "*"}', "{hardware: cpu}"),
        ('{code: "*torch*", file_name: "*"}', '{code: "*import torch*", file_name: a.py}'),
    ],
)
def test_a_match_that_an_earlier_one_always_wins_over_is_told(tmp_path: Path, earlier: str, later: str) -> None:
    assert found(tmp_path, f"{TIMELINE}match: {earlier}", f"{TIMELINE}match: {later}") == [
        (
            "never-matches",
            "match",
            2,
            1,
            "never decides: whatever fits it fits the `match` of `a`, which is asked first",
        )
    ]


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ('{file_name: "oom-*.py"}', '{file_name: "*.py"}'),
        ('{file_name: "*"}', "{kind: python}"),
        ("{kind: docker}", "{kind: python}"),
        ("{kind: python}", "{code: x}"),
        ("{kind: compose}", "{image: x}"),
        ("{labels: [a, b]}", "{labels: [a]}"),
        ("{metadata: {team: v*}}", "{metadata: {group: vision}}"),
        ("{hardware: gpu.h100}", "{hardware: h100}"),
        ("{hardware: h100}", "{kind: python}"),
    ],
)
def test_a_match_that_can_still_decide_is_left_alone(tmp_path: Path, earlier: str, later: str) -> None:
    assert rules(tmp_path, f"{TIMELINE}match: {earlier}", f"{TIMELINE}match: {later}") == []


def test_problems_come_in_the_order_of_the_text(tmp_path: Path) -> None:
    text = "timeline: [{running: 2m}]\noutput: [{at: 0s, text: a}, {at: 1s, text: b, fields: {x: 1}}]"
    assert rules(tmp_path, text) == ["no-timeout", "joined-text", "unused-field"]


def test_every_rule_says_in_a_line_what_it_finds() -> None:
    assert [name for name, rule in RULES.items() if not rule.__doc__ or "\n" in rule.__doc__] == []
