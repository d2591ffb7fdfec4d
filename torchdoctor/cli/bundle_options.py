"""What `resolve --format pylock` and `download` are to lock, and what must hold of a bundle that is installed."""

from __future__ import annotations

import functools
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from torchdoctor.cli.machine_options import lock_target
from torchdoctor.cli.param_types import DIGEST
from torchdoctor.cli.requests import optional_requirements
from torchdoctor.core.fs.user_folders import cache_folder, data_folder, full_path

if TYPE_CHECKING:
    from collections.abc import Callable

    from torchdoctor.cli.machine_options import MachineOptions
    from torchdoctor.detect import Machine
    from torchdoctor.requirements import StackRequest
    from torchdoctor.resolve import Request
    from torchdoctor.workflows import BundleOptions, SourceOptions

__all__ = ["bundle_options_from", "origin_options"]

F = TypeVar("F", bound="Callable[..., Any]")


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


def origin_options(function: F) -> F:
    """`--digest` and `--allowed-signers`, which become one `origin`."""

    @click.option(
        "--digest",
        type=DIGEST,
        metavar="sha256:HEX",
        help="Install the bundle in which --lock lies only if this is its digest, printed when it was made.",
    )
    @click.option(
        "--allowed-signers",
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="Install it only if a key of FILE signed it: allowed signers of ssh-keygen, or a public key.",
    )
    @functools.wraps(function)
    def with_origin(*args: Any, digest: str | None, allowed_signers: Path | None, **kwargs: Any) -> Any:
        from torchdoctor.bundle import BundleOrigin
        from torchdoctor.bundle.origin import parse_digest

        signers = full_path(allowed_signers) if allowed_signers is not None else None
        given = digest is not None or signers is not None
        digits = parse_digest(digest, "--digest") if digest is not None else None
        origin = BundleOrigin(digest=digits, signers=signers) if given else None
        return function(*args, origin=origin, **kwargs)

    return with_origin  # type: ignore[return-value]
