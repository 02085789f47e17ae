"""The results in docs/benchmarks.md, between two marks; what stands around them is written by hand."""

from __future__ import annotations

import os
import platform
import subprocess
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from benchmarks.peers import PEERS
from benchmarks.table import HEAD, Line, summary

PAGE = Path(__file__).parents[1] / "docs" / "benchmarks.md"
SHOWN_AS = "docs/benchmarks.md"
BEGIN = "<!-- results: written by `make bench ARGS=--write` -->"
END = "<!-- end of results -->"
_OURS = ("lyceum-emulator", "uvicorn", "uvloop", "httptools", "starlette", "orjson", "numpy")


def write(sections: Mapping[str, Sequence[Line]]) -> None:
    """Put the tables into the page, in place of those that are there."""
    PAGE.write_text(with_results(PAGE.read_text("utf-8"), f"{_measured_on()}\n\n{tables(sections)}"), "utf-8")


def with_results(page: str, results: str) -> str:
    """`page` with `results` between its marks. Raises ValueError if it does not have both, in order."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"the page has no place for results: {BEGIN} ... {END}")
    return f"{before}{BEGIN}\n\n{results}\n\n{END}{after}"


def tables(sections: Mapping[str, Sequence[Line]]) -> str:
    parts = [f"**{summary(line for lines in sections.values() for line in lines)}.**"]
    parts += ["\n".join([f"## {title}", "", HEAD, *map(str, lines)]) for title, lines in sections.items()]
    return "\n\n".join(parts)


def _measured_on() -> str:
    """When, on which machine, and with which versions of everything that matters."""
    peers = ", ".join(peer.title for peer in PEERS if peer.version)
    tools = ", ".join(filter(None, (_first_line("node", "--version", prefix="Node "), _java(), _prometheus())))
    ours = ", ".join(f"{name} {version(name)}" for name in _OURS)
    when = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return "\n".join(
        [
            f"- Measured {when}: {_processor()}, {os.cpu_count()} cores, {_memory_gb():.0f} GB, {_system()}.",
            f"- Ours: Python {platform.python_version()}, {ours}.",
            f"- Peers: {peers}; {tools}.",
            f"- Load: {_first_line('wrk', '-v').partition(' Copyright')[0]}, 2 threads, on the same machine.",
        ]
    )


def _processor() -> str:
    names = [line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _memory_gb() -> float:
    total = next(line for line in _lines("/proc/meminfo") if line.startswith("MemTotal"))
    return int(total.split()[1]) * 1024 / 1e9


def _system() -> str:
    return platform.freedesktop_os_release().get("PRETTY_NAME", platform.platform())


def _lines(path: str) -> list[str]:
    return Path(path).read_text().splitlines()


def _java() -> str:
    return _first_line("java", "-version").replace('"', "")


def _prometheus() -> str:
    return _first_line("prometheus", "--version").partition(" (")[0]


def _first_line(*command: str, prefix: str = "") -> str:
    """What a tool says of itself; empty if it is not there."""
    try:
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return ""
    return prefix + (ended.stdout or ended.stderr).partition("\n")[0].strip()
