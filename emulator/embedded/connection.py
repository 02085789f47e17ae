"""How an emulator is reached: one of this process, or one that runs elsewhere."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import httpx2
import orjson

from emulator.embedded.durations import duration_text
from emulator.embedded.thread import EmulatorThread
from emulator.embedded.transport import Application, AsyncTransport, Transport, ask
from emulator.errors import ControlRefused, Unreachable

__tracebackhide__ = True

API_PREFIX = "/api/v2/external"
CONTROL_PREFIX = "/_emulator"
CONTROL_HEADER = "X-Emulator-Token"

_PATIENCE_S = 60.0
"""For one control call; an advance may wait for callbacks half of that."""


class Connection:
    """One emulator, and the ways to it. `thread` is None for one that runs elsewhere."""

    def __init__(self, url: str, thread: EmulatorThread | None = None, *, control_token: str | None = None) -> None:
        self.url = url.rstrip("/")
        self._thread = thread
        self._headers = {"host": httpx2.URL(self.url).netloc.decode("ascii")}
        if control_token:
            self._headers[CONTROL_HEADER] = control_token
        self._socket = httpx2.HTTPTransport(verify=self.verify)
        self._timeout = httpx2.Timeout(_PATIENCE_S).as_dict()

    @property
    def listens(self) -> bool:
        """Whether a socket leads there."""
        return self._thread is None or self._thread.listens

    @property
    def verify(self) -> bool | ssl.SSLContext:
        """What a client is to check certificates by; without TLS nothing, since reading them takes 50 ms."""
        return True if self.url.startswith("https") else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)

    def transport(self) -> Transport:
        """A way in without a socket, for a synchronous client. Raises Unreachable if the emulator runs elsewhere."""
        return Transport(self._here())

    def async_transport(self) -> AsyncTransport:
        return AsyncTransport(self._here())

    def application(self) -> Application:
        return Application(self._here())

    def _here(self) -> EmulatorThread:
        if self._thread is None:
            raise Unreachable(f"the emulator at {self.url} runs in another process: only its socket leads there")
        return self._thread

    def control(
        self,
        method: str,
        path: str,
        *,
        key: str | None = None,
        json: object = None,
        yaml: str | None = None,
        params: Mapping[str, Any] | None = None,
    ) -> Any:  # noqa: ANN401  JSON
        """The JSON that a control call answers. With `key` it acts on that key's tenant.

        Raises ControlRefused with the emulator's own words, Unreachable.
        """
        headers = dict(self._headers)
        if key is not None:
            headers["authorization"] = f"Bearer {key}"
        body = b""
        if yaml is not None:
            headers["content-type"] = "application/yaml"
            body = yaml.encode("utf-8", "surrogatepass")  # what is no text is refused there, in words
        elif json is not None:
            headers["content-type"] = "application/json"
            body = orjson.dumps(json, default=_plain)
        given = {name: value for name, value in (params or {}).items() if value is not None}
        target = f"{CONTROL_PREFIX}{path}{'?' if given else ''}{urlencode(given, doseq=True)}"
        status_code, content = self._ask(method, target, headers, body)
        if status_code >= 400:
            raise ControlRefused(status_code, _detail(status_code, content))
        return orjson.loads(content)

    def _ask(self, method: str, target: str, headers: dict[str, str], body: bytes) -> tuple[int, bytes]:
        if self._thread is not None:  # straight into the application: it should cost next to nothing
            return ask(self._thread, method, target, headers, body, _PATIENCE_S)
        request = httpx2.Request(
            method, self.url + target, headers=headers, content=body, extensions={"timeout": self._timeout}
        )
        try:
            response = self._socket.handle_request(request)
            try:
                return response.status_code, response.read()
            finally:
                response.close()
        except httpx2.TransportError as error:
            raise Unreachable(f"the emulator at {self.url} cannot be asked: {error}") from error

    def close(self) -> None:
        self._socket.close()


def _plain(value: object) -> object:
    """What JSON does not know, as what it stands for."""
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, timedelta):
        return duration_text(value)
    raise TypeError(f"a control call cannot carry {value!r}")


def _detail(status_code: int, content: bytes) -> str:
    """Why it was refused, in one text."""
    try:
        detail = orjson.loads(content)["detail"]
    except (ValueError, KeyError, TypeError):  # not ours: a proxy's, say
        return f"{status_code}: {content[:500].decode(errors='replace')}"
    if isinstance(detail, list):
        return "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in detail)
    return str(detail)
