"""Bare uvicorn: what an ASGI server costs that answers bytes which it has at hand, each at a path of its own."""

from __future__ import annotations

import json
import os
from collections.abc import Awaitable, Callable, MutableMapping
from pathlib import Path
from typing import Any

_ANSWERS = {
    answer["path"]: (
        {
            "type": "http.response.start",
            "status": answer["status"],
            "headers": [
                (b"content-length", str(len(answer["body"].encode())).encode()),
                (b"content-type", b"application/json"),
            ],
        },
        {"type": "http.response.body", "body": answer["body"].encode()},
    )
    for answer in json.loads(Path(os.environ["CONSTANT_ANSWERS"]).read_text())
}


async def app(
    scope: MutableMapping[str, Any], _receive: object, send: Callable[[MutableMapping[str, Any]], Awaitable[None]]
) -> None:
    head, body = _ANSWERS[scope["path"]]
    await send(head)
    await send(body)
