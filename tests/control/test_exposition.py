"""Running runs as dcgm-exporter shows them, read back by the real Prometheus."""

from __future__ import annotations

import json
import os
import re
import shutil
import socket
import subprocess
import time
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.api import Api
from tests.process import serving
from tests.test_serve import call, start

LINE = re.compile(
    r'[A-Z_]+\{gpu="(\d+)",UUID="(GPU-[0-9a-f-]{36})",pci_bus_id="[0-9A-F:.]+",device="nvidia\d+",.*\} (\S+)'
)


def page(api: Api, query: str = "") -> list[str]:
    answer = api.request("GET", f"/_emulator/dcgm/metrics{query}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return [line for line in answer.text.splitlines() if not line.startswith("#")]


def running(api: Api, hardware: str) -> str:
    run_id = api.start("notebook", execution_type=hardware)
    api.advance(execution_id=run_id, until="running")
    api.advance(by="1m")
    return run_id


def test_the_page_is_empty_while_no_gpu_is_busy(api: Api) -> None:
    api.start()
    running(api, "cpu")
    assert page(api) == []


def test_each_gpu_of_each_running_run_has_a_line_per_field(api: Api) -> None:
    first, second = running(api, "gpu.h100.2x"), running(api, "gpu.t4")
    lines = [line for line in page(api) if line.startswith("DCGM_FI_DEV_POWER_USAGE{")]
    assert all(LINE.fullmatch(line) for line in lines)
    assert sorted(re.findall(r'pod="run-([0-9a-f-]+)"', "".join(lines))) == sorted([first, first, second])
    assert {re.search(r'modelName="([^"]+)"', line)[1] for line in lines} == {  # type: ignore[index]
        "NVIDIA H100 80GB HBM3",
        "Tesla T4",
    }
    assert len({LINE.fullmatch(line)[2] for line in lines}) == 3  # type: ignore[index]


def test_a_tenant_sees_its_own_gpus_and_the_server_all(api: Api) -> None:
    running(api, "gpu.h100")
    other = api.as_caller("lk_some_other_key")
    assert page(other) == []
    assert page(api.as_caller(None)) == page(api) != []


def test_a_run_that_is_over_has_left_the_page(api: Api) -> None:
    run_id = running(api, "gpu.h100")
    api.post(f"/workloads/abort/{run_id}")
    assert page(api) == []


@pytest.mark.parametrize(("query", "label"), [("", "Hostname"), ("?host_label=hostname", "hostname")])
def test_the_host_label_has_the_name_that_is_asked_for(api: Api, query: str, label: str) -> None:
    running(api, "gpu.h100")
    assert all(f',{label}="' in line for line in page(api, query))


def test_page_and_metrics_call_agree(api: Api) -> None:
    run_id = running(api, "gpu.a100.40gb")
    now = api.control("GET", "/clock")["now"]
    series = api.get(f"/execution/{run_id}/metrics", params={"start": now, "end": now}).json()
    shown = {line.partition("{")[0]: line.rpartition(" ")[2] for line in page(api)}
    assert int(shown["DCGM_FI_DEV_GPU_TEMP"]) == series["gpuTemperatureCelsius"][0]["value"]
    assert float(shown["DCGM_FI_DEV_POWER_USAGE"]) == pytest.approx(series["gpuPowerWatt"][0]["value"], abs=0.05)
    assert int(shown["DCGM_FI_DEV_GPU_UTIL"]) == series["gpuUtilizationPercent"][0]["value"]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def query(port: int, expression: str) -> list[Any]:
    url = f"http://127.0.0.1:{port}/api/v1/query?query={urllib.parse.quote(expression)}"
    try:
        with urllib.request.urlopen(url, timeout=10) as answer:
            return list(json.load(answer)["data"]["result"])
    except OSError:  # it is not up yet
        return []


def test_a_real_prometheus_scrapes_the_page(tmp_path: Path) -> None:
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("Prometheus is not installed (Debian: apt-get install prometheus)")
    with serving("--clock", "manual") as server:
        run_id = start(server, "notebook")
        call(server, "POST", "/_emulator/clock/advance", {"execution_id": run_id, "until": "running"})
        call(server, "POST", "/_emulator/clock/advance", {"by": "2m"})
        config = tmp_path / "prometheus.yml"
        config.write_text(
            "global: {scrape_interval: 200ms, scrape_timeout: 200ms}\n"
            "scrape_configs:\n"
            "  - job_name: emulator\n"
            "    metrics_path: /_emulator/dcgm/metrics\n"
            f"    static_configs: [{{targets: ['127.0.0.1:{server.port}']}}]\n",
            encoding="utf-8",
        )
        port = free_port()
        arguments = [f"--config.file={config}", f"--storage.tsdb.path={tmp_path / 'data'}"]
        listen = f"--web.listen-address=127.0.0.1:{port}"
        with (
            (tmp_path / "log").open("w") as log,
            subprocess.Popen([program, *arguments, listen], stdout=log, stderr=log, env=dict(os.environ)) as process,
        ):
            try:
                deadline = time.monotonic() + 60
                found: list[Any] = []
                while not found:
                    assert time.monotonic() < deadline, (tmp_path / "log").read_text()
                    assert process.poll() is None, (tmp_path / "log").read_text()
                    found = query(port, "DCGM_FI_DEV_FB_USED")
                (series,) = found
                (energy,) = query(port, "DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION")
            finally:
                process.terminate()
    assert series["metric"]["modelName"] == "NVIDIA L40S"
    assert series["metric"]["pod"] == f"run-{run_id}"
    assert int(series["value"][1]) > 0
    assert int(energy["value"][1]) > 0
