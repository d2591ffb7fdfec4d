"""The words of a GPU's name as people, shops, lspci and NVIDIA's vGPU software write it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "PACKAGE",
    "is_model",
    "listed_names",
    "models_within",
    "name_words",
    "readings",
    "vendor_of_words",
]

_MAX_NAME_LENGTH = 200
_LAPTOP = frozenset({"laptop", "mobile", "notebook", "max-q", "maxq"})
# Words that do not tell one GPU from another; `quadro` does.
_NOISE = frozenset(
    {"nvidia", "geforce", "tesla", "gpu", "amd", "radeon", "ati", "instinct", "intel", "apple", "graphics", "grid",
     "generation", "edition", "with", "design", "graphic", "chip", "card"}
)  # fmt: skip
_VENDORS = {
    "nvidia": ("nvidia", "geforce", "tesla", "quadro", "grid", "rtx", "gtx", "英伟达"),
    "amd": ("amd", "radeon", "ati", "instinct", "rx"),
    "intel": ("intel", "arc", "英特尔"),
    "apple": ("apple", "苹果"),
}
PACKAGE = re.compile(r"sxm\d?|pcie|nvl\d*|hbm\d?e?|3e|o?\d+gb?|\d+mb", re.ASCII)
# What a maker's name of a board may have beside the model: `V2`, a revision.
_BOARD = re.compile(r"v\d(?:\.\d)?|\d\.\d|\d", re.ASCII)
_CHINESE_LAPTOP = re.compile("笔记本电脑|笔记本|移动版|移动端|移动")
_CHINESE = re.compile(r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]+")
# `A100-40C` is a share of an A100: https://docs.nvidia.com/vgpu/latest/grid-vgpu-user-guide/
_VGPU_PROFILE = re.compile(r"(?<=\w)-\d{1,3}[abcq]\b", re.ASCII)
_PCI_ID = re.compile(r"[0-9a-f]{4}(?::[0-9a-f]{4})?|amd/ati", re.ASCII)
# How shops write what a name ends with: `4090D`, `4080S`, `4070TiS`.
_GLUED = ((re.compile(r"(\d{4})d"), r"\1 d"), (re.compile(r"(\d{4})s"), r"\1 super"), (re.compile(r"s"), "super"),
          (re.compile(r"tis"), "ti super"))  # fmt: skip
# Letters of the board behind a model that vGPU profiles have: `V100DX-32C`, `RTX6000P-24Q`.
_BOARD_LETTERS = re.compile(r"([a-z]{0,2}\d{2,4})[a-z]{1,2}", re.ASCII)


def name_words(name: str) -> tuple[tuple[str, ...], bool]:
    """The words that matter in lower case, and whether one says that it is a laptop's."""
    lowered = re.sub(r"\((?:r|tm)\)|[®™]", " ", name[:_MAX_NAME_LENGTH].lower())
    latin = _CHINESE.sub(" ", _CHINESE_LAPTOP.sub(" laptop ", lowered))
    spaced = re.sub(r"\b(rtx|gtx|rx|gt)(?=a?\d)", r"\1 ", latin)
    spaced = re.sub(r"(?<=\d)(tis?|super|xtx|xt|gre)\b", r" \1", spaced)
    words = [word for word in re.split(r"[\s_/,()]+|-(?!q\b)", spaced) if word]
    laptop = any(word in _LAPTOP for word in words)
    if "mig" in words:  # a slice: `A100-SXM4-40GB MIG 1g.5gb`
        words = words[: words.index("mig")]
    kept = tuple(word for word in words if word not in _NOISE and word not in _LAPTOP)
    return kept, laptop


def listed_names(name: str) -> tuple[str, ...]:
    """The names in the brackets of lspci's form, one for each product that the chip is sold as; else the name itself.

    Of a processor with graphics, as Linux names it, these: `AMD Ryzen 7 7840HS w/ Radeon 780M Graphics`.

    >>> listed_names("Navi 31 [Radeon RX 7900 XT/7900 XTX] (rev c8)")
    ('Radeon RX 7900 XT', '7900 XTX')
    """
    name = name[:_MAX_NAME_LENGTH]
    inside = [text for text in re.findall(r"\[([^\[\]]+)\]", name) if not _PCI_ID.fullmatch(text.lower())]
    if not inside:
        return (name.rpartition(" w/ ")[2],)
    return tuple(part.strip() for part in inside[-1].split("/") if part.strip())


def readings(name: str) -> Iterator[tuple[tuple[str, ...], bool]]:
    """What the words of a name may be, the strictest reading first; and whether one says that it is a laptop's."""
    words, laptop = name_words(name)
    yield words, laptop
    shared = _VGPU_PROFILE.sub("", name.lower())
    if shared != name.lower():
        words, laptop = name_words(shared)
        yield words, laptop
        yield tuple(_BOARD_LETTERS.sub(r"\1", word) for word in words), laptop
    if (unglued := _unglued(words)) != words:
        yield unglued, laptop


def models_within(name: str) -> Iterator[tuple[tuple[str, ...], bool]]:
    """Words that follow each other in a name, the most first, where no other model stands beside them.

    Makers put their own words around the model: `MSI GeForce RTX 3060 Gaming X Trio 12G`. A number alone may be a
    processor's, unless the vendor is named: `UHD 620` is no GeForce 620.
    """
    words, laptop = name_words(name)
    words = _unglued(words)
    says_vendor = vendor_of_words(name) is not None
    for length in range(len(words) - 1, 0, -1):
        for start in range(len(words) - length + 1):
            window = words[start : start + length]
            beside = words[:start] + words[start + length :]
            if is_model(window) and not is_model(beside) and (says_vendor or not window[0].isdigit()):
                yield window, laptop


def _unglued(words: tuple[str, ...]) -> tuple[str, ...]:
    apart = (
        next((match.expand(to) for pattern, to in _GLUED if (match := pattern.fullmatch(word))), word)
        for word in words
    )
    return tuple(part for words in apart for part in words.split())


def is_model(words: tuple[str, ...]) -> bool:
    """Whether a word has a number that is neither the memory's nor a board's revision."""
    return any(
        re.search(r"\d\w|\w\d", word, re.ASCII) and not PACKAGE.fullmatch(word) and not _BOARD.fullmatch(word)
        for word in words
    )


def vendor_of_words(name: str) -> str | None:
    """The vendor that a name says by a word of its own, or None."""
    words = set(re.split(r"[^a-z\u4e00-\u9fff]+", name[:_MAX_NAME_LENGTH].lower()))
    said = [vendor for vendor, own in _VENDORS.items() if words.intersection(own)]
    return said[0] if len(said) == 1 else None
