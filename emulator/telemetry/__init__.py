"""Synthetic GPU and system telemetry: what a workload does, as metric series that are pure functions of time.

`shapes`, `workload` and `window` are plain data; everything else computes with numpy, so import it late.
"""
