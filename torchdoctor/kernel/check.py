"""Starts a kernel that is registered and runs cells in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.i18n.messages import message
from torchdoctor.errors import KernelFailed
from torchdoctor.kernel.cell_checks import judge_cells
from torchdoctor.kernel.interpreter import package_version, python_in, site_folders
from torchdoctor.kernel.run_cells import ALL_CELLS, Session, run_cells
from torchdoctor.kernel.search_paths import jupyter_prefixes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from torchdoctor.core.system import System
    from torchdoctor.kernel.model import KernelState
    from torchdoctor.kernel.run_cells import Limits
    from torchdoctor.verify import CheckResult

__all__ = ["check_kernel"]


def check_kernel(
    state: KernelState,
    *,
    system: System,
    prefixes: Sequence[Path] = (),
    cells: Sequence[str] = ALL_CELLS,
    limits: Limits | None = None,
    on_wait: Callable[[float], None] | None = None,
) -> tuple[CheckResult, ...]:
    """Start the kernel as Jupyter does and run `cells`; each is a check, and so is the start.

    The Jupyter that starts it is the kernel's own, else one on PATH or in `prefixes`. Raises `KernelFailed` when
    there is none.
    """
    problem = state.problem
    # Files may lie about ipykernel, which can come by a .pth; starting tells.
    if problem is not None and problem.kind != "no-ipykernel":
        lost = Session(answers={}, seconds={}, failed_at="start", kind=problem.kind, detail=problem.message)
        return judge_cells(lost, meant=None, cells=cells)
    client = _client_python(system, state, prefixes)
    if client is None:
        raise KernelFailed(
            message(
                "there is no Jupyter to start the kernel {kernel} with: {why}",
                kernel=state.name,
                why=problem.message if problem else message("no environment in reach has jupyter_client"),
            ),
            fix=problem.fix if problem else message("install it: python -m pip install jupyter_client"),
            code=problem.kind if problem else "no-jupyter",
        )
    session = run_cells(
        client, state.folder, environ=system.environ, cells=cells, limits=limits, on_wait=on_wait
    )
    return judge_cells(session, meant=state.prefix, cells=cells)


def _client_python(system: System, state: KernelState, prefixes: Sequence[Path]) -> Path | None:
    others = [(prefix, python_in(system, prefix)) for prefix in jupyter_prefixes(system, prefixes)]
    own = [(state.prefix, state.python)] if state.prefix else []
    # The runner of nb_conda_kernels is installed where Jupyter is.
    ordered = [*others, *own] if state.place == "nb_conda_kernels" else [*own, *others]
    return next(
        (
            python
            for prefix, python in ordered
            if python and package_version(system, site_folders(system, prefix), "jupyter_client")
        ),
        None,
    )
