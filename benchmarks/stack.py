"""`resolve -r` of two projects' requirements beside `uv pip compile` of the same lines, interleaved, with a warm cache.

Usage: python benchmarks/stack.py [--rounds N] [--latency MS] [--busy N] [--recording DIR] [--real]

Both read the same PyPI, recorded once and served from loopback with PyPI's headers, and share uv's cache. uv asks a
stand-in of PyTorch's index in its real layout for torch, torchvision and torchaudio, as --torch-backend has it do with
download.pytorch.org; it is told which family. torchdoctor chooses it: by the facts that it has, and (`ours, index`) by
reading the pages of every family there. The machine has an RTX 5090 and Python 3.12.

With a fresh cache (pages younger than the ten minutes that PyPI allows) nothing is asked for; with an old one every
page is asked for again, unchanged, and each answer takes `--latency`. Prints medians of wall and CPU seconds, the
best round's, and the ratio of wall seconds in each round. `--busy` keeps that many processes computing beside.

With `--real` both ask the default index of this machine as it answers today, each with a warm cache of its own.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

import tomli_w
from recorded_index import RecordedIndex
from uv import find_uv_bin

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.projects.standin import StandIn

if TYPE_CHECKING:
    from http.server import BaseHTTPRequestHandler

PROJECTS = Path(__file__).parents[1] / "tests" / "projects" / "data" / "projects.json"
NAMES = ("comfyui", "llama-factory")
MACHINE = (
    "--platform", "manylinux_2_35_x86_64", "--python-version", "3.12", "--driver", "580.95", "--gpu", "RTX 5090",
)  # fmt: skip
# With an old cache pages are good for this long, so that a command asks for each of them once, and the next one again.
OLD_SECONDS = 4


class TorchIndex(StandIn):
    """PyTorch's index, whose answers take as long as those of PyPI do."""

    latency = 0.0

    def __enter__(self) -> TorchIndex:  # noqa: PYI034  (Self needs Python 3.11)
        """Say nothing of a client that hung up: uv leaves when it has decided."""
        super().__enter__()
        self._server.handle_error = lambda *_: None
        return self

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answer as the stand-in does, but later."""
        time.sleep(self.latency)
        super().answer(request)


def lines_of(name: str) -> list[str]:
    """The requirement lines of a project that have no extra."""
    project = next(row for row in json.loads(PROJECTS.read_text("utf-8")) if row["project"] == name)
    lines = next(iter(project["requires"].values()))
    return [line for line in lines if not line.startswith(("[", "uv."))]


def seconds(command: list[str], environ: dict[str, str]) -> tuple[float, float]:
    """Wall and CPU seconds of one process and its children, which must succeed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    done = subprocess.run(command, check=False, capture_output=True, text=True, env=environ)
    if done.returncode:
        sys.exit(f"{command}\n{done.stderr}")
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def commands_for(name: str, folder: Path, torch_index: str, environ: dict[str, str]) -> dict[str, list[str]]:
    """The commands to compare; uv is given the family that torchdoctor chooses."""
    file = folder / f"{name}.txt"
    file.write_text("\n".join(lines_of(name)) + "\n", "utf-8")
    ours = [sys.executable, "-m", "torchdoctor", "resolve", "-r", str(file), *MACHINE, "--json"]
    chosen = subprocess.run(ours, check=True, capture_output=True, env=environ)
    plan = json.loads(chosen.stdout)
    there = [each["name"] for each in plan["packages"] if "+" in each["version"]]  # the rest is PyPI's
    project = folder / name / "pyproject.toml"
    project.parent.mkdir()
    document = {
        "project": {"name": "asked", "version": "1", "requires-python": ">=3.12", "dependencies": lines_of(name)},
        "tool": {"uv": {
            "index": [{"name": "pytorch", "url": f"{torch_index}/{plan['variant']}", "explicit": True}],
            "sources": {each: {"index": "pytorch"} for each in there},
        }},
    }  # fmt: skip
    project.write_text(tomli_w.dumps(document), "utf-8")
    # --python: otherwise uv looks for a Python 3.12, and tries to download one.
    uv = [
        find_uv_bin(), "pip", "compile", str(project), "--python", sys.executable, "--python-version", "3.12",
        "--python-platform", "x86_64-manylinux_2_35", "--only-binary", ":all:", "--quiet",
    ]  # fmt: skip
    click = "import click\n@click.command()\ndef main(): pass\nmain()"
    return {
        "uv": uv,
        "ours": ours,
        "ours, index": [*ours, "--index-url", torch_index],
        "click": [sys.executable, "-c", click],
    }


def compare(
    name: str, commands: dict[str, list[str]], environ: dict[str, str], rounds: int, pause: float
) -> None:
    """Print the medians; every command is run once before."""
    measured: dict[str, list[tuple[float, float]]] = {each: [] for each in commands}
    for number in range(rounds + 1):
        for each, command in commands.items():
            time.sleep(pause)
            found = seconds(command, environ)
            if number:
                measured[each].append(found)
    wall_of_uv = [wall for wall, _ in measured["uv"]]
    for each, rows in measured.items():
        wall, cpu = (statistics.median(row[part] for row in rows) for part in (0, 1))
        ratios = [row[0] / base for row, base in zip(rows, wall_of_uv, strict=True)]
        best = min(wall for wall, _ in rows)
        print(
            f"{name:14} {each:12} wall {wall:5.2f} s (best {best:4.2f})  CPU {cpu:4.2f} s"
            f"  ratio of wall {statistics.median(ratios):5.2f} ({min(ratios):.2f} to {max(ratios):.2f})",
            flush=True,
        )


def compare_on_the_real_index(rounds: int) -> None:
    """Print the tables of the index that this machine has; torch's is the stand-in."""
    with tempfile.TemporaryDirectory() as folder, TorchIndex(etags=True) as torch:
        torch.cache_seconds = 600
        environ = {
            **os.environ,
            "TORCHDOCTOR_CACHE_DIR": f"{folder}/cache",
            "TORCHDOCTOR_DATA_DIR": f"{folder}/data",
        }
        print(f"real index, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, {rounds} rounds")
        for name in NAMES:
            commands = commands_for(
                name, Path(folder), torch.torch_url, {**environ, "UV_CACHE_DIR": f"{folder}/ours"}
            )
            both = {
                each: ["env", f"UV_CACHE_DIR={folder}/{each}", *commands[each]] for each in ("uv", "ours")
            }
            compare(name, both, environ, rounds, 0.0)


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--latency", type=float, default=30.0, metavar="MS", help="of an answer (30)")
    parser.add_argument("--busy", type=int, default=0, metavar="N", help="processes that compute beside")
    parser.add_argument("--real", action="store_true", help="ask the index of this machine, as it answers")
    parser.add_argument(
        "--recording", metavar="DIR", help="keep what PyPI said there, and read it there again"
    )
    asked = parser.parse_args()
    if asked.real:
        compare_on_the_real_index(asked.rounds)
        return
    recording = Path(asked.recording or tempfile.mkdtemp())
    recording.mkdir(parents=True, exist_ok=True)
    pypi = RecordedIndex(recording)
    load = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(asked.busy)]
    with tempfile.TemporaryDirectory() as folder, TorchIndex(etags=True) as torch:
        try:
            for age in ("fresh", "old"):
                work = Path(folder) / age
                work.mkdir()
                settings = ("UV_", "PIP_", "PYTHON")
                environ = {
                    **{key: value for key, value in os.environ.items() if not key.startswith(settings)},
                    "HOME": str(work), "PIP_CONFIG_FILE": os.devnull, "UV_NO_CONFIG": "1",
                    "UV_DEFAULT_INDEX": f"{pypi.url}/simple/", "UV_CACHE_DIR": str(work / "uv"),
                    "TORCHDOCTOR_CACHE_DIR": str(work / "cache"), "TORCHDOCTOR_DATA_DIR": str(work / "data"),
                }  # fmt: skip
                pypi.page_seconds = torch.cache_seconds = OLD_SECONDS if age == "old" else 600
                all_commands = {name: commands_for(name, work, torch.torch_url, environ) for name in NAMES}
                for commands in all_commands.values():
                    for command in commands.values():
                        seconds(command, environ)  # records
                if age == "old":
                    pypi.latency = torch.latency = asked.latency / 1000
                print(
                    f"{age} cache, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, {asked.rounds} rounds"
                )
                for name, commands in all_commands.items():
                    compare(name, commands, environ, asked.rounds, OLD_SECONDS + 0.5 if age == "old" else 0.0)
        finally:
            for process in load:
                process.kill()


if __name__ == "__main__":
    main()
