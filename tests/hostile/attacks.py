"""Requests that nobody should send, as bytes: each follows from a seed and its number alone."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from random import Random
from typing import Any
from urllib.parse import quote

from emulator.contract.operations import Operation
from tests.contract.tour import documented

KEYS = 8
_NO_BODIES_OF_MEANING = frozenset({"add_fault", "set_clock", "reset"})
"""What these are asked for in earnest, they do: answer 503 from now on, or stop the clock."""

_WORDS = ["", "0", "-1", "null", "%00", "%", "%zz", "%ff%fe", "..", "../../etc/passwd", "\x7f", "é", "a" * 300]
_TEXTS = ["\x00", "\ufeff", "\u202e", "\U0001f600", "' OR 1=1 --", "{{7*7}}", "%s%n", "a" * 70_000, "\n" * 1_000]


@dataclass(frozen=True, slots=True)
class Attack:
    """What is sent, in pieces; `ends`: the sender then says that no more will come."""

    kind: str
    pieces: tuple[bytes, ...]
    ends: bool


Made = tuple[bytes | tuple[bytes, ...], bool]
Maker = Callable[[Random], Made]


def attack(seed: int, number: int) -> Attack:
    """The attack of that number."""
    random = Random(f"{seed}:{number}")
    maker = random.choice(MAKERS)
    sent, ends = maker(random)
    return Attack(maker.__name__, sent if isinstance(sent, tuple) else (sent,), ends)


def _operation(random: Random, *, with_body: bool = False) -> Operation:
    return random.choice(_operations(with_body))


@cache
def _operations(with_body: bool) -> list[Operation]:
    known = [operation for contract in ("service", "control") for operation in documented(contract).values()]
    return [operation for operation in known if operation.body is not None or not with_body]


def _target(random: Random, operation: Operation) -> str:
    odd = [*_WORDS, "3f0e9c52-7c1b-5d0a-9a44-6f2b8d1e7c30"]
    in_path = {name: quote(random.choice(odd), safe="%") for _, name in operation.path_names}
    return operation.path.format_map(in_path)


def _authorization(random: Random) -> str:
    return random.choice(
        [f"Bearer lk_hostile_{random.randrange(KEYS)}"] * 9 + ["Bearer x", "Basic eDp4", "Bearer " * 50]
    )


def _request(random: Random, method: str, target: str, *headers: str, body: bytes = b"") -> bytes:
    lines = [f"{method} {target} HTTP/1.1", "Host: localhost", f"Authorization: {_authorization(random)}"]
    lines += [*headers, "Connection: close"]
    return "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n\r\n" + body


def _with_body(random: Random, body: bytes, operation: Operation | None = None) -> Made:
    operation = operation or _operation(random, with_body=True)
    kind = "application/yaml" if operation.operation_id == "put_scenario" else "application/json"
    headers = (f"Content-Type: {kind}", f"Content-Length: {len(body)}")
    return _request(random, operation.method, _target(random, operation), *headers, body=body), False


# Below and beside HTTP.


def noise(random: Random) -> Made:
    return random.randbytes(random.choice([0, 1, 7, 100, 5_000])), True


def other_protocols(random: Random) -> Made:
    return random.choice(
        [
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
            bytes.fromhex("16030100c8010000c40303") + random.randbytes(150),
            b"GET /\r\n",
            b"GET / HTTP/0.9\r\n\r\n",
            b"GET / HTTP/9.9\r\n\r\n",
            b"SSH-2.0-hostile\r\n",
            b"EHLO localhost\r\n",
            b"\r\n" * random.randrange(1, 2_000),
        ]
    ), True


def request_lines(random: Random) -> Made:
    line = random.choice(
        [
            b"GET",
            b"GET  / HTTP/1.1",
            b"get / http/1.1",
            b" / HTTP/1.1",
            b"GET / HTTP/1.1 extra",
            b"G\x00T / HTTP/1.1",
            b"GET /\x00 HTTP/1.1",
            b"GET /\xff\xfe HTTP/1.1",
            b"A" * 70_000 + b" / HTTP/1.1",
            b"GET /" + b"a" * random.choice([1_000, 65_000, 300_000]) + b" HTTP/1.1",
            b"GET /?" + b"a=1&" * random.choice([10, 5_000, 50_000]) + b" HTTP/1.1",
            b"GET http://localhost/_emulator/health HTTP/1.1",
            b"GET http://[::1/_emulator/health HTTP/1.1",
            b"GET //localhost//_emulator//health HTTP/1.1",
            b"GET /_emulator/../api/v2/external/user/org HTTP/1.1",
            b"OPTIONS * HTTP/1.1",
            b"CONNECT localhost:443 HTTP/1.1",
            b"TRACE /_emulator/health HTTP/1.1",
            b"PROPFIND /_emulator/health HTTP/1.1",
            b"GET nothing HTTP/1.1",
            b"GET ?a HTTP/1.1",
            b"GET /#fragment HTTP/1.1",
        ]
    )
    return line + b"\r\nHost: localhost\r\nConnection: close\r\n\r\n", True


def headers(random: Random) -> Made:
    header = random.choice(
        [
            b"X: " + b"a" * random.choice([8_000, 70_000, 1_000_000]),
            b"\r\n".join(b"X-%d: 1" % number for number in range(random.choice([50, 200, 5_000]))),
            b"no colon",
            b": no name",
            b"X : blank",
            b"X: folded\r\n  on",
            b"X: \x00\x01\xff",
            b"\xc3\xa9: 1",
            b"Host: other\r\nHost: third",
            b"Content-Length: 5\r\nContent-Length: 6",
            b"Content-Length: -1",
            b"Content-Length: " + b"9" * random.choice([10, 30, 5_000]),
            b"Content-Length: \xb2",
            b"Content-Length: 4\r\nTransfer-Encoding: chunked",
            b"Transfer-Encoding: gzip, chunked, identity",
            b"Expect: 100-continue",
            b"Expect: the-unexpected",
            b"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: x\r\nSec-WebSocket-Version: 13",
            b"Upgrade: h2c\r\nHTTP2-Settings: AAAA",
            b"Authorization: Bearer " + b"lk_" + b"a" * 60_000,
            b"Authorization: \xff",
            b"X-Org-Slug: \xff\xfe",
            b"X-Emulator-Scenario: " + b"oom" * 500,
            b"Origin: null",
            b"Origin: http://\xff",
            b"Accept-Encoding: " + b"gzip;q=0," * 500,
            b"Range: bytes=0-,0-,0-",
            b"Cookie: " + b"a=b; " * 1_000,
        ]
    )
    operation = _operation(random)
    start = f"{operation.method} {_target(random, operation)} HTTP/1.1\r\n".encode("latin-1", "replace")
    return start + header + b"\r\nConnection: close\r\n\r\n", True


def chunks(random: Random) -> Made:
    body = random.choice(
        [
            b"zz\r\n{}\r\n0\r\n\r\n",
            b"-1\r\n{}\r\n0\r\n\r\n",
            b"ffffffffffffffffff\r\n{}",
            b"7fffffffffffffff\r\n{}",
            b"2\r\n{}\r\n",
            b"2\r\n{}xx0\r\n\r\n",
            b"2;" + b"a" * 70_000 + b"\r\n{}\r\n0\r\n\r\n",
            b"2\r\n{}\r\n0\r\nTrailer: " + b"a" * 1_000 + b"\r\n\r\n",
            b"1\r\n{\r\n" + b"1\r\n \r\n" * random.choice([10, 5_000]) + b"1\r\n}\r\n0\r\n\r\n",
            b"\r\n\r\n\r\n",
            b"0\r\n\r\n0\r\n\r\n",
        ]
    )
    operation = _operation(random, with_body=True)
    head = _request(
        random,
        operation.method,
        _target(random, operation),
        "Content-Type: application/json",
        "Transfer-Encoding: chunked",
    )
    return head + body, True


def broken_off(random: Random) -> Made:
    """A body that stops before its end, in pieces."""
    operation = _operation(random, with_body=True)
    body = b'{"code": "' + b"a" * random.choice([0, 10, 100_000])
    expect = random.choice([(), ("Expect: 100-continue",)])
    length = f"Content-Length: {len(body) + random.choice([1, 1_000, 10**6])}"
    head = _request(
        random, operation.method, _target(random, operation), "Content-Type: application/json", length, *expect
    )
    cut = random.randrange(1, len(head))
    return (head[:cut], head[cut:], body[:5], body[5:]), True


def pipelined(random: Random) -> Made:
    one = b"GET /_emulator/health HTTP/1.1\r\nHost: localhost\r\n\r\n"
    last = random.choice([b"", b"\x00\x00\r\n\r\n", b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\n{}"])
    return one * random.choice([2, 20, 200]) + last, True


# Bodies.


def structures(random: Random) -> Made:
    """JSON that is large or wrong as a whole, and what is nearly JSON."""
    depth = random.choice([30, 300, 5_000, 100_000])
    return _with_body(
        random,
        random.choice(
            [
                b"[" * depth + b"]" * depth,
                b'{"a":' * depth + b"1" + b"}" * depth,
                b"[" * depth,
                b'{"code": NaN, "timeout": Infinity, "nbcode": -Infinity}',
                b'{"timeout": ' + b"9" * random.choice([20, 400, 10_000]) + b"}",
                b'{"timeout": 1e999, "nbcode": -1e-999}',
                b'{"code": "a", "code": {"b": 1}, "code": null}',
                b'{"code": "\\ud800", "file_name": "\\udfff\\ud800"}',
                b'{"code": "\\u0000", "run_name": "a\\u0000b"}',
                b'{"code": "\xff\xfe\xc0\xaf\xed\xa0\x80"}',
                b'{"\\ud800": 1, "\\u0000": 2, "": 3}',
                b'\xef\xbb\xbf{"code": "pass"}',
                '{"code": "pass"}'.encode("utf-16"),
                b"{" + b",".join(b'"k%d": %d' % (n, n) for n in range(random.choice([100, 20_000]))) + b"}",
                b'{"labels": [' + b",".join([b'"l"'] * random.choice([100, 20_000])) + b"]}",
                b'{"code": "pass",}',
                b"{'code': 'pass'}",
                b"",
                b" " * 50_000,
                b"null",
                b"true",
                b'"text"',
                b"5",
                random.randbytes(2_000),
            ]
        ),
    )


def mutations(random: Random) -> Made:
    """The contract's own example with one value that it should not have."""
    operation = _operation(random, with_body=True)
    while operation.operation_id in _NO_BODIES_OF_MEANING:
        operation = _operation(random, with_body=True)
    content = next(iter(operation.node["requestBody"]["content"].values()))
    example = content.get("example") or next(iter(content["examples"].values()))["value"]
    body = json.dumps(_mutated(random, json.loads(json.dumps(example)))).encode("utf-8", "replace")
    return _with_body(random, body, operation)


def _mutated(random: Random, value: Any) -> Any:
    if isinstance(value, dict) and value and random.random() < 0.9:
        name = random.choice(sorted(value))
        return value | {name: _mutated(random, value[name])}
    if isinstance(value, list) and value and random.random() < 0.7:
        return [*value[1:], _mutated(random, value[0])]
    odd: list[Any] = [None, True, -1, 2**63, 10**40, 1.5, 1e308, "", [], {}, [[]], {"": {}}, *_TEXTS]
    return random.choice(odd)


def bombs(random: Random) -> Made:
    """YAML that is small and builds something large: as a scenario, and inside a compose submission."""
    letters = "abcdefghij"
    doubled = [f"{letters[0]}: &a [x, x, x, x, x, x, x, x, x]"]
    for before, after in pairwise(letters):
        doubled.append(f"{after}: &{after} [{', '.join([f'*{before}'] * 9)}]")
    text = random.choice(
        [
            "\n".join(doubled),
            "a: &a {b: *a}",
            "- " * random.choice([100, 10_000]) + "x",
            "[" * random.choice([100, 10_000]),
            "{" * 3_000 + "}" * 3_000,
            "a: " + "x" * 500_000,
            "\n".join(f"k{number}: {number}" for number in range(20_000)),
            "!!python/object/apply:os.system [exit]",
            "%YAML 9.9\n---\na: 1",
            "--- a\n" * 1_000,
            "a: 1\na: 2",
            "<<: [*a, *a]",
            '"\\x00\\uD800"',
            "timeline: [{running: 99999999999999999999d}, completed]",
            "timeline: [" + "{running: 1s}, " * 5_000 + "completed]",
            "timeline: [{running: 1s}, completed]\noutput: [{every: 1ms, text: '" + "x" * 9_000 + "'}]",
            "extends: hostile",
        ]
    )
    known = documented("service") | documented("control")
    if random.random() < 0.5:
        return _with_body(random, text.encode(), known["put_scenario"])
    body = json.dumps({"compose_file_code": text}).encode()
    return _with_body(random, body, known["start_compose_execution"])


def parameters(random: Random) -> Made:
    operation = _operation(random)
    names = [*sorted(operation.query_names), "unknown", "a[b]", ""]
    pairs = [
        f"{random.choice(names)}={quote(random.choice([*_WORDS, '9' * 400, 'NaN', '1e9', '0.0001']), safe='%')}"
        for _ in range(random.choice([1, 3, 200]))
    ]
    return _request(random, operation.method, f"{_target(random, operation)}?{'&'.join(pairs)}"), False


MAKERS: tuple[Maker, ...] = (
    *(noise, other_protocols, request_lines, headers, chunks, broken_off, pipelined),
    *(structures, mutations, bombs, parameters),
)
