"""Lists every kernel that Jupyter would offer, what it runs and whether it can: from files, nothing is started."""

from __future__ import annotations

import glob
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.core.shell_words import argument
from torchdoctor.kernel.conda import conda_kernels
from torchdoctor.kernel.interpreter import (
    package_folders,
    package_version,
    prefix_of,
    resolve_kernel_command,
    torch_version_and_variant,
)
from torchdoctor.kernel.model import KernelState, Problem
from torchdoctor.kernel.search_paths import jupyter_prefixes, kernel_search_path
from torchdoctor.kernel.spec import MAX_SPEC_BYTES, InvalidSpec, KernelSpec, parse_spec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdoctor.core.system import System
    from torchdoctor.kernel.search_paths import KernelDirectory

__all__ = ["list_kernels", "read_kernel"]


def list_kernels(system: System, *, prefixes: Sequence[Path] = ()) -> tuple[KernelState, ...]:
    """Return every kernel in Jupyter's order of precedence; one that another hides has `hidden_by`.

    Looks where the Jupyter of the active environment, of PATH and of `prefixes` looks. Does not raise: a spec that
    cannot be used is a state with a `problem`.
    """
    found = jupyter_prefixes(system, prefixes)
    states = [
        read_kernel(system, Path(path).parent, place, found[0] if found else None)
        for place in kernel_search_path(system, found)
        for path in _specs_in(system, place.folder)
    ]
    states += conda_kernels(system, found)
    first: dict[str, KernelState] = {}
    for state in states:
        first.setdefault(state.name, state)
    return tuple(
        state if first[state.name] is state else replace(state, hidden_by=first[state.name].folder)
        for state in states
    )


def _specs_in(system: System, folder: Path) -> list[str]:
    inside = glob.escape(str(folder))
    return sorted({*system.glob(f"{inside}/*/kernel.json"), *system.glob(f"{inside}/.*/kernel.json")})


def read_kernel(system: System, folder: Path, place: KernelDirectory, jupyter: Path | None) -> KernelState:
    """Read the spec in `folder`; `jupyter` is the environment whose Python runs a command that is only `python`."""
    state = KernelState(name=folder.name.lower(), folder=folder, place=place.kind)
    text = system.read_text(str(folder / "kernel.json"), limit=MAX_SPEC_BYTES)
    if text is None:
        return replace(state, problem=_unreadable(folder))
    try:
        if "\ufffd" in text:
            raise InvalidSpec(message("it is not UTF-8"))  # noqa: TRY301  (handled like the errors of the parser)
        spec = parse_spec(text)
    except InvalidSpec as error:
        return replace(state, problem=_corrupt(state.name, folder, error.reason))
    state = replace(
        state,
        display_name=spec.display_name or None,
        language=spec.language or None,
        argv=spec.argv,
        settings=spec.settings,
    )
    return _with_environment(system, state, spec, place.prefix or jupyter)


def _with_environment(system: System, state: KernelState, spec: KernelSpec, own: Path | None) -> KernelState:
    """Add what the command of the kernel runs, and what is installed there."""
    word = spec.argv[0]
    if spec.conda_path is not None or spec.argv[1:3] == ("-m", "nb_conda_kernels.runner"):
        # The runner's words are the conda installation, the environment, then the kernel's own command.
        prefix = spec.conda_path or (spec.argv[4] if len(spec.argv) > 4 else "")  # noqa: PLR2004
        state = replace(state, place="nb_conda_kernels")
        word = f"{prefix}/bin/python" if system.exists(f"{prefix}/bin/python") else f"{prefix}/python.exe"
    command = resolve_kernel_command(system, word, own)
    if command.program is None:
        return (
            state if command.jupyters_own else replace(state, problem=_python_gone(system, state.name, word))
        )
    if not command.is_python:
        return state
    prefix_path = prefix_of(command.program)
    folders = package_folders(system, prefix_path, spec.settings)
    torch, build = torch_version_and_variant(system, folders)
    ipykernel = package_version(system, folders, "ipykernel")
    lacks = state.runs_ipykernel and folders and ipykernel is None
    return replace(
        state,
        python=command.program,
        prefix=prefix_path,
        ipykernel=ipykernel,
        torch=torch,
        build=build,
        problem=_no_ipykernel(state.name, command.program) if lacks else None,
    )


def _unreadable(folder: Path) -> Problem:
    return Problem(
        kind="unreadable",
        message=message("{file} cannot be read", file=folder / "kernel.json"),
        fix=message("let this user read it, or remove it"),
    )


def _corrupt(name: str, folder: Path, reason: str) -> Problem:
    return Problem(
        kind="corrupt-spec",
        message=message("{file} is not a kernel spec: {why}", file=folder / "kernel.json", why=reason),
        fix=f"torchdoctor jupyter-kernel repair {argument(name)} ENV",
        repairable=True,
    )


def _python_gone(system: System, name: str, word: str) -> Problem:
    prefix = prefix_of(Path(word))
    if "/" not in word and "\\" not in word:
        reason = message("{program} is not on PATH", program=word)
    elif system.exists(str(prefix / "pyvenv.cfg")):
        reason = message("{place} exists, but the Python that it was made with does not", place=prefix)
    else:
        reason = message("{program} no longer exists: its environment was removed or moved", program=word)
    return Problem(
        kind="python-gone",
        message=reason,
        fix=message(
            "torchdoctor jupyter-kernel repair {kernel} ENV, where ENV is the environment that it should run",
            kernel=argument(name),
        ),
        repairable=True,
    )


def _no_ipykernel(name: str, python: Path) -> Problem:
    return Problem(
        kind="no-ipykernel",
        message=message("{python} has no ipykernel, so no notebook can use it", python=python),
        fix=f"torchdoctor jupyter-kernel repair {argument(name)}",
        repairable=True,
    )
