"""Download one large wheel over good and bad connections, cold cache: torchdoctor, uv and pip, interleaved in one run.

Usage: python benchmarks/fetch.py [--megabytes 190] [--rounds 1] [--only NAME ...] [--big 2000] [--busy N] [--work DIR]

Each tool does the same work: it installs the wheel from an index on loopback into an empty directory, without
dependencies or bytecode. torchdoctor downloads the file, then uv installs it. The server runs in
its own process and counts the bytes of the wheel that it sends; "twice" is what it sent beyond one file.
A connection may have a limited speed, a delay before each answer, an end after some bytes, one damaged
block in one answer, or no ranges. `killed` kills the tool when 90 % is sent, and runs it again.
`--busy` has so many processes keep the processors busy meanwhile; `--work` names a folder on the disk to measure,
such as /dev/shm. A table at the end has the median seconds of each tool, and what was sent over the size, at most.
`far` is a connection with a real round trip (`link.py`; needs root on Linux, otherwise it is skipped with a note).
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import multiprocessing
import os
import random
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.link import enter, link, why_not
from tests.faults import Fault, FaultServer, Seen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.link import Link

MB = 1_000_000
NAME = "heavy-1.0-py3-none-any.whl"
TOOLS = ("torchdoctor", "uv", "pip")
LIMIT = 400.0

FETCH = """
import sys
from pathlib import Path
from torchdoctor.fetch import fetch
from torchdoctor.lock import LockedWheel
class Silent:
    def start(self, total, files): pass
    def advance(self, count): pass
    def file(self, filename, done, size): pass
    def retry(self, filename, why): pass
    def note(self, text): pass
cache, url, name, sha256 = sys.argv[1:]
wheel = LockedWheel(name="heavy", version="1.0", filename=name, url=url, sha256=sha256, size=None)
house = fetch([wheel], cache=Path(cache), progress=Silent())
print(house.wheels[0].path)
"""


@dataclass(frozen=True)
class Scenario:
    """A line, the size of the file on it, and what is looked at."""

    name: str
    about: str
    fault: Fault
    spoil: int | None = None
    small: bool = False
    kill: bool = False
    big: bool = False
    round_trip: float | None = None


SCENARIOS = (
    Scenario("clean", "a clean fast line", Fault()),
    *(Scenario(f"{rate}MB/s", f"{rate} MB/s a connection", Fault(rate=rate * MB)) for rate in (1, 3, 10, 50)),
    # No network is like this one: the bytes behind the pause come at once, as fast as memory.
    Scenario("latency", "50 ms before each answer, loopback", Fault(latency=0.05)),
    # A connection is no faster than its window a round trip; 6 MB is an example (tcp_rmem says what a machine allows).
    # https://docs.kernel.org/networking/ip-sysctl.html
    Scenario(
        "latency-window", "50 ms before each answer, 6 MB a round trip", Fault(latency=0.05, rate=120 * MB)
    ),
    Scenario("far", "50 ms there and back, TCP as it is", Fault(), round_trip=0.05),
    Scenario("closed", "closed every 8 MB", Fault(close_after=8 * MB)),
    Scenario("closed-10MB/s", "closed every 8 MB, 10 MB/s", Fault(close_after=8 * MB, rate=10 * MB)),
    Scenario(
        "no-range", "6 MB, closed every 8 MB, no ranges", Fault(close_after=8 * MB, ranges=False), small=True
    ),
    Scenario("corrupt", "64 kB wrong in one answer", Fault(), spoil=64_000),
    Scenario("killed", "killed at 90 %, 10 MB/s", Fault(rate=10 * MB), kill=True),
    Scenario("memory", "a very large file", Fault(), big=True),
)


def write_wheel(path: Path, size: int) -> str:
    """A wheel of about so many bytes in members of a megabyte; its SHA-256."""
    dice, rows = random.Random(size), []  # noqa: S311
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for number in range(max(1, size // MB)):
            data, name = dice.randbytes(MB), f"heavy/part{number}.bin"
            archive.writestr(name, data)
            digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
            rows.append(f"{name},sha256={digest},{len(data)}")
        info = "heavy-1.0.dist-info"
        archive.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: heavy\nVersion: 1.0\n")
        archive.writestr(
            f"{info}/WHEEL",
            "Wheel-Version: 1.0\nGenerator: bench\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        )
        archive.writestr(f"{info}/RECORD", "\n".join([*rows, f"{info}/RECORD,,"]) + "\n")
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def serve(
    wheel: Path, sha256: str, scenario: Scenario, at: Link | None, sent: Any, port: Any, done: Any
) -> None:
    """The server's process."""
    if at is not None:
        enter(at.server)
    size, spoilt = wheel.stat().st_size, []

    def fault(seen: Seen) -> Fault | None:
        if not seen.path.endswith(".whl"):
            return None
        if scenario.spoil is not None and not spoilt:
            start, end = seen.start or 0, seen.end or size
            if start <= size // 2 < end:
                spoilt.append(seen)
                return Fault(corrupt=(size // 2, size // 2 + scenario.spoil))
        return scenario.fault

    with FaultServer(host=at.address if at is not None else "127.0.0.1") as server:
        server.files = {
            f"/files/{NAME}": wheel,
            "/simple/heavy/": f'<a href="/files/{NAME}#sha256={sha256}">{NAME}</a>'.encode(),
        }
        server.fault = fault
        port.value = server.port
        while not done.wait(0.01):
            sent.value = sum(row.sent for row in list(server.seen) if row.path.endswith(".whl"))
        sent.value = sum(row.sent for row in list(server.seen) if row.path.endswith(".whl"))


@dataclass
class Line:
    """A server at work."""

    url: str
    sent: Any


class Serving:
    """Starts the server's process and ends it."""

    def __init__(self, wheel: Path, sha256: str, scenario: Scenario, at: Link | None = None) -> None:
        self._host = at.address if at is not None else "127.0.0.1"
        context = multiprocessing.get_context("spawn")
        self._sent, self._port, self._done = context.Value("q", 0), context.Value("i", 0), context.Event()
        self._process = context.Process(
            target=serve, args=(wheel, sha256, scenario, at, self._sent, self._port, self._done)
        )

    def __enter__(self) -> Line:
        self._process.start()
        while not self._port.value:
            time.sleep(0.01)
        return Line(f"http://{self._host}:{self._port.value}", self._sent)

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._process.join(10)


@dataclass
class Outcome:
    """How a tool did: seconds, bytes sent, its peak memory in bytes, and how it ended."""

    seconds: float
    sent: int
    peak: int
    ended: str


def steps(tool: str, url: str, sha256: str, folder: Path, pip: str) -> Iterator[list[str]]:
    """The commands that bring the wheel into `folder / "out"`."""
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or "uv"
    out = str(folder / "out")
    install = [uv, "pip", "install", "-q", "--no-deps", "--target", out, "--python", sys.executable]
    if tool == "torchdoctor":
        yield [sys.executable, "-c", FETCH, str(folder / "cache"), f"{url}/files/{NAME}", NAME, sha256]
        path = folder / "cache" / sha256[:2] / sha256 / NAME
        yield [*install, "--offline", str(path)]
    elif tool == "uv":
        yield [*install, "--default-index", f"{url}/simple", "heavy"]
    else:
        yield [
            pip, "install", "-q", "--no-deps", "--no-compile", "--target", out, "--progress-bar", "off",
            "--index-url", f"{url}/simple", "--trusted-host", urlsplit(url).hostname, "heavy",
        ]  # fmt: skip


def run(
    command: list[str], environ: dict[str, str], folder: Path, *, kill_when: Any = None
) -> tuple[int, int]:
    """Exit status and peak memory of a command; killed when `kill_when()` or after a while."""
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen(command, env=environ, cwd=folder, stdout=said, stderr=said)
    until = time.monotonic() + LIMIT
    while True:
        pid, status, usage = os.wait4(process.pid, os.WNOHANG)
        if pid:
            process.returncode = os.waitstatus_to_exitcode(status)
            return process.returncode, usage.ru_maxrss * 1024
        if time.monotonic() > until or (kill_when is not None and kill_when()):
            process.send_signal(signal.SIGKILL)
        time.sleep(0.005)


def one(
    tool: str, scenario: Scenario, wheel: Path, sha256: str, work: Path, pip: str, at: Link | None
) -> Outcome:
    """One tool on one line with everything empty."""
    there = ["ip", "netns", "exec", at.client] if at is not None else []
    folder = work / tool
    folder.mkdir()
    environ = {key: value for key, value in os.environ.items() if not key.startswith(("PIP_", "UV_"))}
    environ |= {
        "PIP_CONFIG_FILE": os.devnull, "UV_NO_CONFIG": "1", "UV_CACHE_DIR": str(folder / "uv-cache"),
        "PIP_CACHE_DIR": str(folder / "pip-cache"), "PIP_DISABLE_PIP_VERSION_CHECK": "1", "NO_PROXY": "*",
    }  # fmt: skip
    size = wheel.stat().st_size
    with Serving(wheel, sha256, scenario, at) as line:
        started, peak, ended = time.perf_counter(), 0, "ok"
        if scenario.kill:
            first = next(steps(tool, line.url, sha256, folder, pip))
            run([*there, *first], environ, folder, kill_when=lambda: line.sent.value > 0.9 * size)
            time.sleep(0.2)
        for command in steps(tool, line.url, sha256, folder, pip):
            status, used = run([*there, *command], environ, folder)
            if "-c" in command or tool != "torchdoctor":
                peak = used
            if status:
                words = (folder / "said").read_text("utf-8", "replace").split("\n")
                ended = (
                    f"FAILED ({status}) "
                    + next((row.strip() for row in reversed(words) if row.strip()), "")[:70]
                )
                break
        seconds = time.perf_counter() - started
        time.sleep(0.05)
        sent = line.sent.value
    shutil.rmtree(folder)
    return Outcome(seconds, sent, peak, ended)


@contextmanager
def busy(count: int) -> Iterator[None]:
    """So many processes that keep a processor busy."""
    rows = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for row in rows:
            row.kill()
            row.wait()


def main() -> None:
    """Run the lines and print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--megabytes", type=int, default=190)
    parser.add_argument("--big", type=int, default=2000, help="megabytes of the file of `memory`")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--only", nargs="*", default=[row.name for row in SCENARIOS])
    parser.add_argument("--tools", nargs="*", default=list(TOOLS))
    parser.add_argument("--pip", default="pip", help="the pip to measure")
    parser.add_argument("--busy", type=int, default=0, help="processes that keep the processors busy")
    parser.add_argument("--work", type=Path, help="a folder on the disk to measure")
    given = parser.parse_args()
    for tool in ("uv", given.pip):
        print(subprocess.run([tool, "--version"], capture_output=True, text=True, check=True).stdout.strip())
    print("sizes and bytes sent in MB of 10^6", flush=True)
    with tempfile.TemporaryDirectory(prefix="torchdoctor-bench-", dir=given.work) as name, busy(given.busy):
        chosen = [scenario for scenario in SCENARIOS if scenario.name in given.only]
        rows = [(scenario.about, measure(scenario, given, Path(name))) for scenario in chosen]
    print(f"\n| Line, {given.busy} busy processes | " + " | ".join(given.tools) + " |")
    print("| --- |" + " --- |" * len(given.tools))
    for about, cells in rows:
        print(f"| {about} | " + " | ".join(cells.get(tool, "-") for tool in given.tools) + " |")


def measure(scenario: Scenario, given: argparse.Namespace, work: Path) -> dict[str, str]:
    """Run the tools by turns on one line, print what each did, and return the cells of the table."""
    if scenario.round_trip is not None and (reason := why_not()):
        print(f"\n{scenario.name}: left out, {reason}")
        return {}
    megabytes = 6 if scenario.small else given.big if scenario.big else given.megabytes
    wheel = work / NAME
    sha256 = write_wheel(wheel, megabytes * MB)
    size = wheel.stat().st_size
    print(f"\n{scenario.name}: {scenario.about}, {size / MB:.1f} MB", flush=True)
    seconds: dict[str, list[float]] = {}
    shares: dict[str, list[float]] = {}
    with link(scenario.round_trip) if scenario.round_trip is not None else nullcontext() as at:
        for turn in range(given.rounds):
            for tool in given.tools if turn % 2 == 0 else given.tools[::-1]:
                found = one(tool, scenario, wheel, sha256, work, given.pip, at)
                if found.ended == "ok":
                    seconds.setdefault(tool, []).append(found.seconds)
                    shares.setdefault(tool, []).append(found.sent / size)
                twice = f"{100 * (found.sent - size) / size:6.2f}" if found.ended == "ok" else "     -"
                print(
                    f"  {tool:12} {found.seconds:7.2f} s  sent {found.sent / MB:7.1f}  twice {twice} %  "
                    f"peak memory {found.peak / MB:6.0f} MB  {found.ended}",
                    flush=True,
                )
    ours = statistics.median(seconds.get("torchdoctor", [0.0]))
    for tool, rows in seconds.items():
        if tool != "torchdoctor" and ours:
            print(f"  {tool} / torchdoctor = {statistics.median(rows) / ours:.2f}", flush=True)
    return {
        tool: f"{statistics.median(rows):.2f} s, {max(shares[tool]):.4f}" for tool, rows in seconds.items()
    }


if __name__ == "__main__":
    main()
