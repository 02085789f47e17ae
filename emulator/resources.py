"""Where the contract and the built-in scenarios lie: at the root of a checkout, inside the package once installed."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).parent
_INSTALLED = _PACKAGE / "data"
_ROOT = _INSTALLED if _INSTALLED.is_dir() else _PACKAGE.parent

CONTRACT_FILE = _ROOT / "openapi.yaml"
CONTROL_CONTRACT_FILE = _PACKAGE / "control" / "openapi.yaml"
SCENARIO_DIRECTORY = _ROOT / "scenarios"
