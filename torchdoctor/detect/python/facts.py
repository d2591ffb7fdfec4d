"""The facts about the target interpreter: what it is, which binaries it takes, where it came from."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.core.fact import absent, found, unknown
from torchdoctor.core.i18n import message
from torchdoctor.detect.host.operating_system import name_of_system, normal_arch
from torchdoctor.detect.model import Machine, Python
from torchdoctor.errors import EnvironmentUnusable

if TYPE_CHECKING:
    from torchdoctor.core import Fact
    from torchdoctor.core.system import System
    from torchdoctor.detect.model import Platform
    from torchdoctor.detect.python.describe import PythonInfo

__all__ = ["abi_of", "distributor_of", "platform_of", "python_facts"]

# Who made it, by where it lies. The Store's: https://docs.python.org/3/using/windows.html; uv's:
# https://docs.astral.sh/uv/reference/storage/; Homebrew's: https://docs.brew.sh/Installation.
_PLACES = (
    ("uv", r"[\\/]uv[\\/]python[\\/]"),
    ("pyenv", r"[\\/]\.?pyenv(?:-win)?[\\/]"),
    ("Microsoft Store", r"[\\/]WindowsApps[\\/]|PythonSoftwareFoundation\.Python\."),
    ("Homebrew", r"^(?:/opt/homebrew|/home/linuxbrew/\.linuxbrew|/usr/local/Cellar|/usr/local/opt)/"),
    ("Xcode", r"^/Library/Developer/CommandLineTools/|/Xcode\.app/"),
    ("python.org", r"^/Library/Frameworks/Python\.framework/|[\\/]Programs[\\/]Python[\\/]Python3\d+"),
    ("Nix", r"^/nix/store/"),
    ("the system", r"^/usr$"),
)


def python_facts(python: PythonInfo, system: System) -> dict[str, Fact[object]]:
    """Each fact by its dotted name; nearly all are the interpreter's own word."""
    source = f"{python.executable}"
    conda = f"{python.prefix}/conda-meta"
    made = distributor_of(python, conda=system.exists(f"{python.base_prefix}/conda-meta"))
    return {
        "python.version": found(python.version, source),
        "python.implementation": found(python.implementation, source),
        "python.free_threaded": found(python.free_threaded, source),
        "python.bits": found(python.bits, source),
        "python.abi": found(abi_of(python), source),
        "python.soabi": found(python.soabi, source) if python.soabi else absent(source),
        "python.debug": found(python.debug, source),
        "python.virtual_environment": found(python.is_venv, source),
        "python.externally_managed": found(python.externally_managed, source),
        "python.conda_environment": found(system.exists(conda), conda),
        "python.distributor": found(made, f"{python.base_prefix}") if made else unknown(
            message("its place is nobody's that is known"), f"{python.base_prefix}"
        ),
        "python.translated": _translated(python, source),
    }  # fmt: skip


def _translated(python: PythonInfo, source: str) -> Fact[bool]:
    if python.sys_platform != "darwin":
        return absent(message("{sys_platform} has no Rosetta", sys_platform=python.sys_platform))
    return (
        unknown(message("it could not ask sysctl"), source)
        if python.translated is None
        else found(python.translated, source)
    )


def platform_of(python: PythonInfo) -> Platform | None:
    """The name by which builds are sorted (`Machine.platform`), of an interpreter alone."""
    try:
        system = name_of_system(python)
    except EnvironmentUnusable:
        return None
    described = Python(version=python.version, bits=python.bits)
    return Machine(os=system, arch=normal_arch(python), python=described).platform


def abi_of(python: PythonInfo) -> str:
    """The ABI tag of its own extension modules: cp312, cp313t, pp311.

    https://packaging.python.org/en/latest/specifications/platform-compatibility-tags/
    """
    short = "".join(python.version.split(".")[:2])
    if python.implementation != "cpython":
        return f"{'pp' if python.implementation == 'pypy' else python.implementation}{short}"
    return f"cp{short}{'t' if python.free_threaded else ''}{'d' if python.debug else ''}"


def distributor_of(python: PythonInfo, *, conda: bool) -> str | None:
    """Who its base interpreter comes from; None where its place does not show it."""
    if conda:
        return "conda"
    place = f"{python.base_prefix}"
    return next((name for name, pattern in _PLACES if re.search(pattern, place, re.IGNORECASE)), None)
