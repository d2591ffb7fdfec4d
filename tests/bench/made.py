"""Reports made up for the tests, as bench would give them."""

from __future__ import annotations

from torchdoctor.bench import BenchReport, BenchResult

CPU = {
    "python": "3.12.4", "torch": "2.13.0+cpu", "executable": "/envs/a/bin/python", "threads": 2,
    "devices": [{"device": "cpu", "name": None}],
    "cpu_limits": {
        "clock_ghz": 3.65, "cores": 2, "all_cores_float32_gflops": 230.0, "why": None,
        "one_core": {"float32": {"gflops": 116.9, "instruction": "vfmadd231ps ymm"}},
    },
}  # fmt: skip


def on_gpu(name: str) -> dict:
    """An environment whose device has this name."""
    devices = [{"device": "cpu", "name": None}, {"device": "cuda:0", "name": name, "capability": "9.0"}]
    return {
        "python": "3.12.4",
        "torch": "2.13.0+cu130",
        "executable": "/envs/a/bin/python",
        "devices": devices,
    }


def product(value: float, *, rounds=(), **more) -> BenchResult:
    """A float32 product of n = 2048 at so many GFLOP/s, in rounds of these relative times."""
    params = more.pop("params", {"n": 2048})
    n = params.get("n", 2048)
    seconds = 2 * n**3 / value / 1e9
    values = {
        "id": "matmul", "device": "cpu", "seconds": 1.0, "dtype": "float32", "unit": "GFLOP/s", "value": value,
        "best_value": value * 1.02, "median_s": seconds, "best_s": seconds / 1.02, "iqr_s": seconds / 50, "repeats": 9,
        "cpu_share": 0.99, "flop": 2.0 * n**3, "bytes": 12.0 * n**2, "params": params,
        "rounds_s": tuple(seconds * part for part in rounds or (0.99, 1.0, 1.0, 1.01)),
    }  # fmt: skip
    return BenchResult(**(values | more))


def report(*results: BenchResult, environment=None) -> BenchReport:
    """These results, on a CPU of 116.9 GFLOP/s a core unless told otherwise."""
    return BenchReport(environment=environment or CPU, results=results)
