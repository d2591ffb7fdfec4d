"""Checks with parts of torch replaced: what only a GPU's torch can do, and what a broken torch does; prints outcomes.

Run by the environment's interpreter: python stand_ins.py PROBE_FOLDER
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import sys
from pathlib import Path
from unittest import mock

import torch

spec = importlib.util.spec_from_file_location(
    "_probe", Path(sys.argv[1], "__init__.py"), submodule_search_locations=[sys.argv[1]]
)
package = importlib.util.module_from_spec(spec)
sys.modules["_probe"] = package
memory, multi_device, runtime_libraries, linear_algebra = (
    importlib.import_module("_probe." + name)
    for name in (
        "verify.memory",
        "verify.multi_device",
        "verify.runtime_libraries",
        "verify.linear_algebra",
    )
)
MIB = 2**20
full, to, pin = torch.full, torch.Tensor.to, torch.Tensor.clone
outcomes = {}


def case(name, call, **replaced):
    """Run the check with these in place."""
    gpu = {
        "torch.cuda.empty_cache": lambda: None,
        "torch.cuda.mem_get_info": lambda _device: (40 * MIB, 80 * MIB),
        "torch.cuda.memory_reserved": lambda _device: 0,
        "torch.cuda.is_available": lambda: True,
        "torch.cuda.device_count": lambda: 2,
        "torch.cuda.synchronize": lambda *_: None,
        "torch.cuda.get_device_capability": lambda _device: (7, 5),
        "torch.cuda.can_device_access_peer": lambda one, other: one < other,
        "torch.cuda.nccl.version": lambda: (2, 28, 3),
        "torch.distributed.is_nccl_available": lambda: True,
        "torch.Tensor.pin_memory": pin,
        "torch.Tensor.is_pinned": lambda _tensor: True,
        "torch.Tensor.to": lambda tensor, where, *rest, **more: to(
            tensor, "cpu" if isinstance(where, str) else where, *rest, **more
        ),
        "torch.full": lambda shape, value, dtype=None, device=None: full(shape, value, dtype=dtype),
        "_probe.verify.memory.kind": lambda _device: "cuda",
        "_probe.verify.memory.waiter": lambda _torch, _device: lambda: None,
        "_probe.verify.linear_algebra.kind": lambda _device: "cuda",
        "_probe.verify.tolerances.kind": lambda _device: "cuda",
    }
    gpu.update({name.replace("__", "."): value for name, value in replaced.items()})
    with mock.patch.object(torch.cuda.nccl, "all_reduce", gpu.pop("all_reduce", None)):
        patches = [mock.patch(name, value) for name, value in gpu.items()]
        for patch in patches:
            patch.start()
        outcome = call(torch, "cuda:0")
        for patch in reversed(patches):
            patch.stop()
    outcomes[name] = {"status": outcome.status, "detail": outcome.detail}


def scarce(times):
    """torch.full, which runs out of memory so often."""
    left = [times]

    def made(shape, value, dtype=None, device=None):
        left[0] -= 1
        if left[0] >= 0:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory")
        return full(shape, value, dtype=dtype)

    return made


def summed(parts, off=0.0):
    """What NCCL does."""
    total = sum(part.clone() for part in parts) + off
    for part in parts:
        part.copy_(total)


def changed(tensor, where, *rest, **more):
    """A copy that arrives with one byte changed."""
    got = to(tensor, "cpu", *rest, copy=True)
    if where == "cuda:1":
        got[77] += 1
    return got


wrong = {
    "torch__full": lambda shape, value, **_: full(shape, value, dtype=torch.int64).index_fill_(
        0, torch.tensor(5), 8
    )
}
reserved = iter((0, 200 * MIB))
case("memory", memory.memory)
case("memory taken meanwhile", memory.memory, torch__full=scarce(1))
case("memory that forgets", memory.memory, **wrong)
case("memory not given back", memory.memory, torch__cuda__memory_reserved=lambda _device: next(reserved))
case("copies", memory.copies)
case("copies not pinned", memory.copies, torch__Tensor__is_pinned=lambda _tensor: False)
case("copies that change", memory.copies, torch__Tensor__clone=lambda tensor: tensor + 1)
case("peers", multi_device.peers)
case("peers that change", multi_device.peers, torch__Tensor__to=changed)
case("nccl", multi_device.nccl, all_reduce=summed)
case("nccl that is wrong", multi_device.nccl, all_reduce=lambda parts: summed(parts, 1.0))
case("one gpu", multi_device.peers, torch__cuda__device_count=lambda: 1)
case("matmul of an old gpu", linear_algebra.matmul)


def on_cpu(name, call, **replaced):
    """Run the check on the CPU with these in place."""
    patches = [mock.patch(name.replace("__", "."), value) for name, value in replaced.items()]
    for patch in patches:
        patch.start()
    outcome = call(torch, "cpu")
    for patch in reversed(patches):
        patch.stop()
    outcomes[name] = {"status": outcome.status, "detail": outcome.detail}


mm = torch.mm
on_cpu("products 5 % off", linear_algebra.matmul, torch__mm=lambda a, b: mm(a, b) * 1.05)
on_cpu("products 1e-3 off", linear_algebra.matmul, torch__mm=lambda a, b: mm(a, b) + 1e-3)
on_cpu("products of zeros", linear_algebra.matmul, torch__mm=lambda a, b: mm(a, b) * 0)
on_cpu("infinite products", linear_algebra.matmul, torch__mm=lambda a, b: mm(a, b) / 0)
on_cpu("products of another shape", linear_algebra.matmul, torch__mm=lambda a, b: mm(a, b)[:1])
torch.set_float32_matmul_precision("high")
on_cpu(
    "products of a lower precision that was asked for", linear_algebra.matmul,
    torch__mm=lambda a, b: mm(a, b) * (1.0005 if a.dtype is torch.float32 else 1),
)  # fmt: skip
torch.set_float32_matmul_precision("highest")
twice = ["/a/libcudnn.so.9", "/b/libcudnn.so.9", "/a/libnvrtc.so.12", "/a/libnvrtc-builtins.so.12"]
outcomes["twice"] = [str(path) for path in runtime_libraries._loaded_twice(map(Path, twice))]
outcomes["once"] = [str(path) for path in runtime_libraries._loaded_twice(map(Path, twice[1:]))]
print(json.dumps(outcomes))  # noqa: T201
