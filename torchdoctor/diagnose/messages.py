"""The texts around the findings: message ids in English, with named placeholders."""

from __future__ import annotations

__all__ = [
    "AGAINST_THE_PIN",
    "ALREADY_THERE",
    "CHECKED",
    "COLLECT",
    "DESCRIBED",
    "FOR_SYSTEM",
    "IMAGE_HAS_TORCH",
    "ON_THE_MACHINE",
    "PICTURES",
    "SYSTEMS",
    "WHO",
    "messages",
]

WHO = {
    "host": "On the host, not here:",
    "admin": "As administrator:",
}

SYSTEMS = {"linux": "Linux", "windows": "Windows", "macos": "macOS"}

FOR_SYSTEM = "On {system}:"

IMAGE_HAS_TORCH = (
    "Leave the torch in the image {image} as it is: its other packages were compiled against it. "
    "Take another tag of the image, one for this GPU and this driver."
)

AGAINST_THE_PIN = (
    "The project pins torch {pinned}: change that too, and reinstall what was compiled against it."
)

CHECKED = {
    "os.name": "operating system: {value}",
    "python.version": "Python: {value}",
    "torch.version": "torch: {value}",
    "torch.build": "build: {value}",
    "cuda.available": "torch.cuda.is_available(): {value}",
    "nvidia.driver": "NVIDIA driver: {value}",
    "nvidia.gpu": "NVIDIA GPU: {value}",
    "amd.gfx": "AMD target: {value}",
    "package.torchvision": "torchvision: {value}",
    "package.torchaudio": "torchaudio: {value}",
    "package.numpy": "NumPy: {value}",
    "libc.version": "C library: {value}",
}

ALREADY_THERE = "The text has the output of {commands} already (line {lines})."

COLLECT = "Run `python -m torch.utils.collect_env` in the environment that fails, and add what it prints."
DESCRIBED = (
    "The text describes a change or a wish, and no machine on which something fails: "
    "what it names is only possible."
)
PICTURES = "What the pictures in the text show could not be read: add it as text."
ON_THE_MACHINE = (
    "On the machine itself: `torchdoctor doctor` looks for all of this, `torchdoctor diagnose --here` joins this text "
    "with what it finds."
)


def messages() -> tuple[str, ...]:
    """Every text here and of the questions that is to be translated."""
    from torchdoctor.diagnose.question_table import questions

    asked = (entry.text for entry in questions().values())
    around = (
        FOR_SYSTEM,
        IMAGE_HAS_TORCH,
        AGAINST_THE_PIN,
        ALREADY_THERE,
        COLLECT,
        DESCRIBED,
        PICTURES,
        ON_THE_MACHINE,
    )
    return (*WHO.values(), *CHECKED.values(), *around, *asked)
