"""The hold of an environment: written by an install, by `torchdoctor hold`, and taken away by `torchdoctor unhold`."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from torchdoctor.core.i18n import message
from torchdoctor.core.shell_words import quoted
from torchdoctor.detect import describe_python, detect
from torchdoctor.errors import EnvironmentUnusable
from torchdoctor.install import inspect_location
from torchdoctor.install.hold.inherited import inherited_constraints
from torchdoctor.install.hold.model import read_hold
from torchdoctor.install.hold.write import HoldChange, change_hold, pip_conf_of, remove_hold
from torchdoctor.install.location import interpreter_of
from torchdoctor.install.staging import (
    exclusive_install_lock,
    os_errors_as_install_failed,
    recover_environment,
)
from torchdoctor.inventory.installed import read_installed
from torchdoctor.sources.index_cache import known_index
from torchdoctor.workflows.family import hold_for, hold_of_lock, pypi_has_only
from torchdoctor.workflows.sources import gather_sources
from wheels_index import TORCH_PROJECTS, bundled

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torchdoctor.core.progress import Reporter
    from torchdoctor.core.system import System
    from torchdoctor.detect import Machine, PythonInfo
    from torchdoctor.install.hold.model import Hold
    from torchdoctor.install.hold.write import Written
    from torchdoctor.resolve import Plan
    from torchdoctor.sources import Sources
    from torchdoctor.workflows.source_options import SourceOptions

__all__ = ["HoldOptions", "HoldResult", "InstallHold", "hold_sentence", "run_hold", "run_unhold"]


@dataclass(frozen=True, kw_only=True, slots=True)
class HoldOptions:
    """Which environment to hold, with the folders and sources to do it with."""

    folder: Path
    cache: Path  # torchdoctor's cache folder
    data: Path | None  # the folder in which `index update` keeps what it read
    sources: SourceOptions


@dataclass(frozen=True, kw_only=True, slots=True)
class HoldResult:
    """The hold that an environment has now, None for none, and the files that were changed or left as they are."""

    folder: Path
    hold: Hold | None
    written: Written

    def to_json(self) -> dict[str, Any]:
        """Return the document of `hold --json` and `unhold --json`."""
        return {
            "schema": 1,
            "environment": str(self.folder),
            "hold": self.hold.to_json() if self.hold else None,
            "changed": list(self.written.changed),
            "left": list(self.written.left),
        }


def run_hold(options: HoldOptions, *, system: System, report: Reporter) -> HoldResult:
    """Hold torch of an existing environment in its family of builds, or renew the hold.

    Raises `EnvironmentUnusable` where there is no torch whose build is known, and `InstallFailed` where the files
    cannot be written.
    """
    folder = options.folder
    python = _python_of(folder, options.cache, system)
    installed = read_installed(python.site_packages)
    torch = installed.named("torch")
    if torch is None or torch.build is None:
        raise EnvironmentUnusable(
            message("{folder} has no torch", folder=folder)
            if torch is None
            else message("it is not known which build torch {version} is", version=torch.version),
            fix=message("install one: torchdoctor install {folder}", folder=quoted(str(folder))),
            code="no-torch",
        )
    machine = detect(system, python=python, environment=folder, cache=options.cache).machine
    sources = gather_sources(options.sources, system, python, report, limited=False)
    versions = {name: found.version for name in TORCH_PROJECTS if (found := installed.named(name))}
    target = _Target(
        folder=folder, python=python, machine=machine, sources=sources, data=options.data, system=system
    )
    change = target.change(torch.build, versions)
    written = _write(folder, change, options.cache)
    return HoldResult(folder=folder, hold=change.hold, written=written)


def run_unhold(folder: Path, cache: Path, *, system: System) -> HoldResult:
    """Take the hold away: every file is as it was before, with what others changed meanwhile."""
    _python_of(folder, cache, system)
    with os_errors_as_install_failed(folder), exclusive_install_lock(folder, cache / "locks"):
        written = remove_hold(folder)
    return HoldResult(folder=folder, hold=None, written=written)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Target:
    """The environment to hold, and what decides how."""

    folder: Path
    python: PythonInfo
    machine: Machine
    sources: Sources
    data: Path | None
    system: System
    from_lock: bool = False  # no index is asked for anything

    def change(self, family: str, versions: Mapping[str, str], torch_url: str = "") -> HoldChange:
        """Return the hold for these versions of torch and its companions, with what pip is configured with."""
        snapshot = known_index(self.data, lambda _: None) if self.data is not None else bundled()
        if pypi_has_only(family, self.machine, snapshot):
            return HoldChange(hold=None)
        # A new environment has no interpreter yet, and `python` the settings of another prefix.
        python = replace(self.python, prefix=self.folder)
        inherited = inherited_constraints(self.system.environ, python, pip_conf_of(self.folder))
        if self.from_lock:
            hold = hold_of_lock(family, versions, self.machine, torch_url, snapshot, self.system)
        else:
            # What others can reach too comes before folders of this machine.
            ordered = sorted(self.sources.torch, key=lambda source: source.local)
            hold = hold_for(
                family, versions, self.machine, ordered, self.system, trusted=self.sources.trusted
            )
        return HoldChange(hold=hold, inherited=inherited)


class InstallHold:
    """The hold that goes with an install; it is known once the install knows which build it brings."""

    def __init__(
        self,
        folder: Path,
        python: PythonInfo,
        machine: Machine,
        sources: Sources,
        data: Path | None,
        system: System,
        *,
        from_lock: bool = False,
    ) -> None:
        self._target = _Target(
            folder=folder, python=python, machine=machine, sources=sources, data=data, system=system,
            from_lock=from_lock,
        )  # fmt: skip
        self.hold: Hold | None = None

    def __call__(self, plan: Plan) -> HoldChange:
        """Return what the install writes."""
        versions = {package.name: package.version.public for package in plan.packages}
        url = plan.torch.wheel.url if plan.torch.wheel is not None else None
        change = self._target.change(plan.variant, versions, url or "")
        self.hold = change.hold
        return change

    def renew(self, plan: Plan, cache: Path) -> bool:
        """Write the hold into an environment that already has everything; return whether it was another one."""
        change = self(plan)
        folder = self._target.folder
        if change.hold == read_hold(folder):
            return False
        _write(folder, change, cache)
        return True


def hold_sentence(hold: Hold) -> str:
    """Say in one sentence what the hold does."""
    if hold.pip_lines:
        return message(
            "pip, and uv in the activated environment, keep torch in its {variant} builds, up to {cap}; "
            "`torchdoctor unhold` ends that",
            variant=hold.variant,
            cap=hold.cap,
        )
    return message(
        "pip, and uv in the activated environment, take no torch newer than {cap}, since no index that could be "
        "written down has its {variant} builds; `torchdoctor unhold` ends that",
        variant=hold.variant,
        cap=hold.cap,
    )


def _write(folder: Path, change: HoldChange, cache: Path) -> Written:
    with os_errors_as_install_failed(folder), exclusive_install_lock(folder, cache / "locks"):
        return change_hold(folder, folder, change)


def _python_of(folder: Path, cache: Path, system: System) -> PythonInfo:
    """Return the interpreter of an environment that may be changed; raises `EnvironmentUnusable` for any other."""
    recover_environment(folder, cache / "locks")
    kind = inspect_location(folder)
    if kind not in ("venv", "conda"):
        raise EnvironmentUnusable(
            message("{folder} is not an environment", folder=folder),
            fix=message("name one, or make one with `torchdoctor install`"),
        )
    return describe_python(system, interpreter_of(folder))
