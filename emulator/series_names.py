"""The names of the twelve metric series, as they are on the wire and in scenario files.

Source: Lyceum docs, "Metrics". They are words alone, so that reading a scenario does not bring in numpy.
"""

from __future__ import annotations

GPU_SERIES = (
    "gpuUtilizationPercent",
    "gpuMemoryUtilizationPercent",
    "gpuTemperatureCelsius",
    "gpuPowerWatt",
    "gpuPowerLimitWatt",
    "gpuClockSmMhz",
    "gpuClockMemMhz",
    "gpuPcieThroughputRxBytesPerSec",
    "gpuPcieThroughputTxBytesPerSec",
)
SYSTEM_SERIES = ("systemRamTotalBytes", "systemRamUsedBytes", "systemCpuUsagePercent")
SERIES_NAMES: tuple[str, ...] = (*GPU_SERIES, *SYSTEM_SERIES)
"""In the contract's order."""
