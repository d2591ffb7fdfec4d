"""The container image that a text runs or builds on, and whether a project's own file pins torch."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.diagnose.evidence import Observation

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torchdoctor.diagnose.text import Text

__all__ = ["parse_images"]

# A name with a registry or a folder, or with a tag: `python:3.12-slim`, `vllm/vllm-openai`, `nvcr.io/a/b:24.01-py3`.
_NAME = re.compile(
    r"(?=[^ ]*[/:])[a-z0-9][a-z0-9._-]{0,80}(?::\d{2,5})?(?:/[a-z0-9][a-z0-9._-]{0,80}){0,4}"
    r"(?::[\w][\w.-]{0,80})?"
)
_FROM = re.compile(r"^\s{0,4}(?:FROM|image:)\s{1,4}[\"']?(?P<name>[^\s\"'@]{3,200})")
_RUN = re.compile(r"\b(?:docker|podman|nerdctl)(?:\.exe)? (?:container )?run\b(?P<rest>[^|;&]{1,1200})")
# Options of `docker run` that stand without a value.
_FLAGS = re.compile(
    r"-[itdP]{1,4}|--\S+=\S*"
    r"|--(?:rm|init|interactive|tty|detach|privileged|read-only|no-healthcheck|publish-all|sig-proxy)"
)
# Images whose other packages were compiled against the torch in them.
_OWN_TORCH = (
    r"(?:vllm/vllm-openai|lmsysorg/sglang|nvcr\.io/nvidia/(?:pytorch|l4t-pytorch|l4t-ml)|rocm/(?:vllm|pytorch)"
    r"|dustynv/[\w.-]{1,40}|ghcr\.io/huggingface/text-generation-inference)(?::[\w.-]{1,60})?"
)
_WITH_TORCH = re.compile(_OWN_TORCH)
_MENTIONED = re.compile(rf"(?<![\w/.-])(?P<name>{_OWN_TORCH})")
# A lock file, a resolver or pip itself says that a file of the project pins torch.
_PINS = (
    re.compile(r"\byour project depends on torch(?:\{[^}\n]{0,80}\})?==\d"),
    re.compile(r"\btorch==\d[\w.+]{0,20} \(from -r [\w./-]{1,80}"),
    re.compile(
        r"(?:requirements\S{0,30}\.txt|pyproject\.toml|environment\.ya?ml|pipfile|setup\.cfg|uv\.lock|poetry\.lock)\b"
        r"[^.\n]{0,40}(?:pins?|pinned|says|has|wants|requires|:|固定|要求)[^.\n]{0,20}torch ?==? ?\d"
    ),
    re.compile(r"\bpinned?(?: to| at)? torch ?==? ?\d"),
)
_MAX_MATCHES = 5
_MAX_IMAGES = 20


def parse_images(text: Text) -> Iterator[Observation]:
    """Yield `image`, `image.with_torch` and `project.pin`."""
    named: set[str] = set()
    for name, position in _images(text):
        if name in named or len(named) >= _MAX_IMAGES:
            continue
        named.add(name)
        number, line = text.line_at(position)
        yield Observation(name="image", value=name, source=line, line=number)
        if _WITH_TORCH.fullmatch(name):
            yield Observation(name="image.with_torch", value=name, source=line, line=number)
    for pattern in _PINS:
        if match := pattern.search(text.lower):
            number, line = text.line_at(match.start())
            yield Observation(name="project.pin", value="true", source=line, line=number)


def _images(text: Text) -> Iterator[tuple[str, int]]:
    if " run " in text.lower:
        for count, match in enumerate(_RUN.finditer(text.flat)):
            name = _image_of(match["rest"].split())
            if name is not None and count < _MAX_MATCHES:
                yield name, match.start()
    for start, line in zip(text.starts, text.lines, strict=True):
        written = _FROM.match(line) if "FROM " in line or "image:" in line else None
        if written and _NAME.fullmatch(written["name"]):
            yield written["name"], start
    for count, match in enumerate(_MENTIONED.finditer(text.lower)):
        if count < _MAX_MATCHES:
            yield match["name"].rstrip("."), match.start()


def _image_of(words: list[str]) -> str | None:
    """The first word of `docker run` that is no option and no value of one."""
    skip = False
    for word in words[:60]:
        if skip or word == "\\":
            skip = False
        elif word.startswith("-"):
            skip = not _FLAGS.fullmatch(word)
        else:
            return word if _NAME.fullmatch(word) else None
    return None
