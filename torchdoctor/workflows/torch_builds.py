"""A package that compiles against torch: its wheel is built beside that torch first, and then installed with it."""

from __future__ import annotations

import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import parse_wheel_filename

from torchdoctor.core.fs.own_files import make_own_folder
from torchdoctor.core.i18n import joined, message
from torchdoctor.core.requirement_names import project_in, project_of
from torchdoctor.errors import NoSolution
from torchdoctor.lock.model import LockRequest
from torchdoctor.requirements import AskedRequirement
from torchdoctor.sources import Sources
from torchdoctor.workflows.build_tools import missing_build_tools
from torchdoctor.workflows.wheel_build import build_wheel
from wheels_index import TORCH_PROJECTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchdoctor.core.progress import Reporter
    from torchdoctor.core.system import System
    from torchdoctor.requirements import StackRequest
    from torchdoctor.resolve import Plan
    from torchdoctor.workflows.install_model import InstallOptions, InstallResult
    from torchdoctor.workflows.source_model import BuildsAgainstTorch

__all__ = ["with_wheel_for_torch"]

_JOBS = "2"  # compilers at once, unless MAX_JOBS says more: each takes gigabytes for CUDA sources
# What torch.utils.cpp_extension and setup.py files of extensions import without declaring it.
_USUAL_BUILD_TOOLS = ("setuptools", "wheel", "ninja", "packaging")


class _Install(Protocol):
    """One run of an install."""

    def __call__(self, options: InstallOptions, *, system: System, report: Reporter) -> InstallResult:
        """Install what the options say."""


def with_wheel_for_torch(
    needed: BuildsAgainstTorch,
    options: InstallOptions,
    install: _Install,
    *,
    system: System,
    report: Reporter,
) -> InstallOptions:
    """Return the options with a folder that holds the wheel, built against the torch that they choose without it.

    Nothing is fetched before consent was given and the compilers were found. Raises `NoSolution` without consent, for a
    dry run and where a tool is missing or of the wrong version, `InstallFailed` where the build fails.
    """
    if options.dry_run:
        raise needed
    question = message("{what}. Build it here? Its own code runs.", what=needed.message)
    if not needed.agreed and not report.ask(question, default=False):
        raise needed
    # The folder of temporary files is often too small for torch.
    make_own_folder(options.cache, below=options.cache)
    with tempfile.TemporaryDirectory(prefix="torch-build-", dir=options.cache) as name:
        inner = replace(
            options, folder=Path(name) / "env", stack=_for_the_build(options, needed), kernel_name=None,
            verify=False, hold=False, assume_yes=True, reinstall=frozenset(), drop_unneeded=False,
        )  # fmt: skip
        plan = install(replace(inner, dry_run=True), system=system, report=report).plan
        _refuse_without_tools(needed, plan, system)
        made = install(inner, system=system, report=report)
        wheel = _build_beside(needed, made, options, system, report)
    links = (*options.sources.find_links, str(wheel.parent))
    pinned = replace(
        options.request, torch=SpecifierSet(f"=={plan.torch.version.public}"), variant=plan.variant
    )
    stack = options.stack if needed.key is None else _with_wheel(options.stack, needed.sdist.project, wheel)
    return replace(options, sources=replace(options.sources, find_links=links), request=pinned, stack=stack)


def _refuse_without_tools(needed: BuildsAgainstTorch, plan: Plan, system: System) -> None:
    """Raise `NoSolution` where a compiler or CUDA's is missing or of the wrong version."""
    missing = missing_build_tools(system, plan.variant, needed.contents)
    if missing:
        raise NoSolution(
            message(
                "{name} {version} cannot be built here: {why}",
                name=needed.sdist.project,
                version=needed.sdist.version,
                why=joined(missing, "; "),
            ),
            fix=message("install what is missing, or leave {name} out", name=needed.sdist.project),
            code="build-tools",
        )


def _build_beside(
    needed: BuildsAgainstTorch, made: InstallResult, options: InstallOptions, system: System, report: Reporter
) -> Path:
    """Build the wheel in an environment that has the torch and all that the build needs."""
    assert made.environment is not None  # noqa: S101  (it was not a dry run)
    environment, plan = made.environment, made.plan
    path = f"{environment.python.parent}{os.pathsep}{system.environ.get('PATH', '')}"
    request = LockRequest(
        python=environment.python,
        sources=Sources(torch=(), indexes=(), default_index=None, find_links=()),
        environ={
            "MAX_JOBS": _JOBS, **system.environ, "VIRTUAL_ENV": str(environment.folder), "PATH": path,
        },
    )  # fmt: skip
    version = made.detection.machine.python_label
    cache = options.cache / "built" / f"torch-{plan.torch.version}-{plan.variant}-cp{version}"
    return build_wheel(needed.path, needed.sdist, request, cache, report, isolated=False, key=needed.key)


def _with_wheel(stack: StackRequest, project: str, wheel: Path) -> StackRequest:
    """Ask for the wheel in place of the sources that it was built of."""
    name, version, _, _ = parse_wheel_filename(wheel.name)
    requirements = tuple(
        replace(asked, line=f"{name}=={version}", name=name, hashes=())
        if asked.name == project and Requirement(asked.line).url
        else asked
        for asked in stack.requirements
    )
    return replace(stack, requirements=requirements)


def _for_the_build(options: InstallOptions, needed: BuildsAgainstTorch) -> StackRequest:
    """What else was asked for, and what the build needs instead of the package."""
    project = needed.sdist.project
    origin = f"the build of {project}"
    tools = dict.fromkeys([*_USUAL_BUILD_TOOLS, *_declared(needed.contents.build_requires)])
    others = tuple(asked for asked in options.stack.requirements if asked.name != project)
    more = tuple(
        AskedRequirement(line=line, name=project_of(line), origin=origin, implied=True) for line in tools
    )
    return replace(options.stack, requirements=(*others, *more))


def _declared(lines: tuple[str, ...]) -> Iterator[str]:
    """What pyproject.toml names besides torch and its companions, which are there."""
    for line in lines:
        if project_in(line) not in (None, *TORCH_PROJECTS, *_USUAL_BUILD_TOOLS):
            yield line
