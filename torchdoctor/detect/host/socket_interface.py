"""NCCL_SOCKET_IFNAME: whether the network interfaces that NCCL is told to take are there.

https://docs.nvidia.com/deeplearning/nccl/user-guide/docs/env.html#nccl-socket-ifname
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.core.fact import absent, found, unknown
from torchdoctor.core.i18n import message
from torchdoctor.core.text import sanitize_line

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from torchdoctor.core import Fact
    from torchdoctor.core.system import System
    from torchdoctor.detect.python.describe import PythonInfo

__all__ = ["INTERFACE_NAMES", "matching_interfaces", "probe_socket_interface"]

INTERFACE_NAMES = ("nccl.socket_interface", "nccl.interface_missing")
_VARIABLE = "NCCL_SOCKET_IFNAME"
_FILE = "/etc/nccl.conf"
_FOLDER = "/sys/class/net"
_MAX_CHARACTERS = 400


def probe_socket_interface(system: System, _python: PythonInfo) -> Mapping[str, Fact[object]]:
    """The facts of `INTERFACE_NAMES`: the setting, and the setting again where it names no interface that is there."""
    setting, source = _setting(system)
    if not setting:
        nothing = absent(_VARIABLE, why=message("it is not set"))
        return dict.fromkeys(INTERFACE_NAMES, nothing)
    stated = found(sanitize_line(setting), source)
    names = {path.rpartition("/")[2] for path in system.glob(f"{_FOLDER}/*")}
    missing: Fact[object]
    if not names:
        missing = unknown(message("it cannot be read"), _FOLDER)
    elif matching_interfaces(setting, names):
        missing = absent(_FOLDER, why=message("it is there"))
    else:
        missing = stated
    return {"nccl.socket_interface": stated, "nccl.interface_missing": missing}


def _setting(system: System) -> tuple[str, str]:
    """Return the setting and where it stands: the variable comes before the file."""
    text = system.environ.get(_VARIABLE, "")
    if text:
        return text[:_MAX_CHARACTERS], _VARIABLE
    rows = re.findall(
        rf"^\s{{0,20}}{_VARIABLE}\s{{0,8}}=([^\n]{{0,{_MAX_CHARACTERS}}})",
        system.read_text(_FILE) or "",
        re.MULTILINE,
    )
    return (rows[-1].strip(), _FILE) if rows else ("", _VARIABLE)


def matching_interfaces(setting: str, names: Collection[str]) -> tuple[str, ...]:
    """Return the interfaces that a setting leaves: prefixes, exact names after "=", all but those named after "^".

    >>> matching_interfaces("eth", {"lo", "eth0", "eth1"}), matching_interfaces("=eth", {"eth0"})
    (('eth0', 'eth1'), ())
    >>> matching_interfaces("^lo,docker", {"lo", "docker0", "enp4s0"})
    ('enp4s0',)
    """
    excludes = setting.startswith("^")
    exact = setting.removeprefix("^").startswith("=")
    listed = [part for part in setting.lstrip("^=").split(",") if part]
    return tuple(
        name
        for name in sorted(names)
        if any(name == part if exact else name.startswith(part) for part in listed) != excludes
    )
