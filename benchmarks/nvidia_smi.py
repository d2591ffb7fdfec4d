"""An nvidia-smi for the other tools, which ask it instead of NVML: prints what FAKE_NVML describes."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_ROW = "| {0:<43} | {1:<22} | {2:<20} |"
_QUERIES = "--query-gpu="


def main() -> int:
    """Print as the tool does: a refusal, the values asked for, or the table."""
    lines = Path(os.environ["FAKE_NVML"]).read_text("utf-8").splitlines()
    words = [line.split(" ") for line in lines]
    said = {row[0] if row[0] != "set" else row[1]: row for row in words}
    if "init" in said:
        known = {"18": "Driver/library version mismatch"}
        print(f"Failed to initialize NVML: {known.get(said['init'][1], 'Unknown Error')}")
        return int(said["init"][1]) % 256
    gpu = said["gpu"]
    name, mib = " ".join(gpu[4:]), int(gpu[3]) >> 20
    used = int(said["used"][2]) >> 20 if "used" in said else 0
    if name == "lost":
        print(
            "Unable to determine the device handle for GPU0: 0000:01:00.0: GPU is lost.  Reboot the system to recover"
        )
        return 15
    query = next((word for word in sys.argv[1:] if word.startswith(_QUERIES)), None)
    if query:
        values = {
            "index": "0", "name": name, "uuid": said["uuid"][2], "driver_version": said["driver"][1],
            "memory.total": f"{mib} MiB", "memory.used": f"{used} MiB", "compute_cap": f"{gpu[1]}.{gpu[2]}",
        }  # fmt: skip
        print(", ".join(values.get(word, "[N/A]") for word in query.removeprefix(_QUERIES).split(",")))
        return 0
    spoken = int(said["cuda"][1])
    cuda = f"{spoken // 1000}.{spoken % 1000 // 10}"
    mode = {"0": "Default", "2": "Prohibited"}[said["compute_mode"][2] if "compute_mode" in said else "0"]
    mig = "Enabled" if "mig" in said else "Disabled"
    errors = said["ecc_errors"][2] if "ecc_errors" in said else "0"
    print(
        f"| NVIDIA-SMI {said['driver'][1]}    Driver Version: {said['driver'][1]}    CUDA Version: {cuda}     |"
    )
    print(_ROW.format(f"  0  {name}", "00000000:01:00.0 Off", errors))
    print(_ROW.format("N/A   34C    P0    71W / 700W", f"{used}MiB / {mib}MiB", f"0%  {mode}"))
    print(_ROW.format("", "", mig))
    return 0


if __name__ == "__main__":
    sys.exit(main())
