"""AMD GPUs: the amdgpu driver and ROCm."""

from __future__ import annotations
