"""Extensions against the installed torch: by what their libraries need, else by the pairs that are known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.i18n import joined, message
from torchdoctor.detect.python.facts import platform_of
from torchdoctor.doctor.stack.model import StackProblem
from wheels_index.extension import extensions, fits

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchdoctor.detect import PythonInfo
    from torchdoctor.doctor.stack.model import ProblemKind
    from torchdoctor.inventory import Inventory
    from torchdoctor.inventory.package_model import Distribution, ExtensionFit, TorchPackage
    from wheels_index.extension import Fit

__all__ = ["problems_of_extensions"]


def problems_of_extensions(inventory: Inventory, python: PythonInfo) -> Iterator[StackProblem]:
    """Yield each installed extension that goes with another torch or another CUDA.

    Its own files decide. Where they could not be judged, the known builds do.
    """
    judged = {fit.name: fit for fit in inventory.extensions.value or () if fit.fits is not None}
    for fit in judged.values():
        if (problem := _problem_of_files(fit, inventory)) is not None:
            yield problem
    torch, platform = inventory.torch.value, platform_of(python)
    if torch is None or torch.version is None or torch.variant.value is None or platform is None:
        return
    for name in extensions().keys() - judged.keys():
        package = inventory.distribution(name)
        if package is None or package.version is None or package.kind != "wheel":
            continue
        problem = _problem(package, package.version, torch, str(platform))
        if problem is not None:
            yield problem


def _problem_of_files(fit: ExtensionFit, inventory: Inventory) -> StackProblem | None:
    variant = inventory.torch.value.variant.value if inventory.torch.value else None
    # A torch for the CPU has no use for kernels of GPUs.
    if fit.fits or (not fit.fatal and variant == "cpu"):
        return None
    kind: ProblemKind = "extension-part"
    if fit.fatal:
        kind = "extension" if fit.code in ("cxx11-abi", "missing-symbol") else "extension-cuda"
    text = message("{name} {version}: {reason}", name=fit.name, version=fit.version, reason=fit.reason)
    return StackProblem(kind=kind, package=fit.name, requirement=fit.name, description=text)


def _problem(package: Distribution, version: str, torch: TorchPackage, platform: str) -> StackProblem | None:
    from packaging.version import InvalidVersion

    variant = torch.variant.value or ""
    try:
        fit = fits(package.name, version, torch=torch.version or "", variant=variant, platform=platform)
    except InvalidVersion:
        return None
    if fit.answer != "no" or fit.because not in ("torch", "variant"):
        return None
    kind = _kind(package.name, fit)
    # A torch for the CPU has no use for kernels of GPUs.
    if kind == "extension-part" and fit.because == "variant" and variant == "cpu":
        return None
    text = message(
        "{name} {version} is built for {needs}, and torch {torch} ({variant}) is installed",
        name=package.name,
        version=version,
        needs=_needs(fit),
        torch=torch.version,
        variant=variant,
    )
    return StackProblem(kind=kind, package=package.name, requirement=package.name, description=text)


def _kind(name: str, fit: Fit) -> ProblemKind:
    if extensions()[name].on_mismatch != "import-fails":
        return "extension-part"
    return "extension" if fit.because == "torch" else "extension-cuda"


def _needs(fit: Fit) -> str:
    words = joined(fit.needs, message(" or ")) if fit.needs else "?"
    return message("torch {versions}", versions=words) if fit.because == "torch" else words
