"""What is being done, on stderr, so that nobody takes minutes of silence for a fault."""

from __future__ import annotations

import sys
import time

_STARTED_S = time.monotonic()


def tell(what: str) -> None:
    print(f"[{time.monotonic() - _STARTED_S:4.0f} s] {what}", file=sys.stderr, flush=True)
