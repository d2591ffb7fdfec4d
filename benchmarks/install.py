"""Install of torch from a local index with a cold or a warm cache: torchdoctor, pip and uv, interleaved in one run.

Usage: python benchmarks/install.py [--warm] [--rounds N] [--wheels DIR]

Every round makes a new environment with each tool, bytecode compiled by all, from the same index on loopback
that serves torch and what it needs. With --warm each tool has filled its caches before. Prints the median of each, the
ratio of medians, and how busy the machine was.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

TORCH = "2.13.0"


class Quiet(SimpleHTTPRequestHandler):
    """Serves a folder and says nothing."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        """Stay silent."""


def index_of(wheels: Path, root: Path) -> None:
    """Lay out a PEP 503 index over a folder of wheels."""
    import hashlib
    from urllib.parse import quote

    from packaging.utils import parse_wheel_filename

    for wheel in sorted(wheels.glob("*.whl")):
        project = root / "simple" / parse_wheel_filename(wheel.name)[0]
        project.mkdir(parents=True, exist_ok=True)
        (project / wheel.name).symlink_to(wheel)
        digest = hashlib.file_digest(wheel.open("rb"), "sha256").hexdigest()
        with (project / "index.html").open("a") as page:
            page.write(f'<a href="{quote(wheel.name)}#sha256={digest}">{wheel.name}</a><br/>\n')


def timed(arguments: list[str], environ: dict[str, str], folder: Path) -> float:
    """Wall seconds of one command, which must succeed."""
    started = time.perf_counter()
    done = subprocess.run(arguments, env=environ, cwd=folder, capture_output=True, text=True, check=False)
    passed = time.perf_counter() - started
    if done.returncode != 0:
        sys.exit(f"{' '.join(arguments)}\n{done.stdout}{done.stderr}")
    return passed


def one_round(url: str, work: Path, tool: str, *, warm: bool) -> float:
    """Make an environment with one tool; its caches are empty, or what they were left as when `warm`."""
    folder = work / tool
    folder.mkdir(exist_ok=True)
    environ = {key: value for key, value in os.environ.items() if not key.startswith(("PIP_", "UV_"))}
    environ |= {
        "PIP_CONFIG_FILE": os.devnull, "UV_NO_CONFIG": "1", "UV_CACHE_DIR": str(folder / "uv-cache"),
        "TORCHDOCTOR_CACHE_DIR": str(folder / "cache"), "PIP_CACHE_DIR": str(folder / "pip-cache"),
        "PIP_INDEX_URL": f"{url}/simple", "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    }  # fmt: skip
    env = str(folder / "env")
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
        seconds = timed(
            [*command, "--variant", "cpu", "--without", "numpy", "--no-verify", "-q"], environ, folder
        )
    elif tool == "uv":
        seconds = timed([uv, "venv", "-q", "--python", sys.executable, env], environ, folder)
        command = [uv, "pip", "install", "-q", "--compile-bytecode", "--python", f"{env}/bin/python"]
        seconds += timed([*command, "--default-index", index, requirement, "pip"], environ, folder)
    else:
        seconds = timed([sys.executable, "-m", "venv", "--without-pip", env], environ, folder)
        command = [sys.executable, "-m", "pip", f"--python={env}/bin/python", "install", "-q"]
        seconds += timed([*command, "--index-url", index, requirement, "pip"], environ, folder)
    shutil.rmtree(env if warm else folder)
    return seconds


def main() -> None:
    """Run the rounds and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--warm", action="store_true", help="fill each tool's caches first")
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
        index_of(wheels.resolve(), work / "index")
        server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(work / "index")))
        Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_address[1]}"
        figures: dict[str, list[float]] = {"torchdoctor": [], "uv": [], "pip": []}
        if given.warm:
            for tool in figures:
                one_round(url, work, tool, warm=True)
        for turn in range(given.rounds):
            order = list(figures)
            for tool in order[turn % 3 :] + order[: turn % 3]:
                figures[tool].append(one_round(url, work, tool, warm=given.warm))
                print(f"round {turn + 1}  {tool:12} {figures[tool][-1]:6.2f} s", flush=True)
        server.shutdown()
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
