"""A fuzzer over raw sockets: `python -m tests.hostile.fuzz --requests 100000` for more than a test run has time for.

Every attack follows from the seed and its number, which a complaint names: `--first NUMBER --requests 1` repeats it.
"""

from __future__ import annotations

import argparse
import re
import socket
import struct
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from random import SystemRandom

from tests.hostile.attacks import attack
from tests.process import Server, serving

PATIENCE_S = 10.0
"""For one attack's connection to be answered or closed."""
HEALTH_EVERY = 50
RESET_EVERY = 500
"""Some attacks are runs that are accepted; kept, they would be memory that grows for a good reason."""
_STATUS = re.compile(rb"(?:\A|\n)HTTP/1\.[01] ([0-9]{3})[ \r]")
_AT_ONCE = struct.pack("ii", 1, 0)


@dataclass
class Tally:
    """What came of the attacks."""

    sent: int = 0
    statuses: Counter[str] = field(default_factory=Counter)
    complaints: list[str] = field(default_factory=list)
    slowest_health_s: float = 0.0
    slowest_attack_s: float = 0.0
    slowest_kind: str = ""
    rss_mib: list[float] = field(default_factory=list)
    took_s: float = 0.0

    def growth_mib(self) -> float:
        """How far memory went beyond where it was after the first third, by which time all that is bounded is full."""
        settled = self.rss_mib[len(self.rss_mib) // 3]
        return max(self.rss_mib[len(self.rss_mib) // 3 :]) - settled

    def __str__(self) -> str:
        statuses = ", ".join(f"{status} {count}" for status, count in sorted(self.statuses.items()))
        return (
            f"{self.sent} attacks in {self.took_s:.0f} s ({self.sent / self.took_s:.0f}/s): {statuses}\n"
            f"memory: {self.rss_mib[0]:.0f} MiB at first, {self.rss_mib[len(self.rss_mib) // 3]:.0f} after a third, "
            f"{self.rss_mib[-1]:.0f} at last, {max(self.rss_mib):.0f} at most\n"
            f"slowest answer to a healthy client: {self.slowest_health_s * 1000:.0f} ms; "
            f"to an attack: {self.slowest_attack_s * 1000:.0f} ms ({self.slowest_kind})\n"
            f"complaints: {len(self.complaints)}"
        )


def fuzz(server: Server, seed: int, requests: int, first: int = 0) -> Tally:
    """Send the attacks `first` to `first + requests`, with a healthy client between them."""
    tally = Tally(rss_mib=[rss_mib(server.process.pid)])
    begun = time.monotonic()
    for number in range(first, first + requests):
        _attack(server.port, seed, number, tally)
        if number % HEALTH_EVERY == 0:
            _healthy(server.port, tally)
        if number % RESET_EVERY == RESET_EVERY - 1:
            tally.rss_mib.append(rss_mib(server.process.pid))
            exchange(server.port, (_plain("POST", "/_emulator/reset"),), ends=False)
        if len(tally.complaints) >= 20 or server.process.poll() is not None:
            break
    if server.process.poll() is not None:
        tally.complaints.append(f"the process ended with {server.process.returncode}")
    tally.rss_mib.append(rss_mib(server.process.pid))
    tally.took_s = time.monotonic() - begun
    if "Traceback" in server.logged():
        tally.complaints.append(f"its log has a traceback: {server.logged()[-3_000:]}")
    return tally


def _attack(port: int, seed: int, number: int, tally: Tally) -> None:
    sent = attack(seed, number)
    begun = time.monotonic()
    try:
        answer = exchange(port, sent.pieces, ends=sent.ends)
    except TimeoutError:
        answer = b""
        tally.complaints.append(f"{number} ({sent.kind}): neither answered nor closed in {PATIENCE_S:.0f} s")
    except ConnectionRefusedError:
        answer = b""
        tally.complaints.append(f"{number} ({sent.kind}): the server accepts no connections")
    took_s = time.monotonic() - begun
    if took_s > tally.slowest_attack_s:
        tally.slowest_attack_s, tally.slowest_kind = took_s, f"{sent.kind}, number {number}"
    tally.sent += 1
    statuses = [status.decode() for status in _STATUS.findall(answer)]
    tally.statuses.update(statuses or ["closed"])
    tally.complaints += [f"{number} ({sent.kind}): {answer[:300]!r}" for status in statuses if status >= "500"]


def _healthy(port: int, tally: Tally) -> None:
    begun = time.monotonic()
    try:
        answer = exchange(port, (_plain("GET", "/_emulator/health"),), ends=False)
    except OSError as trouble:
        tally.complaints.append(f"a healthy client in between got {trouble!r}")
        return
    tally.slowest_health_s = max(tally.slowest_health_s, time.monotonic() - begun)
    if not answer.startswith(b"HTTP/1.1 200 "):
        tally.complaints.append(f"a healthy client in between got {answer[:300]!r}")


def _plain(method: str, path: str) -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode()


def exchange(port: int, pieces: tuple[bytes, ...], *, ends: bool) -> bytes:
    """All that a server answers until it closes the connection. Raises TimeoutError, ConnectionRefusedError."""
    received: list[bytes] = []
    with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S) as connection:
        # Reset at the end: a hundred thousand connections in a row would else run out of ports.
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _AT_ONCE)
        try:
            for piece in pieces:
                connection.sendall(piece)
            if ends:
                connection.shutdown(socket.SHUT_WR)
        except (BrokenPipeError, ConnectionResetError, OSError) as trouble:
            if isinstance(trouble, TimeoutError):
                raise
            # It had enough before it had all; what it said about that may still be read.
        try:
            while data := connection.recv(65_536):
                received.append(data)
        except ConnectionResetError:
            pass
    return b"".join(received)


def rss_mib(pid: int) -> float:
    """Resident memory of a process; 0 once it has ended."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0.0
    found = re.search(r"VmRSS:\s+([0-9]+) kB", status)
    return int(found[1]) / 1024 if found else 0.0


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--requests", type=int, default=100_000)
    options.add_argument("--first", type=int, default=0)
    options.add_argument("--seed", type=int, default=SystemRandom().randrange(10**9))
    chosen = options.parse_args()
    print(f"seed {chosen.seed}", flush=True)
    with serving("--log-level", "warning", "--no-access-log") as server:
        tally = fuzz(server, chosen.seed, chosen.requests, chosen.first)
        print(tally)
        for complaint in tally.complaints:
            print(complaint)
    raise SystemExit(bool(tally.complaints))


if __name__ == "__main__":
    main()
