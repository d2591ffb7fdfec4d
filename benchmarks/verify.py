"""`torchdoctor verify` compared with a bare `import torch` in the same environment, interleaved in one run.

Usage: python benchmarks/verify.py ENV [--rounds N] [--packages 40]

Prints what the quick and the full verification (without torch.compile) take beyond the import, and the slowest checks.
The limits are 1.5 s and 10 s on two quiet cores; the best round is the one that other work disturbed least.

With `--packages` it compares instead the import of that many packages, each of which imports torch and computes a
little, side by side and one by one, in turn, and prints the most memory that all of them held together.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

LIMITS = {"verify --quick": 1.5, "verify --skip compile": 10.0}


def main() -> None:
    """Time each command in turn and print median and best, beyond the import."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("env", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--packages", type=int, default=0)
    asked = parser.parse_args()
    if asked.packages:
        compare_packages(asked.env, asked.packages, asked.rounds)
        return
    program = [sys.executable, "-m", "torchdoctor"]
    commands = {
        "import torch": [str(asked.env / "bin" / "python"), "-c", "import torch"],
        "verify --quick": [*program, "verify", str(asked.env), "--quick", "-q"],
        "verify --skip compile": [*program, "verify", str(asked.env), "--skip", "compile", "-q"],
    }
    figures: dict[str, list[float]] = {name: [] for name in commands}
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, {asked.rounds} rounds")
    for _ in range(asked.rounds):
        for name, command in commands.items():
            started = time.perf_counter()
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
            figures[name].append(time.perf_counter() - started)
    base = figures["import torch"]
    for name, seconds in figures.items():
        line = f"{name:22} median {statistics.median(seconds):5.2f} s  best {min(seconds):5.2f} s"
        if name in LIMITS:
            beyond = [whole - alone for whole, alone in zip(seconds, base, strict=True)]
            line += (
                f"  beyond the import: median {statistics.median(beyond):5.2f} s  best {min(beyond):5.2f} s"
            )
            line += f"  (limit {LIMITS[name]:.1f} s)"
        print(line)


def compare_packages(env: Path, count: int, rounds: int) -> None:
    """Import `count` packages side by side and one by one, in turn, in a small environment that sees `env`'s torch."""
    from torchdoctor.verify.memory import free_memory_mib
    from torchdoctor.verify.packages.model import PackageOptions
    from torchdoctor.verify.packages.runner import verify_packages

    with tempfile.TemporaryDirectory() as folder:
        python = environment_with_packages(env, Path(folder), count)
        ways = {"side by side": None, "one by one": 1}
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        most: dict[str, list[int]] = {name: [] for name in ways}
        free = free_memory_mib()
        print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, {count} packages, {rounds} rounds")
        for _ in range(rounds):
            for name, cores in ways.items():
                with HeldMemory(python) as held:
                    started = time.perf_counter()
                    checks = verify_packages(python, PackageOptions(cores=cores, torch_mib=300), os.environ)
                    seconds[name].append(time.perf_counter() - started)
                most[name].append(held.most_mib)
                passed = sum(check.status == "pass" for check in checks)
                if passed < count:
                    sys.exit(f"{name}: {passed} of {count} passed")
        for name in ways:
            print(
                f"{name:12} median {statistics.median(seconds[name]):6.2f} s  best {min(seconds[name]):6.2f} s"
                f"  at most {max(most[name])} MiB held, {free} MiB were free"
            )
        one, several = (statistics.median(seconds[name]) for name in ("one by one", "side by side"))
        print(f"ratio of medians {one / several:.2f}")


def environment_with_packages(env: Path, folder: Path, count: int) -> Path:
    """A venv that sees the packages of `env`, with small packages that require torch."""
    (folder / "bin").mkdir()
    (folder / "bin" / "python").symlink_to((env / "bin" / "python").resolve())
    shutil.copy2(env / "pyvenv.cfg", folder)
    real = next((env / "lib").glob("python3.*/site-packages"))
    site = folder / real.relative_to(env)
    site.mkdir(parents=True)
    (site / "real.pth").write_text(f"{real}\n")
    for number in range(count):
        name = f"package_{number}"
        (site / name).mkdir()
        (site / name / "__init__.py").write_text("import torch\n\ntotal = torch.ones(100, 100).sum()\n")
        info = site / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\nRequires-Dist: torch\n"
        )
        (info / "RECORD").write_text(f"{name}/__init__.py,,\n{info.name}/METADATA,,\n{info.name}/RECORD,,\n")
    return folder / "bin" / "python"


class HeldMemory:
    """Measures what all processes of an interpreter hold together, ten times a second, while a `with` block runs."""

    def __init__(self, python: Path) -> None:
        self.most_mib = 0
        self._python, self._done = str(python).encode(), threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def __enter__(self) -> HeldMemory:  # noqa: PYI034  (Self needs Python 3.11)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        from torchdoctor.verify.memory import resident_mib

        while not self._done.wait(0.1):
            pids = [int(path.name) for path in Path("/proc").iterdir() if path.name.isdecimal()]
            held = sum(resident_mib(pid) or 0 for pid in pids if self._is_ours(pid))
            self.most_mib = max(self.most_mib, held)

    def _is_ours(self, pid: int) -> bool:
        try:
            return Path(f"/proc/{pid}/cmdline").read_bytes().startswith(self._python + b"\0")
        except OSError:
            return False


if __name__ == "__main__":
    main()
