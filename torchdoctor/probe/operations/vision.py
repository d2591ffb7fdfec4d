"""Extensions of computer vision: which boxes are kept and which points are near is known."""

# ruff: noqa: TID252  # the package has another name where it runs, so neighbours are named relatively
from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .comparing import compare_values

if TYPE_CHECKING:
    from ..step import Outcome

__all__ = ["detectron2", "mmcv", "pytorch3d"]


def mmcv(torch: Any, device: str) -> Outcome:
    """The second box overlaps the first by more than half and has the lower score."""
    boxes = torch.tensor([[0.0, 0, 10, 10], [1.0, 1, 11, 11], [20.0, 20, 30, 30]], device=device)
    scores = torch.tensor([0.9, 0.8, 0.7], device=device)
    _, kept = importlib.import_module("mmcv.ops").nms(boxes, scores, 0.5)
    return compare_values("nms", kept.tolist(), [0, 2])


def detectron2(torch: Any, device: str) -> Outcome:
    """Rotated boxes are (x, y, width, height, angle)."""
    importlib.import_module("detectron2._C")
    boxes = torch.tensor([[5.0, 5, 10, 10, 0], [6.0, 6, 10, 10, 0], [25.0, 25, 10, 10, 45]], device=device)
    scores = torch.tensor([0.9, 0.8, 0.7], device=device)
    kept = importlib.import_module("detectron2.layers").nms_rotated(boxes, scores, 0.5)
    return compare_values("nms_rotated", kept.tolist(), [0, 2])


def pytorch3d(torch: Any, device: str) -> Outcome:
    """The nearest of three points for each of two."""
    points = torch.tensor([[[0.0, 0, 0], [5.0, 5, 5], [9.0, 0, 0]]], device=device)
    asking = torch.tensor([[[8.0, 1, 0], [1.0, 1, 1]]], device=device)
    nearest = importlib.import_module("pytorch3d.ops").knn_points(asking, points, K=1).idx
    return compare_values("knn_points", nearest.flatten().tolist(), [2, 0])
