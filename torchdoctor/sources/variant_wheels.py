"""Wheel variants on a page: which build each label stands for, by the file that the index has for its version."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message
from torchdoctor.core.net import NotFound, Unreachable
from wheels_index.wheel_variants import build_of_label, parse_variants

if TYPE_CHECKING:
    from collections.abc import Callable

    from torchdoctor.core.net import Page
    from wheels_index import IndexPage, Wheel
    from wheels_index.wheel_variants import VariantsFile

__all__ = ["variant_wheels"]

_MAX_FILE_COUNT = 8  # of the newest versions of a page; each is one request


def variant_wheels(
    page: IndexPage, read: Callable[[str], Page], note: Callable[[str], None]
) -> tuple[tuple[Wheel, ...], dict[str, VariantsFile]]:
    """Return the labelled wheels of a page whose build is known, with their properties, and the files by version.

    `note` is told of a file that cannot be read or says nothing; the wheels of that version are left out.
    """
    versions = sorted({wheel.version for wheel in page.labelled}, reverse=True)[:_MAX_FILE_COUNT]
    found: list[Wheel] = []
    files: dict[str, VariantsFile] = {}
    for version in versions:
        wheels = [wheel for wheel in page.labelled if wheel.version == version]
        name = f"{wheels[0].project}-{version}"
        url = page.variant_files.get(name)
        if url is None:
            note(message("the page names variants of {name}, and no {name}-variants.json", name=name))
            continue
        try:
            file = parse_variants(read(url).body)
        except (ValueError, NotFound, Unreachable) as error:
            note(message("what the variants of {name} are is not known: {why}", name=name, why=error))
            continue
        files[name] = file
        for wheel in wheels:
            properties = file.labels.get(wheel.label or "")
            build = build_of_label(wheel.label or "", properties) if properties is not None else None
            if properties is not None and (wheel.variant or build) is not None:
                words = tuple(" :: ".join(each) for each in properties)
                found.append(replace(wheel, variant=wheel.variant or build, properties=words))
    return tuple(found), files
