"""What `resolve --format pylock` and `download` are asked for."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from torchdoctor.cli.machine_options import target_asked
from torchdoctor.cli.requests import extras_asked, optional_asked
from torchdoctor.core.fs.user_folders import cache_folder, data_folder

if TYPE_CHECKING:
    from torchdoctor.cli.machine_options import MachineAsked
    from torchdoctor.detect import Machine
    from torchdoctor.resolve.model import Request
    from torchdoctor.workflows.bundle import BundleOptions
    from torchdoctor.workflows.sources import SourceOptions

__all__ = ["carry_options"]


def carry_options(
    asked: MachineAsked,
    machine: Machine,
    request: Request,
    sources: SourceOptions,
    with_: tuple[str, ...],
    without: tuple[str, ...],
) -> BundleOptions:
    """The options as data; the interpreter is one that runs here, and of the machine only when it is this one."""
    from torchdoctor.core.system import host_system
    from torchdoctor.detect import find_python
    from torchdoctor.workflows.bundle import BundleOptions

    target = target_asked(asked, machine)
    return BundleOptions(
        machine=machine,
        target=target,
        python=find_python(host_system(os.environ), asked.python if target is None else None),
        request=request,
        sources=sources,
        extras=extras_asked(with_),
        optional=optional_asked(with_, without),
        cache=cache_folder(os.environ),
        data=data_folder(os.environ),
    )
