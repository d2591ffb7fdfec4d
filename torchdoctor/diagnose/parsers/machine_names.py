"""The machines that a text names ("on my laptop", "Machine A:", "the 2080 Ti server"), and which are the same."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["OWN", "QUOTED", "NamedPlace", "heading_name", "is_of_another", "places", "same_names"]

# "On my computer": a machine by itself only where that of somebody else is named.
OWN = "own machine"
QUOTED = "quoted report"

# Kinds of machines that are told apart by the word alone.
_KINDS = r"laptop|desktop|workstation|servers?|cluster|colab|kaggle|macbook"
# These are any machine: a word beside them must tell them apart.
_ANY = r"machine|computer|pc|system|box"
_PLACE = re.compile(
    r"\b(?:on|in|with|at|for|from) (?P<words>(?:[\w'-]{1,14} ){0,5}?)"
    rf"(?P<noun>{_KINDS}|{_ANY})(?P<letter> [a-d1-9](?=[\s,.;:)]|$))?\b"
    r"(?!['-]|(?: (?:side|logs?|errors?|process|code|config\w*|name|mode|version|requirements?)\b))"
)
# "I rented a server with an RTX 4090": a machine, described.
_HAD = re.compile(
    r"\b(?:i|we) (?:(?:also|now|just|recently) )?(?:rent(?:ed)?|bought|have|own|use[ds]?) (?:a|an|the) "
    rf"(?P<words>(?:[\w'-]{{1,14}} ){{0,3}}?)(?P<noun>{_KINDS}|{_ANY})(?P<letter>)"
    r"(?= with (?:an? |the )?(?:\w+ )?(?:rtx|gtx|tesla|nvidia|[a-z]?\d{2,4}\b)| ?\()"
)
# "The server (V100, torch 2.9.1) fails", "Machine B works": what a sentence is about, if it is described or lettered.
_SUBJECT = re.compile(
    rf"(?:^|(?<=[.;!?] ))(?!(?:on|in|with|at|for|from) )(?P<words>(?:[\w'-]{{1,14}} ){{0,4}}?)(?P<noun>{_KINDS}|{_ANY})"
    r"(?P<letter> [a-d1-9](?= (?:has|have|is|runs?|with|works?|fails?|gives?|uses?)\b))?"
    r"(?(letter)|(?= \([^()\n]{0,80}\d[^()\n]{0,80}\)))"
)
_TELLING = frozenset(
    (
        "other", "another", "second", "first", "third", "different", "new", "newer", "old", "older", "work", "home",
        "office", "company", "lab", "university", "remote", "cloud", "gaming", "production", "colleague's", "friend's",
        "windows", "linux", "ubuntu", "local", "titan", "blackwell", "hopper", "ampere", "dev", "test", "training",
    )
)  # fmt: skip
_OTHER = frozenset(("another", "second", "different"))
_SAME = frozenset(("same", "any", "every", "each", "all", "both", "no", "some"))
# Programs that are called servers.
_PROGRAMS = frozenset(
    (
        "api", "http", "x", "vllm", "jupyter", "web", "inference", "triton", "openai", "proxy", "mcp", "sql", "ssh",
        "rpc", "language", "model", "parameter", "image", "file", "license", "tracking", "ollama", "sglang", "tgi",
        "compatible", "comfyui", "flask", "fastapi", "grpc", "serving", "package", "pypi", "dhcp", "dns", "nfs",
        "windows_server", "operating",
    )
)  # fmt: skip
_MINE = re.compile(r"\b(?:on|in|with) mine\b|\bfor me\b(?! to\b)")
_PLACE_ZH = re.compile(
    r"(?P<words>(?:我|自己|公司|家里|家|实验室|学校|单位|另外?一?[台个]|第[一二三]台|其他|别的|新|旧|云|远程|同事|朋友|的){0,4})"
    r"(?P<noun>笔记本(?:电脑)?|台式机|服务器|工作站|集群|(?:本地|本机)(?:电脑|机器)?|电脑|机器|主机)"
    r"(?P<letter> ?[A-Da-d1-9](?![\w.]))?"
    r"(?=(?:[(\uff08][^()\uff08\uff09\n]{1,80}[)\uff09])?(?:[上里中]|是|有|可以|正常|能|不行|报错|没有|一切))"
)
_TELLING_ZH = re.compile(
    r"公司|家|实验室|学校|单位|另外?一?[台个]|第[一二三]台|其他|别的|新|旧|云|远程|同事|朋友"
)
_ANY_ZH = ("电脑", "机器", "主机")
_MARKUP = re.compile(
    r"^[\s>]{0,8}(?:#{1,6}\s{1,20}|[-*+]\s{1,20})?(?:\*\*|__|<summary>|<b>)?|(?:\*\*|__|</summary>|</b>)?[:\uff1a\s]{0,20}$"
)
_NUMBER = re.compile(r"^\s{0,4}\d{1,2}[.)] ")
_LETTERED = re.compile(
    r"(?:on |在)?(?:my |the )?(?P<noun>machine|pc|computer|server|env(?:ironment)?|setup|system|host|node|report"
    r"|机器|电脑|环境|服务器|主机|节点)"
    r" ?(?:no\.? ?|#|编号)?(?P<letter>[a-d]|\d{1,2}|one|two|three|[一二三四])\b(?![.\d])"
)
_STATE = re.compile(
    r"(?P<state>(?:the )?(?:(?:not[ -]?|non-?)?working|broken|failing|failed|works|fails|good|bad"
    r"|healthy|faulty)"
    r"|正常|可用|能用|有问题|出错|报错|不正常|失败|异常)的?"
    r" ?(?P<noun>env(?:ironment)?|machine|setup|system|pc|server|computer|config(?:uration)?|case|one"
    r"|机器|环境|服务器|电脑|主机|配置)?"
    r"(?: \([^()\n]{1,40}\))?"
)
_KIND = re.compile(
    rf"(?:(?:on|in) )?(?P<words>(?:[\w'()-]{{1,14}} ){{0,5}}?)(?P<noun>{_KINDS}|{_ANY})(?: \([^()\n]{{1,60}}\))?"
)
_KIND_ZH = re.compile(
    r"(?:在)?(?P<words>[^\s:\uff1a]{0,12}?)(?P<noun>笔记本(?:电脑)?|台式机|服务器|工作站|集群|本地|本机|电脑|机器|主机)"
    r"(?:[上里]的?)?(?:[(\uff08][^()\uff08\uff09\n]{1,40}[)\uff09])?"
)
_MAX_NAME_CHARACTERS = 40
_MAX_HEADING_CHARACTERS = 80


class NamedPlace(NamedTuple):
    """A machine that a sentence names, and where in the line."""

    start: int
    name: str


def places(line: str) -> list[NamedPlace]:
    """Return the machines that a sentence, in lower case, names as where something happens, in their order."""
    return sorted(_places(line))


def _places(line: str) -> Iterator[NamedPlace]:
    for match in (*_PLACE.finditer(line), *_HAD.finditer(line), *_SUBJECT.finditer(line)):
        name = _name(match["words"].split(), match["noun"], (match["letter"] or "").strip())
        if name:
            yield NamedPlace(match.start(), name)
    for match in _MINE.finditer(line):
        yield NamedPlace(match.start(), OWN)
    for match in _PLACE_ZH.finditer(line):
        name = _name_zh(match["words"], match["noun"], (match["letter"] or "").strip())
        if name:
            yield NamedPlace(match.start(), name)


def heading_name(line: str) -> str | None:
    """Return the machine that a line, in lower case, names as a heading: "Machine A", "### Laptop"; else None."""
    if len(line) > _MAX_HEADING_CHARACTERS or "please complete" in line:
        return None
    title = _NUMBER.sub("", _MARKUP.sub("", line)).strip()
    if match := _LETTERED.match(title):
        rest = title[match.end() :].strip(" -:\uff1a")
        if not rest or rest[0] in "(\uff08[," or title[match.end() :].lstrip()[:1] in "-:\uff1a\u2013\u2014":
            return title[: match.end()].removeprefix("on ").removeprefix("my ").removeprefix("the ")
        return None
    if match := _STATE.fullmatch(title):
        return " ".join(filter(None, (match["state"].removeprefix("the "), match["noun"])))[
            :_MAX_NAME_CHARACTERS
        ]
    if match := _KIND.fullmatch(title):
        return _name(match["words"].split(), match["noun"], "")
    if match := _KIND_ZH.fullmatch(title):
        return _name_zh(match["words"], match["noun"], "")
    return None


def is_of_another(name: str) -> bool:
    """Tell whether a name says that the machine is not the one that the text is about."""
    return name.startswith(
        ("other ", "colleague's ", "friend's ", "同事", "朋友", "另", "其他", "别的", QUOTED)
    )


def same_names(names: Iterable[str]) -> dict[str, str]:
    """Return the name under which each is known: "laptop" is "gaming laptop" if no other laptop is named.

    >>> same_names(["gaming laptop", "laptop", "server"])["laptop"]
    'gaming laptop'
    """
    known = list(dict.fromkeys(names))
    result = {}
    for name in known:
        is_bare = " " not in name and "的" not in name
        longer = [other for other in known if is_bare and other.endswith((f" {name}", f"的{name}"))]
        result[name] = longer[0] if len(longer) == 1 else name
    return result


def _name(words: list[str], noun: str, letter: str) -> str | None:
    if any(word in _SAME for word in words) or (
        noun.startswith("server") and any(word in _PROGRAMS for word in words)
    ):
        return None
    telling = [
        "other" if word in _OTHER else word.strip("()")
        for word in words
        if word in _TELLING or any(c.isdigit() for c in word) or word in ("rtx", "gtx", "ti", "tesla")
    ]
    noun = "server" if noun == "servers" else noun
    if noun in _ANY.split("|") and not telling and not letter:
        return OWN if words == ["my"] else None
    return " ".join(filter(None, (*telling, noun, letter)))[:_MAX_NAME_CHARACTERS]


def _name_zh(words: str, noun: str, letter: str) -> str | None:
    telling = "".join(match[0] for match in _TELLING_ZH.finditer(words))
    noun = "本地" if noun.startswith("本") else noun.replace("笔记本电脑", "笔记本")
    if noun in _ANY_ZH and words in ("我", "我的", "我自己的"):
        return OWN
    if noun in _ANY_ZH and not telling and not letter:
        return None
    return "".join((f"{telling}的" if telling else "", noun, letter))[:_MAX_NAME_CHARACTERS]
