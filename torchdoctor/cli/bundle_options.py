"""What `resolve --format pylock` and `download` are to lock."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from torchdoctor.cli.machine_options import lock_target
from torchdoctor.cli.requests import optional_requirements
from torchdoctor.core.fs.user_folders import cache_folder, data_folder

if TYPE_CHECKING:
    from torchdoctor.cli.machine_options import MachineOptions
    from torchdoctor.detect import Machine
    from torchdoctor.requirements import StackRequest
    from torchdoctor.resolve import Request
    from torchdoctor.workflows import BundleOptions, SourceOptions

__all__ = ["bundle_options_from"]


def bundle_options_from(
    described: MachineOptions,
    machine: Machine,
    request: Request,
    sources: SourceOptions,
    stack: StackRequest,
    without: tuple[str, ...],
) -> BundleOptions:
    """Return the options as values. The interpreter is one that runs here: the machine's where it is this machine."""
    from torchdoctor.core.system import host_system
    from torchdoctor.detect import find_python
    from torchdoctor.workflows import BundleOptions

    target = lock_target(described, machine)
    return BundleOptions(
        machine=machine,
        target=target,
        python=find_python(host_system(os.environ), described.python if target is None else None),
        request=request,
        sources=sources,
        stack=stack,
        optional=optional_requirements(stack, without),
        cache=cache_folder(os.environ),
        data=data_folder(os.environ),
    )
