"""The picture of one run: its statuses and its metric series over time, as dashboards draw them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure

from emulator.cli.simulation import Simulation
from emulator.errors import StartError
from emulator.statuses import RunStatus
from emulator.telemetry.plan import workload_of
from emulator.telemetry.series import Series, sample
from emulator.telemetry.window import Window

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FORMATS = (".svg", ".png", ".pdf")
MAX_POINTS = 2_000
_MINUTE_MS = 60_000

_STATUS_COLOURS = {
    RunStatus.PENDING: "#c9c9c9",
    RunStatus.STARTING: "#f2c14e",
    RunStatus.RUNNING: "#5aa9e6",
    RunStatus.COMPLETED: "#4c9f70",
    RunStatus.FAILED: "#d1495b",
    RunStatus.SYSTEM_FAILURE: "#7b2d8b",
    RunStatus.CANCELLED: "#8d99ae",
    RunStatus.ABORTED: "#2b2d42",
}

# The unit of each panel, the factor that leads to it, and its series: name, colour, label.
_PANELS = (
    (
        "%",
        1.0,
        (
            ("gpuUtilizationPercent", "#2a6fb0", "GPU utilisation"),
            ("gpuMemoryUtilizationPercent", "#e07a1f", "GPU memory"),
        ),
    ),
    ("W", 1.0, (("gpuPowerWatt", "#2f8f4e", "power"), ("gpuPowerLimitWatt", "#b23a48", "limit"))),
    ("°C", 1.0, (("gpuTemperatureCelsius", "#c8553d", "GPU temperature"),)),
    ("MHz", 1.0, (("gpuClockSmMhz", "#5b4b8a", "SM clock"), ("gpuClockMemMhz", "#9a8fc0", "memory clock"))),
    (
        "MB/s",
        1e-6,
        (
            ("gpuPcieThroughputRxBytesPerSec", "#1b998b", "PCIe rx"),
            ("gpuPcieThroughputTxBytesPerSec", "#e84855", "PCIe tx"),
        ),
    ),
    ("%", 1.0, (("systemCpuUsagePercent", "#6c757d", "CPU"),)),
)


def plot(simulation: Simulation, path: Path) -> None:
    """Draw the run into `path`, whose ending says how. Raises StartError where that cannot be done."""
    if path.suffix not in FORMATS:
        raise StartError(f"cannot draw {path}: its name has to end with {' or '.join(FORMATS)}")
    run = simulation.run
    begin_ms, until_ms = run.submitted_ms, simulation.until_ms
    step_ms = max(1000, -(-(until_ms - begin_ms) // MAX_POINTS // 1000) * 1000)
    sampled = sample(workload_of(run), Window(begin_ms, until_ms, step_ms), until_ms)
    # A fixed salt instead of a random one, and no date: what changes in a file is what changed in the picture.
    with mpl.rc_context({"svg.hashsalt": "lyceum-emulator", "svg.fonttype": "none", "font.size": 9}):
        figure = Figure(figsize=(10, 9), layout="constrained")
        heights = [0.35, *(1.0 for _ in _PANELS)]
        first, *others = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights)
        _draw_statuses(first, simulation)
        for axes, (unit, factor, lines) in zip(others, _PANELS, strict=True):
            for name, colour, label in lines:
                _draw_series(axes, sampled[name], begin_ms, factor, colour, label)
            axes.set_ylabel(unit)
            axes.set_ylim(
                0, 105 if unit == "%" else 1.1 * max(line.get_ydata().max(initial=1.0) for line in axes.lines)
            )
            axes.grid(visible=True, alpha=0.25)
            axes.legend(loc="upper left", fontsize=8, framealpha=0.7)
        others[-1].set_xlabel("minutes since the submission")
        figure.suptitle(
            f"{run.script.scenario.name} on {run.hardware}: {run.script.scenario.summary}", fontsize=10, wrap=True
        )
        try:
            figure.savefig(path, dpi=110, metadata={"Date": None} if path.suffix == ".svg" else None)
        except OSError as error:
            raise StartError(f"cannot write {path}: {error.strerror}") from error


def _draw_statuses(axes: Axes, simulation: Simulation) -> None:
    run, until_ms = simulation.run, simulation.until_ms
    for stage in run.course.stages:
        begin = (stage.starts_ms - run.submitted_ms) / _MINUTE_MS
        ends_ms = until_ms if stage.ends_ms is None else stage.ends_ms
        axes.axvspan(begin, (ends_ms - run.submitted_ms) / _MINUTE_MS, color=_STATUS_COLOURS[stage.status])
        if ends_ms - stage.starts_ms > (until_ms - run.submitted_ms) * 0.06:
            middle = ((stage.starts_ms + ends_ms) / 2 - run.submitted_ms) / _MINUTE_MS
            axes.text(middle, 0.5, stage.status.value, ha="center", va="center")
    end = run.course.end
    if end is not None:
        status = end.ending.status
        axes.axvline((end.at_ms - run.submitted_ms) / _MINUTE_MS, color=_STATUS_COLOURS[status], linewidth=4)
        axes.set_title(status.value, loc="right", fontsize=9, color=_STATUS_COLOURS[status])
    axes.set_yticks([])
    axes.set_xlim(0, (until_ms - run.submitted_ms) / _MINUTE_MS)


def _draw_series(axes: Axes, series: Series, begin_ms: int, factor: float, colour: str, label: str) -> None:
    minutes = (np.asarray(series.times_ms) - begin_ms) / _MINUTE_MS
    axes.plot(minutes, np.asarray(series.values) * factor, color=colour, linewidth=1.0, label=label)
