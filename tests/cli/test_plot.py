"""`lyceum-emulator scenario plot`: the picture of one run."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from emulator.cli import main


def plot(*arguments: str | Path) -> tuple[int, str]:
    outcome = CliRunner().invoke(main, ["scenario", "plot", *map(str, arguments)])
    return outcome.exit_code, outcome.output


def test_a_picture_names_the_run_and_all_its_series(tmp_path: Path) -> None:
    file = tmp_path / "oom.svg"
    assert plot("oom", "--hardware", "gpu.h100", "-o", file) == (0, f"wrote {file}\n")
    picture = file.read_text(encoding="utf-8")
    for words in ("oom on gpu.h100", "running", "failed", "GPU memory", "SM clock", "PCIe rx", "GPU temperature"):
        assert words in picture, words


def test_one_seed_gives_one_picture_and_another_seed_another(tmp_path: Path) -> None:
    files = [tmp_path / f"{number}.png" for number in range(3)]  # in an SVG the ids of shapes may differ
    for file, seed in zip(files, ("7", "7", "8"), strict=True):
        assert plot("failed", "--seed", seed, "-o", file)[0] == 0
    first, second, third = (file.read_bytes() for file in files)
    assert first == second != third


@pytest.mark.parametrize("ending", [".png", ".pdf"])
def test_other_formats_are_written_by_their_ending(tmp_path: Path, ending: str) -> None:
    file = tmp_path / f"run{ending}"
    assert plot("silent", "-o", file)[0] == 0
    assert file.read_bytes()[:4] in (b"\x89PNG", b"%PDF")


def test_a_machine_without_a_gpu_has_a_picture_too(tmp_path: Path) -> None:
    assert plot("silent", "--hardware", "cpu", "-o", tmp_path / "cpu.svg")[0] == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("silent", "-o", "run.gif"), "its name has to end with .svg or .png or .pdf"),
        (("silent", "-o", "no/such/place.svg"), "cannot write no/such/place.svg"),
        (("silnt",), "did you mean `silent`"),
    ],
)
def test_what_cannot_be_drawn_is_one_clear_sentence(arguments: tuple[str, ...], words: str) -> None:
    code, said = plot(*arguments)
    assert code == 2
    assert words in said
    assert "Traceback" not in said


def test_without_matplotlib_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "emulator.cli.plotting", raising=False)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    assert plot("oom") == (
        2,
        "lyceum-emulator: matplotlib is missing: `pip install matplotlib` brings what pictures need\n",
    )
