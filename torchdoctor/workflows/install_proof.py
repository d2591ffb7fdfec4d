"""What an install proves at its end: a cell of the new kernel runs, and torch passes its checks."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdoctor.core.progress import Reporter
    from torchdoctor.core.system import System
    from torchdoctor.install import Environment
    from torchdoctor.kernel import Kernel
    from torchdoctor.requirements import AskedRequirement
    from torchdoctor.resolve import Plan
    from torchdoctor.verify import VerifyReport
    from torchdoctor.workflows.kernel_model import KernelRequest

__all__ = ["register_kernel", "verify_environment"]


def register_kernel(
    request: KernelRequest | None, environment: Environment, plan: Plan, system: System, report: Reporter
) -> Kernel | None:
    """Register the kernel that was asked for, and report the cell that it ran."""
    if request is None:
        return None
    from torchdoctor.kernel import write_kernel_spec
    from torchdoctor.workflows.kernel_add import free_display_name

    version = f"{plan.torch.version.public}+{plan.variant}"
    kernel = write_kernel_spec(
        environment.python,
        name=request.name,
        display_name=request.display_name or free_display_name(version, request.name, system),
        environ=system.environ,
        overwrite=request.overwrite,
    )
    report.stage(
        "kernel",
        message(
            "{name} ({display}) ran a cell with torch {torch}",
            name=kernel.name,
            display=kernel.display_name,
            torch=kernel.torch,
        ),
    )
    return kernel


def verify_environment(
    environment: Environment, asked: Sequence[AskedRequirement], report: Reporter
) -> VerifyReport:
    """Verify torch, what was asked for now or before, and what is compiled against torch."""
    from torchdoctor import verify
    from torchdoctor.verify.status_text import counted_checks

    started = time.monotonic()
    verification = verify.verify(
        environment.python,
        quick=True,
        asked=asked,
        on_progress=report.packages,
        on_result=lambda check: report.check(check.id, check.device, check.status, check.detail),
    )
    report.stage(
        "verify",
        message(
            "{counts} in {seconds:.1f} s",
            counts=counted_checks(verification.checks),
            seconds=time.monotonic() - started,
        ),
    )
    return verification
