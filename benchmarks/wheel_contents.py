"""How much of a wheel is read to know what its libraries need, and how long that takes.

`python benchmarks/wheel_contents.py WHEEL|URL ...` reads each twice: the headers alone, as before an install, and with
the code for GPUs, as `torchdoctor index inspect` does. Of a file on this disk the bytes are not counted.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

from torchdoctor.core.net import RangeReader
from wheels_index.binary import FileReader, inspect_wheel

MAX_BYTES = 32 << 20


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


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("wheels", nargs="+", metavar="WHEEL|URL")
    for place in parser.parse_args().wheels:
        print(place.rpartition("/")[2])
        for depth in ("none", "some") if "://" in place else ("none", "all"):
            print(measure(place, depth), flush=True)


if __name__ == "__main__":
    main()
