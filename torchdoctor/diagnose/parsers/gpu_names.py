"""GPUs that a text names in any usual form: RTX 4090, my 4070, RTX 50 series, H20, 9070 XT, MI300X, 780M."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.diagnose.evidence import Observation
from torchdoctor.diagnose.gpu_generation import capability_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchdoctor.diagnose.text import Text

__all__ = ["parse_gpu_names"]

_MAX_MATCHES = 20
# Cards with a word before the number, and accelerators whose names nothing else has. A laptop's and the Ada ones are
# what reports print, with their full names.
_NVIDIA = re.compile(
    r"(?:(?<!Radeon )\b(?:NVIDIA )?(?:GeForce )?[RG]TX[ -]?\d{3,4}(?!\d)(?: ?(?:Ti|SUPER|D)\b)?(?! ?(?:Ada|XX))"
    r"|\bRTX PRO \d{4}\b|\bQuadro (?:RTX )?[A-Z]?\d{4}\b|\bRTX ?A\d{4}\b|Tesla ?[VPTKM]\d{1,3}[cmstx]?\b"
    r"|NVIDIA (?:A|H|L|T|V|B|P|GB)\d{1,3}S?\b"
    r"|\b(?:A100|A800|H100|H200|H20|H800|B100|B200|B300|L40S|V100S?|P100|P40|K80|GH200|GB10)\b"
    r"|\b(?:AGX |Jetson )Thor\b)",
    re.IGNORECASE,
)
# The number alone, where a word beside it says that it is a card.
_BARE = re.compile(
    r"(?:\b(?:my|an?|the|on|with|dedicated|discrete|gpus?|card(?: is| was)?|graphics|have|using|via|two|four)[ :]"
    r"|[1-8] ?[x\u00d7*] ?|显卡[^\n\d]{0,6}|(?<=[\u4e00-\u9fff])"
    r")(?P<v>(?:10[5-8]0|16[56]0|[2-5]0[5-9]0)(?: ?ti\b| ?super\b|d\b)?)(?:s\b)?"
    r"(?![a-zA-Z0-9_]|[.:]\d)(?! ?(?:ms|mb|gb|steps?|images?|samples?|rows?|lines?|port))",
    re.IGNORECASE,
)
# What is short is a card only where a maker's word is near.
_SHORT = re.compile(
    r"\b(?:gpus?|cards?|显卡)[ :(]{1,2}(?P<a>t4|l4|l20|l40|a2|a10g?|a16|a30|a40|m40|m60|p4)\b"
    r"|\b(?P<b>t4|l4|l20|l40|a10g?|a16|a30|a40|m40|m60|p4)(?: |的)?(?:gpus?|cards?|显卡|卡)",
    re.IGNORECASE,
)
# Families: RTX 50 series, RTX50, 50xx.
_SERIES = re.compile(
    r"\b(?P<k>rtx|gtx)[ -]?(?P<n>10|16|20|30|40|50)(?:[ -]?series\b|xx\b|系|\b(?![.\d]))"
    r"|\b(?P<m>[1-5]0)(?:xx\b| ?系(?:列)?显卡|[ -]series (?:gpu|card))"
)
_AMD = re.compile(
    r"\b(?:radeon )?rx ?-?(?:vega ?)?\d{2,4}(?: ?(?:xtx|xt|gre|s|m)\b)?|\b(?:radeon )?(?:r9|pro w|w)\d{4}\b"
    r"|\bradeon(?: pro)? (?:vii|w\d{4}|\d{3,4}[ms]?)\b"
    r"|\b[5-9]\d{2}0 ?(?:xtx|xt|gre)\b|\b(?:instinct )?mi[1-3]\d{1,2}[axp]?\b|\bvega ?(?:56|64)\b"
    r"|\b[67][468]0m\b|\b80[456]0s\b|\bai max\+? ?(?:pro )?3\d\d\b"
)
_AMD_NEAR = re.compile(r"\bamd\b|radeon|rocm|\bhip\b|zluda|directml|gfx\d|\brx ?-?\d{3,4}\b")


def parse_gpu_names(text: Text) -> Iterator[Observation]:
    """Yield `nvidia.gpu`, `nvidia.series` and, of an AMD product, `amd.gfx`."""
    for count, match in enumerate(_NVIDIA.finditer(text.flat)):
        if count > _MAX_MATCHES:
            break
        yield _seen(
            text, match.start(), "nvidia.gpu", re.sub(r"(?<=[RG]TX)-?(?=\d)|(?<=\d)(?=D$)", " ", match[0])
        )
    for pattern in (_BARE, _SHORT):
        for count, match in enumerate(pattern.finditer(text.flat)):
            name = next(filter(None, match.groups()))
            if count > _MAX_MATCHES:
                break
            if capability_of(name) is not None:
                yield _seen(text, match.start(), "nvidia.gpu", name)
    for count, match in enumerate(_SERIES.finditer(text.lower)):
        if count > _MAX_MATCHES:
            break
        kind = match["k"] or ("gtx" if match["m"] == "10" else "rtx")
        yield _seen(text, match.start(), "nvidia.series", f"{kind} {match['n'] or match['m']}")
    if _AMD_NEAR.search(text.lower):
        yield from _amd(text)


def _amd(text: Text) -> Iterator[Observation]:
    from wheels_index import product

    for count, match in enumerate(_AMD.finditer(text.lower)):
        if count > _MAX_MATCHES:
            break
        known = product(match[0])
        if known is not None and known.vendor == "amd" and known.gfx:
            yield _seen(text, match.start(), "amd.gfx", known.gfx)


def _seen(text: Text, position: int, name: str, value: str) -> Observation:
    number, line = text.line_at(position)
    return Observation(name=name, value=value, source=line, line=number)
