"""torchdoctor: the PyTorch build that fits this machine, installed and proven."""

__all__ = ["__version__"]

__version__ = "0.1.0"
