"""Every environment on this machine that can be found without running anything, and who knows it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from torchdoctor.core.i18n import joined, message
from torchdoctor.kernel import list_kernels
from torchdoctor.kernel.interpreter import package_folders, python_in, torch_version_and_variant

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from torchdoctor.core.system import System


__all__ = ["EnvironmentLocation", "environments", "warnings_for"]

# Who knows an environment.
Knower = Literal["active", "kernel", "conda", "nobody"]

_MAX_ENVIRONMENTS = 300
_MAX_CONDA_LIST_BYTES = 1 << 20
# Folders in which people keep environments, below the home folder.
_USUAL_FOLDERS = (
    ".virtualenvs", "envs", "venvs", ".venvs", ".conda/envs", "miniconda3/envs", "anaconda3/envs", "miniforge3/envs",
    "mambaforge/envs", ".pyenv/versions", ".local/share/virtualenvs",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class EnvironmentLocation:
    """An environment, and who knows it."""

    prefix: Path
    python: Path  # its interpreter
    python_version: str | None
    torch: str | None  # the version
    build: str | None  # the variant of torch, such as cu130
    known_by: tuple[str, ...] = ()  # `active`, `conda`, `kernel NAME`, for people
    kernels: tuple[str, ...] = ()  # those of `known_by` that are kernels
    is_active: bool = False  # whether the shell has activated it

    def to_json(self) -> dict[str, Any]:
        """Return the environment as it stands in `--json`."""
        return {
            "path": str(self.prefix),
            "python": str(self.python),
            "python_version": self.python_version,
            "torch": self.torch,
            "variant": self.build,
            "known_by": list(self.known_by),
        }


def environments(system: System, *, here: Path) -> tuple[EnvironmentLocation, ...]:
    """Return the environments in the usual folders, those that conda and Jupyter know, and the active one."""
    known: dict[Path, list[tuple[Knower, str]]] = {}
    for prefix, knower, text in _candidates(system, here):
        known.setdefault(prefix, []).append((knower, text))
    found = []
    for prefix, knowers in list(known.items())[:_MAX_ENVIRONMENTS]:
        python = python_in(system, prefix)
        if python is None:
            continue
        torch, build = torch_version_and_variant(system, package_folders(system, prefix))
        found.append(
            EnvironmentLocation(
                prefix=prefix,
                python=python,
                python_version=_version(system, prefix),
                torch=torch,
                build=build,
                known_by=tuple(dict.fromkeys(text for _, text in knowers if text)),
                kernels=tuple(dict.fromkeys(text for knower, text in knowers if knower == "kernel")),
                is_active=any(knower == "active" for knower, _ in knowers),
            )
        )
    return tuple(found)


def warnings_for(environments: Sequence[EnvironmentLocation]) -> tuple[str, ...]:
    """Return sentences about what is easily confused: a notebook's Python has no torch, but another environment has."""
    other = next((environment for environment in environments if environment.torch), None)
    if other is None:
        return ()
    warnings = []
    for environment in environments:
        if environment.torch:
            continue
        values = {"place": environment.prefix, "other": other.prefix, "version": other.torch}
        if environment.kernels:
            warnings.append(
                message(
                    "{kernels} runs {place}, which has no torch; {other} has torch {version}",
                    kernels=joined(environment.kernels),
                    **values,
                )
            )
        elif environment.is_active:
            warnings.append(
                message("the active environment {place} has no torch; {other} has torch {version}", **values)
            )
    return tuple(warnings)


def _candidates(system: System, here: Path) -> Iterator[tuple[Path, Knower, str]]:
    """Folders that may be environments, with who knows each, as a word and as a text."""
    environ = system.environ
    for variable in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        if environ.get(variable):
            yield Path(environ[variable]), "active", message("active")
    for name in (".venv", "venv", "env"):
        yield here / name, "nobody", ""
    for kernel in list_kernels(system):
        if kernel.prefix is not None and kernel.hidden_by is None:
            yield kernel.prefix, "kernel", message("kernel {kernel}", kernel=kernel.name)
    home = _home(environ)
    for prefix in _conda(system, home):
        yield prefix, "conda", "conda"
    for folder in _USUAL_FOLDERS:
        for path in sorted(system.glob(f"{home}/{folder}/*"))[:_MAX_ENVIRONMENTS]:
            yield Path(path), "nobody", ""


def _home(environ: Mapping[str, str]) -> str:
    return environ.get("HOME") or environ.get("USERPROFILE") or os.path.expanduser("~")  # noqa: PTH111  # text


def _conda(system: System, home: str) -> list[Path]:
    """conda keeps a list: https://docs.conda.io/projects/conda/en/stable/user-guide/configuration/."""
    text = system.read_text(f"{home}/.conda/environments.txt", limit=_MAX_CONDA_LIST_BYTES) or ""
    return [Path(line.strip()) for line in text.splitlines() if line.strip()]


def _version(system: System, prefix: Path) -> str | None:
    """From pyvenv.cfg, or from the name of the library's folder."""
    text = system.read_text(str(prefix / "pyvenv.cfg"), limit=1 << 14) or ""
    for line in text.splitlines():
        name, _sign, value = line.partition("=")
        if name.strip() in ("version", "version_info"):
            return value.strip()
    folders = [Path(path).name for path in system.glob(f"{prefix}/lib/python3.*")]
    return folders[0].removeprefix("python") if folders else None
