"""Matrix products: every dtype a device has, by size and by number of threads."""

# ruff: noqa: TID252  # the package has another name where it runs, so neighbours are named relatively
from __future__ import annotations

from functools import partial
from typing import Any, Callable

from ..devices import kind
from ..message import sentence
from ..step import Outcome, skipped
from ..torch_errors import says
from .timing import seconds_of
from .workload import GFLOP, Workload

__all__ = ["matmul"]

# The sizes by name. On a GPU float32 has the smaller ones: it runs a tenth as fast as the tensor cores.
_CPU = {"tiny": 256, "small": 512, "middle": 1024, "main": 2048, "large": 4096}
_GPU = {"tiny": 1024, "small": 2048, "middle": 4096, "main": 8192, "large": 16384}
# A call that would take longer gets smaller matrices: some dtypes run a thousand times slower in software. At n = 2048
# this is 4 GFLOP/s, which one core of ten years ago exceeds.
_MAX_SECONDS = {"float32": 4.0}
_MAX_OTHER_SECONDS = 0.5
# Smaller matrices use other kernels: a float8 product of n = 128 was seen two hundred times slower than of 256.
_FIRST_SIZE = 256

Product = Callable[[], object]


def matmul(
    dtype: str, size: str, torch: Any, device: str, *, threads: int | None = None
) -> Workload | Outcome:
    """Multiply square matrices: 2 n^3 operations. `tf32` is float32 with the tensor cores' short factors."""
    on_cpu = kind(device) == "cpu"
    reason = _unavailable_reason(torch, dtype, device)
    if reason or (threads and not on_cpu):
        return skipped("not-for-device", reason or "threads are the CPU's")
    n = (_CPU if on_cpu else _GPU)[size]
    if dtype == "float32" and not on_cpu:
        n //= 2
    make = partial(_MAKERS.get(dtype, _plain), torch, device, dtype)
    try:
        fitting, call = _affordable(torch, make, n, device, _MAX_SECONDS.get(dtype, _MAX_OTHER_SECONDS))
    except (RuntimeError, NotImplementedError, TypeError) as error:
        if says(error, "out-of-memory"):
            raise
        return skipped(
            "dtype-not-supported",
            "this torch has no such product for this device: " + " ".join(str(error).split())[:120],
        )
    params: dict[str, Any] = {"n": fitting}
    wide = 1 if dtype in ("int8", "float8_e4m3fn") else 2 if dtype in ("float16", "bfloat16") else 4
    return Workload(
        call,
        dtype,
        dict(params, threads=threads) if threads else params,
        2 * fitting**3,
        GFLOP,
        id="matmul-one-thread" if threads else "matmul",
        flop=2.0 * fitting**3,
        moved=(2.0 * wide + max(wide, 2)) * fitting**2,
        threads=threads,
        note=None if fitting == n else sentence("n = {n} would take too long or too much memory", n=n),
    )


def _affordable(
    torch: Any, make: Callable[[int], Product], n: int, device: str, longest: float
) -> tuple[int, Product]:
    """Return the largest size up to n whose call is expected to stay below `longest` seconds, and that call."""
    size, fitting = min(_FIRST_SIZE, n), None
    while True:
        try:
            call = make(size)
            taken = seconds_of(torch, call, device)
        except RuntimeError as error:
            if fitting is None or not says(error, "out-of-memory"):
                raise
            return fitting
        fitting = (size, call)
        # Small matrices may be all overhead, so their time says little of large ones: the size grows in steps.
        step = 4 if taken * 64 <= longest else 2
        if size >= n or taken * min(step, n // size) ** 3 > longest:
            return fitting
        size = min(size * step, n)


def _unavailable_reason(torch: Any, dtype: str, device: str) -> str | None:
    """Return why a device cannot compute this product; None where it can."""
    if dtype == "tf32":
        capable = kind(device) == "cuda" and not getattr(torch.version, "hip", None)
        if not capable or torch.cuda.get_device_capability(device)[0] < 8:  # noqa: PLR2004  # Ampere
            return "TF32 is for NVIDIA GPUs of compute capability 8.0 and later"
    elif getattr(torch, dtype, None) is None:
        return "this torch has no " + dtype
    if dtype == "int8" and not hasattr(torch, "_int_mm"):
        return "this torch has no int8 product"
    if dtype.startswith("float8") and not hasattr(torch, "_scaled_mm"):
        return "this torch has no float8 product"
    return None


def _plain(torch: Any, device: str, dtype: str, n: int) -> Product:
    # Random: zeros draw less power and so run faster. The result has its memory already, so allocation is not timed.
    left, right = (torch.randn((n, n), device=device, dtype=getattr(torch, dtype)) for _ in range(2))
    result = torch.empty_like(left)
    return lambda: torch.mm(left, right, out=result)


def _float32(torch: Any, device: str, dtype: str, n: int) -> Product:
    """With TF32 on or off as the name says, whatever the process's default is."""
    call = _plain(torch, device, "float32", n)
    if kind(device) != "cuda":
        return call
    flags, on = torch.backends.cuda.matmul, dtype == "tf32"

    def product() -> object:
        before = flags.allow_tf32
        flags.allow_tf32 = on
        try:
            return call()
        finally:
            flags.allow_tf32 = before

    return product


def _int8(torch: Any, device: str, _dtype: str, n: int) -> Product:
    left, right = (torch.randint(-128, 128, (n, n), device=device, dtype=torch.int8) for _ in range(2))
    result = torch.empty((n, n), device=device, dtype=torch.int32)
    # cuBLAS wants the second factor column by column.
    columns = right if kind(device) == "cpu" else right.t()
    return lambda: torch._int_mm(left, columns, out=result)  # noqa: SLF001  # there is no public one


def _float8(torch: Any, device: str, dtype: str, n: int) -> Product:
    left, right = (torch.randn((n, n), device=device).to(getattr(torch, dtype)) for _ in range(2))
    one = torch.ones((), device=device)
    columns = right.t()
    return lambda: torch._scaled_mm(  # noqa: SLF001  # there is no public one
        left, columns, scale_a=one, scale_b=one, out_dtype=torch.bfloat16
    )


_MAKERS: dict[str, Callable[[Any, str, str, int], Product]] = {
    "float32": _float32,
    "tf32": _float32,
    "int8": _int8,
    "float8_e4m3fn": _float8,
}
