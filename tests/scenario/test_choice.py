"""Which scenario a submission gets."""

from pathlib import Path

import pytest
from msgspec.structs import replace

from emulator.errors import FieldProblem, Invalid
from emulator.scenario.choice import METADATA_KEY, Choice, Queue, QueueEntry, Rule, choose
from emulator.scenario.library import Library
from emulator.scenario.model import Match, Scenario
from emulator.scenario.submission import Kind, Submission
from tests.strategies import PYTHON, scenario_of

DEFAULT = scenario_of(name="completed")
OOM = scenario_of(name="oom", source="my/oom.yaml", match=Match(file_name="oom-*.py"))
SECOND = scenario_of(name="second", source="my/second.yaml", match=Match(file_name="oom-1.py"))
HANG = scenario_of(name="hang")
LIBRARY = Library(built_in=(DEFAULT, HANG), filed=(OOM, SECOND))

DOCKER = Submission(kind=Kind.DOCKER, hardware="cpu", image="busybox")
FITTING = replace(PYTHON, file_name="oom-1.py")
NAMING = replace(FITTING, metadata={METADATA_KEY: "hang"})


def chosen(submission: Submission, *queues: Queue, named: str | None = None) -> tuple[str, Rule]:
    scenario, choice = choose(submission, named, queues, LIBRARY, lambda: DEFAULT)
    return scenario.name, choice.rule


def laid(*entries: QueueEntry) -> Queue:
    queue = Queue()
    for entry in entries:
        queue.add(entry)
    return queue


def names(queue: Queue) -> list[tuple[str, int]]:
    return [(entry.scenario.name, entry.times) for entry in queue.entries]


# The order of the rules.


def test_the_queue_comes_before_a_name_a_name_before_a_match_and_a_match_before_the_default() -> None:
    assert chosen(NAMING, laid(QueueEntry(SECOND)), named="oom") == ("second", Rule.QUEUE)
    assert chosen(NAMING, laid(), named="oom") == ("oom", Rule.NAME)
    assert chosen(NAMING) == ("hang", Rule.NAME)
    assert chosen(FITTING) == ("oom", Rule.MATCH)
    assert chosen(PYTHON) == ("completed", Rule.DEFAULT)
    assert list(Rule) == [Rule.QUEUE, Rule.NAME, Rule.MATCH, Rule.DEFAULT]


@pytest.mark.parametrize(
    ("submission", "entries", "named", "choice"),
    [
        (NAMING, [QueueEntry(SECOND)], None, Choice(Rule.QUEUE, "laid ready in the queue: second")),
        (PYTHON, [], "oom", Choice(Rule.NAME, "named by header.X-Emulator-Scenario")),
        (NAMING, [], None, Choice(Rule.NAME, "named by body.metadata.emulator.scenario")),
        (FITTING, [], None, Choice(Rule.MATCH, "its match holds for this submission: my/oom.yaml")),
        (PYTHON, [], None, Choice(Rule.DEFAULT, "no queue entry, name or match applies")),
    ],
    ids=["queue", "header", "metadata", "match", "default"],
)
def test_a_choice_says_why(
    submission: Submission, entries: list[QueueEntry], named: str | None, choice: Choice
) -> None:
    found = choose(submission, named, (laid(*entries),), LIBRARY, lambda: DEFAULT)[1]
    assert replace(found, near_misses=()) == choice


def test_the_default_needs_no_place_in_the_library() -> None:
    assert choose(PYTHON, None, (), Library(), lambda: HANG)[0] is HANG


# Names.


def test_an_unknown_name_is_refused_where_it_was_given_with_the_nearest_ones() -> None:
    with pytest.raises(Invalid) as by_header:
        choose(PYTHON, "oon", (), LIBRARY, lambda: DEFAULT)
    msg = "there is no scenario `oon`: did you mean `oom`?"
    assert by_header.value.problems == (FieldProblem(("header", "X-Emulator-Scenario"), msg, "unknown_scenario"),)
    with pytest.raises(Invalid) as by_metadata:
        choose(replace(PYTHON, metadata={METADATA_KEY: "oon"}), None, (), LIBRARY, lambda: DEFAULT)
    assert by_metadata.value.problems == (
        FieldProblem(("body", "metadata", "emulator.scenario"), msg, "unknown_scenario"),
    )


def test_an_unknown_name_in_the_header_is_refused_even_if_the_metadata_name_one_that_exists() -> None:
    with pytest.raises(Invalid):
        choose(NAMING, "oon", (), LIBRARY, lambda: DEFAULT)


def test_an_empty_name_is_a_name() -> None:
    with pytest.raises(Invalid):
        choose(PYTHON, "", (), LIBRARY, lambda: DEFAULT)
    with pytest.raises(Invalid):
        choose(replace(PYTHON, metadata={METADATA_KEY: ""}), None, (), LIBRARY, lambda: DEFAULT)


# The queue.


def test_a_queue_serves_first_come_first_served_and_then_nothing() -> None:
    queue = laid(QueueEntry(OOM), QueueEntry(HANG))
    assert [chosen(PYTHON, queue)[0] for _ in range(3)] == ["oom", "hang", "completed"]
    assert queue.entries == ()


def test_an_entry_serves_as_often_as_it_says() -> None:
    queue = laid(QueueEntry(OOM, times=3), QueueEntry(HANG))
    assert chosen(PYTHON, queue)[0] == "oom"
    assert names(queue) == [("oom", 2), ("hang", 1)]
    assert [chosen(PYTHON, queue)[0] for _ in range(3)] == ["oom", "oom", "hang"]
    assert names(queue) == []


def test_an_entry_that_does_not_fit_stays_for_a_later_submission() -> None:
    queue = laid(QueueEntry(OOM, match=Match(kind="docker")), QueueEntry(HANG, times=2))
    assert chosen(PYTHON, queue)[0] == "hang"
    assert names(queue) == [("oom", 1), ("hang", 1)]
    assert chosen(DOCKER, queue)[0] == "oom"
    assert names(queue) == [("hang", 1)]


def test_what_the_queue_is_asked_and_cannot_serve_is_left_to_the_other_rules() -> None:
    queue = laid(QueueEntry(HANG, match=Match(kind="docker")))
    assert chosen(FITTING, queue) == ("oom", Rule.MATCH)
    assert names(queue) == [("hang", 1)]


def test_queues_are_asked_in_order_and_only_the_one_that_serves_is_spent() -> None:
    own, shared = laid(QueueEntry(OOM)), laid(QueueEntry(HANG, times=2))
    assert chosen(PYTHON, own, shared)[0] == "oom"
    assert names(shared) == [("hang", 2)]
    assert chosen(PYTHON, own, shared)[0] == "hang"
    assert names(shared) == [("hang", 1)]


def test_what_the_queue_serves_is_not_asked_for_its_own_match() -> None:
    assert chosen(DOCKER, laid(QueueEntry(OOM))) == ("oom", Rule.QUEUE)


def test_a_cleared_queue_serves_nothing() -> None:
    queue = laid(QueueEntry(OOM), QueueEntry(HANG, times=9))
    queue.clear()
    assert (queue.entries, queue.take(PYTHON)) == ((), None)


def test_what_was_laid_ready_is_taken_as_it_is_now_and_as_it_was_where_it_is_gone() -> None:
    older: Scenario = replace(HANG, digest="older")
    assert choose(PYTHON, None, (laid(QueueEntry(older)),), LIBRARY, lambda: DEFAULT)[0] is HANG
    assert choose(PYTHON, None, (laid(QueueEntry(older)),), Library(), lambda: DEFAULT)[0] is older


def test_a_choice_says_that_a_newer_version_of_the_file_is_broken(tmp_path: Path) -> None:
    built_in, user = tmp_path / "built-in", tmp_path / "user"
    built_in.mkdir()
    user.mkdir()
    (built_in / "completed.yaml").write_text("timeline: [{running: 1s}]")
    file = user / "train.yaml"
    file.write_text("timeline: [{running: 1s}]\nmatch: {file_name: train.py}")
    (user / "longer.yaml").write_text("extends: train\ntimeline: [{running: 2s}]")
    library = Library.load([user], built_in=built_in)

    def details() -> list[str]:
        asked = [(replace(PYTHON, file_name="train.py"), None), (PYTHON, "train"), (PYTHON, "longer"), (PYTHON, None)]
        default = library.get("completed")
        return [choose(submission, named, (), library, lambda: default)[1].detail for submission, named in asked]

    matched, named, default = (
        f"its match holds for this submission: {file}",
        "named by header.X-Emulator-Scenario",
        "no queue entry, name or match applies",
    )
    assert details() == [matched, named, named, default]
    file.write_text("timeline:\n  - running: 2\n")
    library = library.reloaded([user])
    why = "the file is invalid since, 2:14: timeline[0].running: `2` has no unit: write `2s` or `2m`"
    assert details() == [
        f"{matched} (its last valid version: {why})",
        f"{named} (the last valid version of {file}: {why})",
        f"{named} (the last valid version of {file}: {why})",
        default,
    ]


def test_a_choice_says_that_what_was_added_no_longer_fits_what_it_extends() -> None:
    library = Library()
    for name, text in (
        ("base", 'timeline: [{running: 9s}]\noutput: [{at: 8s, text: "x"}]'),
        ("mine", 'extends: base\noutput: [{at: 8s, text: "y"}]'),
        ("base", "timeline: [{running: 1s}]"),
    ):
        library = library.with_added(library.read(text, name=name, source="control API"))
    _, choice = choose(PYTHON, "mine", (), library, lambda: DEFAULT)
    start = (
        "named by header.X-Emulator-Scenario (the last valid version of `mine`: it is invalid since, 2:10: output[0]"
    )
    assert choice.detail.startswith(start)
