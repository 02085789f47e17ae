"""The page is the one that dcgm-exporter writes."""

from __future__ import annotations

import re
from types import MappingProxyType

import pytest
from msgspec.structs import replace

from emulator.hardware.devices import DEVICES
from emulator.scenario.pipeline import FaultKind, PipelineFault
from emulator.telemetry.counters import Counters, counters_at
from emulator.telemetry.exposition import FAMILIES, Exposed, HostLabel, exposition
from emulator.telemetry.series import sample
from emulator.telemetry.workload import Workload
from tests.telemetry.workloads import START_MS, lasting, window, workload

NOW_MS = START_MS + 600_000


def page_of(run: Workload, now_ms: int = NOW_MS, host_label: HostLabel = HostLabel.OLD) -> str:
    assert run.device
    return exposition(
        [
            Exposed(
                index=index,
                uuid=f"GPU-5f0c1a52-0d3e-4c1b-9a77-1e2d3c4b5a6{index}",
                pci_bus_id=f"00000000:{0x19 + index:02X}:00.0",
                model_name=run.device.model_name,
                hostname="node-a1",
                counters=counters,
                labels={"DCGM_FI_DRIVER_VERSION": "580.95.05"},
                attributes={"pod": "run-7d1e", "container": "main", "namespace": "runs"},
            )
            for index, counters in enumerate(counters_at(run, now_ms))
        ],
        host_label,
    )


LINE = re.compile(
    r'(?P<name>DCGM_FI_\w+)\{gpu="(?P<gpu>\d)",UUID="GPU-[0-9a-f-]{36}",pci_bus_id="00000000:[0-9A-F]{2}:00\.0",'
    r'device="nvidia(?P=gpu)",modelName="(?P<model>[^"]+)",Hostname="node-a1",'
    r'DCGM_FI_DRIVER_VERSION="580\.95\.05",container="main",namespace="runs",pod="run-7d1e"\} '
    r"(?P<value>\d+(?:\.\d{6})?)"
)


def samples(page: str) -> dict[tuple[str, int], str]:
    found = {}
    for line in page.splitlines():
        if not line.startswith("#"):
            match = LINE.fullmatch(line)
            assert match, line
            found[match["name"], int(match["gpu"])] = match["value"]
    return found


@pytest.mark.parametrize("device", sorted(DEVICES))
def test_every_line_has_the_exporters_grammar_and_order(device: str) -> None:
    page = page_of(workload("train-llm", device=DEVICES[device], gpus=2))
    named = [line.split()[2] for line in page.splitlines() if line.startswith("# HELP")]
    assert named == [family.name for family in FAMILIES if family.name in named]
    assert len(named) >= 21
    for name in named:
        block = page[page.index(f"# HELP {name} ") :].splitlines()
        assert block[1].startswith(f"# TYPE {name} ")
        assert block[1].split()[3] in ("gauge", "counter")
        assert [LINE.fullmatch(line)["gpu"] for line in block[2:4]] == ["0", "1"]  # type: ignore[index]
    assert page.endswith("\n")
    assert len(samples(page)) == 2 * len(named)


def test_floats_have_six_decimals_and_integers_none() -> None:
    found = samples(page_of(workload("train-llm")))
    with_decimals = {name for (name, _), value in found.items() if "." in value}
    assert with_decimals == {
        "DCGM_FI_DEV_POWER_USAGE",
        "DCGM_FI_PROF_GR_ENGINE_ACTIVE",
        "DCGM_FI_PROF_PIPE_TENSOR_ACTIVE",
        "DCGM_FI_PROF_DRAM_ACTIVE",
    }


def test_help_and_type_are_the_exporters() -> None:
    page = page_of(workload("train-llm"))
    assert page.startswith(
        "# HELP DCGM_FI_DEV_SM_CLOCK SM clock frequency (in MHz).\n"
        "# TYPE DCGM_FI_DEV_SM_CLOCK gauge\n"
        'DCGM_FI_DEV_SM_CLOCK{gpu="0",UUID="GPU-5f0c1a52-0d3e-4c1b-9a77-1e2d3c4b5a60",'
        'pci_bus_id="00000000:19:00.0",device="nvidia0",modelName="NVIDIA H100 80GB HBM3",Hostname="node-a1",'
        'DCGM_FI_DRIVER_VERSION="580.95.05",container="main",namespace="runs",pod="run-7d1e"} 1980\n'
    )
    assert "# TYPE DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION counter\n" in page


def test_the_hosts_label_can_be_the_new_one() -> None:
    run = workload("train-llm")
    old, new = page_of(run), page_of(run, host_label=HostLabel.NEW)
    assert "hostname=" not in old
    assert old.replace(",Hostname=", ",hostname=") == new


def test_a_field_that_a_device_lacks_has_no_line() -> None:
    page = page_of(workload("train-llm", device=DEVICES["t4"]))
    assert "REMAPPED" not in page
    assert "NVLINK" not in page
    assert "REMAPPED" in page_of(workload("train-llm"))


def test_plain_memory_has_temperature_zero() -> None:
    found = samples(page_of(workload("train-llm", device=DEVICES["l40s"])))
    assert found["DCGM_FI_DEV_MEMORY_TEMP", 0] == "0"


def test_stacked_memory_is_warmer_than_the_core_most_of_all_at_idle() -> None:
    idle = samples(page_of(workload("bare-idle")))
    busy = samples(page_of(workload("prefill")))
    margins = [
        int(found["DCGM_FI_DEV_MEMORY_TEMP", 0]) - int(found["DCGM_FI_DEV_GPU_TEMP", 0]) for found in (idle, busy)
    ]
    assert margins == [11, 2]


def test_energy_counts_on_from_page_to_page() -> None:
    run = workload("train-llm")
    first, second = (samples(page_of(run, NOW_MS + later)) for later in (0, 10_000))
    grown_mj = int(second["DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", 0]) - int(
        first["DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", 0]
    )
    assert 4_000_000 < grown_mj < 7_100_000
    assert int(first["DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION", 0]) > 70 * 86_400 * 900


def test_labels_are_escaped() -> None:
    values = {family.name: None for family in FAMILIES} | {"DCGM_FI_DEV_GPU_UTIL": 7}
    odd = Exposed(
        index=0,
        uuid="u",
        pci_bus_id="b",
        model_name='a "b"\\c',
        hostname="h\n",
        counters=Counters(MappingProxyType(values)),
    )
    assert exposition([odd]).splitlines()[-1] == (
        'DCGM_FI_DEV_GPU_UTIL{gpu="0",UUID="u",pci_bus_id="b",device="nvidia0",modelName="a \\"b\\"\\\\c",'
        'Hostname="h\\n"} 7'
    )


def test_nothing_running_is_an_empty_page() -> None:
    assert exposition([]) == ""


def test_devices_show_while_their_machine_exists() -> None:
    run = workload("eval", until_ms=NOW_MS)
    assert len(counters_at(run, NOW_MS)) == 1
    assert counters_at(run, NOW_MS + 1) == ()
    assert counters_at(run, START_MS - 1) == ()
    assert counters_at(replace(run, exists_from_ms=None), NOW_MS) == ()
    assert counters_at(workload("eval", device=None), NOW_MS) == ()


def test_a_lost_device_disappears_from_the_page() -> None:
    run = workload(lasting("eval", 30), "lost")
    assert len(counters_at(run, START_MS + 29_999)) == 1
    assert counters_at(run, START_MS + 30_000) == ()


def test_a_busy_t4_looks_like_the_captured_one() -> None:
    """Capped at 70 W far below its maximum clock, warm, GDDR without a temperature."""
    counters = counters_at(workload("prefill", device=DEVICES["t4"]), START_MS + 3_600_000)[0]
    assert 68 <= float(counters["DCGM_FI_DEV_POWER_USAGE"] or 0) <= 71
    assert 600 <= int(counters["DCGM_FI_DEV_SM_CLOCK"] or 0) <= 1_000
    assert 60 <= int(counters["DCGM_FI_DEV_GPU_TEMP"] or 0) <= 80
    assert counters["DCGM_FI_DEV_MEMORY_TEMP"] == 0


def disturbed(kind: FaultKind, **changes: object) -> Workload:
    fault = PipelineFault(kind=kind, from_ms=600_000, until_ms=660_000)
    return workload("train-vision", gpus=2, disturbances=(replace(fault, **changes),))


HEALTHY = workload("train-vision", gpus=2)


def test_a_frozen_exporter_shows_the_same_page_again() -> None:
    run = disturbed(FaultKind.FROZEN)
    pages = [page_of(run, NOW_MS + later_ms) for later_ms in (-1, 0, 30_000, 59_999, 60_000)]
    assert len(set(pages)) == 3
    assert pages[1] == pages[2] == pages[3] == page_of(HEALTHY, NOW_MS)
    assert pages[4] == page_of(HEALTHY, NOW_MS + 60_000)


def test_a_frozen_series_stands_still_among_the_others() -> None:
    shown = samples(page_of(disturbed(FaultKind.FROZEN, series=("gpuPowerWatt",)), NOW_MS + 30_000))
    then, now = (samples(page_of(HEALTHY, NOW_MS + later_ms)) for later_ms in (0, 30_000))
    power = {key: value for key, value in then.items() if key[0] == "DCGM_FI_DEV_POWER_USAGE"}
    assert len(power) == 2
    assert shown == now | power != now


def test_a_hung_exporter_goes_on_showing_a_gpu_that_is_lost() -> None:
    fault = PipelineFault(kind=FaultKind.FROZEN, from_ms=20_000)
    run = workload(lasting("eval", 30), "lost", disturbances=(fault,))
    assert page_of(run, START_MS + 90_000) == page_of(run, START_MS + 20_000) != ""
    shown = sample(run, window(20, start_s=80), NOW_MS)
    assert {len(series) for series in shown.values()} == {21}
    assert len(set(shown["gpuPowerWatt"].values.tolist())) == 1


def test_a_dropped_series_has_no_line() -> None:
    run = disturbed(FaultKind.DROPPED, series=("gpuMemoryUtilizationPercent", "gpuClockSmMhz"))
    gone = {name for name, _ in samples(page_of(HEALTHY))} - {name for name, _ in samples(page_of(run))}
    assert gone == {"DCGM_FI_DEV_FB_FREE", "DCGM_FI_DEV_FB_USED", "DCGM_FI_DEV_SM_CLOCK"}


def test_a_lost_scrape_is_an_empty_page() -> None:
    run = disturbed(FaultKind.MISSING, ratio=0.5)
    pages = [counters_at(run, NOW_MS + 1000 * second) for second in range(60)]
    assert 15 <= pages.count(()) <= 45
    assert {len(page) for page in pages} == {0, 2}


def test_a_late_point_does_not_concern_the_page() -> None:
    assert page_of(disturbed(FaultKind.LATE, delay_ms=45_000)) == page_of(HEALTHY)
