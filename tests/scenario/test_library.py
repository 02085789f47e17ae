"""The scenarios in force: where they come from, what shadows what, and what survives a bad edit."""

from collections.abc import Callable
from pathlib import Path

import pytest

from emulator.errors import NotFound, StartError
from emulator.resources import SCENARIO_DIRECTORY
from emulator.scenario.file.draft import Draft
from emulator.scenario.file.format import read_scenario, salvage_draft
from emulator.scenario.library import InvalidScenarios, Library, check_name
from emulator.scenario.model import BUILT_IN
from emulator.scenario.submission import Kind, Submission
from emulator.statuses import RunStatus

Write = Callable[..., Path]
PYTHON = Submission(Kind.PYTHON, "gpu.h100", file_name="a.py")


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Writes a scenario file of so many seconds, matching `file_name` if given, into a directory."""

    def write(path: str, seconds: int = 1, file_name: str | None = None) -> Path:
        file = tmp_path / path
        file.parent.mkdir(exist_ok=True)
        match = "" if file_name is None else f"match: {{file_name: '{file_name}'}}\n"
        file.write_text(f"{match}timeline: [{{running: {seconds}s}}]\n")
        return file.parent

    return write


def seconds(library: Library, name: str) -> int:
    running = library.get(name).timeline[-1].duration
    assert running is not None
    return running.low_ms // 1000


def test_earlier_directories_shadow_later_ones_and_the_built_in(write: Write) -> None:
    first, second, own = write("one/a.yaml", 1), write("two/a.yml", 2), write("own/a.yaml", 3)
    write("two/b.yaml", 4)
    write("own/c.yaml", 5)
    library = Library.load([first, second], built_in=own)
    assert {each.name: (seconds(library, each.name), each.source) for each in library.scenarios()} == {
        "a": (1, str(first / "a.yaml")),
        "b": (4, str(second / "b.yaml")),
        "c": (5, BUILT_IN),
    }


def test_other_files_are_left_alone(write: Write) -> None:
    directory = write("own/a.yaml")
    for name in ("notes.txt", "schema.json", ".hidden.yaml", "b.yaml~"):
        (directory / name).write_text("nothing")
    (directory / "folder.yaml").mkdir()
    assert [each.name for each in Library.load(built_in=directory).scenarios()] == ["a"]


def test_the_first_file_by_name_that_matches_wins(write: Write) -> None:
    own = write("own/z.yaml", 1, "*.py")
    user = write("user/b.yaml", 2, "*.py")
    write("user/a.yaml", 3)
    write("user/c.yaml", 4, "*")
    match = Library.load([user], built_in=own).first_match(PYTHON)
    assert match is not None
    assert match.name == "b"
    only_own = Library.load(built_in=own).first_match(PYTHON)
    assert only_own is not None
    assert only_own.name == "z"
    assert Library.load(built_in=own).first_match(Submission(Kind.DOCKER, "cpu")) is None


def test_an_unknown_name_brings_up_the_nearest(write: Write) -> None:
    own = write("own/oom.yaml")
    write("own/completed.yaml")
    with pytest.raises(NotFound, match=r"^there is no scenario `complete`: did you mean `completed`\?$"):
        Library.load(built_in=own).get("complete")
    with pytest.raises(NotFound, match=r"^there is no scenario `zzz`: there are completed, oom$"):
        Library.load(built_in=own).get("zzz")


def test_the_problems_of_all_files_are_told_at_once(write: Write) -> None:
    user, own = write("user/good.yaml"), write("own/good.yaml")
    (user / "bad.yaml").write_text("timeline: [{running: 4}]\nseed: x\n")
    (user / "Bad Name.yaml").write_text("timeline: [{running: 4}]\n")
    (user / "latin.yaml").write_bytes(b"# fine\nsummary: \xff\n")
    (user / "huge.yaml").write_bytes("é".encode() * 600_000)
    (user / "gone.yaml").symlink_to(user / "nowhere")
    with pytest.raises(InvalidScenarios) as refused:
        Library.load([user], built_in=own)
    assert str(refused.value).splitlines() == [
        f"{user}/Bad Name.yaml:1:1: `Bad Name` is no name for a scenario: use small letters, digits, `-`, `_`"
        " and `.`, such as `bad-name`",
        f"{user}/Bad Name.yaml:1:22: timeline[0].running: `4` has no unit: write `4s` or `4m`",
        f"{user}/bad.yaml:1:22: timeline[0].running: `4` has no unit: write `4s` or `4m`",
        f"{user}/bad.yaml:2:7: seed: expected a whole number, found the text `x`",
        f"{user}/gone.yaml:1:1: cannot be read: No such file or directory",
        f"{user}/huge.yaml:1:1: the text is longer than 1024 KiB, the most that is read",
        f"{user}/latin.yaml:2:1: this is not UTF-8 text",
    ]
    assert isinstance(refused.value, StartError)


def test_a_directory_that_cannot_be_read_stops_the_start(write: Write, tmp_path: Path) -> None:
    own = write("own/a.yaml")
    with pytest.raises(StartError) as refused:
        Library.load([tmp_path / "missing"], built_in=own)
    assert str(refused.value) == f"cannot read the scenarios in {tmp_path}/missing: No such file or directory"
    with pytest.raises(StartError) as refused:
        Library.load([own / "a.yaml"], built_in=own)
    assert str(refused.value) == f"{own}/a.yaml is a file: scenarios are read from directories"


def test_scenarios_are_added_and_removed_at_run_time(write: Write) -> None:
    library = Library.load(built_in=write("own/a.yaml"))
    added = read_scenario("timeline: [{running: 7s}]", name="mine", source="run-time")
    newer = read_scenario("timeline: [{running: 8s}]", name="mine", source="run-time")
    more = library.with_added(added).with_added(newer)
    assert seconds(more, "mine") == 8
    assert [each.name for each in library.scenarios()] == ["a"]
    assert (more.has_file("mine"), more.has_file("a")) == (False, True)
    assert [each.name for each in more.without_added("mine").scenarios()] == ["a"]
    with pytest.raises(NotFound, match=r"^no scenario `a` was added at run time$"):
        more.without_added("a")


def test_reloading_takes_what_changed_and_keeps_what_did_not(write: Write) -> None:
    own, user = write("own/a.yaml"), write("user/b.yaml", 1)
    write("user/c.yaml", 1)
    before = Library.load([user], built_in=own)
    write("user/b.yaml", 2)
    write("user/d.yaml", 3)
    after = before.reloaded([user])
    assert (seconds(after, "b"), seconds(after, "d"), seconds(before, "b")) == (2, 3, 1)
    assert after.get("c") is before.get("c")
    (user / "b.yaml").unlink()
    assert [each.name for each in after.reloaded([user]).scenarios()] == ["c", "d", "a"]


def test_reloading_reads_only_what_changed(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """Reading is what takes time, and the server answers nobody meanwhile."""
    own, user = write("own/a.yaml"), write("user/b.yaml", 1)
    write("user/c.yaml", 1)
    (user / "d.yaml").write_text("extends: b\n")
    library, read = Library.load([user], built_in=own), []

    def counted(text: str, *, name: str, source: str) -> Draft:
        read.append(name)
        return salvage_draft(text, name=name, source=source)

    monkeypatch.setattr("emulator.scenario.library.salvage_draft", counted)
    write("user/b.yaml", 2)
    library = library.reloaded([user])
    assert (read, seconds(library, "b"), seconds(library, "d")) == (["b"], 2, 2)
    (user / "b.yaml").write_text("nothing")
    broken = library.reloaded([user])
    write("user/b.yaml", 2)
    mended = broken.reloaded([user])
    assert (read, mended.get("b") is library.get("b"), dict(mended.broken)) == (["b", "b"], True, {})


def test_a_file_that_became_invalid_keeps_its_last_valid_version(write: Write) -> None:
    own, user = write("own/b.yaml", 9), write("user/b.yaml", 1)
    before = Library.load([user], built_in=own)
    (user / "b.yaml").write_text("timeline: [{running: 2}]\n")
    broken = before.reloaded([user])
    assert broken.get("b") is before.get("b")
    assert {source: [p.message for p in problems] for source, problems in broken.broken.items()} == {
        f"{user}/b.yaml": ["`2` has no unit: write `2s` or `2m`"]
    }
    assert broken.reloaded([user]).get("b") is before.get("b")
    write("user/b.yaml", 3)
    mended = broken.reloaded([user])
    assert (seconds(mended, "b"), dict(mended.broken)) == (3, {})


@pytest.mark.parametrize("name", ["a", "oom-2", "0.x_y", "a" * 100])
def test_names_of_small_letters_digits_and_marks_are_good(name: str) -> None:
    assert check_name(name) is None


@pytest.mark.parametrize("name", ["", "A", "-a", "a b", "a/b", "é", "a" * 101, "a\n"])
def test_other_names_are_not(name: str) -> None:
    assert check_name(name) is not None


BUILT_IN_ENDINGS = {
    "cancelled": RunStatus.CANCELLED,
    "chatty": RunStatus.COMPLETED,
    "completed": RunStatus.COMPLETED,
    "compose-stack": RunStatus.COMPLETED,
    "failed": RunStatus.FAILED,
    "long-queue": RunStatus.COMPLETED,
    "notebook": None,
    "oom": RunStatus.FAILED,
    "silent": RunStatus.COMPLETED,
    "slow-start": RunStatus.COMPLETED,
    "system-failure": RunStatus.SYSTEM_FAILURE,
    "system-failure-starting": RunStatus.SYSTEM_FAILURE,
    "timeout": RunStatus.COMPLETED,
    "unicode-output": RunStatus.COMPLETED,
}


def test_the_built_in_set_is_complete_and_matches_nothing_by_itself() -> None:
    scenarios = Library.load(built_in=SCENARIO_DIRECTORY).scenarios()
    endings = {each.name: each.ending and each.ending.status for each in scenarios}
    assert {name: endings[name] for name in BUILT_IN_ENDINGS} == BUILT_IN_ENDINGS
    assert [each.name for each in scenarios if each.match is not None] == []
    assert {each.source for each in scenarios} == {BUILT_IN}


def test_built_in_scenarios_over_a_minute_ignore_the_time_limit_but_for_those_about_it() -> None:
    for each in Library.load(built_in=SCENARIO_DIRECTORY).scenarios():
        last = each.timeline[-1]
        long = last.status is RunStatus.RUNNING and (last.duration is None or last.duration.high_ms > 60_000)
        assert (each.time_limit.value == "ignore") == (
            (long and each.name not in ("timeout", "hang")) or each.selection is not None  # slow devices take longer
        ), each.name
