"""Environment -> a Jupyter kernel spec, proven by running cells in it before it is put in its place."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torchdoctor.core.i18n.messages import message
from torchdoctor.core.system import host_system
from torchdoctor.core.text import sanitize_line
from torchdoctor.errors import KernelFailed, UsageError
from torchdoctor.kernel import list_kernels
from torchdoctor.kernel.cell_checks import judge_cells
from torchdoctor.kernel.interpreter import prefix_of
from torchdoctor.kernel.names import display_name_of, valid_display_name, valid_name
from torchdoctor.kernel.run_cells import run_cells
from torchdoctor.kernel.search_paths import user_kernels
from torchdoctor.kernel.spec import parse_spec
from torchdoctor.kernel.write import check_writable, staged

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torchdoctor.kernel import KernelState
    from torchdoctor.verify import CheckResult

__all__ = [
    "KERNEL_REQUIREMENT",
    "Kernel",
    "destination_for",
    "display_name_of",
    "has_ipykernel",
    "made_by_ipykernel",
    "raise_first_failure",
    "valid_name",
    "write_kernel_spec",
]

_COMMAND_SECONDS = 120.0

# What a kernel needs in its environment, as a requirement line.
KERNEL_REQUIREMENT = "ipykernel>=6"


@dataclass(frozen=True, kw_only=True, slots=True)
class Kernel:
    """A registered kernel and what its cells answered."""

    name: str
    display_name: str
    folder: Path
    executable: str
    torch: str
    device: str

    def to_json(self) -> dict[str, Any]:
        """The kernel as it stands in `--json`."""
        return {
            "name": self.name,
            "display_name": self.display_name,
            "folder": str(self.folder),
            "executable": self.executable,
            "torch": self.torch,
            "device": self.device,
            "cell": "ran",
        }


def has_ipykernel(python: Path, environ: Mapping[str, str]) -> bool:
    """Whether the environment can run as a kernel and start one."""
    question = "import sys, importlib.util as u; sys.exit(not all(map(u.find_spec, sys.argv[1:])))"
    asked = host_system(environ).run(
        [str(python), "-I", "-c", question, "ipykernel", "jupyter_client"], timeout=_COMMAND_SECONDS
    )
    return asked.ok


def destination_for(
    python: Path, *, name: str, prefix: Path | None, environ: Mapping[str, str], overwrite: bool
) -> Path:
    """Where the spec of the kernel `name` goes: below `prefix`, or into the user's folder.

    Raises `UsageError` for a name that another kernel has, unless `overwrite`; `KernelFailed` for a place that
    cannot be written to.
    """
    name = valid_name(name).lower()
    # Absolute, and not followed: a venv's python is a link to another one.
    own = prefix_of(python.absolute())
    for state in list_kernels(host_system(environ), prefixes=[own, *([prefix] if prefix else [])]):
        if state.name == name and not overwrite and not _runs(state, python):
            raise _taken(state)
    if name in ("python3", "python2") and not overwrite:
        raise UsageError(
            message("{kernel} is Jupyter's own name for the Python that it runs with", kernel=name),
            fix=message("choose another with --name, or take it over with --yes"),
            code="kernel-exists",
        )
    kernels = prefix / "share" / "jupyter" / "kernels" if prefix else user_kernels(environ)
    check_writable(kernels / name)
    return kernels.absolute() / name


def write_kernel_spec(
    python: Path,
    *,
    name: str,
    display_name: str,
    environ: Mapping[str, str],
    overwrite: bool = False,
    prefix: Path | None = None,
    settings: Mapping[str, str] | None = None,
    on_wait: Callable[[float], None] | None = None,
) -> Kernel:
    """Register `python` as the kernel `name`, once cells ran in it: the user's own, or one below `prefix`.

    `settings` are variables that the kernel sets. A spec of that name that runs another interpreter is left alone
    unless `overwrite`; of one that runs this one only the menu entry and `settings` change. When a cell fails nothing
    has changed. Raises `KernelFailed` or `UsageError`.
    """
    valid_display_name(display_name)
    destination = destination_for(python, name=name, prefix=prefix, environ=environ, overwrite=overwrite)
    with staged(destination) as stage:
        before = {} if overwrite else _spec_of(destination)
        document = before or made_by_ipykernel(python, stage.folder, environ)
        document["display_name"] = display_name
        if settings:
            document["env"] = {**document.get("env", {}), **settings}
        stage.write(document, logos=not before)
        session = run_cells(python, stage.folder, environ=environ, on_wait=on_wait)
        raise_first_failure(destination.name, judge_cells(session, meant=prefix_of(python)))
        stage.put()
    return Kernel(
        name=destination.name,
        display_name=display_name,
        folder=destination,
        executable=document["argv"][0],
        torch=str(session.answers["import"].get("torch")),
        device=str(session.answers["device"].get("device")),
    )


def raise_first_failure(name: str, checks: Sequence[CheckResult]) -> None:
    """Raise `KernelFailed` for the first check of the kernel `name` that did not pass."""
    for row in checks:
        if row.status == "fail":
            raise KernelFailed(
                message(
                    "the kernel {kernel} did not pass `{check}`: {why}",
                    kernel=name,
                    check=row.id,
                    why=row.detail,
                ),
                fix=message("torchdoctor verify says whether the environment works outside of Jupyter"),
            )


def _runs(state: KernelState, python: Path) -> bool:
    return bool(state.argv) and Path(state.argv[0]).absolute() == python.absolute()


def _taken(state: KernelState) -> UsageError:
    runs = state.argv[0] if state.argv else message("its kernel.json cannot be read")
    entry = message(
        "{title}: {runs}; {place}",
        title=state.display_name or message("no display name"),
        runs=runs,
        place=state.folder,
    )
    return UsageError(
        message(
            "a kernel called {kernel} is there already ({entry})",
            kernel=state.name,
            entry=sanitize_line(entry, limit=600),
        ),
        fix=message("choose another with --name, or replace it with --yes"),
        code="kernel-exists",
    )


def _spec_of(folder: Path) -> dict[str, Any]:
    """What the spec in `folder` says; empty when there is none."""
    try:
        return dict(parse_spec((folder / "kernel.json").read_text("utf-8")).document)
    except (OSError, ValueError):
        return {}


def made_by_ipykernel(python: Path, folder: Path, environ: Mapping[str, str]) -> dict[str, Any]:
    """The spec as this environment's own ipykernel writes it, with what its version needs."""
    prefix = str(folder.parents[3])
    command = [str(python), "-I", "-m", "ipykernel", "install", "--prefix", prefix, "--name", folder.name]
    asked = host_system(environ).run(command, timeout=_COMMAND_SECONDS)
    why = asked.cause
    if asked.ok:
        try:
            return dict(json.loads((folder / "kernel.json").read_text("utf-8")))
        except (OSError, ValueError) as error:
            why = str(error)
    raise KernelFailed(
        message("the environment's ipykernel made no kernel spec: {why}", why=why),
        fix=message("install it anew: {python} -m pip install --force-reinstall ipykernel", python=python),
    )
