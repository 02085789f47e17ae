"""One line for each request, for the person at the terminal or for a program."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TextIO

import orjson
from starlette.responses import Response

from emulator.server.settings import LogFormat
from emulator.tenants.cloud import Cloud
from emulator.tenants.journal import Exchange
from emulator.times import format_instant

_GREEN, _YELLOW, _RED, _DIM, _PLAIN = "\x1b[32m", "\x1b[33m", "\x1b[31m", "\x1b[2m", "\x1b[0m"
_QUIET = frozenset({"get_health"})
"""Operations that are asked so often and say so little that they are not told."""


class RequestLog:
    """An observer that writes what was asked and answered to `out`, in colour where that is a terminal.

    Once `out` takes no more, it writes nothing any more.
    """

    def __init__(self, cloud: Cloud, log_format: LogFormat, out: TextIO | None = None) -> None:
        self._cloud = cloud
        self._out: TextIO | None = sys.stderr if out is None else out
        lines: dict[LogFormat, Callable[[Exchange], str]] = {LogFormat.TEXT: self._text, LogFormat.JSON: self._json}
        self._line = lines[log_format]
        self._colours = log_format is LogFormat.TEXT and self._out is not None and self._out.isatty()

    def __call__(self, exchange: Exchange, _response: Response) -> None:
        if self._out is None or (exchange.operation is not None and exchange.operation.operation_id in _QUIET):
            return
        line = self._line(exchange)
        try:
            self._out.write(f"{line}\n")
            self._out.flush()
        except OSError:  # nobody reads it any more, or the disk is full; and here is where that would be told
            self._out = None

    def _text(self, exchange: Exchange) -> str:
        """`12:30:01.120 POST /api/v2/... 422 0.4ms  body.timeout: Input should be ...`"""
        status = str(exchange.status_code or "---")  # a connection that a fault reset has none
        clock = format_instant(exchange.received_ms)[11:23]
        if self._colours:
            colour = _GREEN if exchange.status_code < 400 else _YELLOW if exchange.status_code < 500 else _RED
            status = f"{colour}{status}{_PLAIN}"
            clock = f"{_DIM}{clock}{_PLAIN}"
        took = f"{exchange.duration_us / 1000:6.1f} ms"
        head = f"{clock} {exchange.method:<6} {status} {took}  {_one_line(exchange.path)}"
        told = [_one_line(part) for part in self._remarks(exchange)]
        return "\n             ".join([head, *told])

    def _json(self, exchange: Exchange) -> str:
        fields = {
            "time": format_instant(exchange.received_ms),
            "method": exchange.method,
            "path": exchange.path,
            "operation_id": exchange.operation and exchange.operation.operation_id,
            "execution_id": exchange.execution_id and _one_line(exchange.execution_id),
            "org": self._cloud.slug_of(exchange.caller) if exchange.caller else None,
            "status_code": exchange.status_code or None,
            "duration_ms": exchange.duration_us / 1000,
            "remarks": [_one_line(part) for part in self._remarks(exchange)],
        }
        return orjson.dumps(fields).decode()

    def _remarks(self, exchange: Exchange) -> list[str]:
        """What a person should know about the request beyond its status."""
        told = [f"fault: {exchange.fault}"] if exchange.fault else []
        if exchange.problems:
            told += [f"breaks the contract: {violation}" for violation in exchange.violations]
        elif exchange.refusal:
            told.append(exchange.refusal)
        told += [f"warning: {warning}" for warning in exchange.warnings]
        return told + self._choice(exchange)

    def _choice(self, exchange: Exchange) -> list[str]:
        """Which scenario a submission got, and what would have been needed for others."""
        operation = exchange.operation
        if operation is None or not operation.operation_id.startswith("start_") or exchange.execution_id is None:
            return []
        owner = self._cloud.owner_of(exchange.execution_id)
        run = None if owner is None else owner.find(exchange.execution_id)
        if run is None:
            return []
        choice = run.chosen_by
        told = [f"run {run.execution_id} takes {run.script.scenario.name}: {choice.detail}"]
        return told + [
            f"near miss: {miss.name}: {'; '.join(map(str, miss.differences))}" for miss in choice.near_misses
        ]


def _one_line(text: str) -> str:
    """`text` without what would break the line, or the terminal: a request may hold anything."""
    shown = text[:500]
    return shown if shown.isprintable() else "".join(each if each.isprintable() else "?" for each in shown)
