"""Where callbacks may go: URLs as the HTTP client reads them, hosts, and the addresses behind their names."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from threading import Thread
from typing import TYPE_CHECKING, TypeAlias

from msgspec import Struct

from emulator.errors import CallbackRefused

if TYPE_CHECKING:
    import httpx2

Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address

_PORTS = {"http": 80, "https": 443}
_LOCALHOST = (ipaddress.IPv4Address("127.0.0.1"), ipaddress.IPv6Address("::1"))
# Services that hand a machine's credentials to whoever can call them: a name or a `*` never leads there.
_METADATA = tuple(
    ipaddress.ip_network(network)
    for network in ("169.254.0.0/16", "fe80::/10", "fd00:ec2::254/128", "fd20:ce::254/128", "100.100.100.200/32")
)
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class Receiver(Struct, frozen=True):
    """A URL that may be called, as far as its text tells. `address` is what its host says, None for a name."""

    url: httpx2.URL
    host: str
    port: int
    address: Address | None

    @property
    def lane(self) -> tuple[str, str, int]:
        """What tells one receiver from another."""
        return self.url.scheme, self.host, self.port


class Gate:
    """Which receivers may be called: this machine's loopback, and the hosts that `patterns` name (shell-style).

    Never the emulator's own socket, whose control API is open to everything on loopback, and never an address that
    serves credentials unless a pattern is that very address.
    """

    def __init__(self, patterns: Iterable[str] = ()) -> None:
        self._patterns = tuple(_unbracketed(pattern.lower()).rstrip(".") for pattern in patterns)
        self._own: list[tuple[Address, int]] = []

    def listening(self, sockets: Iterable[socket.socket]) -> None:
        """The emulator's own sockets, from now on."""
        names = [one.getsockname() for one in sockets if one.family in (socket.AF_INET, socket.AF_INET6)]
        self._own = [(_plain(ipaddress.ip_address(name[0].partition("%")[0])), name[1]) for name in names]

    def receiver(self, text: str) -> Receiver:
        """Read a URL as the client that will call it does. Raises CallbackRefused. Looks up no name."""
        import httpx2  # late: most servers never call anybody

        try:
            url = httpx2.URL(text)
        except httpx2.InvalidURL:
            raise CallbackRefused("it is not a URL that can be called") from None
        host = url.raw_host.decode("ascii").rstrip(".")
        if url.scheme not in _PORTS or not host:
            raise CallbackRefused("it is not an http or https URL with a host")
        if "%" in host or len(host) > 253:
            raise CallbackRefused("its host is neither a name nor an address")
        port = _PORTS[url.scheme] if url.port is None else url.port
        if not 0 < port < 65536:
            raise CallbackRefused(f"there is no port {port}")
        address = _address(host)
        receiver = Receiver(url, host if address is None else str(address), port, address)
        if address is not None:
            self._check(receiver, address)
        elif host != "localhost" and not self._named(host):
            raise CallbackRefused(_NOT_ALLOWED)
        return receiver

    async def addresses(self, receiver: Receiver) -> Sequence[Address]:
        """The addresses to connect to, one at least, each of which is allowed. Raises CallbackRefused, OSError."""
        if receiver.address is not None:
            found: Sequence[Address] = (receiver.address,)
        elif receiver.host == "localhost":
            found = _LOCALHOST  # by definition, whatever a name server says
        else:
            found = await _looked_up(receiver.host, receiver.port)
        if any(self._is_own(address, receiver.port) for address in found):
            raise CallbackRefused(_OWN)  # even if another of its addresses is somebody else's
        allowed, refusal = [], CallbackRefused("its name leads nowhere")
        for address in found:
            try:
                self._check(receiver, address)
            except CallbackRefused as refused:
                refusal = refused
            else:
                allowed.append(address)
        if not allowed:
            raise refusal
        return allowed

    def _check(self, receiver: Receiver, address: Address) -> None:
        """Raises CallbackRefused where a connection to `address` may not be made on behalf of `receiver`."""
        if address.is_unspecified or address.is_multicast:
            raise CallbackRefused("its address is that of no single machine")
        if self._is_own(address, receiver.port):
            raise CallbackRefused(_OWN)
        if any(address in network for network in _METADATA):
            if str(address) not in self._patterns:
                raise CallbackRefused(f"{address} may serve a machine's credentials: name it with --callback-host")
        elif not address.is_loopback and not self._named(receiver.host):
            raise CallbackRefused(_NOT_ALLOWED)

    def _is_own(self, address: Address, port: int) -> bool:
        return any(port == own_port and _is_same(own, address) for own, own_port in self._own)

    def _named(self, host: str) -> bool:
        return any(fnmatchcase(host, pattern) for pattern in self._patterns)


_OWN = "it is the emulator itself"
_NOT_ALLOWED = "its host is not on this machine: allow it with --callback-host"


def _address(host: str) -> Address | None:
    """The address that `host` spells, however it does, or None if it is a name."""
    try:
        return _plain(ipaddress.ip_address(host))
    except ValueError:
        pass
    try:
        # The spellings of old (`127.1`, `0x7f.0.0.1`, `2130706433`), as the system would read them on connecting.
        return ipaddress.IPv4Address(socket.inet_aton(host))
    except OSError:
        return None


def _unbracketed(pattern: str) -> str:
    """`::1` for `[::1]`, as it stands in a URL; `[ab].example` is a pattern and stays."""
    return pattern[1:-1] if pattern.startswith("[") and pattern.endswith("]") and ":" in pattern else pattern


def _plain(address: Address) -> Address:
    """The IPv4 address that an IPv6 address stands for, if it stands for one."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _is_same(own: Address, address: Address) -> bool:
    """Whether a socket bound to `own` is reached by `address`."""
    return _is_local(address) if own.is_unspecified else own == address


def _is_local(address: Address) -> bool:
    """Whether `address` is one of this machine: only those can be bound to."""
    family = socket.AF_INET if address.version == 4 else socket.AF_INET6
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.bind((str(address), 0))
    except OSError:
        return False
    return True


async def _looked_up(host: str, port: int) -> Sequence[Address]:
    """The addresses of a name, in the system's order. Raises OSError."""
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[list[Address]] = loop.create_future()

    def settle(found: list[Address] | OSError) -> None:
        if answer.done():
            return
        if isinstance(found, OSError):
            answer.set_exception(found)
        else:
            answer.set_result(found)

    def look_up() -> None:
        found: list[Address] | OSError
        try:
            rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            found = [_plain(ipaddress.ip_address(str(row[4][0]).partition("%")[0])) for row in rows]
        except UnicodeError:
            found = OSError("it is not a name")
        except OSError as error:
            found = error
        try:
            loop.call_soon_threadsafe(settle, found)
        except RuntimeError:  # the loop has ended meanwhile, and nobody waits
            return

    # A thread of its own that nobody joins: an executor's would hold up the server's end for as long as a name
    # server keeps silent.
    Thread(target=look_up, daemon=True).start()
    return list(dict.fromkeys(await answer))
