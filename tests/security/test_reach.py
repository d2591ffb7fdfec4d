"""What torchdoctor changes and whom it asks: nothing beyond what SECURITY.md names."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from tests.conftest import run_here

ROOT = Path(__file__).parents[2]
SOURCES = sorted([*ROOT.glob("torchdoctor/**/*.py"), *ROOT.glob("wheels_index/**/*.py")])
# What can open a connection.
NETWORK = {
    "requests",
    "socket",
    "http",
    "urllib3",
    "urllib.request",
    "ftplib",
    "smtplib",
    "telnetlib",
    "asyncio",
}
# Whoever asks indexes; the others only name exceptions, statuses and paths in URLs.
ASKS = {
    "torchdoctor/core/net/_session.py": "the one session, for all that is read from indexes",
    "torchdoctor/core/net/connectivity.py": "opens a connection to see whether it can be, and sends nothing",
    "torchdoctor/fetch/transfer/response.py": "looks whether bytes of a response of the session wait to be read",
    "wheels_index/binary/remote.py": "reads pieces of the one wheel whose URL `wheels_index inspect` was given",
    "torchdoctor/probe/distributed/worker.py": "sockets between the processes of one test, on this machine",
}
HARMLESS = {
    ("http", "HTTPStatus"), ("urllib.request", "url2pathname"), ("urllib3.exceptions", "HTTPError"),
}  # fmt: skip


def test_one_module_speaks_to_the_network():
    """A second way out would be one that no limit, no redaction and no `--offline` knows."""
    strangers = {
        f"{path.relative_to(ROOT)}: {module}.{name}"
        for path in SOURCES
        if path.relative_to(ROOT).as_posix() not in ASKS
        for module, name in _imported(ast.parse(path.read_text("utf-8")))
        if _is_network(module) and (module, name) not in HARMLESS and (module, name) != ("requests", None)
    }
    assert strangers == set()


def test_requests_only_read():
    """Nothing is posted or put anywhere."""
    writes = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in {"post", "put", "patch", "delete"}
        if ast.unparse(node.value).rpartition("_")[2].rpartition(".")[2].removesuffix("()")
        in {"session", "requests"}
    ]
    assert writes == []


def _imported(tree: ast.AST) -> list[tuple[str, str | None]]:
    """Each imported module, with the name that is taken from it."""
    found: list[tuple[str, str | None]] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [(alias.name, None) for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found += [(node.module, alias.name) for alias in node.names]
    return found


def _is_network(module: str) -> bool:
    return module in NETWORK or module.partition(".")[0] in NETWORK


@pytest.mark.process
def test_an_installation_changes_the_environment_and_its_own_folders_alone(alone, bare, official, tmp_path):
    """Nothing else has files that were not there before, but for the lock of uv's credentials, which is empty."""
    work = tmp_path / "work"
    work.mkdir()
    before = _files(tmp_path)
    ran = run_here(["install", tmp_path / "env", *bare], alone, work)
    assert ran.status == 0, ran.err
    own = {"env", "cache", "data", "uv-cache"}
    elsewhere = {path for path in _files(tmp_path) - before if path.parts[0] not in own}
    assert {
        path for path in elsewhere if path.parts[-2:] != ("credentials", "credentials.toml.lock")
    } == set()
    assert {path for path in before if path not in _files(tmp_path)} == set()


def _files(folder: Path) -> set[Path]:
    return {path.relative_to(folder) for path in folder.rglob("*") if not path.is_dir()}
