"""Changes an environment that cannot be put aside, such as conda's, with everything kept that undoes it."""

from __future__ import annotations

import csv
import json
import os
import shutil
import zipfile
from configparser import ConfigParser
from configparser import Error as ConfigError
from pathlib import Path
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_name

from torchdoctor.core.fs.swap import sync_filesystem
from torchdoctor.core.i18n.messages import message
from torchdoctor.errors import InstallFailed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from torchdoctor.fetch.wheelhouse import Wheelhouse

__all__ = ["FOLDER", "begin", "end", "undo"]

FOLDER = ".torchdoctor-undo"
_JOURNAL = "journal.json"


def begin(folder: Path, wheelhouse: Wheelhouse) -> None:
    """Keep (as hard links) every file of the packages that are about to be replaced, and write down what will be new.

    From the moment the journal is there, `undo` brings the environment back to what it is now.
    """
    kept = folder / FOLDER
    shutil.rmtree(kept, ignore_errors=True)
    (kept / "files").mkdir(parents=True)
    site = _site_packages(folder)
    names = {row.wheel.name for row in wheelhouse.wheels}
    old = sorted({path for info in _infos(site, names) for path in _recorded(folder, site, info)})
    for path in old:
        target = kept / "files" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        _link(folder / path, target)
    fresh = sorted(
        {
            path
            for row in wheelhouse.wheels
            for path in _unpacked(folder, site, row.path)
            if not os.path.lexists(folder / path)
        }
    )
    journal = kept / f"{_JOURNAL}.new"
    journal.write_text(json.dumps({"schema": 1, "old": old, "fresh": fresh}), "utf-8")
    sync_filesystem(folder)
    journal.replace(kept / _JOURNAL)
    sync_filesystem(folder)


def end(folder: Path) -> None:
    """The change is done: what would undo it goes."""
    sync_filesystem(folder)
    (folder / FOLDER / _JOURNAL).unlink()
    shutil.rmtree(folder / FOLDER, ignore_errors=True)


def undo(folder: Path) -> bool:
    """Bring back what `begin` kept, where a change was begun and did not come to its end; whether there was one.

    May be stopped and run again at any point.
    """
    kept = folder / FOLDER
    if not kept.is_dir():
        return False
    journal = _journal(folder, kept / _JOURNAL)
    if journal is not None:
        _drop_half_compiled(folder, [*journal["fresh"], *journal["old"]])
        for name in journal["fresh"]:
            _remove(folder, name)
        for name in journal["old"]:
            source, target = kept / "files" / name, folder / name
            target.parent.mkdir(parents=True, exist_ok=True)
            beside = target.with_name(f".{target.name[:200]}.torchdoctor")
            beside.unlink(missing_ok=True)
            _link(source, beside)
            # A rename onto another name of the same file does nothing, and leaves both.
            beside.replace(target)
            beside.unlink(missing_ok=True)
        sync_filesystem(folder)
        (kept / _JOURNAL).unlink()
    shutil.rmtree(kept, ignore_errors=True)
    return journal is not None


def _journal(folder: Path, path: Path) -> dict[str, list[str]] | None:
    try:
        document: Any = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return None
    rows = [name for key in ("old", "fresh") for name in document[key]]
    inside = folder.resolve()
    if not all((folder / name).parent.resolve().is_relative_to(inside) for name in rows):
        raise InstallFailed(
            message("{path} names files outside of its environment, so nothing is undone by it", path=path),
            fix=message("look at it, and remove the folder {parent}", parent=path.parent),
            code="bad-journal",
        )
    return {"old": document["old"], "fresh": document["fresh"]}


def _site_packages(folder: Path) -> Path:
    places = [folder / "Lib" / "site-packages", *sorted(folder.glob("lib/python3*/site-packages"))]
    found = [place for place in places if place.is_dir()]
    if len(found) != 1:
        raise InstallFailed(
            message("{folder} has {count} folders of packages, and not one", folder=folder, count=len(found)),
            fix=message("name another environment: torchdoctor install ENV"),
        )
    return found[0]


def _infos(site: Path, names: Iterable[str]) -> Iterator[Path]:
    wanted = set(names)
    for info in sorted(site.glob("*.dist-info")):
        if canonicalize_name(info.name.partition("-")[0]) in wanted:
            yield info


def _recorded(folder: Path, site: Path, info: Path) -> Iterator[str]:
    """The files of an installed package, relative to the environment; those outside of it are not ours."""
    try:
        with (info / "RECORD").open(encoding="utf-8", newline="") as file:
            rows = [row[0] for row in csv.reader(file) if row]
    except OSError:
        rows = []
    own = (str(path.relative_to(site)) for path in info.rglob("*") if path.is_file())
    for name in {*rows, *own}:
        path = Path(os.path.normpath(site / name))
        if path.is_relative_to(folder) and path.is_file():
            yield path.relative_to(folder).as_posix()


def _unpacked(folder: Path, site: Path, wheel: Path) -> Iterator[str]:
    """Where the wheel's files and the commands that it declares will lie, relative to the environment."""
    inside = site.relative_to(folder).as_posix()
    scripts = "Scripts" if (folder / "Scripts").is_dir() else "bin"
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            top, _, rest = name.partition("/")
            if name.endswith("/"):
                continue
            if top.endswith(".data"):
                scheme, _, rest = rest.partition("/")
                place = {"data": rest, "scripts": f"{scripts}/{rest}"}.get(scheme, f"{inside}/{rest}")
                yield place
            else:
                yield f"{inside}/{name}"
            if top.endswith(".dist-info"):
                yield from (f"{inside}/{top}/{more}" for more in ("INSTALLER", "REQUESTED", "uv_cache.json"))
            if name.endswith(".dist-info/entry_points.txt"):
                yield from (f"{scripts}/{made}" for made in _commands(archive.read(name).decode("utf-8")))


def _commands(text: str) -> Iterator[str]:
    parser = ConfigParser(delimiters=("=",), strict=False, interpolation=None)
    parser.optionxform = str  # type: ignore[assignment]
    try:
        parser.read_string(text)
    except ConfigError:
        return
    for group in ("console_scripts", "gui_scripts"):
        for name in parser.options(group) if parser.has_section(group) else ():
            yield from (name, f"{name}.exe")


def _drop_half_compiled(folder: Path, names: Iterable[str]) -> None:
    """Bytecode that was being written: `importlib` gives it a name of its own until it is whole."""
    for parent in {(folder / name).parent for name in names if name.endswith(".py")}:
        for path in (parent / "__pycache__").glob("*.pyc.*"):
            if path.suffix[1:].isdigit():
                path.unlink(missing_ok=True)


def _remove(folder: Path, name: str) -> None:
    path = folder / name
    path.unlink(missing_ok=True)
    if path.suffix == ".py":
        for compiled in (path.parent / "__pycache__").glob(f"{path.stem}.*.pyc"):
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


def _link(source: Path, target: Path) -> None:
    try:
        os.link(source, target, follow_symlinks=False)
    except OSError:
        shutil.copy2(source, target, follow_symlinks=False)
