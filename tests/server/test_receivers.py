"""Where callbacks may go: URLs in all their spellings, patterns, names, and the emulator's own socket."""

from __future__ import annotations

import asyncio
import socket

import pytest

from emulator.errors import CallbackRefused
from emulator.server.receivers import Gate

NOT_HERE = "its host is not on this machine: allow it with --callback-host"
OWN = "it is the emulator itself"


def addresses(gate: Gate, url: str) -> list[str]:
    """The addresses that a callback to `url` would be sent to. Raises CallbackRefused."""
    return [str(address) for address in asyncio.run(_addresses(gate, url))]


async def _addresses(gate: Gate, url: str) -> list[object]:
    return list(await gate.addresses(gate.receiver(url)))


def leads_to(monkeypatch: pytest.MonkeyPatch, *found: str) -> None:
    """Every name leads to these addresses."""

    def look_up(host: str, port: int, **settings: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://127.0.0.1/", ["127.0.0.1"]),
        ("http://127.255.0.9:9000/x", ["127.255.0.9"]),
        ("http://[::1]:9000/", ["::1"]),
        ("https://LocalHost./", ["127.0.0.1", "::1"]),
        ("http://localhost:1/", ["127.0.0.1", "::1"]),
        ("http://2130706433/", ["127.0.0.1"]),
        ("http://0x7f.1/", ["127.0.0.1"]),
        ("http://127.1/", ["127.0.0.1"]),
        ("http://127.0.0.1./", ["127.0.0.1"]),
        ("http://127。0。0。1/", ["127.0.0.1"]),
        ("http://[::ffff:127.0.0.1]/", ["127.0.0.1"]),
        ("http://[::ffff:7f00:1]/", ["127.0.0.1"]),
        ("http://evil.example@127.0.0.1/", ["127.0.0.1"]),
    ],
)
def test_loopback_may_be_called_however_it_is_spelt(url: str, expected: list[str]) -> None:
    assert addresses(Gate(), url) == expected


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1@evil.example/",
        "http://127.0.0.1\\@evil.example/",
        "http://evil.example#@127.0.0.1/",
        "http://evil.example?@127.0.0.1/",
        "http://localhost.evil.example/",
        "http://127.0.0.1.nip.io/",
        "http://evil.localhost.example/",
        "http://128.0.0.1/",
        "http://10.0.0.1/",
        "http://167772161/",
        "http://0x0a000001/",
        "http://[::ffff:10.0.0.1]/",
        "http://[::2]/",
        "http://[64:ff9b::10.0.0.1]/",
        "http://[fd00::1]/",
    ],
)
def test_other_hosts_may_not_without_looking_up_a_name(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", None)
    with pytest.raises(CallbackRefused, match=NOT_HERE):
        addresses(Gate(), url)


@pytest.mark.parametrize(
    "url",
    [
        "http://0.0.0.0:9000/",
        "http://0/",
        "http://[::]/",
        "http://[::ffff:0.0.0.0]/",
        "http://224.0.0.1/",
        "http://0177.0.0.1/",
        "http://[fe80::1%25eth0]/",
        "http://[::1%25lo]/",
        "http://loc%61lhost/",
        "http://127.0.0.1:0/",
        "http://127.0.0.1:99999/",
        "http:///x",
        "http:127.0.0.1",
        "ftp://127.0.0.1/",
        "http://[::1",
        "http://\t127.0.0.1/",
        "//127.0.0.1/",
        "",
    ],
)
def test_what_is_no_receiver_is_refused_even_where_all_are_allowed(url: str) -> None:
    with pytest.raises(CallbackRefused):
        addresses(Gate(["*"]), url)


@pytest.mark.parametrize(
    ("pattern", "url", "allowed"),
    [
        ("*.example", "http://hooks.example/", True),
        ("*.EXAMPLE.", "http://Hooks.Example./", True),
        ("*.example", "http://example/", False),
        ("*.example", "http://hooks.example.evil/", False),
        ("hooks.example", "http://evil@hooks.example/", True),
        ("hooks.example", "http://hooks.example@evil/", False),
        ("10.0.*", "http://10.0.1.2/", True),
        ("10.0.*", "http://167772418/", True),
        ("10.0.*", "http://[::ffff:10.0.1.2]/", True),
        ("10.0.*", "http://10.0.evil.example/", True),
        ("10.0.*", "http://10.1.0.1/", False),
        ("[fd00::*]", "http://[fd00::7]/", True),
        ("*", "http://anything.at.all/", True),
    ],
)
def test_a_pattern_allows_the_hosts_that_it_fits(
    pattern: str, url: str, allowed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    leads_to(monkeypatch, "10.0.1.2")
    if allowed:
        assert addresses(Gate([pattern]), url) in (["10.0.1.2"], ["fd00::7"])
    else:
        with pytest.raises(CallbackRefused, match=NOT_HERE):
            addresses(Gate([pattern]), url)


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254/latest/meta-data/",
        "http://2852039166/",
        "http://0xa9fea9fe/",
        "http://[::ffff:169.254.169.254]/",
        "http://[64:ff9b::a9fe:a9fe]/",
        "http://[fe80::1]/",
        "http://[fd00:ec2::254]/",
        "http://metadata.example/",
    ],
)
def test_addresses_that_serve_credentials_need_their_very_name(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    leads_to(monkeypatch, "169.254.169.254")
    for patterns in (["*"], ["169.254.*", "fe80:*", "fd00:*", "metadata.example"]):
        with pytest.raises(CallbackRefused, match="may serve a machine's credentials"):
            addresses(Gate(patterns), url)


def test_their_very_name_allows_them(monkeypatch: pytest.MonkeyPatch) -> None:
    gate = Gate(["169.254.169.254"])
    assert addresses(gate, "http://2852039166/") == ["169.254.169.254"]
    with pytest.raises(CallbackRefused, match=NOT_HERE):
        addresses(gate, "http://metadata.example/")
    leads_to(monkeypatch, "169.254.169.254", "169.254.170.2")
    assert addresses(Gate(["169.254.169.254", "*.example"]), "http://m.example/") == ["169.254.169.254"]


def test_of_a_name_only_the_addresses_that_are_allowed_are_called(monkeypatch: pytest.MonkeyPatch) -> None:
    leads_to(monkeypatch, "169.254.169.254", "192.0.2.1", "0.0.0.0")
    assert addresses(Gate(["*"]), "http://both.example/") == ["192.0.2.1"]


def test_a_name_that_leads_nowhere_is_an_error_of_the_system() -> None:
    with pytest.raises(OSError, match=r".+"):
        addresses(Gate(["*"]), "http://no.such.host.invalid/")


def test_the_emulator_does_not_call_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as own:
        port = own.getsockname()[1]
        gate = Gate(["*"])
        gate.listening([own])
        leads_to(monkeypatch, "192.0.2.1", "127.0.0.1")
        for host in ("127.0.0.1", "localhost", "127.1", "[::ffff:127.0.0.1]", "by.name"):
            with pytest.raises(CallbackRefused, match=OWN):
                addresses(gate, f"http://{host}:{port}/_emulator/reset")
        assert addresses(gate, f"http://127.0.0.1:{port - 1}/") == ["127.0.0.1"]
        assert addresses(gate, f"http://127.0.0.2:{port}/") == ["127.0.0.2"]


@pytest.mark.parametrize("host", ["0.0.0.0", "::"])
def test_nor_by_any_address_of_the_machine_if_it_listens_on_all(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.create_server((host, 0), family=family) as own:
        port = own.getsockname()[1]
        gate = Gate(["*"])
        gate.listening([own])
        for address in ("127.0.0.1", "127.0.0.9", "localhost"):
            with pytest.raises(CallbackRefused, match=OWN):
                addresses(gate, f"http://{address}:{port}/")
        assert addresses(gate, f"http://192.0.2.1:{port}/") == ["192.0.2.1"]
