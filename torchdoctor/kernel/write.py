"""Writes a kernel spec atomically, and removes one."""

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

from torchdoctor.core.fs.own_files import is_own
from torchdoctor.core.i18n import message
from torchdoctor.errors import KernelFailed
from torchdoctor.kernel.spec import read_spec_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["LOGOS", "StagedSpec", "refuse_unwritable_destination", "remove_spec", "staging_spec"]

# The names that Jupyter's front ends look for.
LOGOS = ("logo-32x32.png", "logo-64x64.png", "logo-svg.svg")

_LOGO_DIR = Path(__file__).with_name("logo")
_MAX_RUN_SECONDS = 24 * 3600.0
_FIX = message(
    "check that this user can write there, or register it elsewhere with --sys-prefix or --prefix DIR, or set "
    "JUPYTER_DATA_DIR"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class StagedSpec:
    """A spec that is being written in `folder`, where Jupyter does not look, for `destination`."""

    folder: Path
    destination: Path

    def write(self, document: Mapping[str, Any], *, logos: bool = True) -> None:
        """Write kernel.json, and replace ipykernel's logos by ours."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in LOGOS if logos else ():
            shutil.copyfile(_LOGO_DIR / name, self.folder / name)
        text = json.dumps(document, indent=1, ensure_ascii=False)
        (self.folder / "kernel.json").write_text(text + "\n", "utf-8")

    def put(self) -> None:
        """Move the spec to its destination with one rename, or replace the files of a spec that is there.

        Of an existing spec kernel.json is replaced last; a broken one is kept as kernel.json.broken, and files that are
        not ours stay. Raises `KernelFailed`.
        """
        with _os_errors_as_kernel_failed(self.destination):
            if self.destination.is_symlink():
                self.destination.unlink()
            if not self.destination.exists():
                self.folder.rename(self.destination)
                return
            old = self.destination / "kernel.json"
            if old.exists() and not _is_json(old):
                shutil.copyfile(old, _unused_path(self.destination, "kernel.json.broken"))
            for path in sorted(self.folder.iterdir(), key=lambda path: path.name == "kernel.json"):
                path.replace(self.destination / path.name)


@contextlib.contextmanager
def staging_spec(destination: Path) -> Iterator[StagedSpec]:
    """Give a temporary folder for the spec of `destination`; it is removed at the end.

    Raises `KernelFailed` when nothing can be written next to the destination.
    """
    with _os_errors_as_kernel_failed(destination):
        destination.parent.mkdir(parents=True, exist_ok=True)
        _remove_leftovers(destination.parent)
        work = tempfile.TemporaryDirectory(
            prefix=".torchdoctor-", dir=destination.parent, ignore_cleanup_errors=True
        )
    with work as folder:
        yield StagedSpec(
            folder=Path(folder) / "share" / "jupyter" / "kernels" / destination.name, destination=destination
        )


def refuse_unwritable_destination(destination: Path) -> None:
    """Raise `KernelFailed` when a spec cannot be written there, before anything else is done for it."""
    place = destination
    with _os_errors_as_kernel_failed(destination):
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


def remove_spec(folder: Path) -> None:
    """Remove a spec: one rename, then its files; of a link only the link. Raises `KernelFailed`."""
    with _os_errors_as_kernel_failed(folder):
        if folder.is_symlink():
            folder.unlink()
            return
        with tempfile.TemporaryDirectory(
            prefix=".torchdoctor-", dir=folder.parent, ignore_cleanup_errors=True
        ) as work:
            folder.rename(Path(work) / "removed")


@contextlib.contextmanager
def _os_errors_as_kernel_failed(destination: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise KernelFailed(
            message("{place} cannot be changed: {why}", place=destination, why=error.strerror or error),
            fix=_FIX,
            code="kernel-folder",
        ) from error


def _remove_leftovers(kernels: Path) -> None:
    """Remove what killed runs left: no run takes a day. Another run may be doing the same."""
    for leftover in kernels.glob(".torchdoctor-*"):
        with contextlib.suppress(FileNotFoundError):
            if is_own(leftover) and leftover.lstat().st_mtime < time.time() - _MAX_RUN_SECONDS:
                shutil.rmtree(leftover, ignore_errors=True)


def _is_json(path: Path) -> bool:
    try:
        return isinstance(json.loads(read_spec_text(path)), dict)
    except (OSError, ValueError, RecursionError):
        return False


def _unused_path(folder: Path, name: str) -> Path:
    count = 0
    while (path := folder / (f"{name}-{count}" if count else name)).exists():
        count += 1
    return path
