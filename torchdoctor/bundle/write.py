"""Writes a bundle: wheels, lock, checksums, and scripts that install them with Python alone."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from typing import TYPE_CHECKING

from torchdoctor.bundle.folder import check_bundle_folder, check_bundle_space
from torchdoctor.bundle.model import CHECKSUMS, DESCRIPTION, SIGNATURE, Bundle
from torchdoctor.bundle.origin import digest_of_sums
from torchdoctor.bundle.signature import sign_file
from torchdoctor.bundle.texts import bundle_texts, description_text
from torchdoctor.core.fs import SHARED_MODE, atomic_write, hold_folder_lock, link_or_copy
from torchdoctor.core.hashing import sha256_of
from torchdoctor.core.i18n import message
from torchdoctor.errors import SourceFailed, TorchdoctorError
from torchdoctor.install.wheels import validate_wheels

if TYPE_CHECKING:
    from pathlib import Path

    from torchdoctor.bundle.signature import SignKey
    from torchdoctor.detect import Machine
    from torchdoctor.fetch import FetchedWheel, Wheelhouse
    from torchdoctor.lock import Lock

__all__ = ["write_bundle"]


def write_bundle(
    folder: Path, lock: Lock, wheelhouse: Wheelhouse, machine: Machine, *, sign_key: SignKey | None = None
) -> Bundle:
    """Write the bundle into `folder`; files that are there and right stay. It is complete once SHA256SUMS is there.

    `sign_key` is a key of OpenSSH, which signs SHA256SUMS.

    Raises `UsageError` for a folder with something else in it, `InstallFailed` for a wheel that may not be unpacked,
    and `SourceFailed` when the folder cannot be written to.
    """
    check_bundle_folder(folder)
    validate_wheels(wheelhouse)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with hold_folder_lock(folder) as held:
            if not held:
                raise SourceFailed(
                    message("another torchdoctor is writing into {folder}", folder=folder),
                    fix=message("wait until it is done"),
                    code="busy",
                )
            check_bundle_space(folder, wheelhouse)
            bundle = _write(folder, lock, wheelhouse, machine)
            return _signed(bundle, sign_key) if sign_key is not None else bundle
    except OSError as error:
        raise SourceFailed(
            message(
                "{folder} could not be written: {why}{where}",
                folder=folder,
                why=error.strerror or error,
                where=f" ({error.filename})" if error.filename else "",
            ),
            fix=message(
                "check that there is space and that the disk takes files of this size, and run the "
                "command again: what was fetched is kept"
            ),
            code="bundle",
        ) from error


def _write(folder: Path, lock: Lock, wheelhouse: Wheelhouse, machine: Machine) -> Bundle:
    for name in (CHECKSUMS, SIGNATURE):
        (folder / name).unlink(missing_ok=True)
    atomic_write(folder / DESCRIPTION, description_text(machine), mode=SHARED_MODE)
    checksums = {fetched.wheel.filename: fetched.sha256 for fetched in wheelhouse.wheels}
    _remove_others(folder, checksums)
    for fetched in wheelhouse.wheels:
        _put_wheel(fetched, folder / fetched.wheel.filename)
    for name, text in bundle_texts(lock, wheelhouse, machine).items():
        atomic_write(folder / name, text, mode=SHARED_MODE)
        checksums[name] = hashlib.sha256(text.encode()).hexdigest()
    checksums[DESCRIPTION] = sha256_of(folder / DESCRIPTION)
    sums = "".join(f"{digest}  {name}\n" for name, digest in sorted(checksums.items()))
    atomic_write(folder / CHECKSUMS, sums, mode=SHARED_MODE)
    if os.name == "posix":
        (folder / "install.sh").chmod(0o755)
    names = (*sorted(checksums), CHECKSUMS)
    size = sum((folder / name).stat().st_size for name in names)
    return Bundle(folder=folder, files=names, size=size, digest=digest_of_sums(sums.encode()))


def _signed(bundle: Bundle, key: SignKey) -> Bundle:
    """Sign the sums; a bundle that could not be signed as asked is not complete."""
    try:
        sign_file(bundle.folder / CHECKSUMS, key)
    except TorchdoctorError:
        (bundle.folder / CHECKSUMS).unlink()
        raise
    size = bundle.size + (bundle.folder / SIGNATURE).stat().st_size
    return replace(bundle, files=(*bundle.files, SIGNATURE), size=size, signed=True)


def _remove_others(folder: Path, checksums: dict[str, str]) -> None:
    """Remove what an older or unfinished bundle has and this one has not."""
    for path in folder.iterdir():
        is_ours = path.suffix in (".whl", ".part") or path.name == "requirements-pip.txt"
        if is_ours and path.name not in checksums:
            path.unlink()


def _put_wheel(fetched: FetchedWheel, target: Path) -> None:
    """Put the complete wheel at `target` in one step: a hard link where possible, else a copy."""
    if target.is_file() and not target.is_symlink() and sha256_of(target) == fetched.sha256:
        return
    part = target.with_name(f"{target.name}.part")
    part.unlink(missing_ok=True)
    link_or_copy(fetched.path, part, follow_symlinks=True)
    part.replace(target)
