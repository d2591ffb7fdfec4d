"""Findings about the builds that are installed: against each other, and against the machine's GPU."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from torchdoctor.core.i18n.messages import message
from torchdoctor.diagnose.finding import Finding

if TYPE_CHECKING:
    from torchdoctor.inventory.installed import Installed, InstalledPackage
    from torchdoctor.resolve.model import Plan

__all__ = ["judge_builds"]


def judge_builds(installed: Installed, plan: Plan | None, *, folder: str) -> tuple[Finding, ...]:
    """What is wrong with the installed builds; `plan` is what would fit, None where nothing does."""
    torch = installed.named("torch")
    if torch is None:
        return ()
    found = []
    if torch.build == "cpu" and plan is not None and plan.variant != "cpu":
        found.append(_cpu_only(torch, plan, folder))
    found += [
        _mixed(torch, companion, folder)
        for companion in (installed.named("torchvision"), installed.named("torchaudio"))
        if companion is not None
        and None not in (torch.build, companion.build)
        and companion.build != torch.build
    ]
    return tuple(found)


def _cpu_only(torch: InstalledPackage, plan: Plan, folder: str) -> Finding:
    return Finding(
        id="cpu-only-wheel",
        severity="error",
        title=message("CPU-only torch on a machine with a GPU"),
        evidence=(
            message("torch {version} in {place} is a cpu build", version=torch.version, place=torch.folder),
            *plan.reasons,
        ),
        explanation=message(
            "A CPU build has no code for any GPU, so torch.cuda.is_available() is False whatever the driver."
        ),
        fix=(f"torchdoctor install {shlex.quote(folder)} --variant {plan.variant}",),
    )


def _mixed(torch: InstalledPackage, companion: InstalledPackage, folder: str) -> Finding:
    cpu_beside_gpu = companion.name == "torchvision" and companion.build == "cpu"
    return Finding(
        id="torchvision-cpu-with-cuda-torch" if cpu_beside_gpu else f"{companion.name}-mismatch",
        severity="error",
        title=message("{package} of another build than torch", package=companion.name),
        evidence=(
            message(
                "{package} {version} is a {build} build",
                package="torch",
                version=torch.version,
                build=torch.build,
            ),
            message(
                "{package} {version} is a {build} build",
                package=companion.name,
                version=companion.version,
                build=companion.build,
            ),
        ),
        explanation=message(
            "{package}'s compiled part loads libraries that only a {build} torch has; "
            "its metadata does not say so, and `pip check` passes.",
            package=companion.name,
            build=companion.build,
        ),
        fix=(f"torchdoctor install {shlex.quote(folder)} --variant {torch.build} --with {companion.name}",),
    )
