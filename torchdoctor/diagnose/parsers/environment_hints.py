"""Where it happened, by paths, names and words: system, Python, container, WSL, processor, notebook."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from torchdoctor.diagnose.evidence import Observation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchdoctor.diagnose.text import Text

__all__ = ["parse_environment_hints"]

# (fact, value, words that must be there in lower case, a pattern around them or None). The more telling first.
_ROWS: tuple[tuple[str, str, tuple[str, ...], str | None], ...] = (
    # What Python itself prints at its start.
    ("os.system", "linux", ("on linux",), r"(?:\]|inc\.) on linux\b"),
    ("os.system", "windows", ("on win32",), r"(?:\]|inc\.) on win32\b"),
    ("os.system", "macos", ("on darwin",), r"(?:\]|inc\.) on darwin\b"),
    ("wsl", "true", ("wsl", "microsoft-standard"), r"\bwsl ?[12]?\b|microsoft-standard|/usr/lib/wsl/"),
    (
        "os.system",
        "windows",
        ("torch===", "winerror", "winget", ".dll", "win_amd64", "win-amd64", "win32", ".bat ", "powershell"),
        None,
    ),
    ("os.system", "windows", (":\\",), r"\b[a-z]:\\(?:users|program|windows|python|anaconda|miniconda|\w)"),
    (
        "os.system",
        "macos",
        (".dylib", "darwin", "macosx_", "/opt/homebrew", "/applications/", "dlopen("),
        r"\.dylib|\bdarwin|macosx_|/opt/homebrew|/applications/",
    ),
    (
        "os.system",
        "linux",
        ("linux-gnu", "manylinux", "/usr/lib/x86_64", "linux-x86_64", "linux_x86_64"),
        None,
    ),
    (
        "os.system",
        "linux",
        (
            "ubuntu",
            "debian",
            "centos",
            "fedora",
            "arch linux",
            "red hat",
            "rocky",
            "alpine",
            "manjaro",
            "opensuse",
            "nixos",
            "wsl2",
            "jetson",
        ),
        None,
    ),
    (
        "os.system",
        "windows",
        ("windows 1", "windows 7", "windows 8", "windows server", "win10", "win11", "on windows", "windows"),
        r"\b(?:windows|win ?1[01])\b",
    ),
    (
        "os.system",
        "macos",
        ("macos", "mac os", "macbook", "imac", "mac mini", "apple silicon", "on mac", "a mac", "os x"),
        r"\b(?:macos|mac os|macbook|imac|mac mini|apple silicon|macs?|os x)\b",
    ),
    (
        "os.system",
        "linux",
        ("linux", "/home/", "/usr/lib", "apt ", "apt-get", "sudo ", ".so.", "docker"),
        None,
    ),
    (
        "container",
        "docker",
        (
            "docker",
            "/.dockerenv",
            "container",
            "podman",
            "kubernetes",
            "k8s",
            "kubectl",
            "singularity",
            "apptainer",
        ),
        r"\b(?:docker|podman|containers?|kubernetes|k8s|kubectl|singularity|apptainer|devcontainer)\b",
    ),
    (
        "chip",
        "apple",
        ("apple silicon", "m1", "m2", "m3", "m4", "arm64"),
        (
            r"apple silicon|\bapple m\d|\bm[1-5](?: (?:pro|max|ultra|mac|chip|macbook|air))?\b"
            r"|macosx?[-_\d. ]+arm64"
        ),
    ),
    (
        "chip",
        "intel-mac",
        ("intel", "x86_64"),
        (
            r"intel[- ](?:based )?(?:mac|imac|macbook|chip)|macbook.{0,30}\bintel\b"
            r"|macosx[-_]1\d[._]\d{1,2}[-_](?:x86_64|intel)|darwin.{0,60}x86_64|mac.{0,20}x86_64"
        ),
    ),
    ("libc.name", "musl", ("musl", "alpine"), r"\bmusl|\balpine\b"),
    (
        "arch",
        "aarch64",
        (
            "aarch64",
            "arm64",
            "jetson",
            "graviton",
            "grace",
            "gh200",
            "gb200",
            "gb10",
            "dgx spark",
            "raspberry",
        ),
        r"\baarch64|linux[-_]arm64|jetson|graviton|grace hopper|\bg[hb]200\b|\bgb10\b|dgx spark|raspberry pi",
    ),
    (
        "jetson",
        "true",
        ("jetson", "tegra", "jetpack", "l4t", "orin", "xavier"),
        r"\b(?:jetson|tegra|jetpack|l4t|orin|xavier)\b",
    ),
    ("notebook", "true", ("jupyter", "ipykernel", "notebook", "ipython-input", ".ipynb", "colab"), None),
    ("conda", "true", ("conda", "miniforge", "mamba"), None),
    (
        "gpu.vendor",
        "nvidia",
        (
            "nvidia",
            "geforce",
            "rtx",
            "gtx",
            "tesla",
            "quadro",
            "0ti",
            "0 ti",
            "060",
            "070",
            "080",
            "090",
            "050",
        ),
        (
            r"\b(?:dedicated|discrete|my|an?|card is) [2-5]0[5-9]0(?: ?ti| ?super|s)?\b|显卡[^\n]{0,6}[2-5]0[5-9]0"
            r"|geforce|(?<!radeon )\b[rg]tx\b|tesla [a-z]\d|quadro|(?<!have an )(?<!need a )(?<!need an )"
            r"(?<!requires an )(?<!no )(?<!without )nvidia (?:gpu|a\d|h\d"
            r"|l\d|t\d|rtx|gtx"
            r"|geforce|corporation)"
        ),
    ),
    (
        "gpu.vendor",
        "amd",
        ("radeon", "rocm", "amdgpu", "gfx", "vega", "rx", "amd "),
        (
            r"radeon|\bamdgpu\b|\bgfx\d{3,4}|\brx ?[4-9]\d{2,3}(?:xtx?|gre|[ms])?\b"
            r"|\bamd (?:gpu|card|graphics|video)|\bamd (?:rx ?)?[5-9]\d00 ?(?:xtx?|gre)\b|vega ?\d"
        ),
    ),
    (
        "gpu.vendor",
        "intel",
        (
            "intel arc",
            "arc a",
            "arc b",
            "iris xe",
            "intel gpu",
            "hd graphics",
            "intel(r) arc",
            "uhd graphics",
        ),
        (
            r"intel(?:\(r\))? (?:arc|iris|uhd|hd graphics|gpu|data center gpu)|\barc(?:\(tm\))? [ab]\d{3}"
            r"|iris\(r\) xe|uhd graphics"
        ),
    ),
)
_BITS = (
    (
        "python.bits",
        "32",
        ("win32", "-32", "32-bit", "32 bit"),
        (
            r"32[- ]bit (?:python|runtime|version|os)|python[^\n]{0,40}(?:\(32-bit|32 bit\b"
            r"|32-bit)|python3\d{1,2}-32|\bwin32\)"
        ),
    ),
)
_OFFERS = re.compile(
    r"following\splatforms?:[\s`\w.,-]{0,600}|following\spython\s\w{1,20}\stags?:[\s`\w.,-]{0,400}"
    r"|\S{1,200}\.whl(?=\sis\snot\sa\ssupported\swheel)"
)
_CARD = re.compile(
    r"(?:(?<!Radeon )\b(?:NVIDIA )?(?:GeForce )?[RG]TX ?\d{3,4}(?: ?(?:Ti|SUPER|Super)\b)?(?! ?(?:Ada|Laptop))"
    r"|Tesla ?[VPTKM]\d{1,3}[cmstx]?\b|NVIDIA (?:A|H|L|T|V|B|P)\d{1,3}S?\b|\b[AHB][12]00\b)"
)
_DRIVER = re.compile(
    r"\bdrivers?(?: version| ver\.?)?(?: is| are|:|=)? ?v?(?P<v>[2-6]\d{2}\.\d{2,3}(?:\.\d{1,3})?)\b"
    r"|驱动(?:版本)?(?:是|为|:|\uff1a)? ?(?P<w>[2-6]\d{2}\.\d{2,3}(?:\.\d{1,3})?)\b"
    # The branch alone, and what a post answers to "what does nvidia-smi say".
    r"|\bdrivers?(?: version| branch)?(?: is|:)?[ -]v?(?P<b>[2-6]\d{2})\b(?!\.?\d)"
    r"|\bnvidia-smi\b[^\d|]{0,12}(?P<s>[2-6]\d{2}\.\d{2,3}(?:\.\d{1,3})?)\b",
    re.ASCII,
)
_WANTED = re.compile(
    r"need|requir|at least|minimum|newer|older|or later|updat|upgrad|install|tried|>=|需要|至少|以上|升级|更新"
)
# The build's part of a version, where a post leaves the number out: torch is there with +rocm6.2.
_TAG = re.compile(
    r"\btorch\b[^.\n]{0,40}\b(?:install(?:ed|s)|have|has|got|is|are|shows?|with)\b[^.\n]{0,24}"
    r"[ '\"(`]\+(?P<tag>cpu|cu\d{2,3}|rocm\d[\d.]{0,6}\d|xpu)\b"
)
_MOST = 20
_DISK = re.compile(
    r"^[\s>|]{0,8}\S{1,80}\s{1,40}[\d.]{1,8}[KMGT]?i?\s{1,20}[\d.]{1,8}[KMGT]?i?\s{1,"
    r"20}[\d.]{1,8}[KMGT]?i?\s{1,20}"
    r"(?P<used>\d{1,3})%\s{1,20}(?P<place>/\S{0,80})"
)
_VERSIONS = (
    re.compile(
        r"\bc?python[ -]?(?:version)?(?: is)?[ :=]{0,3}v?(?P<v>\d\.\d{1,2}(?:\.\d{1,2})?t?)\b(?![\w.]*torch)"
    ),
    re.compile(r"\buv [a-z][\w ./-]{0,60}(?:-p|--python)[ =](?P<v>3\.\d{1,2}(?:\.\d{1,2})?t?)\b"),
    re.compile(r"\bcp(?P<c>3\d{1,2}t?)-(?:cp|abi|none)"),
    re.compile(r"cpython-(?P<c>3\d{1,2}t?)-"),
    re.compile(r"python(?P<c>3\d{1,2})[\\/](?:lib|site|scripts|python)"),
    re.compile(r"\bpy(?P<c>3\d{1,2})\b"),
)


def parse_environment_hints(text: Text) -> Iterator[Observation]:
    """Facts that stand between the lines; less trusted than what a report states."""
    text = _without_offers(text)
    for name, value, needles, pattern in (*_ROWS, *_BITS):
        at = _first(text, needles, pattern)
        if at is not None:
            number, line = text.line_at(at)
            yield Observation(name=name, value=value, source=line, line=number)
    yield from _python(text)
    yield from _disks(text)
    yield from _cards(text)
    yield from _drivers(text)
    for match in _TAG.finditer(text.rows):
        number, line = text.line_at(match.start("tag"))
        yield Observation(name="torch.build", value=match["tag"], source=line, line=number)


def _first(text: Text, needles: tuple[str, ...], pattern: str | None) -> int | None:
    for needle in needles:
        for position in text.find(needle):
            # In ASCII: a Chinese character beside a word is no part of it.
            if pattern is None or re.compile(pattern, re.ASCII).search(
                text.lower, max(position - 60, 0), position + 80
            ):
                return position
    return None


def _without_offers(text: Text) -> Text:
    # An installer names the systems and Pythons that there are wheels for: none of them is the one here.
    lower = _OFFERS.sub(lambda match: " " * len(match[0]), text.rows)
    return replace(text, lower=lower.replace("\n", " "))


def _cards(text: Text) -> Iterator[Observation]:
    """NVIDIA GPUs that a sentence names: RTX 4090, GTX 1080 Ti, Tesla P100, H100."""
    for count, match in enumerate(_CARD.finditer(text.flat)):
        if count > _MOST:
            break
        number, line = text.line_at(match.start())
        value = re.sub(r"(?<=[RG]TX)(?=\d)", " ", match[0])  # as the tables write it
        yield Observation(name="nvidia.gpu", value=value, source=line, line=number)


def _drivers(text: Text) -> Iterator[Observation]:
    """The NVIDIA driver's version where a sentence gives it, and not as the one that something needs."""
    for match in _DRIVER.finditer(text.lower):
        if not _WANTED.search(text.lower, max(match.start() - 40, 0), match.start()):
            number, line = text.line_at(match.start())
            yield Observation(
                name="nvidia.driver", value=next(filter(None, match.groups())), source=line, line=number
            )


def _disks(text: Text) -> Iterator[Observation]:
    """Rows of `df -h` with the share in use, for each place."""
    for number, line in zip(text.numbers, text.lines, strict=True):
        if "%" in line and (match := _DISK.match(line)):
            yield Observation(
                name="disk.used", value=f"{match['used']} {match['place']}", source=line, line=number
            )


def _python(text: Text) -> Iterator[Observation]:
    for pattern in _VERSIONS:
        for count, match in enumerate(pattern.finditer(text.lower)):
            if count > _MOST:
                break
            named = match.groupdict()
            digits = named.get("c")
            version = f"{digits[0]}.{digits[1:]}" if digits else named["v"]
            number, line = text.line_at(match.start())
            yield Observation(name="python.version", value=version, source=line, line=number)
