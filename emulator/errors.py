"""One tree of errors. The core raises these; a table at the edge maps each class to an HTTP status.

EmulatorError
|- StartError            the server cannot start: port, directory, contract
|  |- ContractError      openapi.yaml and the handlers disagree, or it cannot be read
|  `- InvalidScenarios   files that do not read: the problems of each (scenario/library.py)
|- ScenarioError         one scenario text with one or more problems, each with its place
|- CallbackRefused       a callback may not go where it is to go
|- ControlError          what a test asked of an emulator was not done
|  |- ControlRefused     it said no: carries the status code and the detail
|  `- Unreachable        it cannot be asked
|- RequestRefused        a request that cannot be served as it stands
   |- Unauthorized       no token, or one that opens nothing
   |- Forbidden          a token that may not do this
   |- NotFound           no such thing, or not the caller's
   |- Conflict           not in this state
   |- BadQuery           well formed, but a rule that no schema can say refuses it
   |- Invalid            malformed: carries the place of each problem
   |- TooLarge           the body is over the limit
   |- UnsupportedMedia   the body is not in a format that the operation reads
   `- TooMany            a bound on what is kept was reached
"""

from __future__ import annotations

from msgspec import Struct


class EmulatorError(Exception):
    """Whatever this package raises on purpose."""


class StartError(EmulatorError):
    """The server cannot start; the message is one sentence for the person at the terminal."""


class ContractError(StartError):
    """The contract cannot be read, or does not fit the handlers."""


class Problem(Struct, frozen=True):
    """One thing wrong in a text, and where.

    `line` and `column` count from 1; `path` is the place in the document (`timeline[2].running`), empty for
    the document itself.
    """

    message: str
    path: str = ""
    line: int = 1
    column: int = 1

    def located(self, source: str) -> str:
        """`oom.yaml:4:7: timeline[2].running: expected a duration ...`, as compilers print it."""
        where = f"{self.path}: " if self.path else ""
        return f"{source}:{self.line}:{self.column}: {where}{self.message}"


class ScenarioError(EmulatorError):
    """A scenario text that does not parse or does not make sense; holds every problem found, not the first."""

    def __init__(self, source: str, problems: tuple[Problem, ...]) -> None:
        super().__init__(source, problems)  # args intact, so it survives pickling
        self.source, self.problems = source, problems

    def __str__(self) -> str:
        return "\n".join(problem.located(self.source) for problem in self.problems)


class CallbackRefused(EmulatorError):
    """A callback may not go to this receiver; the message says why, and shows nothing of the URL."""


class ControlError(EmulatorError):
    """What a test asked of an emulator was not done."""


class ControlRefused(ControlError):
    """The emulator said no; the message is the `detail` of its answer."""

    def __init__(self, status_code: int, detail: str) -> None:
        super().__init__(status_code, detail)  # args intact, so it survives pickling
        self.status_code, self.detail = status_code, detail

    def __str__(self) -> str:
        return self.detail


class Unreachable(ControlError):
    """There is no emulator to ask: not started, stopped, or not where it was said to be."""


class RequestRefused(EmulatorError):
    """A request that is answered with an error body; the message becomes its `detail`."""

    @property
    def detail(self) -> str:
        return str(self)


class Unauthorized(RequestRefused):
    """No token, or one that opens nothing here."""


class Forbidden(RequestRefused):
    """The token is good, and may not do this."""


class NotFound(RequestRefused):
    """No such thing, or none that the caller may see."""


class Conflict(RequestRefused):
    """The thing exists and is in a state that forbids this."""


class BadQuery(RequestRefused):
    """Schema-valid, but a rule between parameters refuses it."""


class FieldProblem(Struct, frozen=True):
    """One malformed part of a request: `loc` as FastAPI gives it, such as `("body", "timeout")`."""

    loc: tuple[str | int, ...]
    msg: str
    type: str

    def __str__(self) -> str:
        return f"{'.'.join(map(str, self.loc))}: {self.msg}"


class Invalid(RequestRefused):
    """A malformed request; names every field that is wrong."""

    def __init__(self, problems: tuple[FieldProblem, ...]) -> None:
        super().__init__(problems)
        self.problems = problems

    @property
    def detail(self) -> str:
        return "; ".join(map(str, self.problems))


class TooLarge(RequestRefused):
    """The request's body is over the limit."""


class UnsupportedMedia(RequestRefused):
    """The request's body is of a media type that the operation does not read."""


class TooMany(RequestRefused):
    """A bound on what the emulator keeps was reached."""
