"""Changes an environment that cannot be replaced, such as conda's, and keeps everything that is needed to undo that."""

from __future__ import annotations

import glob
import json
import os
import shutil
from typing import TYPE_CHECKING, Any

from torchdoctor.core.fs import link_or_copy, sync_filesystem
from torchdoctor.core.fs.own_files import is_own
from torchdoctor.core.fs.regular_files import read_regular
from torchdoctor.core.i18n import message
from torchdoctor.errors import InstallFailed
from torchdoctor.install.wheel_layout import files_of_installed, files_of_wheel, metadata_folders

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence
    from pathlib import Path

    from torchdoctor.fetch import Wheelhouse

__all__ = ["UNDO_FOLDER", "begin_change", "end_change", "undo_change"]

UNDO_FOLDER = ".torchdoctor-undo"
_JOURNAL = "journal.json"
_MAX_JOURNAL_BYTES = 256 << 20  # a path of each file of an environment


def begin_change(
    folder: Path,
    site_packages: Sequence[Path],
    wheelhouse: Wheelhouse,
    others: Sequence[str] = (),
    removed: Collection[str] = (),
) -> None:
    """Keep every file of the packages that are about to be replaced, and note which files will be new.

    `others` are files below `folder` that may be changed, made or removed as well, `removed` packages that go.
    The files are kept as hard links in the undo folder. Once the journal is there, `undo_change` restores the
    environment. Raises `InstallFailed` when the environment has no package folder of its own.
    """
    if not site_packages:
        raise InstallFailed(
            message("the Python of {folder} keeps its packages elsewhere", folder=folder),
            fix=message("name another environment: torchdoctor install ENV"),
        )
    undo = folder / UNDO_FOLDER
    if undo.is_symlink():
        undo.unlink()
    shutil.rmtree(undo, ignore_errors=True)
    undo.mkdir(mode=0o700)
    (undo / "files").mkdir()
    names = {fetched.wheel.name for fetched in wheelhouse.wheels} | set(removed)
    old = {
        path
        for site in site_packages
        for metadata in metadata_folders(site, names)
        for path in files_of_installed(folder, site, metadata)
    }
    old |= {path for path in others if os.path.lexists(folder / path)}
    for path in old:
        target = undo / "files" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        link_or_copy(folder / path, target)
    new = {
        path
        for site in site_packages
        for fetched in wheelhouse.wheels
        for path in files_of_wheel(folder, site, fetched.path)
        if not os.path.lexists(folder / path)
    }
    new |= set(others) - old
    _write_journal(folder, sorted(old), sorted(new))


def end_change(folder: Path) -> None:
    """The change is complete: remove what would undo it."""
    sync_filesystem(folder)
    (folder / UNDO_FOLDER / _JOURNAL).unlink()
    shutil.rmtree(folder / UNDO_FOLDER, ignore_errors=True)


def undo_change(folder: Path) -> bool:
    """Restore what `begin_change` kept when a change was begun and not completed; return whether there was one.

    One that another user began is his to undo. May be interrupted and run again at any point. Raises `InstallFailed`,
    and changes nothing, when the journal is broken or names files outside of the environment.
    """
    undo = folder / UNDO_FOLDER
    if not undo.is_dir() or undo.is_symlink() or not is_own(undo):
        return False
    journal = _read_journal(folder, undo / _JOURNAL)
    if journal is not None:
        _drop_half_compiled(folder, [*journal["fresh"], *journal["old"]])
        for name in journal["fresh"]:
            _remove(folder, name)
        for name in journal["old"]:
            _restore(undo / "files" / name, folder, name)
        sync_filesystem(folder)
        (undo / _JOURNAL).unlink()
    shutil.rmtree(undo, ignore_errors=True)
    return journal is not None


def _write_journal(folder: Path, old: list[str], new: list[str]) -> None:
    journal = folder / UNDO_FOLDER / _JOURNAL
    unfinished = journal.with_name(f"{_JOURNAL}.new")
    unfinished.write_text(json.dumps({"schema": 1, "old": old, "fresh": new}), "utf-8")
    # The kept files must be on the disk before the journal that relies on them.
    sync_filesystem(folder)
    unfinished.replace(journal)
    sync_filesystem(folder)


def _read_journal(folder: Path, path: Path) -> dict[str, list[str]] | None:
    """Return the journal, or None when the change was interrupted before it was there and nothing was changed."""
    try:
        document: Any = json.loads(read_regular(path, limit=_MAX_JOURNAL_BYTES))
    except FileNotFoundError:
        return None
    except (ValueError, RecursionError) as error:
        raise _broken_journal(folder, path) from error
    if not isinstance(document, dict) or not all(
        _is_list_of_names(document, key) for key in ("old", "fresh")
    ):
        raise _broken_journal(folder, path)
    inside = folder.resolve()
    names = [*document["old"], *document["fresh"]]
    if not all((folder / name).parent.resolve().is_relative_to(inside) for name in names):
        raise _leads_outside(path)
    return {"old": document["old"], "fresh": document["fresh"]}


def _leads_outside(path: Path) -> InstallFailed:
    return InstallFailed(
        message("{path} names files outside of its environment, so nothing is undone by it", path=path),
        fix=message("look at it, and remove the folder {parent}", parent=path.parent),
        code="bad-journal",
    )


def _is_list_of_names(document: dict[str, Any], key: str) -> bool:
    names = document.get(key)
    return isinstance(names, list) and all(isinstance(name, str) and "\0" not in name for name in names)


def _broken_journal(folder: Path, path: Path) -> InstallFailed:
    return InstallFailed(
        message(
            "a change of {folder} was interrupted, and {path}, which is needed to undo it, is damaged",
            folder=folder,
            path=path,
        ),
        fix=message(
            "copy what is in {files} back into {folder}, remove {undo}, and run the command again",
            files=path.with_name("files"),
            folder=folder,
            undo=path.parent,
        ),
        code="bad-journal",
    )


def _restore(source: Path, folder: Path, name: str) -> None:
    """Put a kept file back; a link that was put back before it must not lead it out of the environment."""
    target = folder / name
    inside = folder.resolve()
    if not target.parent.resolve().is_relative_to(inside) or source.parent.resolve() != (
        (folder / UNDO_FOLDER / "files").resolve().joinpath(name).parent
    ):
        raise _leads_outside(folder / UNDO_FOLDER / _JOURNAL)
    if source.is_symlink() and not (target.parent / source.readlink()).resolve().is_relative_to(inside):
        raise _leads_outside(folder / UNDO_FOLDER / _JOURNAL)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f".{target.name[:200]}.torchdoctor")
    temporary.unlink(missing_ok=True)
    link_or_copy(source, temporary)
    # Renaming a hard link onto another name of the same file does nothing and leaves both.
    temporary.replace(target)
    temporary.unlink(missing_ok=True)


def _drop_half_compiled(folder: Path, names: Iterable[str]) -> None:
    """Remove bytecode that was being written: `importlib` appends a number to its name until it is complete."""
    for parent in {(folder / name).parent for name in names if name.endswith(".py")}:
        for path in _bytecode_in(parent, "*.pyc.*"):
            if path.suffix[1:].isdigit():
                path.unlink(missing_ok=True)


def _bytecode_in(parent: Path, pattern: str) -> list[Path]:
    """Return the bytecode beside a module; none where its folder is a link, which leads elsewhere."""
    folder = parent / "__pycache__"
    return [] if folder.is_symlink() else list(folder.glob(pattern))


def _remove(folder: Path, name: str) -> None:
    """Remove a file with its bytecode, and the folders that are empty then."""
    path = folder / name
    path.unlink(missing_ok=True)
    if path.suffix == ".py":
        for compiled in _bytecode_in(path.parent, f"{glob.escape(path.stem)}.*.pyc"):
            compiled.unlink(missing_ok=True)
        _remove_empty(path.parent / "__pycache__")
    parent = path.parent
    while parent not in (folder, folder.parent) and _remove_empty(parent):
        parent = parent.parent


def _remove_empty(folder: Path) -> bool:
    try:
        folder.rmdir()
    except OSError:
        return False
    return True
