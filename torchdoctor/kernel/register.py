"""Environment -> a Jupyter kernel spec, which is put into its place after cells ran in the kernel."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from torchdoctor.core.i18n import message
from torchdoctor.core.system import host_system
from torchdoctor.core.text import sanitize_line
from torchdoctor.errors import KernelFailed, UsageError
from torchdoctor.kernel.cell_checks import judge_cells
from torchdoctor.kernel.interpreter import prefix_of
from torchdoctor.kernel.ipykernel import create_spec_with_ipykernel
from torchdoctor.kernel.list import list_kernels
from torchdoctor.kernel.model import Kernel
from torchdoctor.kernel.names import validate_display_name, validate_kernel_name
from torchdoctor.kernel.run_cells import run_cells
from torchdoctor.kernel.search_paths import user_kernel_folder
from torchdoctor.kernel.spec import parse_spec, read_spec_text
from torchdoctor.kernel.write import refuse_unwritable_destination, staging_spec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from torchdoctor.kernel.model import KernelState
    from torchdoctor.verify import CheckResult

__all__ = ["kernel_destination", "raise_first_failure", "write_kernel_spec"]


def kernel_destination(
    python: Path, *, name: str, prefix: Path | None, environ: Mapping[str, str], overwrite: bool
) -> Path:
    """Return the folder for the spec of the kernel `name`: below `prefix`, or the user's own.

    Raises `UsageError` for a name that another kernel has, unless `overwrite`; `KernelFailed` for a folder that cannot
    be written to.
    """
    name = validate_kernel_name(name).lower()
    # Absolute, and not resolved: a venv's python is a link to another one.
    own = prefix_of(python.absolute())
    for state in list_kernels(host_system(environ), prefixes=[own, *([prefix] if prefix else [])]):
        if state.name == name and not overwrite and not _runs(state, python):
            raise _name_taken(state)
    if name in ("python3", "python2") and not overwrite:
        raise UsageError(
            message("{kernel} is Jupyter's own name for the Python that it runs with", kernel=name),
            fix=message("choose another with --name, or take it over with --yes"),
            code="kernel-exists",
        )
    kernels = prefix / "share" / "jupyter" / "kernels" if prefix else user_kernel_folder(environ)
    refuse_unwritable_destination(kernels / name)
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
    """Register `python` as the kernel `name` once cells ran in it: for the user, or below `prefix`.

    `settings` are environment variables that the kernel sets. A spec of that name that runs another interpreter is left
    alone unless `overwrite`; of one that runs this interpreter only the display name and `settings` change. Nothing has
    changed when a cell fails. Raises `KernelFailed` or `UsageError`.
    """
    validate_display_name(display_name)
    destination = kernel_destination(python, name=name, prefix=prefix, environ=environ, overwrite=overwrite)
    with staging_spec(destination) as stage:
        before = {} if overwrite else _read_spec(destination)
        document = before or create_spec_with_ipykernel(python, stage.folder, environ)
        document["display_name"] = display_name
        if settings:
            document["env"] = {**document.get("env", {}), **settings}
        stage.write(document, logos=not before)
        session = run_cells(python, stage.folder, environ=environ, on_wait=on_wait)
        raise_first_failure(destination.name, judge_cells(session, expected_prefix=prefix_of(python)))
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
    """Raise `KernelFailed` for the first check of the kernel `name` that failed."""
    for check in checks:
        if check.status == "fail":
            raise KernelFailed(
                message(
                    "the kernel {kernel} did not pass `{check}`: {why}",
                    kernel=name,
                    check=check.id,
                    why=check.detail,
                ),
                fix=message("torchdoctor verify says whether the environment works outside of Jupyter"),
            )


def _runs(state: KernelState, python: Path) -> bool:
    return bool(state.argv) and Path(state.argv[0]).absolute() == python.absolute()


def _name_taken(state: KernelState) -> UsageError:
    program = state.argv[0] if state.argv else message("its kernel.json cannot be read")
    entry = message(
        "{title}: {runs}; {place}",
        title=state.display_name or message("no display name"),
        runs=program,
        place=state.folder,
    )
    return UsageError(
        message(
            "a kernel named {kernel} exists already ({entry})",
            kernel=state.name,
            entry=sanitize_line(entry, limit=600),
        ),
        fix=message("choose another name, or give this name and --yes to replace it"),
        code="kernel-exists",
    )


def _read_spec(folder: Path) -> dict[str, Any]:
    """Return the kernel.json in `folder`; empty when there is none that can be used."""
    try:
        return dict(parse_spec(read_spec_text(folder / "kernel.json")).document)
    except (OSError, ValueError):
        return {}
