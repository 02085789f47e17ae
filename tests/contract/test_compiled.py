"""Contracts kept compiled: never anything but what their YAML says, and never in the way."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NoReturn

import pytest
import yaml

from emulator.contract.compiled import read_compiled, write_compiled
from emulator.contract.document import load_document
from emulator.errors import ContractError
from emulator.resources import CONTRACT_FILE, CONTROL_CONTRACT_FILE

TEXT = b"paths:\n  /a: {get: {operationId: a, x-number: 1, x-ratio: 1.0, x-true: true, x-none: null}}\n"


@pytest.fixture(autouse=True)
def bytecode_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    monkeypatch.setattr(sys, "pycache_prefix", None)


@pytest.fixture
def contract(tmp_path: Path) -> Path:
    path = tmp_path / "api.yaml"
    path.write_bytes(TEXT)
    return path


def load(path: Path) -> dict[str, Any]:
    """As a process does that has not read it yet."""
    return load_document.__wrapped__(path)


def kept(directory: Path) -> list[Path]:
    return sorted((directory / "__pycache__").iterdir()) if (directory / "__pycache__").exists() else []


def only_kept(contract: Path) -> Path:
    (compiled,) = kept(contract.parent)
    return compiled


@pytest.fixture
def no_yaml(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> NoReturn:
        pytest.fail("the YAML was read")

    monkeypatch.setattr(yaml, "load", refuse)


def compile_contract(contract: Path) -> Path:
    load(contract)
    return only_kept(contract)


# What it says.


@pytest.mark.parametrize("file", [CONTRACT_FILE, CONTROL_CONTRACT_FILE], ids=["service", "control"])
def test_a_compiled_contract_says_what_its_yaml_says_to_the_type_and_the_order(file: Path, tmp_path: Path) -> None:
    """Also holds that these two can be kept: JSON has no numbers as keys, and no dates."""
    contract, text = tmp_path / "openapi.yaml", file.read_bytes()
    document = yaml.load(text, yaml.CSafeLoader)
    write_compiled(contract, text, document)
    assert repr(read_compiled(contract, text)) == repr(document)


@pytest.mark.usefixtures("no_yaml")
def test_nothing_is_known_of_a_contract_that_was_never_read(contract: Path) -> None:
    assert read_compiled(contract, TEXT) is None


def test_a_contract_that_was_read_once_is_not_read_from_its_yaml_again(
    contract: Path, request: pytest.FixtureRequest
) -> None:
    first = load(contract)
    request.getfixturevalue("no_yaml")
    assert repr(load(contract)) == repr(first)


@pytest.mark.parametrize(
    "value",
    [
        *("{200: ok}", "{2026-01-01: day}", "{~: none}", "{true: yes}", "{1.5: x}"),
        *("2026-01-01", "2026-01-01T00:00:00Z", ".inf", ".nan", "123456789012345678901234567890"),
        *("!!set {a}", "!!omap [a: 1]", "!!binary aGk=", "&a [*a]"),
    ],
)
def test_what_json_cannot_say_is_read_from_the_yaml_each_time(contract: Path, value: str) -> None:
    contract.write_text(f"paths: {{}}\nx-value: {value}\n")
    first = load(contract)
    assert kept(contract.parent) == []
    assert repr(load(contract)) == repr(first) == repr(yaml.safe_load(contract.read_bytes()))


# What it never says.


@pytest.mark.parametrize("after", [TEXT.replace(b"1.0", b"2.0"), TEXT + b"\n", b"paths: {}\n"])
def test_a_contract_that_changed_is_read_anew_even_if_its_size_and_time_did_not(contract: Path, after: bytes) -> None:
    compile_contract(contract)
    stat = contract.stat()
    contract.write_bytes(after)
    os.utime(contract, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert load(contract) == yaml.safe_load(after)
    assert read_compiled(contract, after) == yaml.safe_load(after)
    assert read_compiled(contract, TEXT) is None


def test_a_compiled_contract_that_was_damaged_anywhere_is_read_anew_and_mended(contract: Path) -> None:
    compiled = compile_contract(contract)
    whole = compiled.read_bytes()
    for index in range(len(whole)):
        compiled.write_bytes(whole[:index] + bytes([whole[index] ^ 1]) + whole[index + 1 :])
        assert read_compiled(contract, TEXT) is None, index
        compiled.write_bytes(whole[:index])
        assert read_compiled(contract, TEXT) is None, index
    compiled.write_bytes(whole + b" ")
    assert read_compiled(contract, TEXT) is None
    assert load(contract) == yaml.safe_load(TEXT)
    assert compiled.read_bytes() == whole


def test_a_compiled_contract_of_another_form_is_read_anew(contract: Path) -> None:
    compiled = compile_contract(contract)
    whole = compiled.read_bytes()
    assert whole.startswith(b"lyceum-emulator contract 1\n")
    compiled.write_bytes(whole.replace(b" 1\n", b" 0\n", 1))
    assert load(contract) == yaml.safe_load(TEXT)
    assert compiled.read_bytes() == whole


def test_what_is_no_contract_is_refused_each_time(contract: Path) -> None:
    contract.write_bytes(b"paths: []")
    for _ in range(2):
        with pytest.raises(ContractError, match="the contract has no paths"):
            load(contract)
    assert kept(contract.parent) == []


# Where it lies, and where it may not.


def test_it_lies_where_python_keeps_bytecode(contract: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tag = sys.implementation.cache_tag
    assert compile_contract(contract) == tmp_path / "__pycache__" / f"api.{tag}.contract"
    elsewhere = tmp_path / "elsewhere"
    monkeypatch.setattr(sys, "pycache_prefix", str(elsewhere))
    load(contract)
    assert [path.name for path in elsewhere.rglob("*.contract")] == [f"api.{tag}.contract"]


def test_without_bytecode_nothing_is_written_and_what_is_there_is_read(
    contract: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    first = load(contract)
    assert not (contract.parent / "__pycache__").exists()
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    load(contract)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    request.getfixturevalue("no_yaml")
    assert load(contract) == first


def test_where_it_cannot_be_written_each_start_reads_the_yaml(contract: Path) -> None:
    (contract.parent / "__pycache__").write_text("a file, where the directory would be")
    for _ in range(2):
        assert load(contract) == yaml.safe_load(TEXT)


def test_a_python_that_keeps_no_bytecode_reads_the_yaml(contract: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.implementation, "cache_tag", None)
    for _ in range(2):
        assert load(contract) == yaml.safe_load(TEXT)
    assert kept(contract.parent) == []


def test_it_is_written_whole_or_not_at_all(contract: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(self: Path, target: Path) -> NoReturn:
        assert self.read_bytes().startswith(b"lyceum-emulator contract")
        raise OSError(f"no room for {target}")

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", full)
        assert load(contract) == yaml.safe_load(TEXT)
        assert kept(contract.parent) == []
    compile_contract(contract)


def test_what_was_left_half_written_is_in_nobodys_way(contract: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = compile_contract(contract)
    compiled.unlink()
    names: list[Path] = []

    def stopped(self: Path, _content: bytes) -> NoReturn:
        names.append(self)
        raise SystemExit

    for _ in range(2):  # as a container does, where a process has the same number each time
        with monkeypatch.context() as patched:
            patched.setattr(Path, "write_bytes", stopped)
            with pytest.raises(SystemExit):
                load(contract)
    assert len(set(names)) == 2
    names[0].write_bytes(b"half of i")
    assert load(contract) == yaml.safe_load(TEXT)
    assert set(kept(contract.parent)) == {compiled, names[0]}


# What a start gains by it.

UNNEEDED = {
    *("yaml", "numpy", "faker", "httpx2", "rich", "statistics", "difflib", "importlib.metadata"),
    *("emulator.documents", "emulator.scenario.library", "emulator.snapshot.reading"),
}
SERVER = f"""
import sys
import emulator.cli, emulator.server.listener, emulator.server.watcher, emulator.server.request_log
from emulator.app import create_app, create_service
sys.dont_write_bytecode, sys.pycache_prefix = False, sys.argv[1]
create_app(create_service())
print(sorted({UNNEEDED!r} & set(sys.modules)))
"""


def test_a_server_that_starts_again_imports_nothing_that_a_plain_one_does_without(tmp_path: Path) -> None:
    imported = [
        subprocess.run([sys.executable, "-c", SERVER, str(tmp_path)], capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    assert imported == ["['yaml']\n", "[]\n"]
