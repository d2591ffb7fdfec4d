"""Extensions with kernels for torch: attention, graphs, vision, and kernels alone."""

from __future__ import annotations

import types

import torch
from base import AMD, HOPPER, TURING, case, module

sdpa = torch.nn.functional.scaled_dot_product_attention


def wide(query, key, value, **_options):
    """Attention over (batch, length, heads, width)."""
    return sdpa(*(tensor.transpose(1, 2) for tensor in (query, key, value))).transpose(1, 2)


flash = [module("flash_attn", flash_attn_func=wide)]
case("flash", "flash-attention", flash, **HOPPER)
case(
    "flash of zeros", "flash-attention", [module("flash_attn", flash_attn_func=lambda q, *_: q * 0)], **HOPPER
)
case(
    "flash in another order",
    "flash-attention",
    [module("flash_attn", flash_attn_func=sdpa)],
    **HOPPER,
)
case("flash on Turing", "flash-attention", flash, **TURING)
case("flash on AMD", "flash-attention", flash, **AMD)
flash_3 = [module("flash_attn_interface", flash_attn_func=lambda *inputs: (wide(*inputs), None))]
case("flash 3", "flash-attention-3", flash_3, **HOPPER)
case("flash 3 on AMD", "flash-attention-3", flash_3, **AMD)
sage = [module("sageattention", sageattn=lambda q, k, v, **_: sdpa(q, k, v) * 1.03)]
case("sage", "sage-attention", sage, **HOPPER)
case("sage on AMD", "sage-attention", sage, **AMD)
case("xformers", "xformers-attention", [module("xformers.ops", memory_efficient_attention=wide)])


def scatter_max(rows, index, dim):
    """Maxima and where they are."""
    picked = [(index == group).nonzero().flatten() for group in range(2)]
    most = [rows[where].max(dim=dim) for where in picked]
    return (
        torch.stack([part.values for part in most]),
        torch.stack([where[part.indices] for where, part in zip(picked, most, strict=True)]),
    )


def scatter(rows, index, dim, reduce):
    """Sums."""
    return torch.zeros(2, rows.shape[1]).index_add_(dim, index, rows)


case("scatter", "torch-scatter-add", [module("torch_scatter", scatter=scatter, scatter_max=scatter_max)])
case(
    "scatter that forgets", "torch-scatter-add",
    [module("torch_scatter", scatter=lambda rows, *_a, **_k: rows[:2], scatter_max=scatter_max)],
)  # fmt: skip


class Sparse:
    """A sparse matrix."""

    def __init__(self, row, col, value, sparse_sizes):
        self.dense = torch.zeros(*sparse_sizes).index_put_((row, col), value)

    def matmul(self, other):
        """The product."""
        return self.dense @ other


def nearest(points, asking, _k):
    """Pairs of a point that asks and the one that is nearest."""
    return torch.stack([torch.arange(len(asking)), torch.cdist(asking, points).argmin(dim=1)])


def spline_basis(points, size, _is_open, _degree):
    """Two values that add up to one."""
    place = points[:, 0] * (size[0] - 1)
    part = place - place.floor()
    return torch.stack([1 - part, part], dim=1), torch.stack([place.long(), place.long() + 1], dim=1)


def segment_matmul(rows, ends, matrices):
    """Each segment times its matrix."""
    pairs = zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True)
    return torch.cat([rows[start:end] @ matrix for (start, end), matrix in zip(pairs, matrices, strict=True)])


def knn_points(asking, points, K):  # noqa: N803
    """The nearest points."""
    return types.SimpleNamespace(idx=torch.cdist(asking, points).argmin(dim=2, keepdim=True))


def nms(boxes, _scores, _limit):
    """Boxes that do not begin near an earlier one."""
    kept = [0, *(i for i in range(1, len(boxes)) if (boxes[:i] - boxes[i]).abs().min(dim=0).values[0] > 5)]
    return torch.tensor(kept)


case("sparse", "torch-sparse-matmul", [module("torch_sparse", SparseTensor=Sparse)])
case("cluster", "torch-cluster-knn", [module("torch_cluster", knn=nearest)])
case("spline", "torch-spline-basis", [module("torch_spline_conv", spline_basis=spline_basis)])
case(
    "pyg-lib", "pyg-lib-matmul", [module("pyg_lib", ops=module("pyg_lib.ops", segment_matmul=segment_matmul))]
)
case("mmcv", "mmcv-nms", [module("mmcv.ops", nms=lambda *given: (None, nms(*given)))])
case("mmcv without its operators", "mmcv-nms", [module("mmcv")])
case("detectron2", "detectron2-nms", [module("detectron2._C"), module("detectron2.layers", nms_rotated=nms)])
case("pytorch3d", "pytorch3d-knn", [module("pytorch3d.ops", knn_points=knn_points)])

apex = module("apex.normalization", FusedLayerNorm=torch.nn.LayerNorm)
case("apex", "apex-layer-norm", [apex, module("fused_layer_norm_cuda")])
case("apex without kernels", "apex-layer-norm", [apex])


def rms_norm(result, inputs, weight, epsilon):
    """Into the first tensor."""
    result.copy_(inputs * (inputs.pow(2).mean(dim=1, keepdim=True) + epsilon).rsqrt() * weight)


def platform(*, cpu):
    """vLLM's platform."""
    return module(
        "vllm.platforms",
        current_platform=types.SimpleNamespace(is_cpu=lambda: cpu, import_kernels=lambda: None),
    )


KERNELS = {"torch__ops___C": types.SimpleNamespace(rms_norm=rms_norm)}
case("vllm", "vllm-kernels", [platform(cpu=True)], **KERNELS)
case("vllm for a GPU alone", "vllm-kernels", [platform(cpu=False)], **KERNELS)
silu = module("sgl_kernel", silu_and_mul=lambda x: torch.nn.functional.silu(x[:, :64]) * x[:, 64:])
case("sglang", "sglang-kernels", [silu])
case("sglang without kernels", "sglang-kernels")


class Builder:
    """One that can be compiled, and one that finds no compiler."""

    def __init__(self, good):
        self.good = good

    def is_compatible(self, verbose):
        """Whether it can be compiled."""
        if not self.good:
            raise AssertionError
        return True


operators = module("deepspeed.ops.op_builder.all_ops", ALL_OPS={"a": Builder(True), "b": Builder(False)})
case("deepspeed", "deepspeed-import", [operators])
