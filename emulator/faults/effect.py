"""What a fault does, by the name that people ask for it with."""

from __future__ import annotations

from enum import StrEnum


class Effect(StrEnum):
    """One way in which an answer is bad. `ANSWER` is one that is written out, `LATENCY` does nothing but delay."""

    RATE_LIMITED = "rate-limited"
    NO_CAPACITY = "no-capacity"
    SERVER_ERROR = "server-error"
    BAD_GATEWAY = "bad-gateway"
    UNAVAILABLE = "unavailable"
    GATEWAY_TIMEOUT = "gateway-timeout"
    EXPIRED_TOKEN = "expired-token"  # noqa: S105 - no secret, a name
    RESET = "reset"
    RESET_IN_BODY = "reset-in-body"
    TRUNCATED = "truncated"
    MALFORMED_JSON = "malformed-json"
    SLOW_DRIP = "slow-drip"
    STREAM_CUT = "stream-cut"
    STREAM_RESET = "stream-reset"
    STREAM_ENDED = "stream-ended"
    STREAM_STALLED = "stream-stalled"
    STREAM_MALFORMED = "stream-malformed"
    DUPLICATE_LINES = "duplicate-lines"
    OUT_OF_ORDER_LINES = "out-of-order-lines"
    ANSWER = "answer"
    LATENCY = "latency"


READY_MADE_NAMES = tuple(effect for effect in Effect if effect not in (Effect.ANSWER, Effect.LATENCY))
"""Those that are asked for by name."""

ERRORS = frozenset(
    {
        Effect.RATE_LIMITED,
        Effect.NO_CAPACITY,
        Effect.SERVER_ERROR,
        Effect.BAD_GATEWAY,
        Effect.UNAVAILABLE,
        Effect.GATEWAY_TIMEOUT,
    }
)
"""Those that answer an error, and may say when to come back."""

REFUSALS = ERRORS | {Effect.EXPIRED_TOKEN, Effect.RESET, Effect.ANSWER}
"""Those that come in place of the answer: the operation is not done, unless the fault says so."""

TEARS = frozenset({Effect.TRUNCATED, Effect.RESET_IN_BODY})
"""Those that break the connection within the body."""

ON_BODIES = TEARS | {Effect.MALFORMED_JSON, Effect.SLOW_DRIP}
"""Those that spoil a body on its way: anything but a stream."""

ON_STREAMS = frozenset(
    {
        Effect.STREAM_CUT,
        Effect.STREAM_RESET,
        Effect.STREAM_ENDED,
        Effect.STREAM_STALLED,
        Effect.STREAM_MALFORMED,
    }
)
"""Those that spoil a stream after some of its events."""

ON_LINES = frozenset({Effect.DUPLICATE_LINES, Effect.OUT_OF_ORDER_LINES})
"""Those that spoil the lines of a stream or of a page of logs."""

STREAM_OPERATIONS = frozenset({"stream_output", "stream_output_by_get"})
LOG_OPERATIONS = frozenset({"get_execution_logs", "get_user_logs"})


def concerns(effect: Effect, operation_id: str) -> bool:
    """Whether the answers of an operation can go bad in this way."""
    is_stream = operation_id in STREAM_OPERATIONS
    if effect in ON_BODIES:
        return not is_stream
    if effect in ON_STREAMS:
        return is_stream
    if effect in ON_LINES:
        return is_stream or operation_id in LOG_OPERATIONS
    return True
