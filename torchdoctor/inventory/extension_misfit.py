"""An extension whose compiled libraries do not go with a torch: how much that weighs, and why, in words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.core.text import sanitize_line
from wheels_index.extension import extension

if TYPE_CHECKING:
    from wheels_index.binary import Misfit, PackageFit, TorchBuild

__all__ = ["ExtensionMisfit", "extension_misfit", "may_be_extension"]

_MAX_NAME_LENGTH = 80  # of a file, a library or a symbol
# Packages that belong to torch itself or to the makers of GPUs, and are judged elsewhere.
_NOT_JUDGED = re.compile(
    r"torch|torchvision|torchaudio|(?:nvidia|cuda|rocm|amd|intel)-.*|(?:pytorch-)?triton.*"
)
_LIKE_EXTENSION = re.compile(r".*(?:torch|cuda|flash|-cu1\d).*")


@dataclass(frozen=True, kw_only=True, slots=True)
class ExtensionMisfit:
    """A package that does not go with a torch. Where it is not `fatal` it can be imported, with parts missing."""

    name: str
    version: str
    misfit: Misfit
    fatal: bool
    reason: str


def may_be_extension(name: str) -> bool | None:
    """Tell by its normalised name whether a package is compiled against torch; None where its metadata must say."""
    if _NOT_JUDGED.fullmatch(name):
        return False
    return True if extension(name) is not None or _LIKE_EXTENSION.fullmatch(name) else None


def extension_misfit(name: str, version: str, fit: PackageFit, torch: TorchBuild) -> ExtensionMisfit | None:
    """Return why a package does not go with a torch; None where all its libraries do.

    A known extension says itself what a mismatch does to it. Of any other package all libraries must fail before
    it counts as one that cannot be imported: it may have some for each CUDA.
    """
    known = extension(name)
    effect = known.on_mismatch if known is not None else None
    if not fit.misfits or (effect == "no-gpu" and not fit.all_fail):
        return None
    misfit = fit.misfits[0]
    return ExtensionMisfit(
        name=name,
        version=version,
        misfit=misfit,
        fatal=fit.all_fail if known is None else effect in (None, "import-fails"),
        reason=_reason(misfit, torch),
    )


def _reason(misfit: Misfit, torch: TorchBuild) -> str:
    file = sanitize_line(misfit.path.rpartition("/")[2], limit=_MAX_NAME_LENGTH)
    needed = sanitize_line(misfit.needed, limit=_MAX_NAME_LENGTH)
    if misfit.code == "cuda-major":
        return message(
            "{file} needs {library} of CUDA {major}, and torch {version} is built for CUDA {torch_major} ({variant})",
            file=file,
            library=needed,
            major=misfit.cuda_major,
            version=torch.version,
            torch_major=torch.cuda_major,
            variant=torch.variant,
        )
    if misfit.code == "cxx11-abi":
        return message(
            "{file} was built with another C++ ABI ({abi}) than torch {version}",
            file=file,
            abi="C++11" if misfit.needed == "C++11" else message("before C++11"),
            version=torch.version,
        )
    if misfit.code == "missing-symbol":
        return message(
            "{file} was built for another torch: torch {version} has no {symbol}",
            file=file,
            version=torch.version,
            symbol=needed,
        )
    return message(
        "{file} needs {library}, which torch {version} as a {variant} build does not have",
        file=file,
        library=needed,
        version=torch.version,
        variant=torch.variant,
    )
