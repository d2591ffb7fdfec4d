"""Stand-ins of real builds: their packages with real metadata, names, requirements and headers, and next to no bytes.

The loader of Linux loads their libraries, and says of one that is missing, cut short or of another version what it
says of the real one. What they were made from is in `builds/`, captured by tools/capture_build.py.
"""

from __future__ import annotations

import base64
import fnmatch
import functools
import hashlib
import json
import os
import platform
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from tests.binaries import make_elf

__all__ = [
    "BUILDS",
    "Package",
    "captured",
    "copy_by_links",
    "files_of",
    "make_standin",
    "packages_of",
    "put_package",
    "write_new",
]

BUILDS = ("cu130", "cu128", "cpu")
_HERE = Path(__file__).parent
_CAPTURED_ABI, _ABI = "cp311", f"cp{sys.version_info[0]}{sys.version_info[1]}"
# A gigabyte becomes 256 KB in the file; of the address space a library takes what the real one takes.
_SCALE_BITS = 12
_ASKED_FOR = ("torch", "torchvision", "torchaudio")
_SCRIPTS = ("pip", "torchrun")


@dataclass(frozen=True, kw_only=True)
class Package:
    """One package as it is installed: `files` by their path in the folder of packages."""

    name: str
    version: str
    requires: tuple[str, ...]
    tags: tuple[str, ...]
    files: dict[str, bytes]

    @property
    def info(self) -> str:
        """The name of the folder of its metadata."""
        return f"{self.name.replace('-', '_').lower()}-{self.version}.dist-info"


@functools.cache
def captured(build: str) -> dict[str, Any]:
    """What was captured of the real build."""
    document: dict[str, Any] = json.loads((_HERE / "builds" / f"{build}.json").read_text("utf-8"))
    return document


@functools.cache
def packages_of(build: str) -> tuple[Package, ...]:
    """The packages of a build, made for this Python."""
    document = captured(build)
    return tuple(_package(name, facts, document) for name, facts in document["packages"].items())


def _package(name: str, facts: dict[str, Any], build: dict[str, Any]) -> Package:
    files = {}
    for captured_path, about in facts["files"].items():
        path = captured_path.replace("cpython-311", f"cpython-{_ABI[2:]}")
        text = _text(path) if about["bytes"] else b""
        files[path] = _library(about) if "elf" in about else text
    files.update(_modules(name, facts, build))
    tags = tuple(tag.replace(_CAPTURED_ABI, _ABI) for tag in facts["tags"])
    return Package(
        name=name, version=facts["version"], requires=tuple(facts["requires"]), tags=tags, files=files
    )


def _text(path: str) -> bytes:
    """A program ends well whatever it is asked; another file holds its own name."""
    return f"#!/bin/sh\n# {path}\n".encode() if "/bin/" in path else f"# {path}\n".encode()


def _library(about: dict[str, Any]) -> bytes:
    elf = dict(about["elf"])
    mine = [name for name in elf.pop("needed", ()) if not name.startswith(("libcuda.so", "libnvidia"))]
    more = {key: tuple(value) if isinstance(value, list) else value for key, value in elf.items()}
    # The compiler's own libraries are left out: not every machine has them where a plain loader looks.
    kept = tuple(name for name in mine if name.startswith(_LOADED))
    size = about["bytes"]
    return make_elf(needed=kept, padding=bytes(size >> _SCALE_BITS), reserved=size & ~0xFFF, **more)


_LOADED = ("libtorch", "libc10", "libshm", "libcu", "libnv", "libnccl", "libstdc++", "libc.so", "libgomp")


def _modules(name: str, facts: dict[str, Any], build: dict[str, Any]) -> dict[str, bytes]:
    """The modules that are imported, beside those that are only there."""
    contents = json.loads((_HERE / "modules" / "contents.json").read_text("utf-8"))
    top = name.replace("-", "_").lower()
    found = {
        path: text for path, text in contents.items() if path == f"{top}.py" or path.startswith(f"{top}/")
    }
    local = build["built"].partition("+")[2]
    cuda = f"{local[2:-1]}.{local[-1]}" if local.startswith("cu") else None
    built = facts["version"].partition("+")[0] + (f"+{local}" if local else "")
    if name == "torch":
        found["torch/__init__.py"] = (_HERE / "modules" / "torch.py").read_text("utf-8")
        found["torch/version.py"] = (
            f"__version__ = '{built}'\ndebug = False\ncuda = {cuda!r}\nhip = None\nxpu = None\n"
        )
    elif name in _ASKED_FOR:
        library = next((path for path in facts["files"] if path.startswith(f"{name}/") and ".so" in path), "")
        text = (_HERE / "modules" / "companion.py").read_text("utf-8")
        text = text.replace("{torch}", build["packages"]["torch"]["version"].partition("+")[0])
        found[f"{name}/__init__.py"] = text.replace("{library}", library.partition("/")[2])
        found[f"{name}/version.py"] = f"__version__ = '{built}'\n"
    return {path: text.encode() for path, text in found.items()}


def make_standin(build: str, env: Path) -> Path:
    """Make a virtual environment of this Python with the stand-in of `build`."""
    base = Path(getattr(sys, "_base_executable", sys.executable)).resolve()
    site = env / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    site.mkdir(parents=True)
    (env / "bin").mkdir()
    for name in ("python", "python3"):
        (env / "bin" / name).symlink_to(base)
    for name in _SCRIPTS:
        (env / "bin" / name).write_text(f"#!{env}/bin/python\nimport sys\n")
        (env / "bin" / name).chmod(0o755)
    (env / "pyvenv.cfg").write_text(
        f"home = {base.parent}\ninclude-system-site-packages = false\nversion = {platform.python_version()}\n"
    )
    for package in packages_of(build):
        put_package(site, package)
    return env


def files_of(package: Package, *, installed: bool = True) -> dict[str, bytes]:
    """Each file of a package, with what is written down of it; `installed`: with what pip adds to that."""
    requires = "".join(f"Requires-Dist: {line}\n" for line in package.requires)
    extras = sorted({line.split("extra ==")[1].split("'\"")[0].strip(" '\")") for line in package.requires
                     if "extra ==" in line})  # fmt: skip
    provided = "".join(f"Provides-Extra: {extra}\n" for extra in extras)
    info = package.info
    files = {
        **package.files,
        f"{info}/METADATA": (
            f"Metadata-Version: 2.1\nName: {package.name}\nVersion: {package.version}\n{provided}{requires}\nText\n"
        ).encode(),
        f"{info}/WHEEL": (
            "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: false\n"
            + "".join(f"Tag: {tag}\n" for tag in package.tags)
        ).encode(),
        **({f"{info}/INSTALLER": b"pip\n"} if installed else {}),
        **({f"{info}/REQUESTED": b""} if installed and package.name in _ASKED_FOR else {}),
    }
    rows = []
    for path, content in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        rows.append(f"{path},sha256={digest},{len(content)}")
    return {**files, f"{info}/RECORD": "\n".join([*rows, f"{info}/RECORD,,", ""]).encode()}


def put_package(site: Path, package: Package, *, overwrite: bool = True) -> None:
    """Put a package there as pip does, with what pip writes down of it."""
    for path, content in files_of(package).items():
        if overwrite or not (site / path).exists() or path.endswith("/RECORD"):
            write_new(site / path, content)


def write_new(path: Path, content: bytes) -> None:
    """Write a file anew: in a copy by hard links, writing in place would write into the original too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    path.write_bytes(content)
    if "/bin/" in str(path):
        path.chmod(0o755)


def copy_by_links(original: Path, target: Path) -> Path:
    """Copy an environment by hard links; its scripts name the copy's own interpreter."""
    shutil.copytree(
        original,
        target,
        symlinks=True,
        copy_function=lambda one, two: os.link(one, two, follow_symlinks=False),
    )
    for script in (target / "bin").iterdir():
        if script.is_file() and not script.is_symlink():
            content = script.read_bytes()
            if str(original).encode() in content:
                write_new(script, content.replace(str(original).encode(), str(target).encode()))
    return target


def named(packages: tuple[Package, ...], pattern: str) -> list[Package]:
    """The packages whose name fits a pattern of the shell."""
    return [package for package in packages if fnmatch.fnmatchcase(canonicalize_name(package.name), pattern)]
