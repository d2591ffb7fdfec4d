"""A virtual environment that was moved or copied: the files that name its former folder, as they must be here.

Rewritten are the interpreter of each launcher, the folder in the activate scripts, pyvenv.cfg, pip.conf, .pth files,
kernel specs and links, and the rows of RECORD that list them; https://pypi.org/project/virtualenv-clone/ does the same
for most of these.
"""

from __future__ import annotations

import contextlib
import csv
import hashlib
import io
import os
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from torchdoctor.core.fs import atomic_write
from torchdoctor.core.fs.regular_files import read_regular
from torchdoctor.core.i18n import message
from torchdoctor.errors import InstallFailed
from torchdoctor.install.hold.model import HOLD_FILE, PIP_HOLD_FILE, UV_HOLD_FILE
from torchdoctor.install.ownership import restore_owner
from torchdoctor.inventory.files import head
from torchdoctor.inventory.launchers import interpreter_named

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

__all__ = ["Relocation", "apply_relocation", "former_folders", "plan_relocation", "undo_relocation"]

_MAX_BYTES = 1 << 20  # a launcher or a file of settings is far smaller
_MAX_RECORD_BYTES = 32 << 20
_MAX_FILES = 4000
# https://man7.org/linux/man-pages/man2/execve.2.html: before Linux 5.1 a longer first line was cut.
_MAX_LINE_BYTES = 127
# What the shells of the activate scripts take as it is, in quotes or without.
_PLAIN = re.compile(r"[\w./+@%=,:~-]+")
_SETTINGS = ("pyvenv.cfg", "pip.conf", HOLD_FILE, UV_HOLD_FILE, PIP_HOLD_FILE)
_LISTED = (".pth", ".egg-link", "__editable__", "direct_url.json")  # of these files in site-packages
_AFTER_FOLDER = r"(?=$|[/\\\s\"':;,)\]])"


@dataclass(frozen=True, kw_only=True, slots=True)
class Relocation:
    """What has to change so that the environment at `folder` names its `former` folders no more."""

    folder: Path
    former: tuple[str, ...]
    files: tuple[tuple[Path, bytes], ...]  # each with its new content
    links: tuple[tuple[Path, str], ...] = ()  # each with its new target

    @property
    def count(self) -> int:
        """How many files and links change."""
        return len(self.files) + len(self.links)


def former_folders(folder: Path) -> tuple[str, ...]:
    """Return the folders that the launchers and activate scripts of the environment take for their own.

    A folder that is there and is no virtual environment, such as /usr, is none of them.
    """
    found: dict[str, None] = {}
    for path in _scripts(folder):
        text = _text_of(path) or ""
        if (named := interpreter_named(text)) is not None:
            found[str(Path(named).parent.parent)] = None
        if path.name == "activate" and (
            match := re.search(r"(?m)^[ \t]*VIRTUAL_ENV=['\"]?(/[^'\"\n]+)", text)
        ):
            found[match[1]] = None
    here = folder.resolve()
    return tuple(name for name in found if name != "/" and _was_environment(Path(name), here))


def plan_relocation(folder: Path, site_packages: Sequence[Path]) -> Relocation:
    """Return what has to change; nothing where no file names another folder as its own.

    Raises `InstallFailed` where a shell would not take the folder's path as it is.
    """
    former = former_folders(folder)
    if former and not _PLAIN.fullmatch(str(folder)):
        raise InstallFailed(
            message(
                "the scripts in {folder} cannot name it: its path has a sign that shells read", folder=folder
            ),
            fix=message("move it to a folder whose path has letters, digits and `-_./` alone, and try again"),
            code="moved",
        )
    files: dict[Path, bytes] = {}
    for path in _candidates(folder, site_packages) if former else ():
        text = _text_of(path)
        new = _rewritten(path, text, former, folder) if text is not None else None
        if new is not None and new != text:
            files[path] = new.encode("utf-8")
    for site in site_packages if files else ():
        files |= dict(_records(site, files))
    links = tuple(_links(folder, former))
    return Relocation(folder=folder, former=former, files=tuple(files.items()), links=links)


def apply_relocation(relocation: Relocation) -> list[tuple[Path, bytes | str, int]]:
    """Write the files and links, and return what they were; raises `OSError` with all as it was before."""
    before: list[tuple[Path, bytes | str, int]] = []
    try:
        for path, content in relocation.files:
            mode = path.stat().st_mode & 0o7777
            before.append((path, read_regular(path, limit=_MAX_RECORD_BYTES), mode))
            _write(path, content, mode)
        for path, target in relocation.links:
            before.append((path, str(path.readlink()), 0))
            _link(path, target)
        restore_owner(relocation.folder, relocation.folder)
    except BaseException:
        undo_relocation(before)
        raise
    return before


def undo_relocation(before: Iterable[tuple[Path, bytes | str, int]]) -> None:
    """Put back what `apply_relocation` returned."""
    for path, content, mode in before:
        if isinstance(content, str):
            _link(path, content)
        else:
            _write(path, content, mode)


def _write(path: Path, content: bytes, mode: int) -> None:
    # A new file, which replaces the old one in one step: a hard link of it elsewhere keeps its content.
    atomic_write(path, content)
    path.chmod(mode)


def _link(path: Path, target: str) -> None:
    part = path.with_name(f".{path.name}.torchdoctor")
    with contextlib.suppress(FileNotFoundError):
        part.unlink()
    part.symlink_to(target)
    part.replace(path)


def _was_environment(former: Path, here: Path) -> bool:
    """Whether it is gone, or an environment other than the one that is here; a home folder is often a link."""
    try:
        return former.resolve() != here and (not former.exists() or (former / "pyvenv.cfg").is_file())
    except (OSError, RuntimeError):
        return False


def _text_of(path: Path, limit: int = _MAX_BYTES) -> str | None:
    """Return the whole text of a file of the environment; None of a link, and of what is larger or no UTF-8."""
    if path.is_symlink() or not path.is_file():
        return None
    raw = head(str(path), limit + 1)
    try:
        return raw.decode("utf-8") if raw is not None and len(raw) <= limit else None
    except UnicodeDecodeError:
        return None


def _scripts(folder: Path) -> Iterator[Path]:
    with contextlib.suppress(OSError):
        for path in sorted((folder / "bin").iterdir())[:_MAX_FILES]:
            if path.is_file() and not path.is_symlink():
                yield path


def _candidates(folder: Path, site_packages: Iterable[Path]) -> Iterator[Path]:
    """The files of an environment that may name its folder."""
    yield from _scripts(folder)
    yield from (folder / name for name in _SETTINGS)
    yield from sorted(folder.glob("share/jupyter/kernels/*/kernel.json"))[:_MAX_FILES]
    for site in site_packages:
        for pattern in ("*.pth", "*.egg-link", "__editable__*.py", "*.dist-info/direct_url.json"):
            yield from sorted(site.glob(pattern))[:_MAX_FILES]


def _rewritten(path: Path, text: str, former: Sequence[str], folder: Path) -> str | None:
    """Return the text as it must be here; None where the file is of a kind that is left alone."""
    if path.parent.name == "bin" and not path.name.lower().startswith("activate"):
        return _with_interpreter(text, former, folder)
    return _with_folder(text, former, str(folder))


def _with_folder(text: str, former: Sequence[str], folder: str) -> str:
    for name in former:
        text = re.sub(rf"(?<![\w.-]){re.escape(name)}{_AFTER_FOLDER}", lambda _: folder, text)
    return text


def _with_interpreter(text: str, former: Sequence[str], folder: Path) -> str | None:
    """Return a launcher that starts this environment's interpreter; its code stays as it is."""
    named = interpreter_named(text)
    if named is None or str(Path(named).parent.parent) not in former:
        return None
    lines = text.split("\n")
    start = 3 if lines[0] == "#!/bin/sh" else 1
    options = re.search(r"python[\d.]*((?:\s+-\w+)*)\s*$", lines[0]) if start == 1 else None
    interpreter = f"{folder}/bin/{Path(named).name}"
    line = f"#!{interpreter}{options[1] if options else ''}"
    if len(os.fsencode(line)) > _MAX_LINE_BYTES:
        head = ["#!/bin/sh", f'\'\'\'exec\' "{interpreter}" "$0" "$@"', "' '''"]
    else:
        head = [line]
    return "\n".join((*head, *lines[start:]))


def _links(folder: Path, former: Sequence[str]) -> Iterator[tuple[Path, str]]:
    for path in sorted((*folder.glob("bin/*"), *folder.glob("lib*"), folder / "pip.conf")):
        if path.is_symlink():
            target = str(path.readlink())
            new = _with_folder(target, former, str(folder))
            if new != target:
                yield path, new


def _records(site: Path, files: Mapping[Path, bytes]) -> Iterator[tuple[Path, bytes]]:
    """Each RECORD that lists one of the files, with its new hash and size."""
    written = {os.path.normpath(path): content for path, content in files.items()}
    for record in sorted(site.glob("*.dist-info/RECORD")):
        lines = (_text_of(record, _MAX_RECORD_BYTES) or "").split("\n")
        new = [_row_of(line, site, written) for line in lines]
        if new != lines:
            yield record, "\n".join(new).encode("utf-8")


def _row_of(line: str, site: Path, written: Mapping[str, bytes]) -> str:
    """Return the row of RECORD, of a file that was written with its new hash and size."""
    if not line.startswith(("..", '"..')) and not any(name in line for name in _LISTED):
        return line
    path = next(csv.reader([line]), [""])[0]
    content = written.get(os.path.normpath(site / path)) if path else None
    return line if content is None else _row(path, content)


def _row(path: str, content: bytes) -> str:
    digest = urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    out = io.StringIO()
    csv.writer(out, lineterminator="").writerow((path, f"sha256={digest}", len(content)))
    return out.getvalue()
