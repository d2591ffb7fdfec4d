"""What is said of a stack: why this torch, and why a package stays below its newest version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.i18n import joined, message

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdoctor.resolve import Candidate, Request
    from torchdoctor.workflows.stack_model import StackChoice

__all__ = ["below_newest_warnings", "why_this_torch"]

_MAX_LIMITS = 3


def why_this_torch(
    candidate: Candidate,
    best: Candidate,
    request: Request,
    limits: Sequence[str],
    missing: Sequence[str],
) -> str:
    """Return why this build was chosen: it is the best that fits, or other packages want another release.

    `limits` say which packages do not take the best release, `missing` which companions it has no build of.
    """
    build = f"{candidate.torch}+{candidate.variant}"
    if candidate is best:
        asked = message(" asked for") if request.torch is not None else ""
        return message(
            "torch {torch} is the newest release{asked} that fits this machine",
            torch=candidate.torch,
            asked=asked,
        )
    if candidate.torch == best.torch:
        return message(
            "torch {torch}+{variant} would be the first choice, but there is no such build of {missing}, so "
            "torch {build}",
            torch=best.torch,
            variant=best.variant,
            missing=joined(missing, " and ") or message("everything else"),
            build=build,
        )
    if limits:
        return message("{who}, so torch {build}", who=joined(limits[:_MAX_LIMITS], " and "), build=build)
    return message("torch {build} is the newest with which everything asked for goes together", build=build)


def below_newest_warnings(choice: StackChoice) -> tuple[str, ...]:
    """Return a sentence for each package that was named and stays below its newest version."""
    return tuple(
        message(
            "{name} {version} is not the newest, {newest}: {why}",
            name=name,
            version=version,
            newest=newest,
            why=choice.why_below.get(name) or message("it does not go with the rest"),
        )
        for name, (version, newest) in choice.below.items()
    )
