"""Checks of the packages beside torch: what was asked for and required, and whether it can be imported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.i18n import joined, message, plurals
from torchdoctor.doctor.checks.model import CheckText
from torchdoctor.verify.status_text import counted_checks

if TYPE_CHECKING:
    from torchdoctor.doctor.model import CheckUp

__all__ = ["describe_package_import", "describe_requirements"]

_MAX_NAMES = 8


def describe_requirements(check_up: CheckUp) -> CheckText:
    """What was asked for, how many packages were judged, and what is wrong with them."""
    stack = check_up.stack
    names = list(stack.asked[:_MAX_NAMES])
    more = len(stack.asked) - len(names)
    asked = message("asked for: {names}", names=joined([*names, *([f"+{more}"] if more > 0 else [])]))
    parts = [asked if names else message("nothing was asked for besides torch")]
    if stack.judged:
        judged = plurals.packages(stack.judged)
        parts.append(message("{packages} that have to do with torch", packages=judged))
    return CheckText(text=joined(parts), evidence=tuple(problem.description for problem in stack.problems))


def describe_package_import(check_up: CheckUp) -> CheckText:
    """How many packages could be imported; unknown where something was asked for and nobody tried."""
    if check_up.packages is None:
        mark = "unknown" if check_up.stack.asked else "ok"
        return CheckText(text=message("importing packages was not tried"), mark=mark)  # type: ignore[arg-type]
    evidence = tuple(
        message("{what}: {why}", what=result.id, why=result.detail) for result in check_up.packages
    )
    failed = [result for result in check_up.packages if result.status == "fail"]
    if failed:
        names = joined(result.id.partition(":")[2] or result.id for result in failed)
        text = message("cannot be imported: {names}", names=names)
        return CheckText(text=text, evidence=evidence, mark="error")
    if [result.code for result in check_up.packages] == ["no-packages"]:
        return CheckText(text=message("there is nothing to import besides torch"), evidence=evidence)
    return CheckText(text=counted_checks(check_up.packages), evidence=evidence)
