"""The checks of the doctor: each with what it looks at and what it says of what was seen."""

from __future__ import annotations

from torchdoctor.core.i18n import message
from torchdoctor.doctor.checks.environment import (
    describe_hold,
    describe_import_path,
    describe_packages,
    describe_python,
)
from torchdoctor.doctor.checks.gpu import describe_access, describe_devices, describe_driver
from torchdoctor.doctor.checks.kernels import describe_kernels
from torchdoctor.doctor.checks.machine import describe_resources, describe_system
from torchdoctor.doctor.checks.model import Check, CheckText, Mark
from torchdoctor.doctor.checks.network import describe_network
from torchdoctor.doctor.checks.packages import describe_package_import, describe_requirements
from torchdoctor.doctor.checks.pytorch import (
    describe_build,
    describe_companions,
    describe_import,
    describe_plan,
)

__all__ = ["CHECKS", "Check", "CheckText", "Mark"]

# `section.name` -> the check, in the order in which they are shown.
CHECKS: dict[str, Check] = {
    "machine.system": Check(
        looks_at=message("operating system, C library, Python, accelerators"), describe=describe_system
    ),
    "machine.room": Check(looks_at=message("processors, memory, free disk"), describe=describe_resources),
    "gpu.devices": Check(looks_at=message("the GPUs and their state"), describe=describe_devices),
    "gpu.driver": Check(
        looks_at=message("the driver: loaded, one version, new enough"), describe=describe_driver
    ),
    "gpu.access": Check(
        looks_at=message("container, permissions, variables that hide GPUs"), describe=describe_access
    ),
    "environment.python": Check(
        looks_at=message("the environment and its interpreter"), describe=describe_python
    ),
    "environment.path": Check(
        looks_at=message("where imports look, what shadows what"), describe=describe_import_path
    ),
    "environment.packages": Check(
        looks_at=message("packages, copies, files against their RECORD"), describe=describe_packages
    ),
    "environment.hold": Check(
        looks_at=message("what keeps pip and uv from replacing torch"), describe=describe_hold
    ),
    "pytorch.build": Check(
        looks_at=message("torch and its build, against the GPU and the driver"), describe=describe_build
    ),
    "pytorch.fits": Check(looks_at=message("the build that would fit this machine"), describe=describe_plan),
    "pytorch.companions": Check(
        looks_at=message("torchvision and torchaudio, against torch"), describe=describe_companions
    ),
    "pytorch.import": Check(
        looks_at=message("importing torch in the environment, and its devices"), describe=describe_import
    ),
    "packages.requirements": Check(
        looks_at=message("what was asked for, and what packages require, against what is installed"),
        describe=describe_requirements,
    ),
    "packages.import": Check(
        looks_at=message("importing what was asked for, and what is compiled against torch"),
        describe=describe_package_import,
    ),
    "kernels.specs": Check(
        looks_at=message("Jupyter's kernels: what each runs, and whether it can"), describe=describe_kernels
    ),
    "network.index": Check(looks_at=message("whether the PyTorch index answers"), describe=describe_network),
}
