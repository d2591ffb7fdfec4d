"""The library that speaks NVML: built once, configured by a file; `nvml_fake.c` lists the lines."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from torchdoctor.core.system import HostSystem

EIGHT_H100 = "driver 550.54.15\ncuda 12040\n" + "".join(
    f"gpu 9 0 85520809984 NVIDIA H100 80GB HBM3\nset uuid GPU-{place:08x}-0000-4000-8000-000000000000\n"
    f"set bus 00000000:{place + 0x10:02X}:00.0\nset mig 0 0\nset compute_mode 0\nset persistence 1\nset ecc 1\n"
    "set ecc_errors 0 0\nset rows 0 0 0 0\nset temperature 34\nset power 71230\nset power_limit 700000\n"
    "set power_default 700000\nset throttle 1\nset clock 345\nset clock_max 1980\nset used 1048576\nset processes 0\n"
    "set pcie_gen 1\nset pcie_gen_max 5\nset pcie_width 16\nset pcie_width_max 16\nset links 18 18\nset fabric 3 0\n"
    for place in range(8)
)


def build(folder: Path) -> Path | None:
    """Compile it as libnvidia-ml.so.1 in `folder`; None where there is no compiler."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        return None
    source = Path(__file__).with_name("nvml_fake.c")
    command = [compiler, "-shared", "-fPIC", "-o", str(folder / "libnvidia-ml.so.1"), str(source)]
    subprocess.run(command, check=True)
    return folder


def nvml_system(library: Path, root: Path, text: str, **environ: str) -> HostSystem:
    """A computer whose NVML answers as `text` says, and whose files and tools lie under `root`."""
    (root / "answers").write_text(text)
    variables = {"PATH": str(root), "LD_LIBRARY_PATH": str(library), "FAKE_NVML": str(root / "answers")}
    return HostSystem(environ={**variables, **environ}, root=root)
