"""Repair a broken kernel: give it another environment for one that is gone, install ipykernel where it is missing."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from torchdoctor.core.i18n import message
from torchdoctor.detect import describe_python
from torchdoctor.errors import EnvironmentUnusable, KernelFailed, NotConfirmed, UsageError
from torchdoctor.inventory import installed_versions
from torchdoctor.kernel.cell_checks import judge_cells
from torchdoctor.kernel.interpreter import python_in
from torchdoctor.kernel.ipykernel import create_spec_with_ipykernel, has_ipykernel
from torchdoctor.kernel.names import default_display_name
from torchdoctor.kernel.register import raise_first_failure
from torchdoctor.kernel.run_cells import run_cells
from torchdoctor.kernel.session import ALL_CELLS
from torchdoctor.kernel.spec import parse_spec
from torchdoctor.kernel.write import refuse_unwritable_destination, staging_spec
from torchdoctor.workflows.ipykernel import install_ipykernel

if TYPE_CHECKING:
    from pathlib import Path

    from torchdoctor.core.progress import Reporter
    from torchdoctor.core.system import System
    from torchdoctor.detect import PythonInfo
    from torchdoctor.kernel import KernelState
    from torchdoctor.kernel.model import Problem
    from torchdoctor.workflows.source_options import SourceOptions

__all__ = ["refuse_conda_made", "repair_kernel"]


def refuse_conda_made(state: KernelState) -> None:
    """Raise `UsageError` for a kernel that nb_conda_kernels makes."""
    if state.place == "nb_conda_kernels":
        raise UsageError(
            message(
                "{kernel} is made by nb_conda_kernels from the conda environment {place} whenever Jupyter "
                "starts: it has no spec that could be changed",
                kernel=state.name,
                place=state.prefix,
            ),
            fix=message(
                "change the environment, such as `conda remove -p {place} ipykernel`, or leave it out with "
                "CondaKernelSpecManager.env_filter",
                place=state.prefix,
            ),
            code="nb-conda-kernels",
        )


def repair_kernel(
    state: KernelState,
    *,
    python: Path | None,
    assume_yes: bool,
    sources: SourceOptions,
    cache: Path,
    system: System,
    report: Reporter,
    named: bool = True,
) -> str:
    """Repair what `state.problem` names, and return what was done; "" where there is no problem.

    `python` is the interpreter for a kernel whose own is gone; unless the user `named` it, a kernel of ours does not
    get one without torch. Each change is asked for unless `assume_yes`. Raises `NotConfirmed` when the answer is no,
    `KernelFailed` when it cannot be repaired; nothing has changed then.
    """
    refuse_conda_made(state)
    problem = state.problem
    if problem is None:
        return ""
    if not problem.repairable:
        raise KernelFailed(problem.message, fix=problem.fix, code=problem.kind)
    if problem.kind == "no-ipykernel" and state.python is not None:
        described = describe_python(system, state.python)
        _ask(message("{problem}. Install it there?", problem=problem.message), assume_yes, report)
        install_ipykernel(described, sources=sources, cache=cache, system=system, report=report)
        return message("ipykernel was installed into {place}", place=described.prefix)
    _refuse_other_kernel(state, problem)
    described = describe_python(system, _new_python(state, python, system))
    if not named:
        _refuse_without_torch(state, described, system)
    refuse_unwritable_destination(state.folder)
    question = message(
        "{problem}. Let it run {python} instead?", problem=problem.message, python=described.executable
    )
    _ask(question, assume_yes, report)
    if not has_ipykernel(described.executable, system.environ):
        install_ipykernel(described, sources=sources, cache=cache, system=system, report=report)
    _write_spec(state, described, system, report)
    return message("it runs {python} now", python=described.executable)


def _refuse_other_kernel(state: KernelState, problem: Problem) -> None:
    if problem.kind == "python-gone" and not state.runs_ipykernel:
        raise KernelFailed(
            message(
                "{problem}, and only IPython kernels can be repaired here",
                problem=problem.message,
            ),
            fix=message(
                "install it again, or remove it: torchdoctor jupyter-kernel remove {kernel}",
                kernel=state.argument,
            ),
            code="other-kernel",
        )


def _ask(question: str, assume_yes: bool, report: Reporter) -> None:
    if not assume_yes and not report.ask(question, default=False):
        raise NotConfirmed(
            message("{question} Nobody agreed, so nothing was changed", question=question),
            fix=message("answer y, or give --yes to agree beforehand"),
        )


def _new_python(state: KernelState, python: Path | None, system: System) -> Path:
    """Return the named interpreter, else that of the environment which holds the spec and was moved with it."""
    if python is not None:
        return python
    inside = python_in(system, state.folder.parents[3]) if state.place == "environment" else None
    if inside is None:
        raise EnvironmentUnusable(
            message("the kernel {kernel} needs an environment to run, and none was named", kernel=state.name),
            fix=message(
                "name one: torchdoctor jupyter-kernel repair {kernel} ENV; or remove the kernel: torchdoctor "
                "jupyter-kernel remove {kernel}",
                kernel=state.argument,
            ),
            code="no-environment",
        )
    return inside


def _refuse_without_torch(state: KernelState, python: PythonInfo, system: System) -> None:
    """Refuse an environment without torch for a kernel that we made: it only happens to be active."""
    logo = system.read_text(str(state.folder / "logo-svg.svg"), limit=1 << 20) or ""
    if "torchdoctor" not in logo or installed_versions(system, python.executable).get("torch"):
        return
    raise EnvironmentUnusable(
        message(
            "the kernel {kernel} was made for an environment with torch, and {place}, which it would run now, "
            "has none",
            kernel=state.name,
            place=python.prefix,
        ),
        fix=message(
            "name the environment that it should run: torchdoctor jupyter-kernel repair {kernel} ENV",
            kernel=state.argument,
        ),
        code="no-torch",
    )


def _write_spec(state: KernelState, python: PythonInfo, system: System, report: Reporter) -> None:
    """Write the spec with another interpreter, after its cells ran; what else a readable spec says stays."""
    torch = installed_versions(system, python.executable).get("torch")
    cells = ALL_CELLS if torch else ("python",)
    with staging_spec(state.folder) as stage:
        document = _current_spec(system, state)
        is_new = not document
        if is_new:
            document = create_spec_with_ipykernel(python.executable, stage.folder, system.environ)
            document["display_name"] = default_display_name(torch) if torch else state.name
        document["argv"] = [str(python.executable), *document["argv"][1:]]
        stage.write(document, logos=is_new)
        session = run_cells(
            python.executable,
            stage.folder,
            environ=system.environ,
            cells=cells,
            on_wait=lambda seconds: report.waiting("kernel", seconds),
        )
        raise_first_failure(state.name, judge_cells(session, expected_prefix=python.prefix, cells=cells))
        stage.put()


def _current_spec(system: System, state: KernelState) -> dict[str, Any]:
    """Return the spec as it is; empty when it cannot be read."""
    text = system.read_text(str(state.folder / "kernel.json"), limit=1 << 20)
    with suppress(ValueError):
        return dict(parse_spec(text or "").document)
    return {}
