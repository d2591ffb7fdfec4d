"""The operating system as the target interpreter sees it: name, release, kernel, processor, C library."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from torchdoctor.core.fact import absent, found, unknown
from torchdoctor.core.i18n import message
from torchdoctor.core.text import sanitize_line
from torchdoctor.detect.model import Libc
from torchdoctor.errors import EnvironmentUnusable

if TYPE_CHECKING:
    from torchdoctor.core import Fact
    from torchdoctor.core.system import System
    from torchdoctor.detect.model import OperatingSystem
    from torchdoctor.detect.python.describe import PythonInfo

__all__ = [
    "name_of_system",
    "normal_arch",
    "parse_musl_loader",
    "parse_os_release",
    "probe_kernel",
    "probe_libc",
    "probe_os_name",
    "probe_os_version",
]

_SYSTEMS: dict[str, OperatingSystem] = {"linux": "linux", "win32": "windows", "darwin": "macos"}
_ARCHS = {"amd64": "x86_64", "x64": "x86_64", "i386": "i686", "i586": "i686", "x86": "i686"}


def name_of_system(python: PythonInfo) -> OperatingSystem:
    """Linux, Windows or macOS; `EnvironmentUnusable` for what PyTorch has no builds for."""
    system = _SYSTEMS.get(python.sys_platform)
    if system is None:
        raise EnvironmentUnusable(
            message(
                "{executable} runs on {sys_platform}, for which PyTorch has no builds",
                executable=python.executable,
                sys_platform=python.sys_platform,
            ),
            fix=message("name a Python for Linux, Windows or macOS with --python"),
            code="unknown-system",
        )
    return system


def normal_arch(python: PythonInfo) -> str:
    """The processor by one name each: x86_64, aarch64 (Linux), arm64 (macOS, Windows), i686, or its own.

    On Windows and macOS an interpreter may be emulated: what it was built for decides, not the processor.
    """
    built_for = python.platform.lower().replace("_", "-").rsplit("-", 1)[-1]
    name = python.machine.lower()
    if python.sys_platform == "win32" and built_for in ("amd64", "arm64"):
        name = built_for
    name = _ARCHS.get(name, name) if re.fullmatch(r"[a-z0-9_]{1,32}", name, re.ASCII) else "unknown"
    if python.sys_platform == "linux":
        return "aarch64" if name == "arm64" else name
    return "arm64" if name == "aarch64" else name


def probe_os_version(system: System, python: PythonInfo) -> Fact[str]:
    """The release: VERSION_ID of os-release, the version of macOS, the build of Windows."""
    if python.sys_platform != "linux":
        source = f"{python.executable}"
        version = sanitize_line(python.system_version or "")
        return found(version, source) if version else unknown(message("Python does not say"), source)
    for path in ("/etc/os-release", "/usr/lib/os-release"):
        text = system.read_text(path)
        if text is not None:
            release = parse_os_release(text).get("VERSION_ID")
            return (
                found(release, path)
                if release
                else absent(path, why=message("the distribution has no versions"))
            )
    return unknown(message("it cannot be read"), "/etc/os-release")


def probe_os_name(system: System, python: PythonInfo) -> Fact[str]:
    """The distribution's full name, such as Ubuntu 22.04.4 LTS, for people to read."""
    if python.sys_platform != "linux":
        return absent(message("{system} has none", system=python.sys_platform))
    path = "/etc/os-release"
    name = parse_os_release(system.read_text(path) or "").get("PRETTY_NAME")
    return found(name, path) if name else absent(path)


def parse_os_release(text: str) -> dict[str, str]:
    """Variables of os-release(5); lines that are no assignment are passed over."""
    rows: dict[str, str] = {}
    for line in text.splitlines():
        name, equals, value = line.strip().partition("=")
        if not equals or not re.fullmatch(r"[A-Z][A-Z0-9_]*", name, re.ASCII):
            continue
        try:
            rows[name] = sanitize_line(" ".join(shlex.split(value)))
        except ValueError:
            continue
    return rows


def probe_libc(system: System, python: PythonInfo) -> Fact[Libc]:
    """The C library: glibc says its version itself, musl's loader does when it is run."""
    source = f"{python.executable}"
    if python.sys_platform != "linux":
        return absent(source)
    match = re.fullmatch(r"glibc (\d{1,3}\.\d{1,3})(\.\d+)?", python.libc or "", re.ASCII)
    if match:
        return found(Libc(name="glibc", version=match[1]), f"{source}: confstr")
    # A glibc system may hold musl's loader too, so the interpreter's own make comes first.
    if "musl" not in f"{python.host} {python.soabi}":
        return unknown(message("the interpreter says {libc!r}", libc=python.libc), source)
    for loader in system.glob("/lib/ld-musl-*.so.1"):
        answer = system.run([loader])
        version = parse_musl_loader(answer.stderr)
        if version is not None:
            return found(Libc(name="musl", version=version), loader)
    return found(Libc(name="musl"), source)


def parse_musl_loader(text: str) -> str | None:
    """The version in what musl's loader prints when it is run without arguments."""
    match = re.search(
        r"^musl libc.*\n+Version (\d{1,3}\.\d{1,3}(\.\d{1,3})?)(?!\d)", text, re.MULTILINE | re.ASCII
    )
    return match[1] if match else None


def probe_kernel(system: System, python: PythonInfo) -> Fact[str]:
    """The kernel's release, such as 6.8.0-45-generic; Windows has none beside its build."""
    if python.sys_platform == "darwin":
        source = "sysctl kern.osrelease"
        answer = system.run(["/usr/sbin/sysctl", "-n", "kern.osrelease"])
        release = sanitize_line(answer.stdout, limit=80)
        return (
            found(release, source) if answer.ok and release else unknown(answer.cause or "no answer", source)
        )
    if python.sys_platform == "win32":
        return absent("win32 has none")
    path = "/proc/sys/kernel/osrelease"
    release = sanitize_line(system.read_text(path) or "", limit=80)
    return found(release, path) if release else unknown(message("it cannot be read"), path)
