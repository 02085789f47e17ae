"""Composition: what a scenario is that extends another, has variants, or a sequence."""

from collections.abc import Callable
from pathlib import Path

import pytest

from emulator.errors import ScenarioError
from emulator.resources import SCENARIO_DIRECTORY
from emulator.scenario.file.format import read_scenario
from emulator.scenario.library import InvalidScenarios, Library
from emulator.scenario.model import BUILT_IN, Scenario, TimeLimit
from emulator.scenario.ranges import DurationRange
from emulator.scenario.timeline import Ending, StageSpec
from emulator.statuses import RunStatus

BASE = """\
summary: The base.
match: {kind: python}
timeout: ignore
timeline: [{running: 9s}, {failed: {return_code: 3}}]
output: [{at: 8s, text: "eight\\n"}]
seed: 4
"""
FAILURE = "timeline: [{running: 2s}, system_failure]"


def library_of(**texts: str) -> Library:
    """Scenarios by name, each of which may extend those given before it."""
    library = Library()
    for name, text in texts.items():
        library = library.with_added(library.read(text, name=name, source=f"{name}.yaml"))
    return library


def composed(text: str, **others: str) -> Scenario:
    return library_of(base=BASE, **others).read(text, name="mine", source="mine.yaml")


def refused(act: Callable[[], object]) -> list[str]:
    with pytest.raises(ScenarioError) as error:
        act()
    return str(error.value).splitlines()


def running(scenario: Scenario) -> DurationRange | None:
    return scenario.timeline[-1].duration


def seconds(scenario: Scenario) -> int:
    span = running(scenario)
    assert span is not None
    return span.low_ms // 1000


# extends


def test_a_scenario_takes_over_the_keys_of_its_base_but_for_summary_and_match() -> None:
    base, mine = library_of(base=BASE).get("base"), composed("extends: base")
    assert (mine.name, mine.source, mine.text) == ("mine", "mine.yaml", "extends: base")
    assert (mine.timeline, mine.ending, mine.output) == (base.timeline, base.ending, base.output)
    assert (mine.time_limit, mine.seed, mine.bases) == (TimeLimit.IGNORE, 4, ("base",))
    assert (mine.summary, mine.match, base.bases) == ("Mine.", None, ())


def test_a_key_that_is_given_replaces_the_whole_of_the_bases() -> None:
    mine = composed('extends: base\noutput: [{at: 1s, text: "one\\n"}]\nseed: 5')
    assert [entry.from_ms for entry in mine.output] == [1_000]
    assert (mine.seed, mine.ending) == (5, Ending(RunStatus.FAILED, 3))


def test_bases_may_extend_others_and_the_nearest_key_counts() -> None:
    mine = composed("extends: middle\nshutdown: 3s", middle="extends: base\nseed: 6\nshutdown: 2s")
    assert (mine.bases, mine.seed, seconds(mine)) == (("middle", "base"), 6, 9)
    assert mine.shutdown == DurationRange(3_000, 3_000)


def test_a_shorter_timeline_cuts_the_output_of_the_base_and_a_late_output_is_refused() -> None:
    assert [entry.from_ms for entry in composed("extends: base\ntimeline: [{running: 2s}]").output] == [8_000]
    assert refused(lambda: composed('extends: base\noutput: [{at: 10s, text: "ten"}]')) == [
        "mine.yaml:2:10: output[0]: never written: running ends after 9s, and this starts at 10s"
    ]


def test_a_scenario_whose_base_has_the_same_text_but_another_base_has_another_digest() -> None:
    one = composed("extends: middle", middle="extends: base")
    other = library_of(base=BASE + "shutdown: 1s", middle="extends: base").read(
        "extends: middle", name="mine", source="mine.yaml"
    )
    assert one.digest != other.digest
    assert one.digest == composed("extends: middle", middle="extends: base").digest


def test_a_file_without_its_library_cannot_extend() -> None:
    assert refused(lambda: read_scenario("extends: oom", name="mine", source="mine.yaml")) == [
        "mine.yaml:1:10: extends: `oom` is looked up among the other scenarios, and there are none here"
    ]


# extends, in a library


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    def write(path: str, text: str) -> Path:
        file = tmp_path / path
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        return file.parent

    return write


Write = Callable[[str, str], Path]


def test_names_are_found_in_the_usual_order_whatever_the_order_of_the_files(write: Write) -> None:
    user = write("user/a.yaml", "extends: z")
    write("user/z.yaml", "timeline: [{running: 2s}]")
    own = write("own/z.yaml", "timeline: [{running: 1s}]")
    write("own/b.yaml", "extends: z")
    library = Library.load([user], built_in=own)
    assert {each.name: seconds(each) for each in library.scenarios()} == {"a": 2, "z": 2, "b": 2}


def test_a_files_own_name_means_the_one_that_it_hides(write: Write) -> None:
    user = write("user/a.yaml", "extends: a\nseed: 1")
    own = write("own/a.yaml", "timeline: [{running: 1s}]")
    library = Library.load([user], built_in=own)
    assert (seconds(library.get("a")), library.get("a").seed, library.get("a").bases) == (1, 1, ("a",))
    assert [each.seed for each in (*library.filed, *library.built_in)] == [1, None]


def test_built_in_scenarios_can_be_extended(write: Write) -> None:
    library = Library.load([write("user/mine.yaml", "extends: oom\nhardware: gpu.a100")], built_in=SCENARIO_DIRECTORY)
    assert library.get("mine").output == library.get("oom").output
    assert (library.get("oom").source, library.get("mine").hardware) == (BUILT_IN, "gpu.a100")


def test_at_the_start_every_file_that_has_to_change_is_named(write: Write) -> None:
    user = write("user/a.yaml", "extends: b")
    write("user/b.yaml", "seed: 1\nextends: a")
    write("user/c.yaml", "extends: d")
    write("user/d.yaml", "timeline: [{running: 4}]")
    write("user/e.yaml", "extends: dd")
    write("user/f.yaml", "extends: a")
    own = write("own/z.yaml", "timeline: [{running: 1s}]")
    with pytest.raises(InvalidScenarios) as error:
        Library.load([user], built_in=own)
    assert str(error.value).splitlines() == [
        f"{user}/a.yaml:1:10: extends: this goes round in a circle: a → b → a",
        f"{user}/b.yaml:2:10: extends: this goes round in a circle: b → a → b",
        f"{user}/c.yaml:1:10: extends: `d` has mistakes of its own: mend those first",
        f"{user}/d.yaml:1:22: timeline[0].running: `4` has no unit: write `4s` or `4m`",
        f"{user}/e.yaml:1:10: extends: there is no scenario `dd`: did you mean `d`?",
        f"{user}/f.yaml:1:10: extends: `a` has mistakes of its own: mend those first",
    ]


def test_a_change_of_the_base_reaches_those_that_extend_it(write: Write) -> None:
    user = write("user/a.yaml", "extends: b")
    write("user/b.yaml", "extends: c\nseed: 2")
    write("user/c.yaml", "timeline: [{running: 3s}]")
    write("user/d.yaml", "timeline: [{running: 3s}]")
    own = write("own/z.yaml", "timeline: [{running: 1s}]")
    before = Library.load([user], built_in=own)
    write("user/c.yaml", "timeline: [{running: 4s}]")
    after = before.reloaded([user])
    assert [seconds(after.get(name)) for name in "abcd"] == [4, 4, 4, 3]
    assert [seconds(before.get(name)) for name in "abcd"] == [3, 3, 3, 3]
    assert after.get("d") is before.get("d")
    assert after.reloaded([user]).get("a") is after.get("a")


def test_a_scenario_added_at_run_time_reaches_those_that_extend_its_name_until_it_is_removed(write: Write) -> None:
    user = write("user/a.yaml", "extends: b")
    library = Library.load([user], built_in=write("own/b.yaml", "timeline: [{running: 1s}]"))
    more = library.with_added(library.read("timeline: [{running: 7s}]", name="b", source="run time"))
    assert (seconds(more.get("a")), seconds(library.get("a"))) == (7, 1)
    assert seconds(more.without_added("b").get("a")) == 1


def test_a_base_that_no_longer_serves_leaves_the_last_version_in_force_and_is_told(write: Write) -> None:
    user = write("user/a.yaml", 'extends: b\noutput: [{every: 1ms, text: "x\\n"}]')
    write("user/b.yaml", "timeline: [{running: 9s}]")
    before = Library.load([user], built_in=write("own/z.yaml", "timeline: [{running: 1s}]"))
    write("user/b.yaml", "timeline: [{running: 2h}]")
    after = before.reloaded([user])
    assert after.get("a") is before.get("a")
    assert seconds(after.get("b")) == 7200
    assert [problem.located("a") for problem in after.problems_of(after.get("a"))] == [
        "a:2:10: output[0]: up to here `output` comes to 7200001 lines, written out, and the most is"
        " 100000 lines and 64 MiB"
    ]
    (user / "b.yaml").unlink()
    gone = after.reloaded([user])
    assert gone.get("a") is before.get("a")
    assert [problem.message for problem in gone.problems_of(gone.get("a"))] == ["there is no scenario `b`: there are z"]
    write("user/b.yaml", "timeline: [{running: 8s}]")
    mended = gone.reloaded([user])
    assert (seconds(mended.get("a")), mended.problems_of(mended.get("a")), dict(mended.broken)) == (8, (), {})


def test_a_new_file_that_extends_nothing_known_waits_for_its_base(write: Write) -> None:
    user = write("user/z.yaml", "timeline: [{running: 1s}]")
    library = Library.load([user], built_in=user)
    write("user/a.yaml", "extends: b")
    without = library.reloaded([user])
    assert without.find("a") is None
    assert list(without.broken) == [f"{user}/a.yaml"]
    write("user/b.yaml", "timeline: [{running: 2s}]")
    assert seconds(without.reloaded([user]).get("a")) == 2


def test_a_file_broken_by_an_edit_hands_on_its_last_valid_version(write: Write) -> None:
    user = write("user/a.yaml", "extends: b")
    write("user/b.yaml", "timeline: [{running: 2s}]")
    before = Library.load([user], built_in=user)
    write("user/a.yaml", "extends: b\nseed: 3")
    write("user/b.yaml", "timeline: [{running: 2}]")
    after = before.reloaded([user])
    assert (seconds(after.get("a")), after.get("a").seed, list(after.broken)) == (2, 3, [f"{user}/b.yaml"])


def test_hundreds_of_files_may_extend_one_another() -> None:
    library = library_of(s0="timeline: [{running: 1s}]", **{f"s{n}": f"extends: s{n - 1}" for n in range(1, 200)})
    assert (seconds(library.get("s199")), len(library.get("s199").bases)) == (1, 199)


# variants and sequence


def test_variants_override_keys_of_the_scenario() -> None:
    mine = composed(f"extends: base\nvariants:\n  - {{weight: 3}}\n  - {{name: flaky, {FAILURE}, seed: 9}}")
    (as_it_is, three), (flaky, one) = ((each.scenario, each.weight) for each in mine.variants)
    assert (three, one, [each.name for each in mine.variants]) == (3, 1, [None, "flaky"])
    assert (as_it_is.timeline, as_it_is.ending) == (mine.timeline, mine.ending)
    assert (flaky.ending, flaky.seed, flaky.output) == (Ending(RunStatus.SYSTEM_FAILURE), 9, mine.output)
    assert len({mine.digest, as_it_is.digest, flaky.digest}) == 3
    assert (flaky.name, flaky.bases, flaky.variants) == ("mine", ("base",), ())


def test_entries_of_a_sequence_override_keys_and_may_have_variants() -> None:
    mine = composed(
        f"extends: base\nvariants: [{{}}, {{seed: 8}}]\nsequence:\n  - {{{FAILURE}}}\n"
        "  - {variants: [{seed: 5}], shutdown: 1s}\n  - {}"
    )
    first, second, last = mine.sequence
    assert (mine.variants, first.ending, last.ending) == ((), Ending(RunStatus.SYSTEM_FAILURE), mine.ending)
    assert [each.scenario.seed for each in first.variants] == [4, 8]
    assert [(each.scenario.seed, each.scenario.shutdown.low_ms) for each in second.variants] == [(5, 1_000)]
    assert [each.scenario.seed for each in last.variants] == [4, 8]


def test_alternatives_are_taken_over_and_lie_over_what_is_given_here() -> None:
    flaky = f"extends: base\nvariants: [{{}}, {{{FAILURE}}}]"
    mine = composed("extends: flaky\ntimeline: [{running: 5s}]", flaky=flaky)
    assert [seconds(each.scenario) for each in mine.variants] == [5, 2]
    without = composed("extends: flaky\nvariants: [{}]", flaky=flaky)
    assert [each.scenario.ending for each in without.variants] == [Ending(RunStatus.FAILED, 3)]


def test_a_variant_may_end_before_the_output_that_the_scenario_gives() -> None:
    mine = composed(f"extends: base\nvariants: [{{}}, {{{FAILURE}}}, {{timeline: [system_failure]}}]")
    assert [each.scenario.timeline[-1].status for each in mine.variants] == [
        *(RunStatus.RUNNING, RunStatus.RUNNING, RunStatus.PENDING)
    ]
    assert mine.variants[2].scenario.timeline == (StageSpec(RunStatus.PENDING, DurationRange(0, 0)),)


def test_a_variant_of_the_file_may_outlast_an_entry_but_not_the_files_own_timeline() -> None:
    late = (
        'timeline: [{running: 9s}]\nvariants: [{output: [{at: 8s, text: "x"}]}]\nsequence: [{timeline: [failed]}, {}]'
    )
    assert [len(entry.variants[0].scenario.output) for entry in composed(late).sequence] == [1, 1]
    assert refused(lambda: composed(late.replace("8s", "10s"))) == [
        "mine.yaml:2:22: variants[0].output[0]: never written: running ends after 9s, and this starts at 10s"
    ]


def test_what_does_not_fit_in_the_base_only_now_is_told_where_that_is_extended() -> None:
    flood = 'output: [{every: 1ms, text: "x\\n"}]'
    base = f"timeline: [{{running: 2h}}]\nvariants: [{{{flood}}}]\nsequence: [{{timeline: [{{running: 9s}}]}}]"
    assert composed("extends: flood", flood=base).bases == ("flood",)
    assert refused(lambda: composed("extends: flood\nsequence: [{}]", flood=base)) == [
        "mine.yaml:1:10: extends: with this, `variants[0].output[0]` of `flood` does not fit: up to here `output` comes"
        " to 7200001 lines, written out, and the most is 100000 lines and 64 MiB"
    ]
