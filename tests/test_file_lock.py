"""The lock that keeps a file one process's own."""

from __future__ import annotations

import errno
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from emulator import file_lock
from emulator.file_lock import FileLock, Held, Unlockable


def test_it_is_held_by_one_at_a_time_and_names_its_holder(tmp_path: Path) -> None:
    first, second = FileLock(tmp_path / "state.json"), FileLock(tmp_path / "state.json")
    first.take()
    with pytest.raises(Held, match=f"^process {os.getpid()} on "):
        second.take()
    first.release()
    second.take()
    second.release()
    assert list(tmp_path.iterdir()) == []


def test_releasing_what_is_not_held_takes_it_from_nobody(tmp_path: Path) -> None:
    first, second = FileLock(tmp_path / "state.json"), FileLock(tmp_path / "state.json")
    first.take()
    second.release()
    with pytest.raises(Held):
        second.take()
    first.release()
    first.release()


def test_files_beside_each_other_are_locked_each_for_itself(tmp_path: Path) -> None:
    locks = [FileLock(tmp_path / name) for name in ("a.json", "b.json")]
    for lock in locks:
        lock.take()
    for lock in locks:
        lock.release()


def test_a_process_that_ends_without_a_word_holds_it_no_more(tmp_path: Path) -> None:
    path = tmp_path / "state.json"
    code = "import os\nfrom pathlib import Path\nfrom emulator.file_lock import FileLock\n"
    code += f"FileLock(Path({str(path)!r})).take()\nos._exit(9)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 9
    (left,) = tmp_path.iterdir()
    assert re.match(r"process \d+ on ", left.read_text())
    lock = FileLock(path)
    lock.take()
    assert left.read_text().startswith(f"process {os.getpid()} on ")
    lock.release()


def test_a_file_that_its_holder_has_removed_meanwhile_locks_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Opened before the last holder removed it, locked after: another process would make and lock a new one."""
    path, lock = tmp_path / "state.json", FileLock(tmp_path / "state.json")
    really = file_lock._lock
    took: list[int] = []

    def after_it_was_removed(handle: int) -> None:
        if not took:
            next(tmp_path.iterdir()).unlink()
        took.append(handle)
        really(handle)

    monkeypatch.setattr(file_lock, "_lock", after_it_was_removed)
    lock.take()
    assert len(took) == 2
    with pytest.raises(Held):
        FileLock(path).take()
    lock.release()


def test_a_place_without_locks_is_told_apart_from_one_that_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsupported(_handle: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(file_lock, "_lock", unsupported)
    with pytest.raises(Unlockable, match=os.strerror(errno.ENOLCK)):
        FileLock(tmp_path / "state.json").take()


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("precious")
    (tmp_path / ".state.json.lock").symlink_to(victim)
    with pytest.raises(Unlockable):
        FileLock(tmp_path / "state.json").take()
    assert victim.read_text() == "precious"
