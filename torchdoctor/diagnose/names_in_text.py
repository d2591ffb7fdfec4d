"""Placeholders of fixes that a text itself names: the image, the package that is built, the Python, the GPU."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.core.versions import parse_numeric_version
from torchdoctor.diagnose import derived
from torchdoctor.diagnose.asked import asked_packages, asked_torch
from torchdoctor.diagnose.predicates.toolkit import newest_capability

if TYPE_CHECKING:
    from collections.abc import Callable

    from torchdoctor.diagnose.evidence import Evidence

__all__ = ["NAME_PLACEHOLDERS"]

_USUAL_PYTHON = (3, 12)
_NAME = r"[a-z0-9][a-z0-9._-]{1,60}"
# What pip and uv print of a package that they build; the group is its name, and its version where they say it.
_BUILT = (
    re.compile(rf"failed to (?:download and )?build `?(?P<n>{_NAME})==(?P<v>\d[\w.]{{0,20}})`?"),
    re.compile(rf"pyproject\.toml[- ]based projects \(?(?P<n>{_NAME})"),
    re.compile(rf"\b(?:failed building wheel for|building wheels? for) (?P<n>{_NAME})"),
    re.compile(rf"\bfailed to build (?P<n>{_NAME})(?= |\n|$)"),
    re.compile(
        rf"\bcollecting (?P<n>{_NAME})(?:==(?P<v>\d[\w.]{{0,20}}))?[^\n]{{0,200}}(?:\n[^\n]{{0,300}}){{1,8}}"
        r"getting requirements to build"
    ),
)
# A compiled module that is not loaded: the folder below site-packages, or the module itself.
_MODULE = re.compile(
    r"(?:site|dist)-packages[\\/](?P<m>[a-z][\w]{1,40}?)(?:_2)?(?:_cuda)?(?:[\\/.][^\s:]{0,120})?\.(?:so|pyd)\b"
)
_NOT_A_PACKAGE = {
    "torch", "nvidia", "from", "wheels", "some", "the", "a", "this", "package", "packages", "pip", "wheel", "and",
}  # fmt: skip
# RDNA 2 and 3: what has the same instructions as the target that every ROCm build has code for.
_OVERRIDES = {
    **dict.fromkeys(("gfx1031", "gfx1032", "gfx1033", "gfx1034", "gfx1035", "gfx1036"), "10.3.0"),
    **dict.fromkeys(("gfx1101", "gfx1102", "gfx1103"), "11.0.0"),
}


def _from_the_sign(_: Evidence) -> None:
    """What only the sign itself takes from the text, by a group of that name."""


def _image(evidence: Evidence) -> str | None:
    return evidence.first("image")


def _package(evidence: Evidence) -> str | None:
    found = _package_and_version(evidence)
    return found[0] if found else None


def _package_pin(evidence: Evidence) -> str | None:
    found = _package_and_version(evidence)
    return f"{found[0]}=={found[1]}" if found and found[1] else None


def _package_and_version(evidence: Evidence) -> tuple[str, str | None] | None:
    """The package that an installer builds, or whose compiled module is not loaded, and its version if it is known."""
    for pattern in _BUILT:
        for match in pattern.finditer(evidence.text.rows):
            name = match["n"].rstrip("._-").replace("_", "-")
            if name not in _NOT_A_PACKAGE:
                stated = match.groupdict().get("v") or evidence.first(f"package.{name}")
                return name, stated.rstrip(".") if stated else None
    from wheels_index.extension import extensions

    for match in _MODULE.finditer(evidence.text.lower):
        for project, known in extensions().items():
            if match["m"] in known.imports or match["m"] == project.replace("-", "_"):
                return project, evidence.first(f"package.{project}")
    return None


def _hsa_override(evidence: Evidence) -> str | None:
    """The override for the GPU's target; None where none is known to work, or the target is not known."""
    targets = evidence.all("amd.gfx")
    return _OVERRIDES.get(targets[0]) if targets else None


def _driver_branch(evidence: Evidence) -> str | None:
    driver = derived.driver_version(evidence)
    return str(driver[0]) if driver else None


def _driver_cuda(evidence: Evidence) -> str | None:
    stated = evidence.first("nvidia.cuda")
    return stated if stated and re.fullmatch(r"\d{1,2}\.\d", stated) else None


def _python_minor(evidence: Evidence) -> str | None:
    python = derived.python_of(evidence)
    return f"{python[0]}.{python[1]}" if python else None


def _wheel_python(evidence: Evidence) -> str:
    """The newest Python, 3.12 at most, that the torch which was asked for has wheels for."""
    from torchdoctor.diagnose.predicates.releases import pythons_of

    asked = asked_torch(evidence)
    known = pythons_of(asked) if asked else None
    newest = min(known[1], _USUAL_PYTHON) if known else _USUAL_PYTHON
    return f"{newest[0]}.{newest[1]}"


def _asked(evidence: Evidence) -> str:
    asked = asked_packages(evidence)
    if asked:
        return asked
    release = asked_torch(evidence)
    return f"torch=={release}" if release else "torch"


def _newest_for_nvcc(evidence: Evidence) -> str | None:
    toolkit = parse_numeric_version(evidence.first("cuda.toolkit"))
    return newest_capability(toolkit) if toolkit else None


NAME_PLACEHOLDERS: dict[str, Callable[[Evidence], str | None]] = {
    "gcc": _from_the_sign,
    "library": _from_the_sign,
    "image": _image,
    "package": _package,
    "package_pin": _package_pin,
    "hsa_override": _hsa_override,
    "driver_branch": _driver_branch,
    "driver_cuda": _driver_cuda,
    "python_minor": _python_minor,
    "wheel_python": _wheel_python,
    "asked": _asked,
    "newest_for_nvcc": _newest_for_nvcc,
}
