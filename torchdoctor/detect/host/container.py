"""Whether this is Windows Subsystem for Linux, or a container, and which, by the marks that each leaves."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.core.fact import absent, found, unknown
from torchdoctor.core.i18n import message
from torchdoctor.core.text import sanitize_line

if TYPE_CHECKING:
    from torchdoctor.core import Fact
    from torchdoctor.core.system import System

__all__ = ["parse_cgroup_container", "parse_wsl_version", "probe_container", "probe_wsl", "probe_wsl_version"]

_KERNEL = "/proc/sys/kernel/osrelease"
_KUBERNETES = "/var/run/secrets/kubernetes.io"
_FILES = (
    ("/.dockerenv", "docker"),
    ("/run/.containerenv", "podman"),
    ("/.singularity.d", "singularity"),
)
_VARIABLES = (
    ("APPTAINER_CONTAINER", "apptainer"),
    ("APPTAINER_NAME", "apptainer"),
    ("SINGULARITY_CONTAINER", "singularity"),
    ("SINGULARITY_NAME", "singularity"),
)
_CGROUPS = "/proc/1/cgroup"


def probe_wsl(system: System) -> Fact[bool]:
    """Windows Subsystem for Linux, by the kernel's name (version 1 says Microsoft, version 2 microsoft)."""
    text = system.read_text(_KERNEL)
    if text is None:
        return unknown(message("it cannot be read"), _KERNEL)
    return found("microsoft" in text.lower(), _KERNEL)


def probe_wsl_version(system: System) -> Fact[int]:
    """1 translates system calls and has no GPU; 2 is a virtual machine with a kernel of its own."""
    text = system.read_text(_KERNEL)
    if text is None:
        return unknown(message("it cannot be read"), _KERNEL)
    if "microsoft" not in text.lower():
        return absent(_KERNEL)
    version = parse_wsl_version(text)
    return (
        found(version, _KERNEL)
        if version
        else unknown(message("it says {text!r}", text=sanitize_line(text, limit=60)), _KERNEL)
    )


def parse_wsl_version(release: str) -> int | None:
    """1 or 2 by a kernel's release: 4.4.0-19041-Microsoft, 5.15.153.1-microsoft-standard-WSL2."""
    if re.search(r"-microsoft-standard|WSL2", release):
        return 2
    # https://learn.microsoft.com/windows/wsl/compare-versions: version 1 shows the kernel 4.4 for ever.
    return 1 if re.fullmatch(r"4\.4\.0-\d+-Microsoft", release.strip()) else None


def probe_container(system: System) -> Fact[str]:
    """The container's kind: variables of Apptainer, files, Kubernetes, systemd's word, the first process's cgroup."""
    for variable, name in _VARIABLES:
        if system.environ.get(variable):
            return found(name, variable)
    for path, name in _FILES:
        if system.exists(path):
            kubernetes = _in_kubernetes(system)
            return found("kubernetes", kubernetes) if kubernetes else found(name, path)
    kubernetes = _in_kubernetes(system)
    if kubernetes is not None:
        return found("kubernetes", kubernetes)
    # systemd-nspawn, LXC and others set it: https://systemd.io/CONTAINER_INTERFACE/
    for source, named in (
        ("container", system.environ.get("container")),
        ("/run/systemd/container", system.read_text("/run/systemd/container", limit=80)),
    ):
        kind = re.sub(r"[^\w.-]", "", named or "", flags=re.ASCII)[:40]
        if kind and kind != "wsl":
            return found(kind, source)
    kind = parse_cgroup_container(system.read_text(_CGROUPS) or "") or ""
    return found(kind, _CGROUPS) if kind else absent("/.dockerenv, /run/.containerenv, environment, cgroup")


def parse_cgroup_container(text: str) -> str | None:
    """The kind by the path of the first process's cgroup, which tells under cgroup version 1."""
    marks = (("kubepods", "kubernetes"), ("docker", "docker"), ("libpod", "podman"), ("lxc", "lxc"))
    for line in text.splitlines():
        path = line.rpartition(":")[2]
        for mark, name in marks:
            if re.search(rf"(^|[/.-]){mark}([/:-]|\.slice|$)", path):
                return name
    return None


def _in_kubernetes(system: System) -> str | None:
    if system.environ.get("KUBERNETES_SERVICE_HOST"):
        return "KUBERNETES_SERVICE_HOST"
    return _KUBERNETES if system.exists(_KUBERNETES) else None
