"""AMD's compute GPUs, their driver, and whether this user may open them.

1. The kernel's KFD topology, in sysfs, and PCI; on Windows the registry, where the name tells the target.
2. rocminfo and amd-smi, for what the topology does not say. PyPI's amdsmi stays out: it breaks torch's own import.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.core.fact import absent, found, unknown, unread
from torchdoctor.core.i18n import message
from torchdoctor.core.text import sanitize_line
from torchdoctor.detect.amd.parsers import parse_amd_smi, parse_kfd_properties, parse_rocminfo
from torchdoctor.detect.model import AmdGpu
from torchdoctor.detect.nvidia.visible_devices import probe_variable, probe_visible
from torchdoctor.detect.pci import AMD, BUS, display_devices, kernel_drivers, listed_name, named
from wheels_index import product

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torchdoctor.core import Fact
    from torchdoctor.core.system import Completed, System
    from torchdoctor.detect.python.describe import PythonInfo

__all__ = ["AMD_NAMES", "parse_groups", "probe_all_amd", "probe_amd", "probe_amd_driver"]

AMD_NAMES = (
    "amd.driver", "amd.gpus", "amd.pci", "amd.kernel_driver", "amd.kfd", "amd.render_nodes", "amd.render_denied",
    "amd.groups", "amd.rocm", "amd.gfx_override", "amd.hip_visible", "amd.rocr_visible",
)  # fmt: skip
_NODES = "/sys/class/kfd/kfd/topology/nodes"
_RENDER = "/dev/dri/renderD*"


def probe_all_amd(system: System, python: PythonInfo) -> Mapping[str, Fact[object]]:
    """The facts of `AMD_NAMES`."""
    return _windows(system) if python.sys_platform == "win32" else _linux(system)


def _windows(system: System) -> Mapping[str, Fact[object]]:
    source = "reg query"
    cards = tuple(named(system, device) for device in display_devices(system, AMD, sys_platform="win32"))
    gpus = tuple(AmdGpu(name=card, gfx=_target(card)) for card in cards)
    return {
        **dict.fromkeys(AMD_NAMES, absent("win32 has none")),
        "amd.gpus": found(gpus, source) if gpus else absent(source),
        "amd.pci": found(cards, source) if cards else absent(source),
    }


def _target(name: str) -> str | None:
    """The target of a product by its name: Windows tells none."""
    known = product(name)
    return known.gfx if known is not None else None


def _linux(system: System) -> Mapping[str, Fact[object]]:
    gpus = probe_amd(system)
    count = len(gpus.value) if gpus.value else None
    devices = display_devices(system, AMD)
    cards, drivers = tuple(named(system, device) for device in devices), kernel_drivers(system, devices)
    nodes = system.glob(_RENDER)
    denied = tuple(sanitize_line(path) for path in nodes if system.access(path) != "read-write")
    return {
        "amd.driver": probe_amd_driver(system),
        "amd.gpus": gpus,
        "amd.pci": found(cards, BUS) if cards else absent(BUS),
        "amd.kernel_driver": found(drivers, BUS)
        if any(drivers)
        else absent(BUS, why=message("none is bound")),
        "amd.kfd": _kfd(system),
        "amd.render_nodes": found(tuple(map(sanitize_line, nodes)), "/dev/dri")
        if nodes
        else absent("/dev/dri"),
        "amd.render_denied": found(denied, "/dev/dri")
        if denied
        else absent("/dev/dri", why=message("none is denied")),
        "amd.groups": _groups(system),
        "amd.rocm": _rocm(system),
        "amd.gfx_override": probe_variable(system, "HSA_OVERRIDE_GFX_VERSION"),
        "amd.hip_visible": probe_visible(system, "HIP_VISIBLE_DEVICES", count=count),
        "amd.rocr_visible": probe_visible(system, "ROCR_VISIBLE_DEVICES"),
    }


def probe_amd(system: System) -> Fact[tuple[AmdGpu, ...]]:
    """Each node of the topology that has compute units; node 0 is the processor. Then rocminfo, then amd-smi."""
    paths = system.glob(f"{_NODES}/*/properties")
    texts = [text for text in map(system.read_text, paths) if text is not None]
    nodes = [node for node in map(parse_kfd_properties, texts) if node is not None]
    gpus = tuple(AmdGpu(name=listed_name(system, AMD, device), gfx=gfx) for gfx, device in nodes)
    if gpus:
        return found(gpus, _NODES)
    # A container without the device sees the node of the GPU and may not read it.
    if texts and len(texts) == len(paths):
        return absent(_NODES, why=message("no node has a GPU"))
    said = list(_by_tools(system))
    for fact in said:
        if fact.state == "found":
            return fact
    if said:
        return said[0]
    return unknown(message("a node cannot be read"), _NODES) if paths else absent(_NODES)


def _by_tools(system: System) -> Iterator[Fact[tuple[AmdGpu, ...]]]:
    for program in ("rocminfo", "/opt/rocm/bin/rocminfo"):
        answer = system.run([program])
        if answer.failure != "missing":
            yield _told(answer, parse_rocminfo(answer.stdout), program)
        if answer.failure not in ("missing", "foreign"):
            break
    answer = system.run(["amd-smi", "static", "--asic"])
    if answer.failure != "missing":
        yield _told(answer, parse_amd_smi(answer.stdout), "amd-smi")


def _told(answer: Completed, gpus: tuple[AmdGpu, ...], source: str) -> Fact[tuple[AmdGpu, ...]]:
    if gpus:
        return found(gpus, source)
    # rocminfo that may not open /dev/kfd says so on stdout.
    refused = re.search(r"^Unable to open /dev/kfd.*$", answer.stdout, re.MULTILINE)
    if refused or not answer.ok:
        return unknown(refused[0] if refused else answer.cause, source)
    return absent(source, why=message("it names no GPU"))


def probe_amd_driver(system: System) -> Fact[str]:
    """The version of AMD's own driver package; the kernel's amdgpu has none."""
    path = "/sys/module/amdgpu/version"
    text = system.read_text(path)
    if text is None:
        return unread(system, path)
    match = re.fullmatch(r"\d{1,4}(\.\d{1,6}){1,3}", text.strip(), re.ASCII)
    return (
        found(match[0], path) if match else unknown(message("it says {text!r}", text=text.strip()[:60]), path)
    )


def _kfd(system: System) -> Fact[str]:
    """What this user may do with the device that ROCm opens first."""
    access = system.access("/dev/kfd")
    return absent("/dev/kfd") if access == "missing" else found(access, "/dev/kfd")


def _groups(system: System) -> Fact[tuple[str, ...]]:
    """Of `render` and `video`, those that this process belongs to."""
    source = "/etc/group and /proc/self/status"
    groups, status = system.read_text("/etc/group", limit=1 << 20), system.read_text("/proc/self/status")
    if groups is None or status is None:
        return unknown(message("they cannot be read"), source)
    mine = parse_groups(groups, status) & {"render", "video"}
    return found(tuple(sorted(mine)), source) if mine else absent(source, why=message("it is in neither"))


def parse_groups(groups: str, status: str) -> frozenset[str]:
    """The names of the groups whose numbers /proc/self/status lists, by /etc/group."""
    rows = re.findall(r"^(?:Gid|Groups):\s*([\d \t]*)$", status, re.MULTILINE | re.ASCII)
    numbers = {number for row in rows for number in row.split()}
    named_groups = re.findall(r"^([\w.-]{1,64}):[^:\n]*:(\d{1,10}):", groups, re.MULTILINE | re.ASCII)
    return frozenset(name for name, number in named_groups if number in numbers)


def _rocm(system: System) -> Fact[str]:
    """The ROCm that the system has installed; PyTorch's wheels bring their own."""
    path = "/opt/rocm/.info/version"
    match = re.match(r"\d{1,2}(\.\d{1,4}){1,3}", system.read_text(path, limit=200) or "", re.ASCII)
    return found(match[0], path) if match else absent(path)
