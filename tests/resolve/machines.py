"""Machines as the tests of the choice describe them."""

from __future__ import annotations

from torchdoctor.detect import Libc, Machine, Nvidia, NvidiaGpu, Python

RTX_4090 = ("NVIDIA GeForce RTX 4090", "8.9")
RTX_5090 = ("NVIDIA GeForce RTX 5090", "12.0")
GTX_1080 = ("NVIDIA GeForce GTX 1080", "6.1")
V100 = ("Tesla V100-SXM2-16GB", "7.0")
K80 = ("Tesla K80", "3.7")


def linux(*gpus, driver=None, python="3.12.4", glibc="2.35", **more):
    """A Linux machine; each GPU is a name and a compute capability."""
    cards = tuple(NvidiaGpu(name=name, compute_capability=capability) for name, capability in gpus)
    return Machine(
        **{
            "os": "linux",
            "arch": "x86_64",
            "libc": Libc(name="glibc", version=glibc),
            "python": Python(version=python),
            "nvidia": Nvidia(driver=driver, gpus=cards) if driver or cards else None,
            **more,
        }
    )
