"""The page of all GPUs leaves others their turn while it is made."""

from __future__ import annotations

import asyncio

import httpx2

from tests.api import KEY, Api


def test_a_long_page_gives_way_between_runs(api: Api) -> None:
    for _ in range(12):
        run_id = api.start("notebook", execution_type="gpu.h100")
    api.advance(execution_id=run_id, until="running")
    api.advance(by="1m")
    whole = api.request("GET", "/_emulator/dcgm/metrics").text

    async def scene() -> tuple[str, int]:
        turns = 0
        async with httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=api.http.app), base_url="http://emulator"
        ) as client:
            headers = {"Authorization": f"Bearer {KEY}"}
            asked = asyncio.create_task(client.get("/_emulator/dcgm/metrics", headers=headers))
            while not asked.done():
                turns += 1
                await asyncio.sleep(0)
            return asked.result().text, turns

    page, turns = asyncio.run(scene())
    assert page == whole
    assert page.count("DCGM_FI_DEV_GPU_TEMP{") >= 12
    assert turns > page.count("DCGM_FI_DEV_GPU_TEMP{") + 20  # and between the families


def test_all_of_a_tenants_page_is_of_one_instant(api: Api) -> None:
    """Runs that come, go or are deleted while it is made do not change it."""
    for _ in range(3):
        run_id = api.start("notebook", execution_type="gpu.h100")
    api.advance(execution_id=run_id, until="running")
    api.advance(by="1m")
    whole = api.request("GET", "/_emulator/dcgm/metrics").text

    async def scene() -> str:
        async with httpx2.AsyncClient(
            transport=httpx2.ASGITransport(app=api.http.app), base_url="http://emulator"
        ) as client:
            headers = {"Authorization": f"Bearer {KEY}"}
            asked = asyncio.create_task(client.get("/_emulator/dcgm/metrics", headers=headers))
            await asyncio.sleep(0)
            aborted = await client.post(f"/api/v2/external/workloads/abort/{run_id}", headers=headers)
            assert aborted.status_code == 200
            assert not asked.done()
            return (await asked).text

    assert asyncio.run(scene()) == whole
