"""A machine in the words of uv and of environment markers: platform, Python version, marker values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.errors import NoSolution

if TYPE_CHECKING:
    from collections.abc import Mapping

    from packaging.markers import Environment

    from torchdoctor.detect import Machine

__all__ = ["Target", "environment_marker", "marker_environment", "requires_python", "target_of"]

# `uv pip compile --help`, uv 0.13.9: the glibc versions that --python-platform has names for.
_GLIBC_MINORS = (17, 28, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40)
_UV_PLATFORMS = {
    ("windows", "x86_64"): "x86_64-pc-windows-msvc",
    ("windows", "arm64"): "aarch64-pc-windows-msvc",
    ("macos", "arm64"): "aarch64-apple-darwin",
    ("macos", "x86_64"): "x86_64-apple-darwin",
}
_BITS_32 = 32
# https://packaging.python.org/en/latest/specifications/dependency-specifiers/#environment-markers
_MARKER_VALUES = {
    "linux": ("posix", "linux", "Linux"),
    "windows": ("nt", "win32", "Windows"),
    "macos": ("posix", "darwin", "Darwin"),
}
_PLATFORM_MACHINES = {
    ("windows", "x86_64"): "AMD64",
    ("windows", "arm64"): "ARM64",
    ("windows", "i686"): "x86",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Target:
    """Another machine, as `uv pip compile` is told of it."""

    platform: str  # of `--python-platform`
    python_version: str  # of `--python-version`
    environ: Mapping[str, str] = field(default_factory=dict)  # variables that uv reads

    @property
    def options(self) -> tuple[str, ...]:
        """The options of `uv pip compile`."""
        return ("--python-platform", self.platform, "--python-version", self.python_version)


def target_of(machine: Machine) -> Target:
    """Return how uv names the machine; raises `NoSolution` for one that it has no name for."""
    if machine.python.free_threaded or machine.python.implementation != "cpython":
        what = "a free-threaded Python" if machine.python.free_threaded else machine.python.implementation
        raise NoSolution(
            message(
                "what packages for {what} {version} on another machine need cannot be determined here",
                what=what,
                version=machine.python.version,
            ),
            fix=message(
                "run this command on that machine, or ask for `--format json`, `pip` or `urls`, which "
                "need no lock"
            ),
            code="no-lock",
        )
    # Without it uv assumes macOS 13.0: https://docs.astral.sh/uv/reference/cli/#uv-pip-compile--python-platform
    environ = {"MACOSX_DEPLOYMENT_TARGET": machine.os_version} if machine.os_version else {}
    return Target(
        platform=_platform(machine),
        python_version=machine.python.version,
        environ=environ if machine.os == "macos" else {},
    )


def _platform(machine: Machine) -> str:
    if machine.os == "windows" and machine.python.bits == _BITS_32:
        return "i686-pc-windows-msvc"
    if machine.os != "linux":
        named = _UV_PLATFORMS.get((machine.os, machine.arch))
        if named is not None:
            return named
    elif machine.libc is not None and machine.arch in ("x86_64", "aarch64"):
        version = (machine.libc.version or "").split(".")
        if machine.libc.name == "musl":
            return f"{machine.arch}-unknown-linux-musl"
        minor = int(version[1]) if len(version) > 1 and version[1].isdigit() else 0
        fitting = [known for known in _GLIBC_MINORS if known <= minor]
        if fitting:
            return f"{machine.arch}-manylinux_2_{fitting[-1]}"
    raise NoSolution(
        message(
            "what packages for {os} on {arch} need cannot be determined here",
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
    """Return the environment marker that is true on machines of this kind."""
    _, platform, _ = _MARKER_VALUES[machine.os]
    return f"sys_platform == '{platform}' and platform_machine == '{_platform_machine(machine)}'"


def requires_python(machine: Machine) -> str:
    """Return the specifier of the minor version of its Python: compiled wheels are for one minor version."""
    return f"=={'.'.join(machine.python.version.split('.')[:2])}.*"


def marker_environment(machine: Machine) -> Environment:
    """Return the values that environment markers have on that machine."""
    os_name, platform, system = _MARKER_VALUES[machine.os]
    version = machine.python.version
    full = version if version.count(".") > 1 else f"{version}.0"
    cpython = machine.python.implementation == "cpython"
    return {
        "os_name": os_name,
        "sys_platform": platform,
        "platform_machine": _platform_machine(machine),
        "platform_system": system,
        "platform_release": "",
        "platform_version": "",
        "platform_python_implementation": "CPython" if cpython else machine.python.implementation,
        "implementation_name": machine.python.implementation,
        "implementation_version": full,
        "python_version": ".".join(version.split(".")[:2]),
        "python_full_version": full,
    }


def _platform_machine(machine: Machine) -> str:
    arch = "i686" if machine.python.bits == _BITS_32 and machine.arch == "x86_64" else machine.arch
    return _PLATFORM_MACHINES.get((machine.os, arch), arch)
