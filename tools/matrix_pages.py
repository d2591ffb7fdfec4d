"""Facts -> docs/matrix/: a page of releases, of variants and of GPU families. `--check` says which is behind.

Each answer is what `torchdoctor resolve` says of such a machine, with its reasons and the sources of the facts.
"""

from __future__ import annotations

import argparse
import sys
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from torchdoctor.detect import machine_from_options
from torchdoctor.errors import NoSolution
from torchdoctor.resolve import Request, resolve
from wheels_index import bundled, nearest_arch_list, products, rules
from wheels_index.matrix import matrix

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from wheels_index.matrix import (
        Matrix,
        MatrixCoverage,
        MatrixGpu,
        MatrixPlatform,
        MatrixRelease,
        MatrixVariant,
    )

FOLDER = Path(__file__).parents[1] / "docs" / "matrix"
MADE = "Made by `python tools/matrix_pages.py` from the facts of `wheels_index`"
NEWEST_BRANCH = "615"  # of NVIDIA's drivers; any newer one gives the same answers
PYTHON = "3.12"


def pages() -> dict[str, str]:
    """Return each page by the name of its file."""
    found = matrix()
    made = {
        "releases.md": _page("Releases", RELEASES, found, _releases(found)),
        "variants.md": _page("Variants", VARIANTS, found, _variants(found)),
        "gpus.md": _page("GPUs", GPUS, found, _gpus(found)),
    }
    return {name: text.rstrip("\n") + "\n" for name, text in made.items()}


RELEASES = """\
Which builds each PyTorch release has, and what goes with it. A variant with a question mark is doubtful."""
VARIANTS = "What each variant needs, and which releases have it."
GPUS = f"""\
Which PyTorch runs on a GPU: the newest release of each variant that has code for it; PTX is compiled by the driver at
the first use. The answers are those of `torchdoctor resolve` with Python {PYTHON} and the newest driver that supports
the GPU."""


def _page(title: str, about: str, found: Matrix, lines: Iterable[str]) -> str:
    made = f"{MADE}, as of {found.as_of}. Programs read `matrix.json` beside these pages"
    head = f"# {title}\n\n{about}\n\n{made}, or what `python -m wheels_index matrix` prints.\n"
    return "\n".join((head, *lines))


def _releases(found: Matrix) -> Iterator[str]:
    numbers: dict[str, int] = {}
    for release in found.releases:
        yield from _release(release, numbers)
    yield "## Sources of the releases\n"
    yield from (f"{number}. {_plain(source)}" for source, number in numbers.items())


def _release(release: MatrixRelease, numbers: dict[str, int]) -> Iterator[str]:
    yield f"## torch {release.torch}\n"
    python = f", Python {_code(release.requires_python)}" if release.requires_python else ""
    yield f"Released {release.released or 'on a day that is not known'}{python}; read {release.as_of}.\n"
    yield "| system | variants | Python | a plain `pip install torch` gives |"
    yield "| --- | --- | --- | --- |"
    yield from map(_platform_row, release.platforms)
    yield ""
    for companion in release.companions:
        versions = ", ".join(companion.versions) or "none known"
        asks = f" (requires {_code(companion.requires_torch)})" if companion.requires_torch else ""
        yield f"- {companion.project} {versions}{asks}{_note(companion.note)}"
    cited = sorted(numbers.setdefault(source, len(numbers) + 1) for source in release.sources)
    yield f"- Sources: {', '.join(map(str, cited))} below\n"


def _platform_row(row: MatrixPlatform) -> str:
    variants = ", ".join(f"{build.variant}{'?' if _is_doubtful(build.doubt) else ''}" for build in row.builds)
    pythons = ", ".join((*row.pythons, *(f"{each} (index alone)" for each in row.index_only_pythons)))
    return f"| {row.platform} | {variants} | {pythons or 'not known'} | {row.pypi_default or 'nothing'} |"


def _is_doubtful(doubt: str | None) -> bool:
    return doubt is not None and "seen" not in doubt


def _variants(found: Matrix) -> Iterator[str]:
    releases: defaultdict[str, list[str]] = defaultdict(list)
    for release in found.releases:
        for name in dict.fromkeys(build.variant for row in release.platforms for build in row.builds):
            releases[name].append(release.torch)
    for row in found.variants:
        yield from _variant(row, releases[row.variant])


def _variant(row: MatrixVariant, releases: Sequence[str]) -> Iterator[str]:
    yield f"## {row.variant}\n"
    if row.kind == "cuda":
        drivers = f"{_driver(row.linux_driver)} on Linux, {_driver(row.windows_driver)} on Windows"
        yield f"- CUDA {row.toolkit}; NVIDIA driver at least {drivers}"
    if row.kind == "rocm":
        targets = ", ".join(row.gfx) if row.gfx is not None else "not known"
        yield f"- ROCm {row.toolkit}; AMD targets inside: {targets}"
    yield f"- torch: {', '.join(releases) or 'no release is known to have it'}"
    if row.note:
        yield f"- {_plain(row.note)}"
    yield f"- Source: {_plain(row.source or 'not known')}\n"


def _driver(version: str | None) -> str:
    return version or "a version that no source says"


def _gpus(found: Matrix) -> Iterator[str]:
    names = _names()
    for gpu in found.gpus:
        sold = names[gpu.vendor, gpu.name]
        if sold:
            yield from _gpu(gpu, sold)
    yield "## Intel\n"
    yield f"`xpu`, for: {', '.join(rules().xpu_gpus)}. {_plain(rules().texts['xpu_not_supported'])}.\n"
    yield f"- {_plain(rules().texts['xpu_driver'])}"
    yield f"- Source: {_plain(rules().sources['xpu'])}\n"
    yield "## Apple\n"
    yield "The build for macOS on Apple silicon, on PyPI for each release, uses the GPU through MPS: M1 and later."


def _names() -> dict[tuple[str, str], list[str]]:
    """The products by vendor and by what torch sees of them."""
    found: defaultdict[tuple[str, str], dict[str, None]] = defaultdict(dict)
    for row in products():
        what = ".".join(map(str, row.compute_capability)) if row.compute_capability else row.gfx
        if what:
            found[row.vendor, what][row.name] = None
    return defaultdict(list, {key: list(names) for key, names in found.items()})


def _gpu(gpu: MatrixGpu, sold: list[str]) -> Iterator[str]:
    kind = f"compute capability {gpu.name}" if gpu.vendor == "nvidia" else gpu.name
    yield f"## {f'{gpu.generation}, ' if gpu.generation else ''}{kind}\n"
    yield f"{', '.join(sold)}.\n"
    yield from _answer(gpu, jetson=any(name.startswith("Jetson") for name in sold))
    if gpu.builds:
        yield "| system | newest torch of each variant |"
        yield "| --- | --- |"
        by_platform: defaultdict[str, list[str]] = defaultdict(list)
        for row in gpu.builds:
            by_platform[row.platform].append(
                f"{row.torch}+{row.variant}{' (PTX)' if row.code == 'ptx' else ''}"
            )
        yield from (f"| {platform} | {', '.join(builds)} |" for platform, builds in by_platform.items())
        yield ""
    if gpu.last_driver_branch:
        said = _plain(rules().sources["driver_end_of_line"])
        yield f"- Drivers after the {gpu.last_driver_branch} branch do not support it: {said}"
    yield from (f"- Source: {_plain(source)}" for source in _code_sources(gpu.builds[:1]))
    yield ""


def _code_sources(builds: Sequence[MatrixCoverage]) -> Iterator[str]:
    """Where it is said what code the newest build has."""
    for row in builds:
        if row.code == "target":
            yield row.rule or "the targets of the variant, on the page of variants"
            continue
        archs = nearest_arch_list(bundled().release(row.torch).version, row.variant, row.platform)
        if archs is not None:
            yield f"{archs.source}{f' ({archs.rule})' if archs.rule else ''}"


def _answer(gpu: MatrixGpu, *, jetson: bool) -> Iterator[str]:
    """What `resolve` says: the build and why, or why there is none."""
    platforms = [row.platform for row in gpu.builds] or ["linux_aarch64" if jetson else "linux_x86_64"]
    platform = "linux_x86_64" if "linux_x86_64" in platforms else platforms[0]
    driver = str(gpu.last_driver_branch or NEWEST_BRANCH) if gpu.vendor == "nvidia" else None
    machine = machine_from_options(
        platform={"windows_x86_64": "win_amd64"}.get(platform, platform),
        python_version=PYTHON,
        driver=driver,
        gpus=(gpu.name,),
        libc=None,
    )
    try:
        plan = resolve(machine, Request())
    except NoSolution as error:
        yield f"**{platform}**: no build. {_plain(error.message)}\n"
        return
    packages = ", ".join(f"{package.name} {package.version}" for package in plan.packages)
    yield f"**{platform}**: {packages}. {_plain('; '.join(plan.reasons))}.\n"
    refused = [row for row in plan.rejected if row.outranked is None and "needs an" not in row.reason]
    for warning in plan.warnings:
        yield f"{_plain(warning)}.\n"
    if refused:
        yield "".join(f"- Not {row.variant}: {_plain(row.reason)}\n" for row in refused)


def _note(text: str | None) -> str:
    return f": {_plain(text)}" if text else ""


def _code(text: str | None) -> str:
    return f"`{text}`"


def _plain(text: str) -> str:
    """Text of the data as text of a page: nothing in it is Markdown or HTML."""
    escaped = text.replace("\\", "\\\\").replace("<", "&lt;").replace("|", "\\|")
    return "".join(f"\\{sign}" if sign in "*_`[]" else sign for sign in escaped)


def main() -> int:
    """Write the pages, or with --check name those that are behind."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    behind = 0
    for name, text in pages().items():
        page = FOLDER / name
        if check and (not page.exists() or page.read_text("utf-8") != text):
            print(f"matrix/{name} is behind the facts: run python tools/matrix_pages.py")
            behind = 1
        elif not check:
            FOLDER.mkdir(exist_ok=True)
            page.write_text(text, "utf-8")
    return behind


if __name__ == "__main__":
    sys.exit(main())
