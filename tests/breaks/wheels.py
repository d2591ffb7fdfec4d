"""The stand-ins' packages as wheels on an index, for repairs."""

from __future__ import annotations

import io
import zipfile
from typing import TYPE_CHECKING

from tests.breaks.standin import Package, captured, files_of, packages_of

if TYPE_CHECKING:
    from tests.loopback import LoopbackIndex

__all__ = ["serve_build", "wheel_of"]

_OF_PYTORCH = ("torch", "torchvision", "torchaudio", "triton")


def wheel_of(package: Package) -> tuple[str, bytes]:
    """The file name and the bytes of a wheel with what the package installs."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in files_of(package, installed=False).items():
            entry = zipfile.ZipInfo(path)
            entry.external_attr = (0o100755 if "/bin/" in path else 0o100644) << 16
            archive.writestr(entry, content)
    name = package.info.removesuffix(".dist-info")
    return f"{name}-{_tag(package)}.whl", made.getvalue()


def _tag(package: Package) -> str:
    """The tags of a wheel's name: several platforms are joined by dots."""
    python, abi, _ = package.tags[0].split("-", 2)
    platforms = ".".join(dict.fromkeys(tag.split("-", 2)[2] for tag in package.tags))
    pythons = ".".join(dict.fromkeys(tag.split("-", 2)[0] for tag in package.tags))
    return f"{pythons or python}-{abi}-{platforms}"


def serve_build(index: LoopbackIndex, build: str) -> None:
    """List every package of a build as PyPI and PyTorch's index list it."""
    local = captured(build)["built"].partition("+")[2]
    for package in packages_of(build):
        name, content = wheel_of(package)
        project = package.name.lower().replace("_", "-")
        index.add(f"/simple/{project}/", name, content)
        if package.name in _OF_PYTORCH:
            index.add(f"/whl/{local}/{project}/", name, content)
