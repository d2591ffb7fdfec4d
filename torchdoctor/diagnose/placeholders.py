"""The placeholders of a failure's texts: the values that evidence gives them, such as versions and commands."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from torchdoctor.core.shell_words import quoted
from torchdoctor.core.versions import public_version
from torchdoctor.diagnose import derived
from torchdoctor.diagnose.companion_versions import companions_for
from torchdoctor.diagnose.fitting_build import fitting_plan, newest_plan_of_family, pip_command
from torchdoctor.diagnose.fix_commands import is_plain_word
from torchdoctor.diagnose.names_in_text import NAME_PLACEHOLDERS
from torchdoctor.diagnose.stack_fixes import STACK_PLACEHOLDERS
from wheels_index import TORCH_PROJECTS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torchdoctor.diagnose.evidence import Evidence

__all__ = ["PLACEHOLDERS", "Placeholders", "command_values", "example"]

_OFFICIAL = "https://download.pytorch.org/whl/"
# Packages that come from the index of torch's build; what else it requires comes from PyPI.
_OWN = (*TORCH_PROJECTS, "triton")
_OWN_PREFIXES = ("nvidia-", "cuda-")
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,60}")


class Placeholders(dict[str, str]):
    """Values by name: what a sign captured, else what the evidence gives; a name without a value raises KeyError."""

    def __init__(self, evidence: Evidence, captured: Mapping[str, str]) -> None:
        super().__init__(captured)
        self._evidence = evidence

    def __missing__(self, name: str) -> str:
        value = PLACEHOLDERS[name](self._evidence) if name in PLACEHOLDERS else None
        if value is None:
            raise KeyError(name)
        self[name] = value
        return value


def command_values(evidence: Evidence, captured: Mapping[str, str]) -> Placeholders:
    """Return values for a command: what a sign captured is left out unless it is a plain word or path."""
    plain = {name: text for name, text in captured.items() if is_plain_word(text)}
    return Placeholders(evidence, plain)


def _first(name: str) -> Callable[[Evidence], str | None]:
    return lambda evidence: _safe(evidence.first(name))


def _safe(text: str | None) -> str | None:
    return text if text is not None and _SAFE.fullmatch(text) else None


def _torch(evidence: Evidence) -> str | None:
    version = derived.torch_version(evidence)
    return version.public if version else None


def _build(evidence: Evidence) -> str | None:
    build = derived.torch_build(evidence)
    return build if build and re.fullmatch(r"cpu|xpu|cu\d{2,3}|rocm\d(?:\.\d){1,2}", build) else None


def _cuda(evidence: Evidence) -> str | None:
    cuda = derived.cuda_of_build(evidence)
    return f"{cuda[0]}.{cuda[1]}" if cuda else None


def _index(evidence: Evidence) -> str | None:
    build = _build(evidence)
    return f"{_OFFICIAL}{build}" if build else None


def _installer(evidence: Evidence) -> str:
    return "uv pip install" if "uv" in evidence.all("installer") else "python -m pip install"


def _reinstaller(evidence: Evidence) -> str:
    return (
        "uv pip install --reinstall"
        if "uv" in evidence.all("installer")
        else "python -m pip install --force-reinstall"
    )


def _capability(evidence: Evidence) -> str | None:
    found = derived.capabilities(evidence)
    return f"{found[0][0][0]}.{found[0][0][1]}" if found else None


def _companion(project: str) -> Callable[[Evidence], str | None]:
    def version(evidence: Evidence) -> str | None:
        torch = derived.torch_version(evidence)
        return companions_for(torch.public).get(f"{project}_for") if torch is not None else None

    return version


def _right_variant(evidence: Evidence) -> str | None:
    plan = fitting_plan(evidence)
    return plan.variant if plan else None


def _right_install(evidence: Evidence) -> str | None:
    plan = fitting_plan(evidence)
    return pip_command(evidence, plan, _installer(evidence)) if plan else None


def _any_install(evidence: Evidence) -> str | None:
    plan = newest_plan_of_family(evidence)
    return pip_command(evidence, plan, _installer(evidence)) if plan else None


def _amd_install(evidence: Evidence) -> str | None:
    """The command for AMD's newest build with the code for the GPUs that the evidence names."""
    from wheels_index import amd_build  # few texts are about AMD's own builds

    build = amd_build(derived.platform_of(evidence), sorted(set(evidence.all("amd.gfx"))))
    if build is None:
        return None
    windows = derived.operating_system(evidence) == "windows"
    wanted = " ".join(quoted(requirement, windows=windows) for requirement in build.requirements)
    return f"{_installer(evidence)} --index-url {build.index_url} {wanted}"


def _replacing_package(evidence: Evidence) -> str | None:
    """The package whose requirement installed another torch: as the log says, else the one that was requested."""
    name = evidence.first("torch.wanted_by") or evidence.first("installed.name")
    return _safe(name.rstrip("->=<~")) if name else None


def _leftovers(evidence: Evidence) -> str | None:
    """Full paths of what an interrupted installation left on this machine."""
    return ", ".join(path for path in evidence.all("live.leftover") if path.isprintable()) or None


def _incomplete_packages(evidence: Evidence) -> str | None:
    """Pins (`torch==2.9.1`) of torch's and NVIDIA's packages on this machine whose files are missing or damaged."""
    names = [*evidence.all("live.record"), *evidence.all("live.unrecorded")]
    own = [name for name in dict.fromkeys(names) if name.startswith(_OWN_PREFIXES) or name in _OWN]
    if not names and (
        evidence.observations("live.truncated") or evidence.first("live.check.import") == "fail"
    ):
        own = ["torch"]
    return _pins(evidence, own)


def _damaged_dependencies(evidence: Evidence) -> str | None:
    """Pins of the damaged packages that torch requires and that are neither torch's nor NVIDIA's own, nor NumPy."""
    others = (name for name in evidence.all("live.record") if not name.startswith(_OWN_PREFIXES))
    return _pins(evidence, [name for name in others if name not in (*_OWN, "numpy")])


def _pins(evidence: Evidence, names: list[str]) -> str | None:
    versions = {name: evidence.first(f"package.{name}") for name in names} | {"torch": _torch(evidence)}
    pins = (
        f"{name}=={public}" for name in names if (public := public_version(versions[name])) and _safe(name)
    )
    return " ".join(pins) or None


def _kernel(fact: str) -> Callable[[Evidence], str]:
    """The name of the kernel with that fault; NAME if there is none or there are several."""

    def named(evidence: Evidence) -> str:
        names = evidence.all(fact)
        if len(names) != 1 or not names[0].isprintable():
            return "NAME"
        return quoted(names[0], windows=derived.operating_system(evidence) == "windows")

    return named


def _kernel_environment(evidence: Evidence) -> str:
    """The environment's folder if it has a torch for a kernel to run, else ENV."""
    prefix = evidence.first("environment.prefix")
    if prefix is None or not prefix.isprintable() or evidence.first("torch.version") is None:
        return "ENV"
    return quoted(prefix, windows=derived.operating_system(evidence) == "windows")


PLACEHOLDERS: dict[str, Callable[[Evidence], str | None]] = {
    "torch": _torch,
    "build": _build,
    "cuda": _cuda,
    "index_url": _index,
    "pip_install": _installer,
    "pip_reinstall": _reinstaller,
    "driver": _first("nvidia.driver"),
    "python": _first("python.version"),
    "glibc": _first("libc.version"),
    "capability": _capability,
    "minimum_driver": derived.minimum_driver,
    "torchvision_for": _companion("torchvision"),
    "torchaudio_for": _companion("torchaudio"),
    "flash_attn": _first("package.flash-attn"),
    "culprit": _replacing_package,
    "kernel_gone": _kernel("live.kernel.gone"),
    "kernel_without_ipykernel": _kernel("live.kernel.without_ipykernel"),
    "kernel_corrupt": _kernel("live.kernel.corrupt"),
    "kernel_environment": _kernel_environment,
    "leftovers": _leftovers,
    "not_whole": _incomplete_packages,
    "damaged_dependencies": _damaged_dependencies,
    "numpy": _first("package.numpy"),
    "torch_belonging": _first("live.torch_belonging"),
    "build_belonging": _first("live.build_belonging"),
    "amd_install": _amd_install,
    "right_variant": _right_variant,
    "right_install": _right_install,
    "any_install": _any_install,
    **NAME_PLACEHOLDERS,
    **STACK_PLACEHOLDERS,
}
"""Placeholder of texts and commands -> its value from evidence, None where that does not say enough."""


class _Names(dict[str, str]):
    def __missing__(self, name: str) -> str:
        if name.startswith("kernel_"):
            return "ENV" if name == "kernel_environment" else "NAME"
        return name.upper().replace("_", "-")


def example(template: str) -> str:
    """Return a template with the names of its placeholders in capitals, for a page that knows no machine."""
    return template.format_map(
        _Names(pip_install="python -m pip install", pip_reinstall="python -m pip install --force-reinstall")
    )
