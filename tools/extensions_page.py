"""Data of extensions -> docs/reference/extensions.md. `--check` changes nothing and says whether it is out of date."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from wheels_index.extension import extensions

if TYPE_CHECKING:
    from collections.abc import Iterator

    from wheels_index.extension import BuildPlace, Extension, FromSource, KnownPair

PAGE = Path(__file__).parents[1] / "docs" / "reference" / "extensions.md"
INTRODUCTION = """\
# Compiled companions of torch

A package with compiled code that uses torch works with one torch, one CUDA, or a few of each. Its metadata often
does not say which. This page is what torchdoctor knows of such packages; `python tools/extensions_page.py` makes it
from `wheels_index/data/extensions/`, and `wheels_index.extension` has it for programs. What is not here was not read:
the wheel's own files decide then.

**Tied by** says what ties a build to torch and CUDA: its metadata (`Requires-Dist`), the local part of its version
(`+cu126`), its file name, the libraries that it links, or nothing that is strict (loose). **Beside another torch** says
what happens where it does not fit.
"""
TIES = {
    "metadata": "metadata",
    "local-version": "local version",
    "file-name": "file name",
    "linked-libraries": "linked libraries",
    "loose": "loose",
    "none": "nothing",
}
MISMATCH = {
    "import-fails": "the import fails",
    "kernels-skipped": "its kernels are left out, the Python part works",
    "no-gpu": "the GPU is not used, the CPU works",
    None: "not known",
}
PLACES = {
    "pypi": "PyPI",
    "pytorch": "PyTorch's index",
    "index": "index of its own",
    "find-links": "page of links",
    "file": "file",
    "release-page": "releases page",
}


def page() -> str:
    """The whole page."""
    return "\n".join((INTRODUCTION, *(line for each in extensions().values() for line in _section(each))))


def _section(each: Extension) -> Iterator[str]:
    yield f"## {each.project}\n"
    yield f"{each.about[0].upper()}{each.about[1:]}. {each.note or ''}".rstrip() + "\n"
    yield f"- Imported as {', '.join(f'`{name}`' for name in each.imports)}"
    yield f"- Tied by: {', '.join(TIES[tie] for tie in each.ties)}"
    yield f"- Beside another torch: {MISMATCH[each.on_mismatch]}"
    if each.from_source is not None:
        yield f"- Built from source with: {_needs(each.from_source)}"
    for row in each.outside_pip:
        yield f"- Needs besides: {row.text}"
    for way in each.ways_out:
        where = ", ".join((*(way.platforms or ()), *(way.kinds or ()))) or "anywhere else"
        yield f"- Without a build ({where}): {way.text}"
    if each.proof is not None:
        yield f"- Its small proof: {each.proof.about}"
    yield ""
    if each.builds:
        yield from _builds(each.builds)
    if each.pairs:
        yield from _pairs(each.pairs)


def _needs(build: FromSource) -> str:
    named = {
        "a C++ compiler": build.compiler,
        "nvcc": build.nvcc,
        "torch at build time": build.torch_at_build,
    }
    needs = [name for name, needed in named.items() if needed]
    unknown = [name for name, needed in named.items() if needed is None]
    text = ", ".join(needs) or "nothing but Python"
    return f"{text} ({', '.join(unknown)}: not known)" if unknown else text


def _builds(builds: tuple[BuildPlace, ...]) -> Iterator[str]:
    yield "| builds | for | systems | read in |"
    yield "| --- | --- | --- | --- |"
    for row in builds:
        place = PLACES[row.place] + ("" if row.wheels else " (source alone)")
        url = f" `{row.url}`" if row.url else ""
        torch = f", torch {row.torch}" if row.torch else ""
        kinds = ", ".join(row.kinds) if row.kinds else "all"
        yield f"| {place}{url} | {kinds}{torch} | {', '.join(row.platforms)} | {row.source}, {row.date} |"
    yield ""


def _pairs(pairs: tuple[KnownPair, ...]) -> Iterator[str]:
    yield "| versions | torch | runs with | from | systems |"
    yield "| --- | --- | --- | --- | --- |"
    for row in pairs:
        runs = ", ".join(row.variants or row.accelerators or ()) or "not known"
        runs = "the variant that it lies under" if runs == "same" else runs
        torch = "any" if row.torch == ">=1.0" else row.torch or "not known"
        platforms = ", ".join(row.platforms or ()) or "all"
        yield f"| {row.versions} | {torch} | {runs} | {PLACES[row.place]} | {platforms} |"
    yield ""


def main() -> int:
    """Write the page, or with --check compare it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    if not parser.parse_args().check:
        PAGE.write_text(page(), "utf-8")
    elif not PAGE.exists() or PAGE.read_text("utf-8") != page():
        print("extensions.md is behind the data: run python tools/extensions_page.py")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
