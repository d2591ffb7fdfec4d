"""Puts a kernel spec in its place, whole or not at all, and takes one away."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from torchdoctor.core.i18n.messages import message
from torchdoctor.errors import KernelFailed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["LOGOS", "Stage", "check_writable", "remove_folder", "staged"]

# The names that Jupyter's front ends look for.
LOGOS = ("logo-32x32.png", "logo-64x64.png", "logo-svg.svg")

_LOGO_FOLDER = Path(__file__).with_name("logo")
_FIX = message(
    "check that this user can write there, or register it elsewhere with --sys-prefix or --prefix DIR, or set "
    "JUPYTER_DATA_DIR"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Stage:
    """A spec being made in `folder`, beside its place, where Jupyter does not look."""

    folder: Path
    destination: Path

    def write(self, document: Mapping[str, Any], *, logos: bool = True) -> None:
        """Write the kernel.json, and our logos over ipykernel's."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in LOGOS if logos else ():
            shutil.copyfile(_LOGO_FOLDER / name, self.folder / name)
        text = json.dumps(document, indent=1, ensure_ascii=False)
        (self.folder / "kernel.json").write_text(text + "\n", "utf-8")

    def put(self) -> None:
        """Bring it to its place with one rename; a spec that is there is never gone meanwhile.

        There, kernel.json is the last file to be replaced; a broken one is kept as kernel.json.broken, and files
        that are not ours stay.
        """
        with _named_failures(self.destination):
            if self.destination.is_symlink():
                self.destination.unlink()
            if not self.destination.exists():
                self.folder.rename(self.destination)
                return
            old = self.destination / "kernel.json"
            if old.exists() and not _is_json(old):
                shutil.copyfile(old, _free(self.destination, "kernel.json.broken"))
            for path in sorted(self.folder.iterdir(), key=lambda row: row.name == "kernel.json"):
                path.replace(self.destination / path.name)


@contextlib.contextmanager
def staged(destination: Path) -> Iterator[Stage]:
    """A place to make the spec for `destination` in; what was not put is gone at the end.

    Raises `KernelFailed` when nothing can be written beside the destination.
    """
    with _named_failures(destination):
        destination.parent.mkdir(parents=True, exist_ok=True)
        _clear(destination.parent)
        work = tempfile.TemporaryDirectory(
            prefix=".torchdoctor-", dir=destination.parent, ignore_cleanup_errors=True
        )
    with work as folder:
        yield Stage(
            folder=Path(folder) / "share" / "jupyter" / "kernels" / destination.name, destination=destination
        )


def check_writable(destination: Path) -> None:
    """Raise `KernelFailed` when a spec cannot be put there, before anything else is done for it."""
    place = destination
    with _named_failures(destination):
        while not place.exists() and place != place.parent:
            place = place.parent
        if not place.is_dir():
            raise KernelFailed(
                message("{place} is not a folder", place=place), fix=_FIX, code="kernel-folder"
            )
        if not os.access(place, os.W_OK | os.X_OK):
            raise KernelFailed(
                message("{place} cannot be written to", place=place), fix=_FIX, code="kernel-folder"
            )


def remove_folder(folder: Path) -> None:
    """Take a spec away with one rename, then its files; of a link only the link. Raises `KernelFailed`."""
    with _named_failures(folder):
        if folder.is_symlink():
            folder.unlink()
            return
        with tempfile.TemporaryDirectory(
            prefix=".torchdoctor-", dir=folder.parent, ignore_cleanup_errors=True
        ) as work:
            folder.rename(Path(work) / "removed")


@contextlib.contextmanager
def _named_failures(destination: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise KernelFailed(
            message("{place} cannot be changed: {why}", place=destination, why=error.strerror or error),
            fix=_FIX,
            code="kernel-folder",
        ) from error


def _clear(kernels: Path) -> None:
    """Remove what a killed run left; none takes a day."""
    for left in kernels.glob(".torchdoctor-*"):
        if left.stat().st_mtime < time.time() - 24 * 3600:
            shutil.rmtree(left, ignore_errors=True)


def _is_json(path: Path) -> bool:
    try:
        return isinstance(json.loads(path.read_text("utf-8")), dict)
    except (OSError, ValueError, RecursionError):
        return False


def _free(folder: Path, name: str) -> Path:
    count = 0
    while (path := folder / (f"{name}-{count}" if count else name)).exists():
        count += 1
    return path
