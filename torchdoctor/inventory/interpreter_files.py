"""An interpreter, described from its environment's files: nothing of it runs, so nothing of another user does."""

from __future__ import annotations

import os
import platform
import re
import struct
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.core.system.environment_trust import environment_above
from torchdoctor.detect import PythonInfo, describe_python
from torchdoctor.errors import EnvironmentUnusable
from torchdoctor.inventory import files
from torchdoctor.inventory.metadata import parse_pth

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torchdoctor.core.system import System

__all__ = ["look_at_python", "not_run_warning", "read_python"]

_VERSION = re.compile(r"3\.\d{1,2}\.\d{1,3}(?:(?:a|b|rc)\d{1,3})?", re.ASCII)
_PATCHLEVEL = re.compile(r'^#define PY_VERSION\s+"([^"]{1,40})"', re.MULTILINE)
_LIBRARY = re.compile(r"(?:python|pypy)3\.\d{1,2}t?", re.ASCII)
# `_struct.cpython-311-x86_64-linux-gnu.so` of the standard library.
_SOABI = re.compile(r"[\w-]+\.((?:cpython|pypy)\w*-[\w-]{1,60})\.so", re.ASCII)
_MAX_PTH_FILES = 200
# https://refspecs.linuxfoundation.org/elf/gabi4+/ch4.eheader.html
_ELF_MACHINES = {3: "i686", 20: "ppc", 21: "ppc64le", 22: "s390x", 40: "armv7l", 62: "x86_64", 183: "aarch64"}
_ELF_MACHINES |= {243: "riscv64", 258: "loongarch64"}


def look_at_python(system: System, executable: Path) -> PythonInfo:
    """Describe an interpreter without running anything of an environment, but for the one that runs us.

    Raises `EnvironmentUnusable` where there is none, or its files do not say what it is.
    """
    folder = environment_above(executable)
    if folder is None or os.path.realpath(folder) == os.path.realpath(sys.prefix):
        return describe_python(system, executable)
    return read_python(executable, system.environ)


def not_run_warning(python: Path, reason: str) -> str:
    """Return what is said where an interpreter is read that would have been run."""
    return message(
        "{python} is not run, and torch not imported: {reason}; --trust-env runs it all the same",
        python=python,
        reason=reason,
    )


def read_python(executable: Path, environ: Mapping[str, str]) -> PythonInfo:
    """Return what the files of an environment, or of an installation, say of its interpreter at this path.

    Raises `EnvironmentUnusable` where they do not say its version.
    """
    folder = (
        executable.parent if files.exists(f"{executable.parent}/conda-meta") else executable.parent.parent
    )
    if files.exists(f"{executable.parent}/pyvenv.cfg"):
        folder = executable.parent
    settings = _settings(folder)
    base = _base(settings, folder)
    library = _library(folder, base)
    version = _version(settings, folder, base, library)
    free_threaded = library.endswith("t")
    stdlib = f"{base}/Lib" if sys.platform == "win32" else f"{base}/lib/{library}"
    soabi = _soabi(stdlib)
    bits, machine = _binary(executable)
    sites = tuple(_sites(folder, library))
    return PythonInfo(
        executable=executable,
        version=version,
        implementation="pypy" if library.startswith("pypy") else "cpython",
        free_threaded=free_threaded,
        bits=bits,
        sys_platform=sys.platform,
        platform=f"linux-{machine}" if sys.platform == "linux" else sysconfig.get_platform(),
        machine=machine,
        prefix=folder,
        base_prefix=base,
        site_packages=sites,
        externally_managed=files.exists(f"{stdlib}/EXTERNALLY-MANAGED"),
        soabi=soabi,
        libc=None if "musl" in (soabi or "") else _libc(),
        system_version=_system_version(),
        abi_flags="t" if free_threaded else "",
        path=tuple(dict.fromkeys(_path(settings, folder, base, library, sites))),
        user_site=_user_site(environ, library),
    )


def _settings(folder: Path) -> dict[str, str]:
    """https://docs.python.org/3/library/venv.html: a name, an equals sign and a value in each line."""
    text = files.read_text(f"{folder}/pyvenv.cfg", limit=1 << 16) or ""
    rows = (line.partition("=") for line in text.splitlines())
    return {name.strip().lower(): value.strip() for name, equals, value in rows if equals}


def _base(settings: Mapping[str, str], folder: Path) -> Path:
    home = Path(settings.get("home", ""))
    if not home.is_absolute():
        return folder
    return home if sys.platform == "win32" else home.parent


def _library(folder: Path, base: Path) -> str:
    """The name of the folder of its library, such as python3.11 or python3.13t; on Windows there is none."""
    for place in (folder, base):
        names = sorted(filter(_LIBRARY.fullmatch, files.entries(f"{place}/lib").names))
        # A conda environment has an alias `python3.1` beside python3.11.
        full = [
            name
            for name in names
            if any(files.exists(f"{place}/lib/{name}/{part}") for part in ("site-packages", "os.py"))
        ]
        if full:
            return max(full, key=len)
    return ""


def _version(settings: Mapping[str, str], folder: Path, base: Path, library: str) -> str:
    places = (folder, base)
    texts = [settings.get("version", ""), settings.get("version_info", "")]
    texts += [
        match[1]
        for place in places
        for header in (f"{place}/include/{library}/patchlevel.h", f"{place}/include/patchlevel.h")
        if (match := _PATCHLEVEL.search(files.read_text(header) or ""))
    ]
    texts += [
        name.split("-")[1]
        for place in places
        for name in files.entries(f"{place}/conda-meta").names
        if re.fullmatch(r"python-3\.[\d.]+-[^/]+\.json", name)
    ]
    if library:
        texts.append(f"{library.removeprefix('python').removeprefix('pypy').rstrip('t')}.0")
    found = next((match[0] for text in texts if (match := _VERSION.match(text))), None)
    if found is None:
        raise EnvironmentUnusable(
            message("the files of {folder} do not say which Python it has", folder=folder),
            fix=message("name another environment: torchdoctor doctor ENV"),
            code="no-python",
        )
    return found


def _sites(folder: Path, library: str) -> Iterator[Path]:
    if sys.platform == "win32":
        yield folder / "Lib" / "site-packages"
        return
    yield folder / "lib" / library / "site-packages"
    more = folder / "lib64" / library / "site-packages"
    if files.exists(str(more)) and os.path.realpath(folder / "lib64") != os.path.realpath(folder / "lib"):
        yield more


def _path(
    settings: Mapping[str, str], folder: Path, base: Path, library: str, sites: tuple[Path, ...]
) -> Iterator[str]:
    """Where imports look: the standard library, then packages and what .pth files add."""
    if sys.platform == "win32":
        yield from (f"{base}\\DLLs", f"{base}\\Lib", f"{base}")
    else:
        digits = re.sub(r"[^\d]", "", library)
        yield from (
            f"{base}/lib/python{digits}.zip",
            f"{base}/lib/{library}",
            f"{base}/lib/{library}/lib-dynload",
        )
    places = [*sites]
    if settings.get("include-system-site-packages", "").lower() == "true" and base != folder:
        places += _sites(base, library)
        places += [
            base / "local" / "lib" / library / "dist-packages",
            base / "lib" / "python3" / "dist-packages",
        ]
    for place in places:
        if files.exists(str(place)):
            yield str(place)
            yield from _added(str(place))


def _added(site: str) -> Iterator[str]:
    """The folders that the .pth files of a folder of packages name; their lines of code do not run here."""
    names = [name for name in files.entries(site).names if name.endswith(".pth")]
    for name in names[:_MAX_PTH_FILES]:
        text = files.read_text(f"{site}/{name}")
        if text is not None:
            yield from (
                path
                for folder in parse_pth(text, path=f"{site}/{name}").folders
                if files.exists(path := os.path.join(site, folder))  # noqa: PTH118  (an absolute one stays)
            )


def _soabi(stdlib: str) -> str | None:
    names = files.entries(f"{stdlib}/lib-dynload").names
    return next((match[1] for name in names if (match := _SOABI.fullmatch(name))), None)


def _binary(executable: Path) -> tuple[int, str]:
    """Word size and processor, by the head of the program; where it has none that is known, those of this process."""
    head = files.head(str(executable), 20) or b""
    if head.startswith(b"\x7fELF") and len(head) == 20:  # noqa: PLR2004
        order = "<" if head[5] == 1 else ">"
        machine = _ELF_MACHINES.get(struct.unpack(f"{order}H", head[18:20])[0])
        if machine is not None:
            return (64 if head[4] == 2 else 32), machine  # noqa: PLR2004
    return struct.calcsize("P") * 8, platform.machine()


def _libc() -> str | None:
    try:
        return os.confstr("CS_GNU_LIBC_VERSION")
    except (AttributeError, OSError, ValueError):
        return None


def _system_version() -> str | None:
    if sys.platform == "darwin":
        return platform.mac_ver()[0]
    if sys.platform == "win32":
        return "{}.{}.{}".format(*sys.getwindowsversion()[:3])
    return None


def _user_site(environ: Mapping[str, str], library: str) -> Path | None:
    """https://docs.python.org/3/library/site.html#site.USER_SITE; None where it cannot be told."""
    home = environ.get("HOME")
    if sys.platform != "linux" or not (home or environ.get("PYTHONUSERBASE")):
        return None
    return Path(environ.get("PYTHONUSERBASE") or f"{home}/.local") / "lib" / library / "site-packages"
