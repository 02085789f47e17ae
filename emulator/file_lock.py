"""A lock that one process at a time holds on a file, and that ends with its process, however that ends."""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import sys
from pathlib import Path

from emulator.errors import EmulatorError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

_HELD = (errno.EACCES, errno.EAGAIN)
"""What the systems say of a lock that another process holds."""

_LOCKED_BYTE = 1 << 30
"""Windows lets nobody read a byte that is locked, so it is one far behind what the file says."""

_MAX_HOLDER = 200


class Held(EmulatorError):
    """Another process holds the lock; the message says which, empty in the moment before it is known."""


class Unlockable(EmulatorError):
    """Nothing can be locked there, as on a file system without locks; the message is the system's."""


class FileLock:
    """Held on a file beside `path`, since `path` itself is replaced by each write. The file names its holder.

    The lock is the operating system's: a process that is killed leaves the file behind and holds nothing.
    """

    def __init__(self, path: Path) -> None:
        self._path = path.with_name(f".{path.name}.lock")
        self._handle: int | None = None

    def take(self) -> None:
        """Raises Held or Unlockable."""
        while True:
            try:
                handle = os.open(self._path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o644)
            except OSError as error:
                raise Unlockable(error.strerror) from None
            try:
                _lock(handle)
            except OSError as error:
                holder = _holder(handle)
                os.close(handle)
                if error.errno in _HELD:
                    raise Held(holder) from None
                raise Unlockable(error.strerror) from None
            if self._is_still(handle):
                break
            os.close(handle)  # its last holder has removed the file since it was opened
        self._handle = handle
        with contextlib.suppress(OSError):  # a full disk costs the name, not the lock
            os.truncate(handle, 0)
            os.write(handle, f"process {os.getpid()} on {socket.gethostname()}\n".encode())

    def release(self) -> None:
        """Also if it is not held."""
        handle, self._handle = self._handle, None
        if handle is None:
            return
        if sys.platform == "win32":  # see `_is_still`
            os.close(handle)
            with contextlib.suppress(OSError):  # the next holder was quicker
                self._path.unlink()
        else:
            with contextlib.suppress(OSError):
                self._path.unlink()
            os.close(handle)

    def _is_still(self, handle: int) -> bool:
        """Whether the file that is locked is the one that others find."""
        if sys.platform == "win32":  # which removes no file that is open
            return True
        try:
            return os.path.samestat(os.fstat(handle), self._path.stat())
        except FileNotFoundError:
            return False


def _lock(handle: int) -> None:
    """Lock the whole file, or raise OSError at once."""
    if sys.platform == "win32":
        os.lseek(handle, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        finally:
            os.lseek(handle, 0, os.SEEK_SET)
    else:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _holder(handle: int) -> str:
    """Who holds it, as the file says."""
    try:
        return os.read(handle, _MAX_HOLDER).decode(errors="replace").strip()
    except OSError:
        return ""
