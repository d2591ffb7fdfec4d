"""The texts around the findings: message ids in English, with named placeholders."""

from __future__ import annotations

__all__ = ["CHECKED", "FOR_SYSTEM", "NEXT_STEPS", "SYSTEMS", "WHO", "messages"]

WHO = {
    "host": "On the host, not here:",
    "admin": "As administrator:",
}

SYSTEMS = {"linux": "Linux", "windows": "Windows", "macos": "macOS"}

FOR_SYSTEM = "On {system}:"

CHECKED = {
    "os.name": "operating system: {value}",
    "python.version": "Python: {value}",
    "torch.version": "torch: {value}",
    "torch.build": "build: {value}",
    "cuda.available": "torch.cuda.is_available(): {value}",
    "nvidia.driver": "NVIDIA driver: {value}",
    "nvidia.gpu": "NVIDIA GPU: {value}",
    "amd.gfx": "AMD target: {value}",
    "package.torchvision": "torchvision: {value}",
    "package.torchaudio": "torchaudio: {value}",
    "package.numpy": "NumPy: {value}",
    "libc.version": "C library: {value}",
}

NEXT_STEPS = (
    "Run `python -m torch.utils.collect_env` in the environment that fails, and add what it prints.",
    "Add the output of `nvidia-smi` (NVIDIA) or `rocminfo` (AMD).",
    "Add the whole error: from the command that was run to the last line.",
)


def messages() -> tuple[str, ...]:
    """Every text here that is to be translated."""
    return (*WHO.values(), FOR_SYSTEM, *CHECKED.values(), *NEXT_STEPS)
