"""Placeholders of fixes for packages beside torch: options of `torchdoctor install`, and a pinned build."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from packaging.version import Version

from torchdoctor.core.shell_words import quoted
from torchdoctor.diagnose import derived

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from torchdoctor.diagnose.evidence import Evidence
    from wheels_index.extension import Extension, KnownPair

__all__ = ["STACK_PLACEHOLDERS"]

_OFFICIAL = "https://download.pytorch.org/whl/"
# A name with versions, as the check-up writes it.
_REQUIREMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}(?:(?:[<>=!~]=?=?[A-Za-z0-9.*+!_-]{1,60}),?){0,8}")
# Versions of one pair, of which the first number is one: `==0.13.*`, `~=0.13.0`, `>=0.14`.
_SERIES = re.compile(r"(?:==|~=|>=)(\d+(?:\.\d+)*)(\.\*)?(?:,\S{1,60})?")
_EXTENSION_FACTS = ("live.stack.extension", "live.stack.extension-cuda", "live.stack.extension-part")


def _options(*facts: str) -> Callable[[Evidence], str | None]:
    """`--with` for each requirement of these facts."""

    def options(evidence: Evidence) -> str | None:
        words = _requirements(evidence, facts)
        return " ".join(f"--with {word}" for word in words) or None

    return options


def _requirements(evidence: Evidence, facts: Iterable[str]) -> list[str]:
    windows = derived.operating_system(evidence) == "windows"
    return [quoted(word, windows=windows) for word in _words(evidence, facts)]


def _words(evidence: Evidence, facts: Iterable[str]) -> list[str]:
    """The requirements in the values of facts, each once; a value has several, with blanks between them."""
    words = dict.fromkeys(word for fact in facts for value in evidence.all(fact) for word in value.split())
    return [word for word in words if _REQUIREMENT.fullmatch(word)]


def _python_pins(evidence: Evidence) -> str | None:
    return " ".join(_requirements(evidence, ("live.stack.python",))) or None


def _extension_install(evidence: Evidence) -> str | None:
    """The command for the only extension that does not fit, where a build for this torch is known."""
    from wheels_index.extension import extension

    names = _words(evidence, _EXTENSION_FACTS)
    known = extension(names[0]) if len(names) == 1 else None
    torch, variant = derived.torch_version(evidence), derived.torch_build(evidence)
    system, arch = evidence.first("os.system"), evidence.first("arch")
    if known is None or torch is None or variant is None or system is None or arch is None:
        return None
    pair = _best_pair(known, torch, variant, f"{system}_{arch}")
    place = _place_option(known, pair, torch, variant, f"{system}_{arch}") if pair is not None else None
    if pair is None or place is None:
        return None
    requirement = quoted(f"{known.project}{pair.versions}", windows=system == "windows")
    return " ".join(filter(None, ("python -m pip install --force-reinstall --no-deps", requirement, place)))


def _torchcodec(evidence: Evidence) -> str | None:
    """The torchcodec that belongs to the installed torch, pinned."""
    from wheels_index.extension import extension

    known, torch = extension("torchcodec"), derived.torch_version(evidence)
    variant, system, arch = derived.torch_build(evidence), evidence.first("os.system"), evidence.first("arch")
    if known is None or torch is None or variant is None:
        return None
    pair = _best_pair(known, torch, variant, f"{system or 'linux'}_{arch or 'x86_64'}")
    return (
        quoted(f"{known.project}{pair.versions}", windows=system == "windows") if pair is not None else None
    )


def _best_pair(known: Extension, torch: Version, variant: str, platform: str) -> KnownPair | None:
    """The pair of the newest versions that are known to go with this torch."""
    from wheels_index.extension import fits

    found: list[tuple[Version, KnownPair]] = []
    for pair in known.pairs:
        series = _SERIES.fullmatch(pair.versions)
        if series is None:
            continue
        version = series[1] if series[2] is None else f"{series[1]}.0"
        fit = fits(known.project, version, torch=torch, variant=variant, platform=platform, place=pair.place)
        if fit.answer == "yes":
            found.append((Version(version), pair))
    return max(found, key=lambda pair: pair[0])[1] if found else None


def _place_option(
    known: Extension, pair: KnownPair, torch: Version, variant: str, platform: str
) -> str | None:
    """How pip is told where the builds lie; None where it cannot be."""
    if pair.place == "pypi":
        return ""
    if pair.place == "pytorch":
        return f"--index-url {_OFFICIAL}{variant}" if re.fullmatch(r"[a-z]+[\d.]*", variant) else None
    options = {"index": "--index-url", "find-links": "--find-links"}
    sources = known.extra_sources(torch=torch, variant=variant, platform=platform)
    return next(
        (f"{options[source.kind]} {source.url}" for source in sources if source.kind == pair.place), None
    )


STACK_PLACEHOLDERS: dict[str, Callable[[Evidence], str | None]] = {
    "asked_options": _options("live.stack.asked-missing", "live.stack.asked-version"),
    "missing_options": _options("live.stack.requirement-missing"),
    "conflict_options": _options("live.stack.requirement-version"),
    "extension_options": _options(*_EXTENSION_FACTS),
    "extension_install": _extension_install,
    "torchcodec_for": _torchcodec,
    "python_pins": _python_pins,
}
