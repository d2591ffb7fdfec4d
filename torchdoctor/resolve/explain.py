"""Nothing fits: which constraints are in conflict, and what to change."""

from __future__ import annotations

import re
from bisect import bisect_left
from typing import TYPE_CHECKING

from packaging.version import Version

from torchdoctor.core.i18n import joined, message
from torchdoctor.errors import NoSolution
from torchdoctor.resolve.relaxations import relaxations

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdoctor.detect import Machine
    from torchdoctor.resolve.model import Refusal, RefusalCode, Request
    from torchdoctor.resolve.relaxations import Constraint, Relaxation
    from wheels_index import Snapshot

__all__ = ["explain"]

_BUILD_BITS = 64

# The refusals that tell something about a constraint; those of a companion have its name beside the code.
_ABOUT: dict[Constraint, frozenset[RefusalCode]] = {
    "python": frozenset(
        {
            "python-bits",
            "implementation",
            "python-version",
            "requires-python",
            "macos-too-old",
            "companion-python",
        }
    ),
    "macos": frozenset({"macos-too-old"}),
    "glibc": frozenset({"glibc-too-old", "musl"}),
    "torch": frozenset(),
    "variant": frozenset(),
    "companion": frozenset(),
}


def explain(
    machine: Machine, request: Request, snapshot: Snapshot, refusals: Sequence[Refusal]
) -> NoSolution:
    """Return the error for a request that no build meets: the constraints that are each enough to relax.

    `refusals` say why the releases were passed over, the newest first; the first that is about one of these
    constraints becomes part of the message.
    """
    unsupported = _unsupported_machine(machine)
    if unsupported is not None:
        return unsupported
    if request.torch is not None and not any(map(request.torch.contains, snapshot.versions())):
        return _no_such_release(request, snapshot)
    found = relaxations(machine, request, snapshot)
    detail = _detail(refusals, found)
    if not found:
        return NoSolution(
            message("no torch release has a build for this machine{first}", first=detail),
            fix=message("see `torchdoctor doctor` for what was found here"),
        )
    names = [relaxation.name for relaxation in found]
    if len(names) > 1:
        together = joined([joined(names[:-1]), names[-1]], " and ")
        what = message("no torch build meets {names} together{first}", names=together, first=detail)
    else:
        what = message("no torch build meets {name}{first}", name=names[0], first=detail)
    return NoSolution(
        what,
        fix=message("use {ways}", ways=joined([relaxation.change for relaxation in found], ", or ")),
    )


def _detail(refusals: Sequence[Refusal], found: Sequence[Relaxation]) -> str:
    """The first refusal that is about one of the constraints, or any where there are none, as a sentence's end."""
    about = (refusal for refusal in refusals if not found or any(_is_about(refusal, r) for r in found))
    first = next(about, None)
    return message(": {reason}", reason=first.message) if first is not None else ""


def _is_about(refusal: Refusal, relaxation: Relaxation) -> bool:
    if relaxation.constraint == "companion":
        return refusal.project == relaxation.project
    return refusal.code in _ABOUT[relaxation.constraint]


def _unsupported_machine(machine: Machine) -> NoSolution | None:
    """The error for a machine that no release has wheels for, whatever is asked; None for any other."""
    python = machine.python
    if machine.libc is not None and machine.libc.name == "musl":
        return NoSolution(
            message("no torch wheel is built for musl"),
            fix=message("use a glibc system, for example a Debian or Ubuntu container"),
        )
    if python.bits != _BUILD_BITS:
        return NoSolution(
            message("torch has no build for a {bits}-bit Python", bits=python.bits),
            fix=message("name a 64-bit interpreter with `--python`"),
        )
    if python.implementation != "cpython":
        return NoSolution(
            message(
                "torch has wheels for CPython only, not {implementation}",
                implementation=python.implementation,
            ),
            fix=message("name a CPython interpreter with `--python`"),
        )
    if machine.platform is None:
        return NoSolution(
            message("torch has no build for {os} {arch}", os=machine.os, arch=machine.arch),
            fix=message("no wheel can be installed here; torch would have to be built from source"),
        )
    return None


def _no_such_release(request: Request, snapshot: Snapshot) -> NoSolution:
    wanted = str(request.torch)
    known = sorted(snapshot.versions())
    place = bisect_left(known, _first_version(wanted))
    nearest = known[max(0, place - 2) : place + 1]
    return NoSolution(
        message(
            "no torch release matches {wanted}; the releases known run from {oldest} to {newest}",
            wanted=wanted,
            oldest=known[0],
            newest=known[-1],
        ),
        fix=message(
            "ask for one that exists, the nearest: {near}; in the place of what files or packages ask for: "
            "--override 'torch=={first}'",
            near=joined(map(str, reversed(nearest))),
            first=nearest[-1],
        ),
        code="no-such-release",
    )


def _first_version(specifiers: str) -> Version:
    found = re.search(r"\d{1,6}(\.\d{1,6}){0,3}", specifiers)
    return Version(found[0] if found else "0")
