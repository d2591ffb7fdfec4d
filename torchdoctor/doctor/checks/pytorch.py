"""Checks of PyTorch: the installed build, the build that would fit, its companions, and its import."""

from __future__ import annotations

from typing import TYPE_CHECKING

from packaging.version import InvalidVersion, Version

from torchdoctor.core.i18n import joined, message
from torchdoctor.doctor.checks.model import CheckText
from torchdoctor.doctor.install_command import install_command
from torchdoctor.resolve.family_order import is_lesser_family

if TYPE_CHECKING:
    from torchdoctor.doctor.model import CheckUp
    from torchdoctor.resolve import Plan

__all__ = ["describe_build", "describe_companions", "describe_import", "describe_plan"]


def describe_build(check_up: CheckUp) -> CheckText:
    """The version and build of torch; where it is missing, which other environment has one."""
    torch = check_up.inventory.torch.value
    if torch is None:
        text: str = message("torch is not in {where}", where=check_up.python.prefix)
        if check_up.elsewhere:
            text = joined((text, check_up.elsewhere), "; ")
        return CheckText(text=text, mark="unknown")
    build = torch.variant.value or message("unknown build")
    text = message("torch {version} ({build})", version=torch.version, build=build)
    evidence = (
        message("folder: {place}", place=torch.folder),
        message("variant: {said}", said=torch.variant),
    )
    return CheckText(text=text, evidence=evidence)


def describe_plan(check_up: CheckUp) -> CheckText:
    """The newest build that fits, compared with the installed one, or why none fits."""
    if check_up.plan is None:
        return CheckText(text=message("no build fits: {why}", why=check_up.unfit), mark="warning")
    text = _against_newest(check_up, check_up.plan)
    if check_up.plan.warnings:
        text = joined((text, *check_up.plan.warnings), "; ")
    return CheckText(
        text=text,
        evidence=(*check_up.plan.reasons, *check_up.plan.warnings),
        mark="warning" if check_up.plan.warnings else "ok",
    )


def _against_newest(check_up: CheckUp, plan: Plan) -> str:
    """The newest build that fits; where torch is installed, whether it is that one, and how to ask for a newer one.

    An upgrade is one that loses nothing. Nothing here asks the sources, so none is promised.
    """
    torch = check_up.inventory.torch.value
    newest = f"{plan.torch.name} {plan.torch.version}"
    try:
        here = Version(torch.version or "") if torch else None
    except InvalidVersion:
        here = None
    if torch is None or here is None:
        names = joined(f"{package.name} {package.version}" for package in plan.packages)
        return message("the newest that fits: {names}", names=names)
    family = torch.variant.value
    upgrade = check_up.same_family if is_lesser_family(family, plan.variant) else plan
    if upgrade is None:
        return message("no newer {family} build is known to fit", family=family)
    newest, release = f"{upgrade.torch.name} {upgrade.torch.version}", Version(upgrade.torch.version.public)
    if Version(here.public) < release:
        command = install_command(check_up)
        if upgrade is not plan:
            command += f" --variant {upgrade.variant}"
        return message(
            "{newest} is published; to see whether it can be installed from here: {command} --dry-run",
            newest=newest,
            command=command,
        )
    if Version(here.public) > release:
        return message("newer than {newest}, the newest known to fit", newest=newest)
    if family not in (None, upgrade.variant):
        return message("the newest that fits; its best build here is {variant}", variant=upgrade.variant)
    return message("the newest that fits")


def describe_companions(check_up: CheckUp) -> CheckText:
    """The versions and builds of torchvision and torchaudio, with whether each belongs to this torch."""
    inventory = check_up.inventory
    companions = [fact.value for fact in (inventory.torchvision, inventory.torchaudio) if fact.value]
    text = joined(
        message(
            "{package} {version} ({build})",
            package=package.name,
            version=package.version,
            build=package.variant.value or message("unknown build"),
        )
        for package in companions
    )
    evidence = tuple(
        message("{what}: {why}", what=match.name, why=match.why) for match in inventory.companions.value or ()
    )
    none = message("neither torchvision nor torchaudio is installed")
    return CheckText(text=text if companions else none, evidence=evidence)


def describe_import(check_up: CheckUp) -> CheckText:
    """In how many seconds torch is imported and which devices it finds, or what failed."""
    if check_up.imported is None:
        return CheckText(text=message("importing torch was not tried"), mark="unknown")
    evidence = tuple(
        message("{what}: {why}", what=result.id, why=result.detail) for result in check_up.imported
    )
    failed = [result.detail for result in check_up.imported if result.status == "fail"]
    if failed:
        return CheckText(text=joined(failed, "; "), evidence=evidence, mark="error")
    devices = (result.detail for result in check_up.imported if result.id == "devices")
    text = message(
        "imports in {seconds} s; {devices}",
        seconds=f"{sum(result.seconds for result in check_up.imported):.1f}",
        devices=next(devices, ""),
    )
    unsure = any(result.id == "devices" and result.status == "warn" for result in check_up.imported)
    return CheckText(text=text, evidence=evidence, mark="warning" if unsure else "ok")
