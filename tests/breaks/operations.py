"""The ways to break an environment: one function for each `op` of the table, the same for stand-ins and real ones.

No file is written in place: a real environment is a copy by hard links.
"""

from __future__ import annotations

import csv
import fnmatch
import io
import json
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.binaries import make_elf
from tests.breaks.standin import Package, named, packages_of, put_package, write_new

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.breaks.place import Place

__all__ = ["OPERATIONS", "break_place"]


def break_place(place: Place, steps: list[dict[str, Any]]) -> None:
    """Do every step."""
    for step in steps:
        values = {name: value for name, value in step.items() if name != "op"}
        OPERATIONS[step["op"]](place, **values)


def _infos(site: Path, pattern: str) -> list[Path]:
    """The metadata of the packages whose name fits."""
    found = [
        info
        for info in sorted(site.glob("*.dist-info"))
        if fnmatch.fnmatchcase(
            info.name.rpartition("-")[0].rpartition("-")[0].replace("_", "-").lower(), pattern
        )
    ]
    assert found, f"no package fits {pattern} in {site}"
    return found


def _recorded(info: Path) -> list[str]:
    return [row[0] for row in csv.reader(io.StringIO((info / "RECORD").read_text("utf-8"))) if row]


def _paths(place: Place, pattern: str) -> list[Path]:
    found = sorted(path for path in place.site.glob(pattern) if not path.is_dir())
    assert found, f"no file fits {pattern} in {place.site}"
    return found


def remove_package(place: Place, name: str) -> None:
    """As pip removes it: each file of its list, whoever else has it, and folders that are empty then."""
    for info in _infos(place.site, name):
        for file in _recorded(info):
            path = place.site / file
            path.unlink(missing_ok=True)
            if not file.startswith("..") and "__pycache__" not in file:
                shutil.rmtree(path.parent / "__pycache__", ignore_errors=True)
                _remove_empty(path.parent, place.site)
        shutil.rmtree(info, ignore_errors=True)


def _remove_empty(folder: Path, top: Path) -> None:
    while folder != top and folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()
        folder = folder.parent


def remove_metadata(place: Place, name: str) -> None:
    """The dist-info alone."""
    for info in _infos(place.site, name):
        shutil.rmtree(info)


def empty_metadata(place: Place, name: str, file: str) -> None:
    """A file of the dist-info, of no length."""
    for info in _infos(place.site, name):
        write_new(info / file, b"")


def duplicate_metadata(place: Place, name: str, version: str) -> None:
    """The dist-info of another version of the package beside its own, as an interrupted update leaves it."""
    (info,) = _infos(place.site, name)
    other = place.site / f"{info.name.rpartition('-')[0].rpartition('-')[0]}-{version}.dist-info"
    shutil.copytree(info, other)
    _say_version(other, version)


def relabel(place: Place, name: str, version: str, torch: str = "") -> None:
    """Another version of the package by all that it says of itself, with the torch it requires; its libraries stay."""
    for info in _infos(place.site, name):
        project = info.name.rpartition("-")[0].rpartition("-")[0]
        other = place.site / f"{project}-{version}.dist-info"
        info.rename(other)
        _say_version(other, version)
        if torch:
            lines = (other / "METADATA").read_text("utf-8").splitlines()
            said = [line for line in lines if not re.match(r"Requires-Dist: torch[^\w-]", line)]
            said.insert(3, f"Requires-Dist: torch (=={torch})")
            write_new(other / "METADATA", ("\n".join(said) + "\n").encode())
        record = (other / "RECORD").read_text("utf-8").replace(f"{info.name}/", f"{other.name}/")
        own = place.site / project / "version.py"
        if own.exists() and project in ("torch", "torchvision", "torchaudio"):
            local = "" if "+" in version else own.read_text("utf-8").partition("+")[2].partition("'")[0]
            said = f"{version}+{local}" if local else version
            write_new(own, own.read_text("utf-8").replace(_said(own), said).encode())
        # The sizes and hashes of what was rewritten are those of the other version, which nobody has here.
        rows = [
            ",".join((row.split(",")[0], "", ""))
            if row.split(",")[0].endswith(("/METADATA", "/version.py"))
            else row
            for row in record.splitlines()
        ]
        write_new(other / "RECORD", ("\n".join(rows) + "\n").encode())


def _said(version_file: Path) -> str:
    return version_file.read_text("utf-8").partition("__version__ = '")[2].partition("'")[0]


def _say_version(info: Path, version: str) -> None:
    lines = (info / "METADATA").read_text("utf-8").splitlines()
    at = next(at for at, line in enumerate(lines) if line.startswith("Version:"))
    lines[at] = f"Version: {version}"
    write_new(info / "METADATA", ("\n".join(lines) + "\n").encode())


def remove_file(place: Place, path: str) -> None:
    """Every file that fits."""
    for file in _paths(place, path):
        file.unlink()


def cut_file(place: Place, path: str, bytes: int) -> None:  # noqa: A002  (the word of the table)
    """The beginning is left, as of a copy that was interrupted."""
    for file in _paths(place, path):
        with file.open("rb") as opened:
            kept = opened.read(bytes)
        write_new(file, kept)


def write_file(place: Place, path: str, text: str = "", library: bool = False) -> None:
    """A file in the environment, by its path from the environment's own folder; `{site}` is the folder of packages."""
    write_new(
        place.env / path.replace("{site}", str(place.site)),
        make_elf(soname=Path(path).name) if library else text.encode(),
    )


def write_beside(place: Place, path: str, text: str = "", current: bool = False) -> None:
    """A file beside the environment; `current`: its folder is where programs are started."""
    target = place.folder / path
    write_new(target, text.encode())
    if current:
        place.current = target.parent


def set_variable(place: Place, name: str, value: str) -> None:
    """`{folder}` is the folder beside the environment."""
    place.variables[name] = value.replace("{folder}", str(place.folder))


def install(place: Place, name: str, version: str, lacks: list[str] | None = None, text: str = "") -> None:
    """Put another version there without asking what it goes with; the stand-in's libraries lack those symbols."""
    if place.real:
        command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--python", str(place.python),
                   "--no-deps", "--reinstall", f"{name}=={version}"]  # fmt: skip
        subprocess.run(command, check=True, timeout=300)
        return
    (old,) = named(packages_of(place.build), name)
    files = {path: _without(path, content, old, lacks or []) for path, content in old.files.items()}
    if text:
        files[f"{name.replace('-', '_')}.py"] = text.encode()
    remove_package(place, name)
    put_package(place.site, replace(old, version=version, files=files))


def _without(path: str, content: bytes, package: Package, lacks: list[str]) -> bytes:
    if ".so" not in Path(path).name or not lacks:
        return content
    symbols = [name for name in _defined(content) if name not in lacks]
    return make_elf(soname=Path(path).name, needed=("libc.so.6",), defined=tuple(symbols))


def _defined(content: bytes) -> list[str]:
    """Names of NVIDIA's functions in a library of our own making."""
    names = content.split(b"\0")
    return [name.decode() for name in names if name.startswith((b"__nvJitLink", b"nccl"))]


def graft(place: Place, build: str, names: str, overwrite: bool = True) -> None:
    """Packages of another build, over what is there or, without `overwrite`, only where nothing is."""
    if build == "other":
        build = "cu128" if place.build == "cu130" else "cu130"
    if place.real:
        for info in _infos(next(place.real[build].glob("lib/python*/site-packages")), names):
            _graft_real(place, info, overwrite=overwrite)
        return
    for package in named(packages_of(build), names):
        put_package(place.site, package, overwrite=overwrite)


def _graft_real(place: Place, info: Path, *, overwrite: bool) -> None:
    origin = info.parents[3]
    for file in _recorded(info):
        source, target = info.parent / file, place.site / file
        if not source.is_file() or (target.exists() and not overwrite):
            continue
        if file.startswith(".."):
            # A script names the interpreter of its environment.
            write_new(target, source.read_bytes().replace(str(origin).encode(), str(place.env).encode()))
            continue
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)
        target.hardlink_to(source)


def move(place: Place) -> None:
    """The folder of the environment has another name."""
    target = place.env.with_name(f"{place.env.name}-moved")
    place.env.rename(target)
    place.env = target


def lose_home(place: Place) -> None:
    """pyvenv.cfg and the interpreter's link name a Python that is not there any more."""
    for link in (place.env / "bin").iterdir():
        if link.is_symlink() and link.name.startswith("python"):
            link.unlink()
            link.symlink_to("/nowhere/python/bin/python3")
    settings = place.env / "pyvenv.cfg"
    lines = settings.read_text("utf-8").splitlines()
    kept = ["home = /nowhere/python/bin" if line.startswith("home") else line for line in lines]
    write_new(settings, ("\n".join(kept) + "\n").encode())


def kernel(place: Place, python: str, where: str, name: str = "project") -> None:
    """A kernel of Jupyter that runs this interpreter, in the environment or among the user's own."""
    places = {
        "environment": place.env / "share" / "jupyter",
        "user": place.folder / "home/.local/share/jupyter",
    }
    spec = {
        "argv": [python, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": name, "language": "python",
    }  # fmt: skip
    write_new(places[where] / "kernels" / name / "kernel.json", json.dumps(spec).encode())


def conda(place: Place, name: str, version: str, build: str) -> None:
    """What conda writes down of a package."""
    document = {"name": name, "version": version, "build": build, "channel": "conda-forge", "depends": []}
    write_new(place.env / "conda-meta" / f"{name}-{version}-{build}.json", json.dumps(document).encode())


def limit_address_space(place: Place, mib: int) -> None:
    """`ulimit -v`."""
    place.address_space_mib = mib


def nothing(_place: Place) -> None:
    """The environment stays as it is."""


def _operations() -> Iterator[tuple[str, Callable[..., None]]]:
    for function in (
        remove_package, remove_metadata, empty_metadata, duplicate_metadata, relabel, remove_file, cut_file,
        write_file, write_beside, set_variable, install, graft, move, lose_home, kernel, conda, limit_address_space,
        nothing,
    ):  # fmt: skip
        yield function.__name__.replace("_", "-"), function


OPERATIONS: dict[str, Callable[..., None]] = dict(_operations())
