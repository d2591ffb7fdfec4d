"""Environment -> a Jupyter kernel spec, proven by running a cell in it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torchdoctor import cell
from torchdoctor.errors import KernelFailed, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["KERNEL_REQUIREMENT", "Kernel", "display_name_of", "has_ipykernel", "register", "valid_name"]

# jupyter_client's own rule (jupyter_client/kernelspec.py), with a length that every file system takes.
_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")
_START_SECONDS = 90.0
_COMMAND_SECONDS = 120.0

# What a kernel needs in its environment, as a requirement line.
KERNEL_REQUIREMENT = "ipykernel>=6"


@dataclass(frozen=True, kw_only=True, slots=True)
class Kernel:
    """A registered kernel and what its cell answered."""

    name: str
    display_name: str
    folder: Path
    executable: str
    torch: str

    def to_json(self) -> dict[str, Any]:
        """The kernel as it stands in `--json`."""
        return {
            "name": self.name,
            "display_name": self.display_name,
            "folder": str(self.folder),
            "executable": self.executable,
            "torch": self.torch,
            "cell": "ran",
        }


def valid_name(name: str) -> str:
    """The name, or `UsageError` when Jupyter would not take it."""
    if not _NAME.fullmatch(name) or name in (".", ".."):
        raise UsageError(
            f"{name[:60]!r} cannot name a kernel: letters, digits, `.`, `_` and `-` can, 100 at most",
            fix="choose another with --name",
            kind="kernel-name",
        )
    return name


def display_name_of(version: str) -> str:
    """What a notebook's menu shows for a torch version such as `2.13.0+cpu`."""
    public, _, build = version.partition("+")
    return f"Python (PyTorch {public}{f' {build}' if build else ''})"


def has_ipykernel(python: Path, environ: Mapping[str, str]) -> bool:
    """Whether the environment can run as a kernel and start one."""
    question = "import sys, importlib.util as u; sys.exit(not all(map(u.find_spec, sys.argv[1:])))"
    return _run([python, "-I", "-c", question, "ipykernel", "jupyter_client"], environ)[0] == 0


def register(
    python: Path, *, name: str, display_name: str, environ: Mapping[str, str], overwrite: bool = False
) -> Kernel:
    """Register `python` as the user's kernel `name` and run a cell in it.

    A spec of that name that runs another interpreter is left alone unless `overwrite`. When the cell does not
    run, what was there before is put back. Raises `KernelFailed` or `UsageError`.
    """
    valid_name(name)
    place = _ask(python, environ, "where", name)
    existing = place["existing"]
    folder = Path(place["data_dir"]) / "kernels" / name.lower()
    if existing and not overwrite and not _runs(existing["argv"], python):
        raise UsageError(
            f"a kernel called {name} is there already ({existing['display_name']}: {existing['argv'][0]})",
            fix="choose another with --name, or replace it with --yes",
            kind="kernel-exists",
        )
    with tempfile.TemporaryDirectory(prefix="torchdoctor-kernel-") as kept:
        before = Path(kept) / "before"
        if folder.is_dir():
            shutil.copytree(folder, before)
        try:
            _install(python, name, display_name, environ)
            answer = _ask(python, environ, "run", name, str(_START_SECONDS))
            _check(answer, python, name)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)
            if before.is_dir():
                shutil.copytree(before, folder)
            raise
    return Kernel(
        name=name,
        display_name=display_name,
        folder=folder,
        executable=answer["executable"],
        torch=answer["torch"],
    )


def _runs(argv: list[str], python: Path) -> bool:
    return bool(argv) and Path(argv[0]).absolute() == python.absolute()


def _install(python: Path, name: str, display_name: str, environ: Mapping[str, str]) -> None:
    status, output = _run(
        [python, "-m", "ipykernel", "install", "--user", "--name", name, "--display-name", display_name],
        environ,
    )
    if status != 0:
        raise KernelFailed(
            f"the kernel {name} could not be registered: {_last_line(output)}",
            fix="check that the Jupyter data folder can be written to, or set JUPYTER_DATA_DIR",
        )


def _check(answer: dict[str, Any], python: Path, name: str) -> None:
    prefix = python.parent.parent
    if answer.get("gradient") != [0.0, 2.0, 4.0, 6.0]:
        raise KernelFailed(
            f"the kernel {name} ran a cell and computed {answer.get('gradient')} where [0, 2, 4, 6] is right",
            fix="torchdoctor verify says what is wrong with this environment",
        )
    if Path(answer["prefix"]).resolve() != prefix.resolve():
        raise KernelFailed(
            f"the kernel {name} runs {answer['executable']}, not the environment {prefix}",
            fix="remove the kernel spec and register it again",
        )


def _ask(python: Path, environ: Mapping[str, str], *arguments: str) -> dict[str, Any]:
    status, output = _run([python, "-I", cell.__file__, *arguments], environ)
    lines = [line for line in output.splitlines() if line.startswith(cell.MARK)]
    try:
        answer = json.loads(lines[-1][len(cell.MARK) :]) if lines else {}
    except ValueError:
        answer = {}
    if not isinstance(answer, dict) or not answer or "error" in answer:
        why = answer.get("error") if isinstance(answer, dict) and answer else None
        raise KernelFailed(
            f"the kernel did not run a cell: {why or _last_line(output) or f'its process ended with {status}'}",
            fix="torchdoctor verify says whether the environment works outside of Jupyter",
        )
    return answer


def _last_line(output: str) -> str:
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""


def _run(arguments: list[object], environ: Mapping[str, str]) -> tuple[int, str]:
    """Run a command in its own process group with a limit; its status and both its outputs."""
    settings = {key: value for key, value in environ.items() if key not in ("PYTHONPATH", "PYTHONHOME")}
    with (
        tempfile.TemporaryFile() as output,
        tempfile.TemporaryDirectory(prefix="torchdoctor-kernel-") as folder,
    ):
        process = subprocess.Popen(
            [str(argument) for argument in arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=settings,
            cwd=folder,
            start_new_session=sys.platform != "win32",
        )
        try:
            status = process.wait(_COMMAND_SECONDS)
        except subprocess.TimeoutExpired:
            status = -1
        finally:
            _stop_group(process)
        output.seek(max(0, os.fstat(output.fileno()).st_size - 64 * 1024))
        return status, output.read().decode("utf-8", "replace")


def _stop_group(process: subprocess.Popen[bytes]) -> None:
    if sys.platform == "win32":
        process.kill()
    else:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    process.wait()
