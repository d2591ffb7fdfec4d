"""NVIDIA GPUs: driver, toolkit, GPU state, from NVML, nvidia-smi and files."""

from __future__ import annotations
