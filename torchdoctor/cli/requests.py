"""What the options ask for, as a `Request`, source options and requirement lines."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from torchdoctor.core.i18n import message
from torchdoctor.errors import UsageError
from torchdoctor.resolve import Request
from wheels_index import COMPANIONS, UnknownVariant, variant, variant_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from packaging.requirements import Requirement

__all__ = [
    "extra_requirements",
    "optional_requirements",
    "parse_torch_option",
    "parse_variant_option",
    "parse_with_option",
    "request_from_options",
]


def request_from_options(
    *, torch: str | None, variant_name: str, with_: Sequence[str], without: Sequence[str], yes: bool = False
) -> Request:
    """The request that the options make; `UsageError` names the option that cannot be read."""
    wanted, build = parse_torch_option(torch)
    chosen = parse_variant_option(variant_name)
    if build is not None:
        if chosen not in ("auto", build):
            raise UsageError(
                message(
                    "--torch {torch} is a {build} build, and --variant asks for {chosen}",
                    torch=torch,
                    build=build,
                    chosen=chosen,
                ),
                fix=message("leave one of them out"),
            )
        chosen = build
    requirements = [parse_with_option(text) for text in with_]
    required = {each.name: each.specifier for each in requirements if each.name in COMPANIONS}
    excluded = frozenset(canonicalize_name(name) for name in without)
    if "torch" in excluded:
        raise UsageError(
            message("--without torch leaves nothing to install"), fix=message("name another package")
        )
    both = sorted(excluded & {each.name for each in requirements})
    if both:
        raise UsageError(
            message("{both} is asked for by --with and by --without", both=both[0]),
            fix=message("leave one of them out"),
        )
    return Request(
        torch=wanted, variant=chosen, required=required, excluded=excluded, allow_cuda_without_gpu=yes
    )


def extra_requirements(with_: Sequence[str], *, kernel: bool = False) -> tuple[str, ...]:
    """Requirement lines besides torch and its companions: what `--with` names, and a kernel's needs."""
    from torchdoctor.kernel.ipykernel import KERNEL_REQUIREMENT

    others = [each for each in map(parse_with_option, with_) if each.name not in (*COMPANIONS, "torch")]
    lines = {requirement.name: str(requirement) for requirement in others}
    if kernel:
        lines.setdefault("ipykernel", KERNEL_REQUIREMENT)
    return tuple(lines.values())


def optional_requirements(with_: Sequence[str], without: Sequence[str]) -> tuple[str, ...]:
    """What everybody expects beside torch, unless it is named by `--with` or `--without`.

    An environment without pip sends the next `pip install` into another one; without NumPy, torch warns at
    its first use and `tensor.numpy()` fails.
    """
    named = {parse_with_option(text).name for text in with_} | {
        str(canonicalize_name(name)) for name in without
    }
    return tuple(name for name in ("pip", "numpy") if name not in named)


def parse_torch_option(text: str | None) -> tuple[SpecifierSet | None, str | None]:
    """The releases that `--torch` means, and the build where it names one."""
    if text is None:
        return None, None
    plain = text.strip().removeprefix("torch").strip()
    try:
        if re.fullmatch(r"\d+(\.\d+)?", plain):
            return SpecifierSet(f"=={plain}.*"), None
        exact = plain.removeprefix("==") if not plain.startswith("===") else plain
        try:
            version = Version(exact)
        except InvalidVersion:
            return SpecifierSet(plain), None
    except InvalidSpecifier as error:
        raise UsageError(
            message("--torch {text!r} is neither a version nor a range of versions", text=text[:60]),
            fix=message("write a version such as 2.9.1, or a range such as '>=2.8,<2.10'"),
        ) from error
    return SpecifierSet(f"=={version.public}"), variant_of(version)


def parse_variant_option(name: str) -> str:
    """The variant that `--variant` means, or auto."""
    if name == "auto":
        return name
    try:
        return variant(name).name
    except UnknownVariant as error:
        raise UsageError(
            message("--variant {name!r} is not a variant", name=name[:40]),
            fix=message("write auto, cpu, cu126, rocm6.4, xpu or the like"),
        ) from error


def parse_with_option(text: str) -> Requirement:
    """The package that `--with` means."""
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        requirement = Requirement(text)
    except InvalidRequirement as error:
        raise UsageError(
            message("--with {text!r} is not a package: {error}", text=text[:60], error=error),
            fix=message("write NAME or NAME==VERSION"),
        ) from error
    if requirement.url is not None or requirement.marker is not None:
        raise UsageError(
            message("--with {text!r} names a URL or a marker", text=text[:60]),
            fix=message("write NAME or NAME==VERSION"),
        )
    requirement.name = canonicalize_name(requirement.name)
    return requirement
