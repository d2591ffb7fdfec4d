"""Install of torch from a local index with a cold or a warm cache: torchdoctor, pip and uv, interleaved in one run.

Usage: python benchmarks/install.py [--warm] [--latency MS] [--rounds N] [--wheels DIR]

In every round each tool makes a new environment with torch, its dependencies and pip, with bytecode, from
the same index on loopback. The index runs in its own process and serves ranges and metadata files (PEP 658)
like the official indexes. With --warm each tool has filled its caches before; with --latency each answer
is delayed by that time. Prints the median of each tool, the ratio of medians, and how busy the machine was.

Nothing is deleted before the end, which takes 3 GB a round: for a minute or more after many files were deleted, ext4
skips their inodes one by one whenever a file is created (measured: up to 900 instead of 10 µs a file), and the
next tool would pay for it. https://github.com/torvalds/linux/blob/v6.12/fs/ext4/ialloc.c (recently_deleted)
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import multiprocessing
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from packaging.utils import parse_wheel_filename

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.faults import Fault, FaultServer

if TYPE_CHECKING:
    from collections.abc import Iterator

TORCH = "2.13.0"


def metadata_of(wheel: Path) -> bytes:
    """The METADATA in a wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(next(row for row in archive.namelist() if row.endswith(".dist-info/METADATA")))


def index_of(wheels: Path) -> dict[str, bytes | Path]:
    """The paths of an index (PEP 503, PEP 658) over a folder of wheels, and what lies at each."""
    files: dict[str, bytes | Path] = {}
    for wheel in sorted(wheels.glob("*.whl")):
        page = f"/simple/{parse_wheel_filename(wheel.name)[0]}/"
        with wheel.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        metadata = metadata_of(wheel)
        attribute = f'data-core-metadata="sha256={hashlib.sha256(metadata).hexdigest()}"'
        link = f'<a href="{quote(wheel.name)}#sha256={digest}" {attribute}>{wheel.name}</a><br/>\n'
        files[page] = bytes(files.get(page, b"")) + link.encode()  # type: ignore[arg-type]
        files |= {f"{page}{wheel.name}": wheel, f"{page}{wheel.name}.metadata": metadata}
    return files


def serve(wheels: Path, latency: float, port: Any, done: Any) -> None:
    """The server's process; `latency` in seconds."""
    with FaultServer() as server:
        server.files = index_of(wheels)
        server.fault = lambda _: Fault(latency=latency)
        port.value = server.port
        done.wait()


@contextlib.contextmanager
def serving(wheels: Path, latency: float) -> Iterator[str]:
    """The address of an index over the wheels, while it is served."""
    context = multiprocessing.get_context("spawn")
    port, done = context.Value("i", 0), context.Event()
    process = context.Process(target=serve, args=(wheels, latency, port, done))
    process.start()
    try:
        while not port.value:
            time.sleep(0.01)
        yield f"http://127.0.0.1:{port.value}"
    finally:
        done.set()
        process.join(10)


def timed(arguments: list[str], environ: dict[str, str], folder: Path) -> float:
    """Wall seconds of one command, which must succeed."""
    started = time.perf_counter()
    done = subprocess.run(arguments, env=environ, cwd=folder, capture_output=True, text=True, check=False)
    passed = time.perf_counter() - started
    if done.returncode != 0:
        sys.exit(f"{' '.join(arguments)}\n{done.stdout}{done.stderr}")
    return passed


def one_round(url: str, work: Path, tool: str, turn: int, *, warm: bool) -> float:
    """Make an environment with one tool; its caches are empty, or what they were left as when `warm`."""
    folder = work / (tool if warm else f"{tool}-{turn}")
    folder.mkdir(exist_ok=True)
    environ = {key: value for key, value in os.environ.items() if not key.startswith(("PIP_", "UV_"))}
    environ |= {
        "PIP_CONFIG_FILE": os.devnull, "UV_NO_CONFIG": "1", "UV_CACHE_DIR": str(folder / "uv-cache"),
        "TORCHDOCTOR_CACHE_DIR": str(folder / "cache"), "PIP_CACHE_DIR": str(folder / "pip-cache"),
        "PIP_INDEX_URL": f"{url}/simple", "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }  # fmt: skip
    env = str(folder / f"env-{turn}")
    requirement = f"torch=={TORCH}+cpu"
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or "uv"
    index = f"{url}/simple"
    if tool == "torchdoctor":
        command = [
            sys.executable,
            "-m",
            "torchdoctor",
            "install",
            env,
            "--index-url",
            index,
            "--torch",
            TORCH,
        ]
        for name in ("torchvision", "torchaudio", "numpy"):
            command += ["--without", name]
        seconds = timed([*command, "--variant", "cpu", "--no-verify", "-q"], environ, folder)
    elif tool == "uv":
        seconds = timed([uv, "venv", "-q", "--python", sys.executable, env], environ, folder)
        command = [uv, "pip", "install", "-q", "--compile-bytecode", "--python", f"{env}/bin/python"]
        seconds += timed([*command, "--default-index", index, requirement, "pip"], environ, folder)
    else:
        seconds = timed([sys.executable, "-m", "venv", "--without-pip", env], environ, folder)
        command = [sys.executable, "-m", "pip", f"--python={env}/bin/python", "install", "-q"]
        seconds += timed([*command, "--index-url", index, requirement, "pip"], environ, folder)
    return seconds


def rounds(url: str, work: Path, count: int, *, warm: bool) -> dict[str, list[float]]:
    """Seconds of each tool in each round; each begins a third of the rounds."""
    figures: dict[str, list[float]] = {"torchdoctor": [], "uv": [], "pip": []}
    if warm:
        for tool in figures:
            one_round(url, work, tool, 0, warm=True)
    for turn in range(1, count + 1):
        order = list(figures)
        for tool in order[turn % 3 :] + order[: turn % 3]:
            figures[tool].append(one_round(url, work, tool, turn, warm=warm))
            print(f"round {turn}  {tool:12} {figures[tool][-1]:6.2f} s", flush=True)
    return figures


def main() -> None:
    """Run the rounds and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--warm", action="store_true", help="fill each tool's caches first")
    parser.add_argument("--latency", type=float, default=0.0, help="milliseconds before each answer")
    parser.add_argument(
        "--wheels", type=Path, help="a folder with torch and what it needs; fetched by pip without it"
    )
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="torchdoctor-bench-") as name:
        work = Path(name)
        wheels = given.wheels
        if wheels is None:
            wheels = work / "wheels"
            subprocess.run(
                [sys.executable, "-m", "pip", "download", "-q", "-d", wheels, f"torch=={TORCH}", "pip"],
                check=True,
            )
        with serving(wheels.resolve(), given.latency / 1000) as url:
            figures = rounds(url, work, given.rounds, warm=given.warm)
    print(f"load of the machine in the last minutes: {os.getloadavg()[1]:.1f}, {os.cpu_count()} processors")
    base = statistics.median(figures["torchdoctor"])
    for tool, seconds in figures.items():
        middle = statistics.median(seconds)
        print(
            f"{tool:12} median {middle:6.2f} s  [{min(seconds):.2f}-{max(seconds):.2f}]"
            f"  torchdoctor / {tool} = {base / middle:.2f}"
        )


if __name__ == "__main__":
    main()
