"""For containers: a Dockerfile, and a devcontainer.json."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import message, translate
from torchdoctor.errors import UsageError
from torchdoctor.report.formats.pip import requirement_lines
from wheels_index import variant

if TYPE_CHECKING:
    from torchdoctor.report.formats.stack_text import StackText

__all__ = ["devcontainer", "dockerfile"]

_PLATFORMS = {"x86_64": "linux/amd64", "aarch64": "linux/arm64"}
# What a container is given of the host's GPU: https://docs.docker.com/reference/cli/docker/container/run/#gpus,
# https://rocm.docs.amd.com/projects/install-on-linux/en/latest/how-to/docker.html
_DEVICES = {
    "cuda": ["--gpus", "all"],
    "rocm": ["--device", "/dev/kfd", "--device", "/dev/dri", "--group-add", "video"],
    "xpu": ["--device", "/dev/dri"],
}
_END = "END_OF_REQUIREMENTS"


def dockerfile(text: StackText) -> str:
    """Return a whole Dockerfile: Python, an environment with the stack, and a user who is not root."""
    platform = _platform(text, "Dockerfile")
    kind = variant(text.plan.variant).kind
    run = shlex.join(["docker", "run", "--rm", "-it", *_DEVICES.get(kind, []), "torch"])
    lines = [
        "# syntax=docker/dockerfile:1",
        f"# {text.title}",
        f"# docker build --platform {platform} -t torch .",
        f"# {run}",
        f"FROM python:{text.python}-slim",
        "",
        "ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1",
    ]
    if kind == "cuda":
        # https://docs.nvidia.com/datacenter/cloud-native/container-toolkit/latest/docker-specialized.html
        lines.append("ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility")
    lines += [
        "RUN python -m venv /opt/venv && useradd --create-home app",
        "",
        f"COPY <<'{_END}' /tmp/requirements.txt",
        *requirement_lines(text),
        _END,
        "RUN --mount=type=cache,target=/root/.cache/pip pip install -r /tmp/requirements.txt",
        "",
        *_comments(message("torch.compile needs a C compiler: apt-get install gcc libc6-dev")),
        "USER app",
        "WORKDIR /home/app",
        'CMD ["python"]',
    ]
    return "\n".join(lines)


def devcontainer(text: StackText) -> str:
    """Return a devcontainer.json. An NVIDIA GPU is used where the host has one, and not required."""
    _platform(text, "devcontainer.json")
    kind = variant(text.plan.variant).kind
    options = [word for option in text.index_options for word in option.split()]
    document: dict[str, object] = {
        "name": text.title,
        "image": f"mcr.microsoft.com/devcontainers/python:{text.python}",
    }
    if kind == "cuda":
        # https://github.com/devcontainers/spec/blob/main/proposals/gpu-host-requirement.md
        document["hostRequirements"] = {"gpu": "optional"}
        document["containerEnv"] = {"NVIDIA_DRIVER_CAPABILITIES": "compute,utility"}
    elif kind in _DEVICES:
        document["runArgs"] = _DEVICES[kind]
    # A list is started as it is, without a shell: https://containers.dev/implementors/json_reference/
    document["postCreateCommand"] = ["python", "-m", "pip", "install", "--user", *text.lines, *options]
    return json.dumps(document, indent=2, ensure_ascii=False)


def _platform(text: StackText, what: str) -> str:
    """The container's platform; raises `UsageError` for a plan that no Linux image can follow."""
    machine = text.machine
    if machine.os != "linux" or machine.arch not in _PLATFORMS:
        raise UsageError(
            message(
                "a {what} makes a Linux container, and this plan is for {os} {arch}",
                what=what,
                os=machine.os,
                arch=machine.arch,
            ),
            fix=message("describe a Linux machine: --platform linux, with --gpu and --driver of the host"),
        )
    if machine.python.free_threaded:
        raise UsageError(
            message(
                "there is no official image with the free-threaded Python {version}", version=text.python
            ),
            fix=message("ask for --python-version {version}", version=text.python),
        )
    places = (text.index_url or "", *text.more_indexes, *text.more_links)
    folder = next((place for place in places if place.startswith("file:")), None)
    if folder is not None:
        raise UsageError(
            message("a container does not see {place}, where the builds lie", place=folder),
            fix=message("name an index with --index-url, or make a bundle with `torchdoctor download`"),
        )
    return _PLATFORMS[machine.arch]


def _comments(*texts: str) -> list[str]:
    return [f"# {' '.join(translate(text).split())}" for text in texts]
