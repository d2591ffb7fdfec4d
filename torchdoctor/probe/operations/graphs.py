"""PyTorch Geometric and its compiled companions: sums, products and neighbours that are known."""

# ruff: noqa: TID252  # the package has another name where it runs, so neighbours are named relatively
from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .comparing import compare_tensor, compare_values

if TYPE_CHECKING:
    from ..step import Outcome

__all__ = ["cluster", "geometric", "pyg_lib", "scatter", "sparse", "spline"]

_SEED = 22


def scatter(torch: Any, device: str) -> Outcome:
    """Sums and maxima of rows by an index; the maxima come from compiled code."""
    module = importlib.import_module("torch_scatter")
    rows = torch.tensor([[1.0, 5.0], [2.0, 4.0], [4.0, 3.0]], device=device)
    index = torch.tensor([0, 1, 0], device=device)
    sums = module.scatter(rows, index, dim=0, reduce="sum").tolist()
    most, where = module.scatter_max(rows, index, dim=0)
    found = [sums, most.tolist(), where.tolist()]
    return compare_values(
        "scatter", found, [[[5.0, 8.0], [2.0, 4.0]], [[4.0, 5.0], [2.0, 4.0]], [[2, 0], [1, 1]]]
    )


def sparse(torch: Any, device: str) -> Outcome:
    """A sparse matrix times a dense one."""
    row, column = torch.tensor([0, 0, 1], device=device), torch.tensor([0, 2, 1], device=device)
    value = torch.tensor([1.0, 2.0, 3.0], device=device)
    tensor = importlib.import_module("torch_sparse").SparseTensor
    matrix = tensor(row=row, col=column, value=value, sparse_sizes=(2, 3))
    product = matrix.matmul(torch.tensor([[1.0], [10.0], [100.0]], device=device))
    return compare_values("SparseTensor.matmul", product.tolist(), [[201.0], [30.0]])


def cluster(torch: Any, device: str) -> Outcome:
    """The nearest of three points for each of two."""
    points = torch.tensor([[0.0, 0.0], [5.0, 5.0], [9.0, 0.0]], device=device)
    asking = torch.tensor([[8.0, 1.0], [1.0, 1.0]], device=device)
    pairs = importlib.import_module("torch_cluster").knn(points, asking, 1)
    return compare_values("knn", sorted(zip(*pairs.tolist())), [(0, 2), (1, 0)])


def spline(torch: Any, device: str) -> Outcome:
    """The values of a linear basis add up to one at each point."""
    basis_of = importlib.import_module("torch_spline_conv").spline_basis
    points = torch.tensor([[0.0], [0.3], [0.9]], device=device)
    size = torch.tensor([5], device=device)
    is_open = torch.tensor([1], dtype=torch.uint8, device=device)
    basis, index = basis_of(points, size, is_open, 1)
    wanted = torch.ones(3, dtype=torch.float64)
    outcome = compare_tensor(torch, "spline_basis", basis.sum(dim=1), wanted)
    return (
        outcome
        if tuple(index.shape) == (3, 2)
        else compare_values("spline_basis", tuple(index.shape), (3, 2))
    )


def pyg_lib(torch: Any, device: str) -> Outcome:
    """Two segments of rows, each times a matrix of its own."""
    generator = torch.Generator().manual_seed(_SEED)
    rows, matrices = torch.randn(8, 16, generator=generator), torch.randn(2, 16, 32, generator=generator)
    ends = torch.tensor([0, 5, 8])
    multiply = importlib.import_module("pyg_lib").ops.segment_matmul
    result = multiply(rows.to(device), ends.to(device), matrices.to(device))
    wanted = torch.cat([rows[:5].double() @ matrices[0].double(), rows[5:].double() @ matrices[1].double()])
    # CUTLASS may use TF32 for float32.
    return compare_tensor(torch, "segment_matmul", result, wanted, 2e-6 if device == "cpu" else 1e-3)


def geometric(torch: Any, device: str) -> Outcome:
    """A graph convolution on three nodes, by its formula."""
    layer = importlib.import_module("torch_geometric.nn").GCNConv(2, 2, bias=False).to(device)
    nodes = torch.tensor([[1.0, 0.0], [0.0, 1.0], [2.0, 2.0]])
    edges = torch.tensor([[0, 1, 1, 2], [1, 0, 2, 1]])
    with torch.no_grad():
        result = layer(nodes.to(device), edges.to(device))
        adjacency = torch.tensor([[1.0, 1, 0], [1, 1, 1], [0, 1, 1]], dtype=torch.float64)
        scale = adjacency.sum(dim=1).rsqrt().diag()
        wanted = scale @ adjacency @ scale @ nodes.double() @ layer.lin.weight.cpu().double().t()
    return compare_tensor(torch, "GCNConv", result, wanted, 2e-5 if device == "cpu" else 1e-3)
