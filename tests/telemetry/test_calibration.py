"""A mixed fleet shows the percentiles that were published for a real one."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.telemetry_calibration import fleets, rows, samples
from emulator.telemetry.shapes import SHAPES

FLEETS = fleets()


@pytest.mark.parametrize("name", FLEETS)
def test_power_temperature_and_utilisation_are_those_of_acme(name: str) -> None:
    seen = samples(FLEETS[name]["mix"])
    for row in rows(name, FLEETS[name], seen):
        if row.quantity == "power_w":
            assert abs(row.emulated / row.published - 1) <= 0.15, row
        else:
            assert abs(row.emulated - row.published) <= 5.0, row
    utilization = seen["gpuUtilizationPercent"]
    assert np.mean(utilization == 0) >= 0.2
    assert np.median(utilization) >= 95


@pytest.mark.parametrize("name", FLEETS)
def test_a_mix_is_idleness_and_at_most_four_workloads_each_with_a_reason(name: str) -> None:
    mix = FLEETS[name]["mix"]
    assert len({part["shape"] for part in mix} - {"bare-idle", "context"}) <= 4
    assert all(part["shape"] in SHAPES and len(part["why"]) > 5 for part in mix)
    assert sum(part["share"] for part in mix) == 100
