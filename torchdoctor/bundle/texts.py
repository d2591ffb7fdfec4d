"""The text files of a bundle: scripts, lock, requirements and README."""

from __future__ import annotations

import json
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from torchdoctor._version import __version__
from torchdoctor.bundle.model import SCRIPTS
from torchdoctor.lock.target import marker_environment

if TYPE_CHECKING:
    from torchdoctor.detect import Machine
    from torchdoctor.fetch import Wheelhouse
    from torchdoctor.lock import Lock

__all__ = ["bundle_texts", "description_text"]

_PAYLOAD_DIR = Path(__file__).with_name("payload")


def description_text(machine: Machine) -> str:
    """Return the text of bundle.json: the Python and the system that the wheels are for."""
    markers = marker_environment(machine)
    document = {
        "schema": 1,
        "torchdoctor": __version__,
        "python": markers["python_version"],
        "implementation": markers["implementation_name"],
        "sys_platform": markers["sys_platform"],
        "machine": markers["platform_machine"],
    }
    return json.dumps(document, indent=2) + "\n"


def bundle_texts(lock: Lock, wheelhouse: Wheelhouse, machine: Machine) -> dict[str, str]:
    """Return every other text file by its name."""
    wheels = sorted(wheelhouse.wheels, key=lambda fetched: fetched.wheel.name)
    requirements = {
        fetched.wheel.name: f"{fetched.wheel.name}=={fetched.wheel.version} --hash=sha256:{fetched.sha256}\n"
        for fetched in wheels
    }
    texts = {name: (_PAYLOAD_DIR / name).read_text("utf-8") for name in SCRIPTS}
    texts["pylock.toml"] = lock.text_beside(fetched.wheel.filename for fetched in wheels)
    texts["requirements.txt"] = "".join(requirements.values())
    if "pip" in requirements:
        texts["requirements-pip.txt"] = requirements["pip"]
    markers = marker_environment(machine)
    texts["README.md"] = Template((_PAYLOAD_DIR / "README.md").read_text("utf-8")).substitute(
        packages=", ".join(f"{fetched.wheel.name} {fetched.wheel.version}" for fetched in wheels),
        machine=f"{markers['platform_system']} {markers['platform_machine']}",
        python=markers["python_version"],
        version=__version__,
    )
    return texts
