"""Checks of the environment: its interpreter, where its imports look, and its packages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torchdoctor.core.i18n import joined, message, plurals
from torchdoctor.doctor.checks.model import CheckText, fact_lines
from torchdoctor.doctor.environment_evidence import translatable_word

if TYPE_CHECKING:
    from torchdoctor.doctor.model import CheckUp

__all__ = ["describe_hold", "describe_import_path", "describe_packages", "describe_python"]


def describe_python(check_up: CheckUp) -> CheckText:
    """The environment's folder, its kind and its Python."""
    text = message(
        "{place}, Python {version} ({kind})",
        place=check_up.python.prefix,
        version=check_up.python.version,
        kind=translatable_word(check_up.inventory.kind.value or "interpreter"),
    )
    executable = message("{what}: {where}", what="python", where=check_up.python.executable)
    return CheckText(text=text, evidence=(executable, *fact_lines(check_up, "python")))


def describe_import_path(check_up: CheckUp) -> CheckText:
    """In how many folders imports look, and what added those that are not the environment's own."""
    folders = [
        folder
        for folder in check_up.inventory.path.value or ()
        if folder.there and folder.origin != "standard library"
    ]
    outside = sorted({folder.origin for folder in folders} - {"site-packages", ".pth file"})
    text = message("imports search {folders}", folders=plurals.folders(len(folders)))
    if outside:
        origins = joined(map(translatable_word, outside))
        text = joined((text, message("also from {origins}", origins=origins)))
    evidence = tuple(
        message("{what}: {where}", what=translatable_word(folder.origin), where=folder.folder)
        for folder in folders
    )
    return CheckText(text=text, evidence=evidence)


def describe_packages(check_up: CheckUp) -> CheckText:
    """How many packages there are, and which of them more than once."""
    packages = check_up.inventory.distributions.value or ()
    duplicates = check_up.inventory.duplicates.value or ()
    text: str = plurals.packages(len(packages))
    if duplicates:
        names = joined(duplicate.name for duplicate in duplicates)
        text = joined((text, message("installed more than once: {names}", names=names)))
    evidence = (
        message(
            "files: {source}, by their sizes unless --deep was given",
            source=check_up.inventory.records.source,
        ),
        *(library.reason for library in check_up.inventory.runtime.value or ()),
        *(
            f"{package.name} {package.version} ({package.installer or '?'}, {package.installed_at})"
            for package in packages
        ),
    )
    return CheckText(text=text, evidence=evidence)


def describe_hold(check_up: CheckUp) -> CheckText:
    """Whether pip and uv are told to keep torch in its family of builds."""
    hold = check_up.hold.hold
    if check_up.hold.lost:
        return CheckText(text=message("pip.conf names {path}, which is gone", path=check_up.hold.lost))
    if check_up.hold.unlinked:
        return CheckText(
            text=message("the environment was moved: pip is not held until `torchdoctor hold` is run")
        )
    if hold is None:
        return CheckText(text=message("pip and uv may replace torch by any build"))
    text = message("torch is kept in its {variant} builds, up to {cap}", variant=hold.variant, cap=hold.cap)
    return CheckText(text=text, evidence=tuple(f"{name}<={version}" for name, version in hold.caps))
