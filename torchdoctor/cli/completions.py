"""The words that a shell completes, for each kind of value; each list is made when a shell asks for it."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = [
    "bench_case_names",
    "companion_names",
    "device_names",
    "doctor_check_names",
    "failure_ids",
    "kernel_names",
    "mirror_names",
    "platform_tags",
    "release_versions",
    "setting_keys",
    "variant_names",
    "vendor_names",
    "verify_check_names",
]


def mirror_names() -> Iterable[str]:
    """Return what `--mirror` takes."""
    from torchdoctor.sources.mirrors import AUTO, mirror_names

    return (AUTO, *mirror_names())


def release_versions() -> Iterable[str]:
    """Return the known releases of torch."""
    from wheels_index import bundled

    return [str(release.version) for release in bundled().releases()]


def variant_names() -> Iterable[str]:
    """Return the variants of all known releases."""
    from wheels_index import bundled

    names = {
        name
        for release in bundled().releases()
        for builds in release.platforms.values()
        for name in builds.variants
    }
    return ("auto", *sorted(names))


def vendor_names() -> Iterable[str]:
    """Return what `--vendor` takes."""
    from wheels_index import vendor_names as names

    return names()


def companion_names() -> Iterable[str]:
    """Return the packages that belong to a torch release."""
    from wheels_index import COMPANIONS

    return COMPANIONS


def platform_tags() -> Iterable[str]:
    """Return the usual values of `--platform`."""
    return ("linux_x86_64", "linux_aarch64", "win_amd64", "win_arm64", "macosx_14_0_arm64")


def kernel_names() -> Iterable[str]:
    """Return the names of the kernels that Jupyter finds here."""
    from torchdoctor.core.system import host_system
    from torchdoctor.kernel import list_kernels

    kernels = list_kernels(host_system(os.environ), prefixes=[Path(sys.prefix)])
    return dict.fromkeys(kernel.name for kernel in kernels)


def verify_check_names() -> Iterable[str]:
    """Return the checks of verify."""
    from torchdoctor.probe.suite import VERIFY

    return [step.id for step in VERIFY]


def bench_case_names() -> Iterable[str]:
    """Return the cases of bench."""
    from torchdoctor.probe.suite import BENCH

    return [step.id for step in BENCH]


def device_names() -> Iterable[str]:
    """Return the kinds of device."""
    from torchdoctor.verify.devices import DEVICE_NAMES

    return DEVICE_NAMES


def doctor_check_names() -> Iterable[str]:
    """Return the sections of doctor and its checks."""
    from torchdoctor.doctor.checks import CHECKS

    return dict.fromkeys([*(name.partition(".")[0] for name in CHECKS), *CHECKS])


def failure_ids() -> Iterable[str]:
    """Return the ids of the known failures."""
    from torchdoctor.diagnose import all_failures

    return [failure.id for failure in all_failures()]


def setting_keys() -> Iterable[str]:
    """Return every key that the config file may have."""
    from torchdoctor.cli.config.all_settings import setting_names

    return setting_names()
