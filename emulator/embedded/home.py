"""What a program that is started as a subprocess needs to know of a tenant."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import urlsplit

__tracebackhide__ = True


def variables(url: str, base_url: str, api_key: str, home: Path) -> dict[str, str]:
    """Environment variables, and in `home` the file in which the official client keeps its login.

    Source: the client (lyceum-cli 1.0 to 1.2) reads `~/.lyceum/config.json` and `LYCEUM_ORG`. The other names with
    `LYCEUM_` are ours, for programs of one's own.
    """
    config = home / ".lyceum" / "config.json"
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(json.dumps({"api_key": api_key, "base_url": url}), encoding="utf-8")
    host = urlsplit(url).hostname or ""
    return {
        "HOME": str(home),
        "USERPROFILE": str(home),  # what HOME is called on Windows
        "LYCEUM_API_KEY": api_key,
        "LYCEUM_URL": url,
        "LYCEUM_BASE_URL": base_url,
        "LYCEUM_ORG": "",  # the developer's own organisation is not the tenant's
        "NO_PROXY": host,
        "no_proxy": host,
    }
