"""What the options ask for, as a `Request`, a stack and requirement lines."""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from torchdoctor.core.i18n import message
from torchdoctor.errors import UsageError
from torchdoctor.resolve import Request
from wheels_index import UnknownVariant, variant, variant_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from torchdoctor.core.progress import Reporter
    from torchdoctor.requirements import StackOptions, StackRequest
    from torchdoctor.workflows import SourceOptions

__all__ = [
    "optional_requirements",
    "parse_torch_option",
    "parse_variant_option",
    "request_from_options",
    "stack_from_options",
]


def request_from_options(
    *, torch: str | None, variant_name: str, without: Sequence[str], stack: StackRequest, yes: bool = False
) -> Request:
    """The request that the options make; `UsageError` names the option that cannot be read.

    What the `stack` asks of torch joins it once the machine is known.
    """
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
    excluded = frozenset(canonicalize_name(name) for name in without)
    if "torch" in excluded:
        raise UsageError(
            message("--without torch leaves nothing to install"), fix=message("name another package")
        )
    typed = {asked.name for asked in stack.requirements if asked.origin.startswith("--with ")}
    both = sorted(excluded & typed)
    if both:
        raise UsageError(
            message("{both} is asked for by --with and by --without", both=both[0]),
            fix=message("leave one of them out"),
        )
    return Request(torch=wanted, variant=chosen, excluded=excluded, allow_cuda_without_gpu=yes)


def stack_from_options(
    asked: StackOptions,
    sources: SourceOptions,
    report: Reporter,
    *,
    yes: bool,
    kernel: bool = False,
    python: str | None = None,
    torch: str | None = None,
) -> StackRequest:
    """Read the files and projects that the options name; the user is asked for what needs consent, or said `yes`.

    With `kernel` it has what a kernel needs. `python` is what `--python` names, and `torch` what
    `--torch` does, which is recorded with it. Raises `UsageError` for what cannot be
    read.
    """
    from torchdoctor.requirements import AskedRequirement, StackRequest

    stack = _read_stack(asked, sources, report, yes=yes, python=python) if asked else StackRequest()
    agreed = frozenset(str(canonicalize_name(name)) if name != ":all:" else name for name in asked.builds)
    agreed |= stack.builds
    stack = replace(stack, builds=agreed | {":all:"} if yes else agreed)
    wanted, _ = parse_torch_option(torch)
    more = []
    if wanted is not None:
        more.append(AskedRequirement(line=f"torch{wanted}", name="torch", origin=f"--torch {torch}"))
    if kernel and all(each.name != "ipykernel" for each in stack.requirements):
        from torchdoctor.kernel.ipykernel import KERNEL_REQUIREMENT

        more.append(AskedRequirement(line=KERNEL_REQUIREMENT, name="ipykernel", origin="--kernel"))
    return replace(stack, requirements=(*stack.requirements, *more)) if more else stack


def _read_stack(
    asked: StackOptions, sources: SourceOptions, report: Reporter, *, yes: bool, python: str | None
) -> StackRequest:
    from torchdoctor.core.fs.user_folders import current_folder
    from torchdoctor.requirements import read_stack

    known = {url.rstrip("/") for url in (sources.index_url, *sources.find_links) if url}
    return read_stack(
        asked,
        environ=os.environ,
        folder=current_folder(),
        ask=lambda question: yes or report.ask(question, default=False),
        known_indexes=frozenset(known),
        trust_indexes=sources.trust_project,
        build_metadata=lambda folder: _built_metadata(folder, sources, report, python),
    )


def _built_metadata(folder: Path, options: SourceOptions, report: Reporter, python: str | None) -> str:
    from torchdoctor.core.fs.user_folders import cache_folder
    from torchdoctor.core.system import host_system
    from torchdoctor.detect import find_python
    from torchdoctor.workflows.project_metadata import build_project_metadata
    from torchdoctor.workflows.sources import gather_sources

    system = host_system(os.environ)
    interpreter = find_python(system, python)
    sources = gather_sources(options, system, interpreter, report)
    return build_project_metadata(
        folder,
        python=interpreter,
        sources=sources,
        offline=options.offline,
        cache=cache_folder(os.environ),
        system=system,
        report=report,
    )


def optional_requirements(stack: StackRequest, without: Sequence[str]) -> tuple[str, ...]:
    """What everybody expects beside torch, unless it is asked for or named by `--without`.

    An environment without pip sends the next `pip install` into another one; without NumPy, torch warns at
    its first use and `tensor.numpy()` fails.
    """
    named = {each.name for each in stack.requirements} | {str(canonicalize_name(name)) for name in without}
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
