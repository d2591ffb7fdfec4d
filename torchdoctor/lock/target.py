"""A machine as uv and the markers of packages name it: platform, version, environment."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from torchdoctor.core.i18n.messages import message
from torchdoctor.errors import NoSolution

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.markers import Environment

    from torchdoctor.detect import Machine

__all__ = ["Target", "environment_marker", "marker_environment", "requires_python", "target_of"]

# `uv pip compile --help`, uv 0.13.9: the glibc versions that --python-platform has names for.
_GLIBC = (17, 28, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40)
_UV = {
    ("windows", "x86_64"): "x86_64-pc-windows-msvc",
    ("windows", "arm64"): "aarch64-pc-windows-msvc",
    ("macos", "arm64"): "aarch64-apple-darwin",
    ("macos", "x86_64"): "x86_64-apple-darwin",
}
_BITS = 32
# https://packaging.python.org/en/latest/specifications/dependency-specifiers/#environment-markers
_SYSTEMS = {
    "linux": ("posix", "linux", "Linux"),
    "windows": ("nt", "win32", "Windows"),
    "macos": ("posix", "darwin", "Darwin"),
}
_MACHINES = {("windows", "x86_64"): "AMD64", ("windows", "arm64"): "ARM64", ("windows", "i686"): "x86"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """Another machine for `uv pip compile`: `--python-platform`, `--python-version`, and variables that it reads."""

    platform: str
    python_version: str
    environ: Mapping[str, str] = field(default_factory=dict)

    @property
    def options(self) -> tuple[str, ...]:
        """The options of `uv pip compile`."""
        return ("--python-platform", self.platform, "--python-version", self.python_version)


def target_of(machine: Machine) -> Target:
    """How uv names the machine; raises `NoSolution` for one that it has no name for."""
    if machine.python.free_threaded or machine.python.implementation != "cpython":
        what = "a free-threaded Python" if machine.python.free_threaded else machine.python.implementation
        raise NoSolution(
            message(
                "what the packages for {what} {version} of another machine need cannot be told from here",
                what=what,
                version=machine.python.version,
            ),
            fix=message(
                "run this command on that machine, or ask for `--format json`, `pip` or `urls`, which "
                "need no lock"
            ),
            code="no-lock",
        )
    # https://docs.astral.sh/uv/reference/cli/#uv-pip-compile--python-platform: 13.0 without a word.
    environ = {"MACOSX_DEPLOYMENT_TARGET": machine.os_version} if machine.os_version else {}
    return Target(
        platform=_platform(machine),
        python_version=machine.python.version,
        environ=environ if machine.os == "macos" else {},
    )


def _platform(machine: Machine) -> str:
    if machine.os == "windows" and machine.python.bits == _BITS:
        return "i686-pc-windows-msvc"
    if machine.os != "linux":
        named = _UV.get((machine.os, machine.arch))
        if named is not None:
            return named
    elif machine.libc is not None and machine.arch in ("x86_64", "aarch64"):
        version = (machine.libc.version or "").split(".")
        if machine.libc.name == "musl":
            return f"{machine.arch}-unknown-linux-musl"
        minor = int(version[1]) if len(version) > 1 and version[1].isdigit() else 0
        fitting = [row for row in _GLIBC if row <= minor]
        if fitting:
            return f"{machine.arch}-manylinux_2_{fitting[-1]}"
    raise NoSolution(
        message(
            "what the packages for {os} on {arch} need cannot be told from here",
            os=machine.os,
            arch=machine.arch,
        ),
        fix=message(
            "run this command on that machine, or ask for `--format json`, `pip` or `urls`, which "
            "need no lock"
        ),
        code="no-lock",
    )


def environment_marker(machine: Machine) -> str:
    """The marker that holds on machines of this kind."""
    _, platform, _ = _SYSTEMS[machine.os]
    return f"sys_platform == '{platform}' and platform_machine == '{_machine(machine)}'"


def requires_python(machine: Machine) -> str:
    """The specifier of its Python's minor version: compiled wheels are for one."""
    return f"=={'.'.join(machine.python.version.split('.')[:2])}.*"


def marker_environment(machine: Machine) -> Environment:
    """What the markers of packages are told on that machine."""
    os_name, platform, system = _SYSTEMS[machine.os]
    version = machine.python.version
    full = version if version.count(".") > 1 else f"{version}.0"
    cpython = machine.python.implementation == "cpython"
    return {
        "os_name": os_name,
        "sys_platform": platform,
        "platform_machine": _machine(machine),
        "platform_system": system,
        "platform_release": "",
        "platform_version": "",
        "platform_python_implementation": "CPython" if cpython else machine.python.implementation,
        "implementation_name": machine.python.implementation,
        "implementation_version": full,
        "python_version": ".".join(version.split(".")[:2]),
        "python_full_version": full,
    }


def _machine(machine: Machine) -> str:
    arch = "i686" if machine.python.bits == _BITS and machine.arch == "x86_64" else machine.arch
    return _MACHINES.get((machine.os, arch), arch)
