"""`lyceum-emulator serve`: run the emulator until it is interrupted."""

from __future__ import annotations

import ipaddress
import logging
import os
from pathlib import Path

import click

from emulator.cli.greeting import greeting
from emulator.cli.options import (
    Duration,
    Instant,
    default_scenario_option,
    option,
    refusals,
    scenarios_option,
)
from emulator.cli.variables import unread_variables
from emulator.clock import MAX_SPEED, ClockMode, ClockSettings
from emulator.server.collector import ShortCollections
from emulator.server.settings import (
    DEFAULT_HOST,
    DEFAULT_PORT,
    MAX_BODY_BYTES,
    CallbackSettings,
    ConnectionSettings,
    LogFormat,
    Settings,
)
from emulator.times import format_duration

log = logging.getLogger(__name__)

CONNECTIONS = ConnectionSettings()
LOG_LEVELS = ("critical", "error", "warning", "info", "debug")


class _Clock(click.Choice[str]):
    """The clock's mode; also as the control API spells it, with an underscore."""

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        return super().convert(value.replace("_", "-"), param, ctx)


@click.command()
@option("--host", default=DEFAULT_HOST, show_default=True, help="Address to listen on.")
@option(
    "--port",
    type=click.IntRange(0, 65535),
    default=DEFAULT_PORT,
    show_default=True,
    help="Port to listen on; 0 takes a free one.",
)
@scenarios_option
@default_scenario_option
@option("--seed", type=int, default=0, show_default=True, help="Number that all ids and random draws follow from.")
@option(
    "--clock",
    "mode",
    type=_Clock(["real", "manual", "per-request"]),
    default="real",
    show_default=True,
    help="What moves time: the wall clock, only the control API, or each request.",
)
@option(
    "--speed",
    type=click.FloatRange(0, MAX_SPEED, min_open=True),
    default=1.0,
    show_default=True,
    help="How many times as fast as the wall the real clock runs.",
)
@option(
    "--step",
    type=Duration(),
    default="5s",
    show_default=True,
    help="How far a request moves the per-request clock.",
)
@option("--now", type=Instant(), help="Where the clock starts.  [default: 2026-01-01T00:00:00Z; real clock: now]")
@option(
    "--api-key",
    "api_keys",
    multiple=True,
    metavar="KEY",
    help="Admit only this key. Repeatable.  [default: any lk_... key]",
)
@option(
    "--control-token",
    help="What the control API asks for in X-Emulator-Token.  [default: nothing on loopback, else made up]",
)
@option(
    "--callback-host",
    "callback_hosts",
    multiple=True,
    metavar="PATTERN",
    help="Let callbacks go to this host, too; shell-style. Repeatable.  [default: only this machine's loopback]",
)
@option(
    "--max-body-bytes",
    type=click.IntRange(1_000),
    default=MAX_BODY_BYTES,
    show_default=True,
    help="Refuse longer request bodies.",
)
@option(
    "--head-timeout",
    type=Duration(),
    default=format_duration(int(CONNECTIONS.head_s * 1000)),
    show_default=True,
    help="How long a client may take to send a request's headers.",
)
@option(
    "--body-timeout",
    type=Duration(),
    default=format_duration(int(CONNECTIONS.body_s * 1000)),
    show_default=True,
    help="How long a client may take to send a request's body.",
)
@option("--strict", is_flag=True, help="Refuse request fields that the contract does not know.")
@option("--legacy-statuses", is_flag=True, help="Use older clients' words in the streaming status.")
@option(
    "--log-level",
    type=click.Choice(LOG_LEVELS),
    default="warning",
    show_default=True,
    help="What to log on stderr.",
)
@option("--access-log/--no-access-log", default=True, show_default=True, help="Log a line for each request.")
@option(
    "--log-format",
    type=click.Choice([each.value for each in LogFormat]),
    default=LogFormat.TEXT.value,
    show_default=True,
    help="How requests and warnings are logged: for people, or a JSON object a line.",
)
@option(
    "--state",
    type=click.Path(dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Keep the state in this file: read at the start, written after changes and at the stop.",
)
@option("--self-check", is_flag=True, help="Hold every answer against the contract; breaches are logged and counted.")
def serve(
    *,
    host: str,
    port: int,
    directories: tuple[Path, ...],
    default_scenario: str,
    seed: int,
    mode: str,
    speed: float,
    step: int,
    now: int | None,
    api_keys: tuple[str, ...],
    control_token: str | None,
    callback_hosts: tuple[str, ...],
    max_body_bytes: int,
    head_timeout: int,
    body_timeout: int,
    strict: bool,
    legacy_statuses: bool,
    access_log: bool,
    log_format: str,
    self_check: bool,
    state: Path | None,
    log_level: str,
) -> None:
    """Run the emulator until it is interrupted."""
    ShortCollections().begin()
    from emulator import app  # late: `--help` and the other commands do without a web framework
    from emulator.server.listener import Companion, Listener, bind
    from emulator.server.request_log import RequestLog
    from emulator.server.watcher import Watcher

    _log_to_stderr(log_level, LogFormat(log_format))
    for told in unread_variables(click.get_current_context().find_root().command, os.environ):
        log.warning(told)
    if control_token is None and not _is_loopback(host):
        import secrets

        control_token = secrets.token_urlsafe(24)
    settings = Settings(
        api_keys=frozenset(api_keys) or None,
        control_token=control_token,
        strict=strict,
        legacy_statuses=legacy_statuses,
        callbacks=CallbackSettings(hosts=callback_hosts),
        connections=ConnectionSettings(head_s=head_timeout / 1000, body_s=body_timeout / 1000),
        max_body_bytes=max_body_bytes,
        self_check=self_check,
    )
    clock = ClockSettings(ClockMode(mode.replace("-", "_")), speed, step, now)
    with refusals():
        service = app.create_service(
            settings,
            scenario_directories=directories,
            default_scenario=default_scenario,
            seed=seed,
            clock=clock,
        )
        if access_log:
            service.observers.append(RequestLog(service.cloud, LogFormat(log_format)))
        application = app.create_app(service)
        socket = bind(host, port)
        companions: list[Companion] = [Watcher(service.cloud, directories)]
        restored = None
        if state is not None:
            from emulator.state_file import StateFile  # late: brings the whole grammar of scenario files

            companions.append(kept := StateFile(state, service))
            restored = kept.load()
    listener = Listener(
        application,
        service,
        companions=companions,
        on_ready=lambda: click.echo(greeting(socket, service, restored)),
        log_level=log_level,
    )
    listener.run(sockets=[socket])


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _log_to_stderr(level: str, log_format: LogFormat) -> None:
    handler = logging.StreamHandler()
    if log_format is LogFormat.JSON:
        from emulator.server.json_log import JsonLines

        handler.setFormatter(JsonLines())
        logging.captureWarnings(capture=True)  # else Python writes them as plain text in between
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler])
