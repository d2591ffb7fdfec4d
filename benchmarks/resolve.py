"""`resolve --machine FILE --json` as a process, compared with uv, and machines per minute in one process.

Usage: python benchmarks/resolve.py [--rounds N]

uv resolves the same request (`uv pip compile --torch-backend`) with a cold and a warm cache against an index on
loopback that serves its project pages in the official layout; --torch-backend asks download.pytorch.org itself, so
uv is given that index by name.
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

MACHINE = {
    "os": "linux", "os_version": "22.04", "arch": "x86_64", "libc": {"name": "glibc", "version": "2.35"}, "wsl": False,
    "container": None, "python": {"implementation": "cpython", "version": "3.12.4", "free_threaded": False, "bits": 64},
    "nvidia": {"driver": "550.54.15", "gpus": [
        {"name": "NVIDIA GeForce RTX 4090", "compute_capability": "8.9", "memory_mib": 24564}]},
    "amd": None, "intel": None, "apple": None,
}  # fmt: skip


def cpu_seconds(command: list[str]) -> tuple[float, float]:
    """CPU and wall seconds of one process, which must succeed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    subprocess.run(command, check=True, capture_output=True)
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


def loopback() -> tuple[ThreadingHTTPServer, str]:
    """Serve pages of torch 2.9.1+cu126 with metadata, as the official index does."""
    name = "torch-2.9.1%2Bcu126-cp312-cp312-manylinux_2_28_x86_64.whl"
    metadata = b"Metadata-Version: 2.1\nName: torch\nVersion: 2.9.1+cu126\n"
    page = f'<a href="/whl/cu126/{name}#sha256={"0" * 64}" data-core-metadata="true">{name}</a>'.encode()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            body = metadata if self.path.endswith(".metadata") else page
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            """Stay silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_address[1]}/whl/cu126"


def in_process(count: int) -> float:
    """Machines resolved a minute, each another one."""
    from torchdoctor.detect import Machine
    from torchdoctor.resolve import Request, resolve

    machines = []
    for number in range(count):
        row = json.loads(json.dumps(MACHINE))
        row["nvidia"]["driver"] = f"{390 + number % 210}.{number % 100}"
        row["nvidia"]["gpus"][0]["compute_capability"] = ("6.1", "7.0", "7.5", "8.6", "8.9", "9.0", "12.0")[
            number % 7
        ]
        row["python"]["version"] = f"3.{9 + number % 6}.1"
        machines.append(Machine.from_json(row))
    resolve(machines[0], Request())
    started = time.perf_counter()
    for machine in machines:
        resolve(machine, Request())
    return count / (time.perf_counter() - started) * 60


def main() -> None:
    """Run the rounds and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    rounds = parser.parse_args().rounds
    bin_folder = Path(sys.executable).parent
    server, url = loopback()
    with tempfile.TemporaryDirectory(prefix="torchdoctor-bench-") as name:
        work = Path(name)
        (work / "machine.json").write_text(json.dumps(MACHINE))
        (work / "requirements.in").write_text("torch==2.9.1+cu126\n")
        click_only = "import click\n@click.command()\ndef main(): pass\nmain()"
        uv = [
            str(bin_folder / "uv"),
            "pip",
            "compile",
            str(work / "requirements.in"),
            "--python-version",
            "3.12",
        ]
        uv += ["--python-platform", "x86_64-unknown-linux-gnu", "--no-config", "--no-python-downloads"]
        uv += ["--index-url", url, "-q"]
        ours = [str(bin_folder / "torchdoctor"), "resolve", "--machine", str(work / "machine.json"), "--json"]
        commands = {
            "Python and click alone": [sys.executable, "-c", click_only],
            "torchdoctor resolve": ours,
            "uv pip compile, warm cache": [*uv, "--cache-dir", str(work / "warm")],
            "uv pip compile, no cache": [*uv, "--no-cache"],
        }
        figures: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for _ in range(rounds):
            for label, command in commands.items():
                figures[label].append(cpu_seconds(command))
    server.shutdown()
    base = statistics.median(cpu for cpu, _ in figures["Python and click alone"])
    for label, rows in figures.items():
        cpu, wall = (statistics.median(row[part] for row in rows) * 1000 for part in (0, 1))
        print(f"{label:28} CPU {cpu:6.1f} ms ({cpu - base * 1000:+6.1f} beyond click)   wall {wall:6.1f} ms")
    print(f"in one process: {in_process(3000):,.0f} machines a minute")
    print(f"peak memory of this process: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MiB")


if __name__ == "__main__":
    main()
