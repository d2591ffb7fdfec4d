"""An index on loopback with the layout of AMD's: extras choose the code for a GPU, and `rocm` is a source package."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from tests.sdistmaker import make_sdist
from tests.wheelmaker import make_wheel

if TYPE_CHECKING:
    from tests.loopback import LoopbackIndex

ROCM = "10.0.0"
TORCH = f"2.13.0+rocm{ROCM}"
VISION = f"0.28.0+rocm{ROCM}"
TARGETS = ("gfx1100", "gfx1151", "gfx1201")
BASE = "/rocm/whl-next"


def add_amd_index(index: LoopbackIndex, tag: str, *, base: str = BASE, hashes: bool = True) -> str:
    """Add the packages of one release for a platform, and PyPI's placeholder; return the index's URL.

    AMD writes its pages without hashes unless told otherwise (TheRock's manage_structured.py).
    """
    platform = tag.rpartition("-")[2]
    any_python = f"py3-none-{platform}"

    def add(project: str, version: str, requires: tuple[str, ...] = (), wheel_tag: str = any_python) -> None:
        name, content = make_wheel(project, version, tag=wheel_tag, requires=requires)
        index.add(f"{base}/{project}/", name, content, digest="right" if hashes else None)

    def per_target(part: str, version: str) -> tuple[str, ...]:
        each = [f"{part}-{t}=={version}; extra == 'device-{t}'" for t in TARGETS]
        return (*each, *(f"{part}-{t}=={version}; extra == 'device-all'" for t in TARGETS))

    add("torch", TORCH, (f"rocm[libraries]=={ROCM}", "filelock", *per_target("amd-torch-device", TORCH)), tag)
    add("torchvision", VISION, (f"torch=={TORCH}", *per_target("amd-torchvision-device", VISION)), tag)
    for target in TARGETS:
        add(f"amd-torch-device-{target}", TORCH, (f"rocm-sdk-device-{target}=={ROCM}",))
        add(f"amd-torchvision-device-{target}", VISION)
        add(f"rocm-sdk-device-{target}", ROCM, (f"rocm-sdk-libraries=={ROCM}",))
    add("rocm-sdk-core", ROCM)
    add("rocm-sdk-libraries", ROCM)
    filename, content = make_sdist(
        "rocm",
        ROCM,
        requires=(
            f"rocm-sdk-core=={ROCM}",
            f"rocm-sdk-libraries=={ROCM}; extra == 'libraries'",
            *per_target("rocm-sdk-device", ROCM),
        ),
    )
    index.files[f"{base}/{filename}"] = content
    fragment = f"#sha256={hashlib.sha256(content).hexdigest()}" if hashes else ""
    index.pages[f"{base}/rocm/"] = f'<a href="../{filename}{fragment}">{filename}</a>'.encode()
    for project, version in (("rocm", "0.1.0"), ("filelock", "3.29.0"), ("rocm-sdk-core", "99.0")):
        name, content = make_wheel(project, version, tag="py3-none-any")
        index.add(f"/simple/{project}/", name, content)
    return f"{index.url}{base}/"
