"""Makes a broken kernel run again: another environment for one that is gone, ipykernel where it is missing."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any

from torchdoctor.core.i18n.messages import message
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
from torchdoctor.workflows.kernel_add import install_ipykernel

if TYPE_CHECKING:
    from pathlib import Path

    from torchdoctor.core.progress import Reporter
    from torchdoctor.core.system import System
    from torchdoctor.detect import PythonInfo
    from torchdoctor.kernel import KernelState
    from torchdoctor.workflows.sources import SourceOptions

__all__ = ["refuse_conda_made", "repair_kernel"]


def refuse_conda_made(state: KernelState) -> None:
    """Raise `UsageError` for a kernel that nb_conda_kernels makes."""
    if state.place == "nb_conda_kernels":
        raise UsageError(
            message(
                "{kernel} is made by nb_conda_kernels from the conda environment {place} whenever Jupyter "
                "starts: there is no spec of it to change",
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
    """Mend what `state.problem` names and say what was done; empty when there is nothing in the way.

    `python` is the interpreter that a kernel whose own is gone should run; where nobody `named` it, a kernel of
    ours is not pointed at one without torch. What is changed is asked for unless `assume_yes`. Raises
    `NotConfirmed` when the answer is no, `KernelFailed` when it cannot be mended; nothing has
    changed then.
    """
    refuse_conda_made(state)
    if state.problem is None:
        return ""
    if not state.problem.repairable:
        raise KernelFailed(state.problem.message, fix=state.problem.fix, code=state.problem.kind)
    if state.problem.kind == "no-ipykernel" and state.python is not None:
        _ask(message("{problem}. Install it there?", problem=state.problem.message), assume_yes, report)
        described = describe_python(system, state.python)
        install_ipykernel(described, sources=sources, cache=cache, system=system, report=report)
        return message("ipykernel was installed into {place}", place=described.prefix)
    if state.problem.kind == "python-gone" and not state.runs_ipykernel:
        raise KernelFailed(
            message(
                "{problem}, and it is not the IPython kernel, which alone is mended here",
                problem=state.problem.message,
            ),
            fix=message(
                "install it anew, or remove it: torchdoctor jupyter-kernel remove {kernel}", kernel=state.name
            ),
            code="other-kernel",
        )
    described = describe_python(system, _new_python(state, python, system))
    if not named:
        _refuse_without_torch(state, described, system)
    refuse_unwritable_destination(state.folder)
    question = message(
        "{problem}. Let it run {python} instead?", problem=state.problem.message, python=described.executable
    )
    _ask(question, assume_yes, report)
    if not has_ipykernel(described.executable, system.environ):
        install_ipykernel(described, sources=sources, cache=cache, system=system, report=report)
    _point_at(state, described, system, report)
    return message("it runs {python} now", python=described.executable)


def _ask(question: str, assume_yes: bool, report: Reporter) -> None:
    if not assume_yes and not report.ask(question, default=False):
        raise NotConfirmed(
            message("{question} Nobody said yes, so nothing was changed", question=question),
            fix=message("answer y, or say it beforehand with --yes"),
        )


def _new_python(state: KernelState, python: Path | None, system: System) -> Path:
    """The one named, else that of the environment which holds the spec: it was moved as a whole."""
    if python is not None:
        return python
    holds = python_in(system, state.folder.parents[3]) if state.place == "environment" else None
    if holds is None:
        raise EnvironmentUnusable(
            message("the kernel {kernel} needs an environment to run, and none was named", kernel=state.name),
            fix=message(
                "name one: torchdoctor jupyter-kernel repair {kernel} ENV; or remove the kernel: torchdoctor "
                "jupyter-kernel remove {kernel}",
                kernel=state.name,
            ),
            code="no-environment",
        )
    return holds


def _refuse_without_torch(state: KernelState, python: PythonInfo, system: System) -> None:
    """A kernel that we made ran torch: an environment that merely happens to be active would not be it."""
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
            kernel=state.name,
        ),
        code="no-torch",
    )


def _point_at(state: KernelState, python: PythonInfo, system: System, report: Reporter) -> None:
    """Write the spec with another interpreter; the rest of one that can be read stays."""
    torch = installed_versions(system, python.executable).get("torch")
    cells = ALL_CELLS if torch else ("python",)
    with staging_spec(state.folder) as stage:
        document = _kept(system, state)
        whole = not document
        if not document:
            document = create_spec_with_ipykernel(python.executable, stage.folder, system.environ)
            document["display_name"] = default_display_name(torch) if torch else state.name
        document["argv"] = [str(python.executable), *document["argv"][1:]]
        stage.write(document, logos=whole)
        session = run_cells(
            python.executable,
            stage.folder,
            environ=system.environ,
            cells=cells,
            on_wait=lambda seconds: report.waiting("kernel", seconds),
        )
        raise_first_failure(state.name, judge_cells(session, expected_prefix=python.prefix, cells=cells))
        stage.put()


def _kept(system: System, state: KernelState) -> dict[str, Any]:
    """What the spec says now; empty when it says nothing."""
    text = system.read_text(str(state.folder / "kernel.json"), limit=1 << 20)
    with suppress(ValueError):
        return dict(parse_spec(text or "").document)
    return {}
