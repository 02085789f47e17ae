"""What the server logs, as a JSON object a line, beside the requests that `request_log.py` writes."""

from __future__ import annotations

import logging

import orjson

from emulator.texts import writable
from emulator.times import format_instant


class JsonLines(logging.Formatter):
    """`{"time", "level", "logger", "message"}`, and the traceback's text as `exception` where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        fields = {
            "time": format_instant(round(record.created * 1000)),
            "level": record.levelname,
            "logger": record.name,
            "message": writable(record.getMessage()),
        }
        if record.exc_info:
            fields["exception"] = writable(self.formatException(record.exc_info))
        return orjson.dumps(fields).decode()
