"""How much of a wheel is read to know what its libraries need, and how long that takes.

`python benchmarks/wheel_contents.py WHEEL|URL ...` reads each twice: the headers alone, as before an install, and with
the code for GPUs, as `torchdoctor index inspect` does. Of a file on this disk the bytes are not counted.
`--made 200` reads a wheel of 200 MB that is made for it, with one library whose middle cannot be compressed, from a
server on loopback, and prints what that sent too.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
import zipfile
from pathlib import Path

from torchdoctor.core.net import RangeReader
from wheels_index.binary import FileReader, inspect_wheel

sys.path.insert(0, str(Path(__file__).parents[1]))

MAX_BYTES = 32 << 20
NEEDED = ("libtorch_cuda.so", "libc10.so", "libcudart.so.13", "libc.so.6")


def measure(place: str, depth: str) -> str:
    """One line: bytes, requests, seconds, CPU seconds."""
    remote = place.startswith(("http://", "https://"))
    reader = RangeReader(place) if remote else FileReader(Path(place))
    started, cpu = time.monotonic(), time.process_time()
    contents = inspect_wheel(reader, max_bytes=MAX_BYTES if remote else None, gpu=depth)
    seconds, cpu = time.monotonic() - started, time.process_time() - cpu
    share = (
        f"{reader.bytes_read / 1e6:7.1f} of {reader.size / 1e6:7.1f} MB, {reader.requests:3} requests"
        if remote
        else ""
    )
    libraries = [entry.library for entry in contents.libraries if entry.library is not None]
    unread = sorted({what for library in libraries for what in library.unread})
    return f"  {depth:5} {share}  {seconds:5.1f} s, CPU {cpu:5.1f} s  {len(libraries)} libraries  not read: {unread}"


def make_wheel(path: Path, megabytes: int) -> None:
    """A wheel of that size; its library needs `NEEDED`, which stands after the part that cannot be compressed."""
    from tests.binaries import make_elf

    # Deflate looks back 32 KiB: a part that is repeated only after a mebibyte is as good as random.
    padding = os.urandom(1 << 20) * (megabytes * 1_000_000 >> 20)
    library = make_elf(needed=NEEDED, undefined=("_ZN2at4_ops3add4callERKNS_6TensorES4_",), padding=padding)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr("made/_C.abi3.so", library)
        archive.writestr(
            "made-1.0.dist-info/METADATA",
            "Metadata-Version: 2.1\nName: made\nVersion: 1.0\nRequires-Dist: torch\n",
        )
        archive.writestr("made-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\n")
        archive.writestr("made-1.0.dist-info/RECORD", "")


def measure_made(megabytes: int) -> None:
    """Make a wheel, serve it and read its headers; what they say must be right."""
    from tests.faults import FaultServer

    name = "made-1.0-cp39-abi3-manylinux_2_28_x86_64.whl"
    with tempfile.TemporaryDirectory() as folder, FaultServer() as server:
        make_wheel(Path(folder) / name, megabytes)
        server.files[f"/{name}"] = Path(folder) / name
        url = f"{server.url}/{name}"
        print(name)
        print(measure(url, "none"))
        print(f"  the server sent {server.sent / 1e6:.1f} MB in {len(server.seen)} answers")
        (entry,) = inspect_wheel(RangeReader(url), max_bytes=MAX_BYTES, gpu="none").libraries
        if entry.library is None or set(entry.library.needed) != set(NEEDED):
            sys.exit(f"read otherwise than made: {entry}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("wheels", nargs="*", metavar="WHEEL|URL")
    parser.add_argument("--made", type=int, metavar="MB", help="make a wheel of this size and read it")
    asked = parser.parse_args()
    if asked.made:
        measure_made(asked.made)
    for place in asked.wheels:
        print(place.rpartition("/")[2])
        for depth in ("none", "some") if "://" in place else ("none", "all"):
            print(measure(place, depth), flush=True)


if __name__ == "__main__":
    main()
