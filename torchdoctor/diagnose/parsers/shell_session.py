"""What a Python session, a script or a post prints of torch: its version, its CUDA, whether it is available."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING

from torchdoctor.diagnose.evidence import Observation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchdoctor.diagnose.text import Text

__all__ = ["parse_shell_session"]

_PRINTED = (
    r"(?:\)|\s|,|is|are|returns?|returned|gives|shows|prints|:|=|->|=>|→|'|\"|`|f\"|print|#"
    r"|out\[\d{1,3}\]|in \[\d{1,3}\]|still|now|always|always returns|return|returning|comes back|the method|it"
    r"|and|i|get|got|the result"
    r"|output|will|返回了?|结果|显示|输出|是|为|一直|仍然?|\uff1a|\uff0c){0,12}"
)
# The patterns are compiled when a text has the word that stands beside them below: most texts have few of the words.
# As a post writes it: a letter left out, a blank too many, R's name for it, no brackets.
_AVAILABLE = r"(?a)cuda[._](?:is_ ?)?ava\w{2,4}ble(?:\(\))?" + _PRINTED + r"\b(?P<value>true|false)\b"
_XPU = r"xpu\.is_available(?:\(\))?" + _PRINTED + r"\b(?P<value>true|false)\b"
_MPS = r"mps\.is_available(?:\(\))?" + _PRINTED + r"\b(?P<value>true|false)\b"
_MPS_BUILT = r"mps\.is_built(?:\(\))?" + _PRINTED + r"\b(?P<value>true|false)\b"
_MPS_WORDS = r"mps available\W{0,6}(?P<value>true|false)\b"
_MPS_BUILT_WORDS = r"built\?\W{0,6}(?P<value>true|false)\b"
_VERSION = r"torch\.__version__" + _PRINTED + r"(?P<value>\d{1,2}\.\d{1,3}[\w.+]{0,40})"
_CUDA = r"torch\.version\.cuda" + _PRINTED + r"(?P<value>\d{1,2}\.\d|none)"
_HIP = r"torch\.version\.hip" + _PRINTED + r"(?P<value>\d{1,2}\.\d[\w.-]{0,20}|none)"
_ARCH_LIST = (
    r"(?:supports cuda capabilities|get_arch_list\(\)\W{0,12}|arch list\W{0,"
    r"6})(?P<value>(?:[\s\[\]'\",:]{0,6}(?:sm|compute)_\d{2,3}a?){1,24})"
)
# torch's warning about a GPU, since 2.9: the least and the greatest capability of the build.
_ARCH_RANGE = (
    r"maximum cuda capability supported by this version of pytorch is"
    r"\W{0,8}(?P<value>\(?\d{1,2}\.\d\)?\s?-\s?\(?\d{1,2}\.\d)"
)
_PATTERNS = (
    ("cuda.available", "cuda.is_", _AVAILABLE),
    ("cuda.available", "cuda_is_", _AVAILABLE),
    ("cuda.available", "cuda.ava", _AVAILABLE),
    ("xpu.available", "xpu.is_available", _XPU),
    ("mps.available", "mps.is_available", _MPS),
    ("mps.built", "mps.is_built", _MPS_BUILT),
    ("mps.available", "mps available", _MPS_WORDS),
    ("mps.built", "built", _MPS_BUILT_WORDS),
    ("torch.version", "torch.__version__", _VERSION),
    ("torch.cuda", "torch.version.cuda", _CUDA),
    ("torch.hip", "torch.version.hip", _HIP),
    ("torch.archs", "supports cuda capabilities", _ARCH_LIST),
    ("torch.archs", "get_arch_list()", _ARCH_LIST),
    ("torch.arch_range", "maximum cuda capability", _ARCH_RANGE),
    ("torch.archs", "arch list", _ARCH_LIST),
)
_MAX_CHARACTERS = 300
# `print(torch.__version__, torch.version.cuda)` and what it printed, in the same order.
_SEVERAL = (
    r"torch\.[\w.]{1,40}(?:\(\))?(?:, ?torch\.[\w.]{1,40}(?:\(\))?){1,5}(?P<end>[)'\"`]{0,4})"
    + _PRINTED
    + r"[(\[]?['\"]?(?P<values>[\w.+]{1,40}(?:[ ,'\"()]{1,6}(?:and )?[\w.+]{1,40}){0,5})"
)
_EXPRESSION = re.compile(r"torch\.[\w.]{1,40}")
_ANSWER = re.compile(r"\b(?:true|false|none|\d[\w.+]{0,40})")
_ANSWERS = {
    "torch.__version__": ("torch.version", re.compile(r"\d{1,2}\.\d{1,3}[\w.+]{0,40}")),
    "torch.version.cuda": ("torch.cuda", re.compile(r"\d{1,2}\.\d{1,2}|none")),
    "torch.version.hip": ("torch.hip", re.compile(r"\d{1,2}\.\d[\w.-]{0,20}|none")),
    "torch.cuda.is_available": ("cuda.available", re.compile(r"true|false")),
    "torch.backends.mps.is_available": ("mps.available", re.compile(r"true|false")),
    "torch.xpu.is_available": ("xpu.available", re.compile(r"true|false")),
}


def parse_shell_session(text: Text) -> Iterator[Observation]:
    """Yield facts that a session printed, on the same line or the next one."""
    several = (
        [match for match in _compiled(_SEVERAL).finditer(text.lower) if _ANSWER.search(match["values"])]
        if "torch." in text.lower
        else []
    )
    yield from _in_order(several, text)
    taken = [(match.start(), match.end()) for match in several]
    for name, needle, pattern in _PATTERNS:
        for position in text.find(needle):
            if any(start <= position < end for start, end in taken):
                continue
            match = _compiled(pattern).match(text.lower, position, position + _MAX_CHARACTERS)
            if match:
                number, line = text.line_at(match.start("value"))
                value = (
                    " ".join(re.findall(r"sm_\d+", match["value"]))
                    if name == "torch.archs"
                    else match["value"]
                )
                yield Observation(name=name, value=value, source=line, line=number)


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


def _in_order(several: list[re.Match[str]], text: Text) -> Iterator[Observation]:
    for match in several:
        number, line = text.line_at(match.start("values"))
        expressions = _EXPRESSION.findall(match[0][: match.start("end") - match.start()])
        for expression, answer in zip(expressions, _ANSWER.findall(match["values"]), strict=False):
            name, pattern = _ANSWERS.get(expression, (None, _ANSWER))
            if name and (value := pattern.fullmatch(answer)):
                yield Observation(name=name, value=value[0], source=line, line=number)
