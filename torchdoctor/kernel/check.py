"""Starts a registered kernel and runs cells in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.errors import KernelFailed
from torchdoctor.kernel.cell_checks import judge_cells
from torchdoctor.kernel.interpreter import package_folders, package_version, python_in
from torchdoctor.kernel.run_cells import run_cells
from torchdoctor.kernel.search_paths import jupyter_prefixes
from torchdoctor.kernel.session import ALL_CELLS, CellSession

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from torchdoctor.core.system import System
    from torchdoctor.kernel.model import KernelState
    from torchdoctor.kernel.session import CellLimits
    from torchdoctor.verify import CheckResult

__all__ = ["check_kernel"]


def check_kernel(
    state: KernelState,
    *,
    system: System,
    prefixes: Sequence[Path] = (),
    cells: Sequence[str] = ALL_CELLS,
    limits: CellLimits | None = None,
    on_wait: Callable[[float], None] | None = None,
) -> tuple[CheckResult, ...]:
    """Start the kernel as Jupyter does and run `cells`; return a check of the start and one of each cell.

    The Jupyter that starts it is the kernel's own, else one on PATH or in `prefixes`. Raises `KernelFailed` when there
    is none.
    """
    problem = state.problem
    # A .pth file may add an ipykernel that the files do not show: only starting the kernel tells.
    if problem is not None and problem.kind != "no-ipykernel":
        lost = CellSession(
            answers={}, seconds={}, failed_at="start", kind=problem.kind, detail=problem.message
        )
        return judge_cells(lost, expected_prefix=None, cells=cells)
    client = _client_python(system, state, prefixes)
    if client is None:
        raise KernelFailed(
            message(
                "there is no Jupyter to start the kernel {kernel} with: {why}",
                kernel=state.name,
                why=problem.message if problem else message("no known environment has jupyter_client"),
            ),
            fix=problem.fix if problem else message("install it: python -m pip install jupyter_client"),
            code=problem.kind if problem else "no-jupyter",
        )
    session = run_cells(
        client, state.folder, environ=system.environ, cells=cells, limits=limits, on_wait=on_wait
    )
    return judge_cells(session, expected_prefix=state.prefix, cells=cells)


def _client_python(system: System, state: KernelState, prefixes: Sequence[Path]) -> Path | None:
    others = [(prefix, python_in(system, prefix)) for prefix in jupyter_prefixes(system, prefixes)]
    own = [(state.prefix, state.python)] if state.prefix else []
    # The runner of nb_conda_kernels is installed where Jupyter is.
    ordered = [*others, *own] if state.place == "nb_conda_kernels" else [*own, *others]
    return next(
        (
            python
            for prefix, python in ordered
            if python and package_version(system, package_folders(system, prefix), "jupyter_client")
        ),
        None,
    )
