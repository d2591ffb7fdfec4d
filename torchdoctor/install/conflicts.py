"""Refuses a change after which the packages of an environment would no longer work together."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from torchdoctor.core.i18n import message
from torchdoctor.core.requirement_names import project_of
from torchdoctor.core.system import uv
from torchdoctor.errors import InstallFailed
from torchdoctor.install.location import interpreter_of
from torchdoctor.inventory.installed import read_installed
from wheels_index import COMPANIONS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from torchdoctor.resolve import Plan

__all__ = ["dependency_conflicts", "refuse_foreign_companions", "refuse_new_conflicts"]

_TIMEOUT_SECONDS = 3600.0
# The lines of `uv pip check` (0.13) that name a conflict; tests/install/test_create.py asks the uv that is installed.
_CONFLICT_START = "The package"
_REQUIRED = re.compile(r" requires `([A-Za-z0-9._-]+)")


def dependency_conflicts(folder: Path, run_dir: Path, environ: Mapping[str, str]) -> set[str]:
    """Return uv's sentences about packages of the environment whose requirements are not met."""
    finished = uv.run_uv(
        ["pip", "check", "--python", interpreter_of(folder), "--no-config"],
        environ=environ,
        folder=run_dir,
        limit=_TIMEOUT_SECONDS,
    )
    return {line.strip() for line in finished.stderr.splitlines() if line.startswith(_CONFLICT_START)}


def refuse_new_conflicts(
    stage: Path,
    before: set[str],
    folder: Path,
    run_dir: Path,
    environ: Mapping[str, str],
    plan: Plan | None = None,
) -> None:
    """Raise `InstallFailed` when a requirement is not met in `stage`, unless it is among those of `before`.

    `folder` is the environment as the user knows it. What the plan overrides or leaves out may stay unmet.
    """
    after = dependency_conflicts(stage, run_dir, environ) - before
    new = sorted(sentence for sentence in after if _required(sentence) not in _overruled(plan))
    if new:
        raise InstallFailed(
            message(
                "other packages in {folder} would stop working together: {which}",
                folder=folder,
                which=" ".join(new)[:600],
            ),
            fix=message("install into an environment of its own: torchdoctor install ENV"),
            code="conflict",
        )


def refuse_foreign_companions(site_packages: Iterable[Path], folder: Path) -> None:
    """Raise `InstallFailed` when a companion is built for another accelerator than torch.

    It cannot be imported then, and its metadata does not show it.
    """
    installed = read_installed(site_packages)
    torch = installed.named("torch")
    if torch is None or torch.build is None:
        return
    for companion in map(installed.named, COMPANIONS):
        if companion is not None and companion.build not in (None, torch.build):
            raise InstallFailed(
                message(
                    "{name} {version} in {folder} is a {build} build, and torch would be a {other} build: "
                    "it could not be imported any more",
                    name=companion.name,
                    version=companion.version,
                    folder=folder,
                    build=companion.build,
                    other=torch.build,
                ),
                fix=message(
                    "change both with `--with {name}`, uninstall {name} first, or install into an "
                    "environment of its own",
                    name=companion.name,
                ),
                code="conflict",
            )


def _overruled(plan: Plan | None) -> frozenset[str]:
    """Return the projects of which the plan knows better than those that require them."""
    if plan is None:
        return frozenset()
    return plan.excluded | {project_of(line) for line in plan.overrides}


def _required(sentence: str) -> str | None:
    """Return the project that a sentence of uv is about: what the package requires."""
    found = _REQUIRED.search(sentence)
    return str(canonicalize_name(found[1])) if found is not None else None
