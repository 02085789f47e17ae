"""The state of a server in a file: read at its start, written while it runs and when it stops."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import tempfile
from pathlib import Path

import orjson
from starlette.responses import Response

from emulator.clock import ClockMode
from emulator.control.snapshot import check_form
from emulator.errors import RequestRefused, StartError
from emulator.file_lock import FileLock, Held, Unlockable
from emulator.server.service import Service
from emulator.snapshot.reading import read_server
from emulator.snapshot.state import restore_server
from emulator.snapshot.writing import Snapshot, snapshot_of
from emulator.tenants.journal import Exchange

log = logging.getLogger(__name__)

SAVE_AFTER_S = 2.0
"""So long after a change at most is it in the file, unless writing takes so long that it has to be rarer."""

_SHARE_OF_TIME = 20  # at most one twentieth of the time goes into writing
_MOST_DOUBLINGS = 5  # of the time until a write that failed is tried again


class StateFile:
    """Keeps the state of `service` in the file `path`.

    A write replaces the file at once and whole: a process that is killed leaves the last state that was written.
    From `load` to `stop` no other server keeps its state there. What is written is the state at one instant; the work
    of it is done in a thread, since others wait for their answers.
    """

    def __init__(self, path: Path, service: Service) -> None:
        self._path = path
        self._lock = FileLock(path)
        self._service = service
        self._timer: asyncio.TimerHandle | None = None
        self._saving: asyncio.Task[None] | None = None
        self._stale = False  # what is being written: something has changed since
        self._failures = 0  # since the last write that did not fail
        self._took_s = 0.0
        service.observers.append(self._note)
        service.courier.observers.append(self._soon)

    def load(self) -> str | None:
        """Restore what the file holds, if there is one. Returns what that was, in words, or None.

        Raises StartError where another server keeps it, it cannot be read, or the directory not be written to; the
        file stays as it is.
        """
        if not os.access(self._path.parent, os.W_OK):
            raise StartError(f"the state cannot be kept in {self._path}: {self._path.parent} cannot be written to")
        self._claim()
        try:
            return self._restore()
        except StartError:
            self._lock.release()
            raise

    def _claim(self) -> None:
        """Two servers would overwrite each other's state."""
        try:
            self._lock.take()
        except Held as held:
            raise StartError(
                f"another server keeps its state in {self._path}: {str(held) or 'a process that has just started'};"
                " stop that one, or give this one a file of its own with --state"
            ) from None
        except Unlockable as error:  # to be of no use there at all would be worse
            log.warning(
                "%s cannot be locked (%s), so nothing keeps a second server from using it, too", self._path, error
            )

    def _restore(self) -> str | None:
        try:
            content = self._path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StartError(f"the state in {self._path} cannot be read: {error.strerror}") from None
        try:
            document = orjson.loads(content)
        except orjson.JSONDecodeError as error:
            raise self._damaged(f"line {error.lineno}, column {error.colno}: {error.msg}") from None
        try:
            check_form(document)
            state = read_server(document)
            restore_server(self._service.cloud, state)
        except RequestRefused as error:
            raise self._damaged(error.detail) from None
        runs = sum(len(tenant.runs) for tenant in state.tenants)
        return f"{self._path}: {_counted(runs, 'run')} of {_counted(len(state.tenants), 'tenant')} restored"

    def _damaged(self, why: str) -> StartError:
        return StartError(
            f"{self._path} holds no state that can be restored ({why});"
            " it was left as it is: move it away to start anew"
        )

    def start(self) -> None:
        for tenant in self._service.cloud.tenants.values():
            self._service.courier.watch(tenant)  # what a restored run owes is still to be delivered

    async def stop(self) -> None:
        """Write the state a last time."""
        try:
            if self._saving is not None:  # else the older state might come after the last one
                await asyncio.wait((self._saving,))
            if self._timer is not None:
                self._timer.cancel()
            await self._save()
        finally:
            self._lock.release()

    def _note(self, exchange: Exchange, _response: Response) -> None:
        """Whoever only reads changes nothing: an idle server writes nothing."""
        if self._timer is None and self._changes(exchange):
            self._soon()

    def _soon(self) -> None:
        """Something has changed: see to it that it is written before long."""
        if self._saving is not None:
            self._stale = True
        elif self._timer is None:
            after_s = max(SAVE_AFTER_S, self._took_s * _SHARE_OF_TIME) * 2 ** min(self._failures, _MOST_DOUBLINGS)
            self._timer = asyncio.get_running_loop().call_later(after_s, self._begin)

    def _changes(self, exchange: Exchange) -> bool:
        if exchange.method not in ("GET", "HEAD", "OPTIONS") or exchange.fault is not None:  # which counts its hits
            return True
        tenant = self._service.cloud.tenants.get(exchange.caller)
        return tenant is not None and tenant.clock.mode is ClockMode.PER_REQUEST  # every request moves it on

    def _begin(self) -> None:
        self._timer = None
        self._stale = False
        self._saving = asyncio.get_running_loop().create_task(self._save())
        self._saving.add_done_callback(self._saved)

    def _saved(self, _task: asyncio.Task[None]) -> None:
        """Whether or not it was: a mistake of ours, too, is no reason to keep nothing from now on."""
        self._saving = None
        if self._stale or self._failures:
            self._soon()

    async def _save(self) -> None:
        loop = asyncio.get_running_loop()
        started_s = loop.time()
        self._failures += 1
        snapshot = snapshot_of(self._service.cloud)
        try:
            await asyncio.to_thread(_write, self._path, snapshot)
        except OSError as error:
            log.error("the state could not be written to %s: %s; the last one stays", self._path, error.strerror)
        except orjson.JSONEncodeError as error:  # a mistake of ours
            log.exception("the state cannot be written as JSON (%s); in %s the last one stays", error, self._path)
        else:
            self._failures = 0
        self._took_s = loop.time() - started_s


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _write(path: Path, snapshot: Snapshot) -> None:
    """Raises orjson.JSONEncodeError or OSError."""
    _replace(path, snapshot.encoded(orjson.OPT_INDENT_2))


def _replace(path: Path, content: bytes) -> None:
    """Write `path` whole or not at all, whatever happens meanwhile."""
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".new")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)  # noqa: PTH105  beside mkstemp
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(temporary)  # noqa: PTH108
        raise
