"""The peers: emulators that others make, installed by name, and the bare server below ours.

Every one that can, replays what the emulator has just answered to the same requests. moto cannot; it answers calls
that come nearest, about a training job.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.emulated import BASE, store_of
from benchmarks.load import Request
from benchmarks.peers.stubs import CONSTANT, CONTRACT, MOCKOON_FILE, answers_of, constant_path, write_stubs
from benchmarks.progress import tell
from benchmarks.server import Launch, missing_commands

CACHE = Path(__file__).parents[2] / ".benchmarks"
"""Where peers are installed; git passes it over."""

_ANY_RUN = f"{BASE}/execution/3f0e9c52-7c1b-5d0a-9a44-6f2b8d1e7c30"
Requests = Mapping[str, Request]


@dataclass(frozen=True, slots=True, eq=False)
class Peer:
    """A server to compare with.

    `needs` are commands that have to be there, `installs` those that make `made`. `command` gets the directory of its
    stubs, and `adapts` makes of the requests to the emulator those that it is asked instead.
    """

    name: str
    version: str
    needs: tuple[str, ...]
    installs: tuple[tuple[str, ...], ...]
    made: Path
    command: Callable[[Path], Sequence[str]]
    adapts: Callable[[Requests], Requests]
    probe: str = _ANY_RUN
    warm_up_s: int = 1

    @property
    def title(self) -> str:
        return f"{self.name} {self.version}".strip()

    def install(self) -> str | None:
        """Install it unless it is there. Returns why that was not possible, if so."""
        if reason := missing_commands(*self.needs):
            return reason
        if self.made.exists():
            return None
        tell(f"installing {self.title}")
        for command in self.installs:
            ended = subprocess.run(command, capture_output=True, text=True, check=False)
            if ended.returncode:
                return f"`{' '.join(command)}` failed: {(ended.stderr or ended.stdout).strip()[-200:]}"
        return None if self.made.exists() else f"{self.made} is not there after the installation"

    def launch(self, stubs: Path) -> Launch:
        # HOME: Mockoon writes its settings there.
        environment = {"HOME": str(stubs), "CONSTANT_ANSWERS": str(stubs / CONSTANT)}
        return Launch(self.name, self.command(stubs), self.probe, environment)


def _of_npm(package: str, version: str, file: str) -> tuple[tuple[tuple[str, ...], ...], Path]:
    """How a package of npm is installed, in a directory of its own, and the file in it that is started."""
    root = CACHE / f"{package.strip('@').replace('/', '-')}-{version}"
    install = ("npm", "install", "--no-audit", "--no-fund", "--prefix", str(root), f"{package}@{version}")
    return (install,), root / "node_modules" / package / file


def _the_four(requests: Requests) -> Requests:
    return {name: requests[name] for name in ("record", "list of 20", "metrics of 240 points", "submit")}


def _at_constant_paths(requests: Requests) -> Requests:
    return {
        name: Request((constant_path(name),), request.body, request.headers, request.status)
        for name, request in requests.items()
    }


_TRAINING_JOB = b"""{"TrainingJobName": "train", "RoleArn": "arn:aws:iam::123456789012:role/train",
 "AlgorithmSpecification": {"TrainingImage": "train", "TrainingInputMode": "File"},
 "OutputDataConfig": {"S3OutputPath": "s3://train/out"}, "StoppingCondition": {"MaxRuntimeInSeconds": 60},
 "ResourceConfig": {"InstanceType": "ml.p5.48xlarge", "InstanceCount": 1, "VolumeSizeInGB": 1}}"""


def _as_training_job(_requests: Requests) -> Requests:
    def call(action: str, body: bytes) -> Request:
        signed = "Credential=key/20260101/us-east-1/sagemaker/aws4_request, SignedHeaders=host, Signature=0"
        headers = {"Authorization": f"AWS4-HMAC-SHA256 {signed}", "X-Amz-Target": f"SageMaker.{action}"}
        headers["Content-Type"] = "application/x-amz-json-1.1"
        return Request(("/",), body, headers)

    return {
        "record": call("DescribeTrainingJob", b'{"TrainingJobName": "train"}'),
        "submit": call("CreateTrainingJob", _TRAINING_JOB),
    }


_PRISM, _PRISM_PROGRAM = _of_npm("@stoplight/prism-cli", "5.16.0", "dist/index.js")
_MOCKOON, _MOCKOON_PROGRAM = _of_npm("@mockoon/cli", "9.9.0", "bin/run.js")
_WIREMOCK, _WIREMOCK_PROGRAM = _of_npm("wiremock", "3.13.2", "build/wiremock-standalone-3.13.2.jar")
_MOTO_PROGRAM = CACHE / "moto-5.2.5" / "bin" / "moto_server"
_PIP = (str(_MOTO_PROGRAM.with_name("python")), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")

UVICORN = Peer(
    "bare uvicorn",
    "",
    (),
    (),
    Path(sys.executable),
    lambda _: [
        # Not as a part of this package, whose imports it would wait for.
        *(sys.executable, "-m", "uvicorn", "constant:app", "--port", "{port}"),
        *("--app-dir", str(Path(__file__).parent), "--no-access-log", "--lifespan", "off"),
        *("--log-level", "warning"),
    ],
    _at_constant_paths,
    constant_path("record"),
)
PRISM = Peer(
    "Prism",
    "5.16.0",
    ("node", "npm"),
    _PRISM,
    _PRISM_PROGRAM,
    lambda stubs: [
        *("node", str(_PRISM_PROGRAM), "mock", str(stubs / CONTRACT), "--port", "{port}", "--verboseLevel", "silent"),
    ],
    _the_four,
)
MOCKOON = Peer(
    "Mockoon",
    "9.9.0",
    ("node", "npm"),
    _MOCKOON,
    _MOCKOON_PROGRAM,
    lambda stubs: [
        *("node", str(_MOCKOON_PROGRAM), "start", "--data", str(stubs / MOCKOON_FILE), "--port", "{port}", "--repair"),
        *("--disable-log-to-file", "--disable-admin-api"),
    ],
    _the_four,
)
WIREMOCK = Peer(
    "WireMock",
    "3.13.2",
    ("java", "npm"),
    _WIREMOCK,
    _WIREMOCK_PROGRAM,
    lambda stubs: [
        *("java", "-jar", str(_WIREMOCK_PROGRAM), "--port", "{port}", "--root-dir", str(stubs)),
        *("--no-request-journal", "--disable-banner"),
    ],
    _the_four,
    warm_up_s=5,  # its compiler needs thousands of requests
)
MOTO = Peer(
    "moto",
    "5.2.5",
    (),
    (
        (sys.executable, "-m", "venv", str(_MOTO_PROGRAM.parents[1])),
        (*_PIP, "moto[server]==5.2.5"),
    ),
    _MOTO_PROGRAM,
    lambda _: [str(_MOTO_PROGRAM), "--port", "{port}"],
    _as_training_job,
    "/moto-api/",
)
PEERS = (UVICORN, PRISM, WIREMOCK, MOCKOON, MOTO)


def ready(peers: Iterable[Peer]) -> Iterator[tuple[Peer, str | None]]:
    """Each of `peers`, installed, and why it is not, if so."""
    for peer in peers:
        yield peer, peer.install()


def write_all_stubs(directory: Path) -> Requests:
    """Configure the peers with the answers of an emulator that is started for it; what it was asked."""
    with store_of(10) as store:
        write_stubs(directory, answers_of(store.client, store.requests), store.requests)
        return store.requests
