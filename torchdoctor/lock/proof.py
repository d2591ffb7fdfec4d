"""Why requirements cannot be met, from uv's derivation: its premises alone, in words."""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal

from torchdoctor.core.i18n import joined, message
from torchdoctor.lock.uv_errors import without_markers

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

__all__ = ["Premise", "in_words", "premises_of"]

_MAX_PREMISES = 6
_NOTHING: Mapping[str, str] = MappingProxyType({})

_HINT = re.compile(r"^[ \t]*hint:.*", re.MULTILINE | re.DOTALL)
_STEP = re.compile(
    r"(?:And )?[Bb]ecause (?P<premises>(?:(?![Bb]ecause ).)*?),? we can conclude that .*?(?=(?:And )?[Bb]ecause|\Z)",
    re.DOTALL,
)
_DEPENDS = re.compile(r"^(?:all of: )?(?P<who>.+?) depends? on (?P<what>.+)$")
_REQUIRE = re.compile(r"^you require (?P<what>.+)$")
_NO_VERSION = re.compile(r"^there (?:is|are) no versions? of (?P<what>.+)$")
_ONLY = re.compile(r"^only (?:the following versions? of )?(?P<what>.+?) (?:is|are) available(?P<list>:.*)?$")
_MISSING = re.compile(
    r"^(?P<what>.+?) was not found in (?:the package registry|the cache|the provided package locations)"
)
_NO_WHEEL = re.compile(r"^(?P<what>.+?) ha(?:s|ve) no (?:usable wheels|wheels with a matching (?P<tag>.+))")
_PYTHON = re.compile(
    r"^the (?:requested|current) Python version \((?P<version>[^)]*)\) does not satisfy Python(?P<need>\S+)"
)
# " and " joins premises, and also the members of one: only before the beginning of a premise does it part two.
_SPLIT = re.compile(
    r" and (?=you require |only |there (?:is|are) no |the (?:requested|current) Python|we know from"
    r"|(?:all of: )?[A-Za-z0-9._\[\]<>=!~,*+ -]+ depends? on "
    r"|(?:all versions of |every )?[a-z0-9._-]+(?:[<>=!~]\S+)? (?:was|were|ha(?:s|ve)) )"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Premise:
    """One thing that uv says of the packages."""

    kind: Literal["wants", "asked", "absent", "no-file", "python", "only"]
    text: str  # as a sentence without its full stop


def premises_of(stderr: str, pinned: Mapping[str, str] = _NOTHING) -> tuple[Premise, ...]:
    """Return the premises of uv's proof in its order, each once; none where the text holds no proof.

    uv writes `a>=2` for `a==2` where there is nothing newer: the versions that were asked for exactly are `pinned`.

    >>> [str(premise.text) for premise in premises_of('''error: No solution found when resolving dependencies
    ...   cause: Because b==2 depends on a>=2 and you require a<2, we can conclude that b==2 cannot be used.
    ...          And because you require b==2, we can conclude that your requirements are unsatisfiable.''')]
    ['b 2 wants a >=2', 'you asked for a <2', 'you asked for b 2']
    """
    text = " ".join(without_markers(_HINT.sub("", stderr)).split())
    found: dict[str, Premise] = {}
    for step in _STEP.finditer(text):
        for part in _SPLIT.split(step["premises"]):
            premise = _premise(_exact(part.strip(" .,"), pinned))
            if premise is not None:
                found.setdefault(str(premise.text), premise)
    return _together(found.values())


def _together(premises: Iterable[Premise]) -> tuple[Premise, ...]:
    """Say once of a project that its versions have no file for this machine."""
    kept: dict[str, Premise] = {}
    for premise in premises:
        name = premise.text.split()[0]
        if premise.kind == "no-file" and f"no-file {name}" in kept:
            said = message("no version of {name} that fits has a file for this machine and Python", name=name)
            kept[f"no-file {name}"] = Premise(kind="no-file", text=said)
        elif premise.kind == "no-file":
            kept[f"no-file {name}"] = premise
        else:
            kept[str(premise.text)] = premise
    return tuple(kept.values())


def _exact(text: str, pinned: Mapping[str, str]) -> str:
    """Return a premise with the versions that were asked for, which uv writes as `a>=2` or `all versions of a`."""
    for name, version in pinned.items():
        floor = rf"{re.escape(name)}>={re.escape(version)}(?![\w.,+])"
        every = rf"all versions of {re.escape(name)}(?![\w.-])"
        text = re.sub(rf"(?<![\w.-])(?:{floor}|{every})", f"{name}=={version}", text)
    return text.replace("all versions of ", "every ")


def in_words(premises: Sequence[Premise]) -> str:
    """Return the premises as one sentence: what is wanted and missing, before what was asked for."""
    by_weight = sorted(premises, key=lambda premise: premise.kind == "asked")
    return joined([premise.text for premise in by_weight[:_MAX_PREMISES]], "; ")


def _premise(text: str) -> Premise | None:
    if found := _DEPENDS.match(text):
        said = message("{who} wants {what}", who=_spaced(found["who"]), what=_spaced(found["what"]))
        return Premise(kind="wants", text=said)
    if found := _REQUIRE.match(text):
        return Premise(kind="asked", text=message("you asked for {what}", what=_spaced(found["what"])))
    if found := _NO_VERSION.match(text):
        return Premise(kind="absent", text=message("there is no {what}", what=_spaced(found["what"])))
    if found := _MISSING.match(text):
        return Premise(kind="absent", text=message("no index has {what}", what=_spaced(found["what"])))
    if found := _NO_WHEEL.match(text):
        said = message("{what} has no file for this machine and Python", what=_spaced(found["what"]))
        return Premise(kind="no-file", text=said)
    if found := _PYTHON.match(text):
        said = message("Python {version} is not {need}", version=found["version"], need=found["need"])
        return Premise(kind="python", text=said)
    if found := _ONLY.match(text):
        listed = [_spaced(each) for each in (found["list"] or "").lstrip(": ").split()]
        what = joined(listed, " or ") if listed else _spaced(found["what"])
        return Premise(kind="only", text=message("only {what} can be had", what=what))
    return None


def _spaced(text: str) -> str:
    """`torch>=2.8.0,<2.9.dev0` as `torch >=2.8.0,<2.9`, and `b==2` as `b 2`."""
    text = text.removeprefix("all of: ").replace(".dev0", "")
    text = re.sub(r"([A-Za-z0-9\]])==(?=[0-9])", r"\1 ", text)
    return re.sub(r"([A-Za-z0-9\]])(?=[<>~!]=?)", r"\1 ", text).strip()
