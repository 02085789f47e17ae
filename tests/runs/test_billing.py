"""What a run costs. One hour of `gpu.h100` is 2.79 dollars, one of `cpu` 0.10."""

import pytest

from emulator.runs.billing import billed_usd
from emulator.scenario.model import TimeLimit
from emulator.statuses import RunStatus
from tests.strategies import T0, abort, force, run_of, scenario_of, stop

HOUR_MS = 3_600_000
# Five minutes in the queue, an hour starting, an hour running.
SCENARIO = scenario_of(300_000, HOUR_MS, HOUR_MS, time_limit=TimeLimit.IGNORE)
ASSIGNED_MS = T0 + 300_000
END_MS = ASSIGNED_MS + 2 * HOUR_MS


@pytest.mark.parametrize(
    ("now_ms", "dollars"),
    [
        (T0, 0.0),
        (ASSIGNED_MS - 1, 0.0),
        (ASSIGNED_MS, 0.0),
        (ASSIGNED_MS + 10_000, 0.00775),
        (ASSIGNED_MS + HOUR_MS, 2.79),
        (END_MS - HOUR_MS // 2, 4.185),
        (END_MS, 5.58),
        (END_MS + 24 * HOUR_MS, 5.58),
    ],
)
def test_time_counts_from_the_assignment_of_a_machine_to_the_end(now_ms: int, dollars: float) -> None:
    assert billed_usd(run_of(SCENARIO), now_ms) == dollars


def test_a_run_that_never_got_a_machine_costs_nothing() -> None:
    assert billed_usd(run_of(SCENARIO, abort(299.999)), END_MS) == 0.0
    assert billed_usd(run_of(SCENARIO, stop(10)), END_MS) == 0.0
    assert billed_usd(run_of(SCENARIO, force(10, RunStatus.SYSTEM_FAILURE)), END_MS) == 0.0


def test_an_aborted_run_is_billed_to_its_abort() -> None:
    assert billed_usd(run_of(SCENARIO, abort(300 + 1_800)), END_MS) == 1.395


@pytest.mark.parametrize(
    ("hardware", "dollars"), [("cpu", 0.1), ("gpu.h100", 2.79), ("h100", 2.79), ("gpu.h100.8x", 22.32)]
)
def test_the_price_is_that_of_the_whole_machine(hardware: str, dollars: float) -> None:
    assert billed_usd(run_of(SCENARIO, hardware=hardware), ASSIGNED_MS + HOUR_MS) == dollars


def test_the_price_is_that_of_the_scenarios_hardware_where_it_names_one() -> None:
    scenario = scenario_of(300_000, HOUR_MS, HOUR_MS, time_limit=TimeLimit.IGNORE, hardware="cpu")
    assert billed_usd(run_of(scenario, hardware="gpu.h100"), ASSIGNED_MS + HOUR_MS) == 0.1


def test_a_bill_is_rounded_to_a_millionth_of_a_dollar() -> None:
    assert billed_usd(run_of(SCENARIO), ASSIGNED_MS + 1) == 0.000001  # 0.000000775
    assert billed_usd(run_of(SCENARIO, hardware="cpu"), ASSIGNED_MS + 1) == 0.0  # 0.000000028
