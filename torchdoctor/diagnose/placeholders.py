"""The values of a fix's placeholders, worked out from the case: versions, the right build, commands."""

from __future__ import annotations

import re
import shlex
from functools import lru_cache
from typing import TYPE_CHECKING

from packaging.version import Version

from torchdoctor.core.versions import public_version
from torchdoctor.diagnose import derived as know

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from torchdoctor.diagnose.evidence import Evidence
    from torchdoctor.resolve.model import Plan

__all__ = ["PLACEHOLDERS", "Placeholders", "command_values", "example", "quoted"]

_OFFICIAL = "https://download.pytorch.org/whl/"
# Runs every build that a GPU of the Blackwell generation needs, and is two years old.
_USUAL_DRIVER = "570.124.06"
_PIP = re.compile(r"(?<![\w./-])python3? -m pip (install|uninstall|show|list|check)\b")
_UV = re.compile(r"(?<![\w./-])uv pip (?:install|uninstall)\b(?! --python)")
_PYTHON = re.compile(r"(?<![\w./-])python3?(?= -(?:m pip|c) )")
_FOLDER = re.compile(r"(?<=--clear )\.venv\b")
_INSTALL = re.compile(r"(?<![\w./-])torchdoctor install\b")
_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,60}")


class Placeholders(dict[str, str]):
    """Values by name: what a sign captured, else what the case lets work out; a name without one raises KeyError."""

    def __init__(self, case: Evidence, captured: Mapping[str, str]) -> None:
        super().__init__(captured)
        self._case = case

    def __missing__(self, name: str) -> str:
        worked_out = PLACEHOLDERS[name](self._case) if name in PLACEHOLDERS else None
        if worked_out is None:
            raise KeyError(name)
        self[name] = worked_out
        return worked_out

    def rewrite_for_environment(self, command: str | None) -> str | None:
        """A command with the live environment's own interpreter and folder, quoted; of a paste's it is as it was."""
        python, prefix = self._case.first("environment.python"), self._case.first("environment.prefix")
        if command is None or python is None or prefix is None or not f"{python}{prefix}".isprintable():
            return command
        windows = know.operating_system(self._case) == "windows"
        own, folder = quoted(python, windows=windows), quoted(prefix, windows=windows)
        if self._case.first("package.pip") is None:
            command = _PIP.sub(lambda match: f"uv pip {match[1]} --python {own}", command)
        command = _UV.sub(lambda match: f"{match[0]} --python {own}", command)
        # PowerShell calls a quoted program by `&`.
        program = f"& {own}" if own.startswith("'") and windows else own
        command = _PYTHON.sub(lambda _: program, command)
        command = _FOLDER.sub(lambda _: folder, command)
        return _INSTALL.sub(lambda match: f"{match[0]} {folder}", command)


def quoted(path: str, *, windows: bool) -> str:
    """A path as one word of a POSIX shell, or of PowerShell."""
    if not windows:
        return shlex.quote(path)
    return path if re.fullmatch(r"[\w:\\/.+-]+", path) else "'" + path.replace("'", "''") + "'"


def command_values(case: Evidence, captured: Mapping[str, str]) -> Placeholders:
    """Values for a command: of what the text gave, only plain words come in."""
    return Placeholders(case, {name: text for name, text in captured.items() if _SAFE.fullmatch(text)})


def _said(name: str) -> Callable[[Evidence], str | None]:
    return lambda case: _safe(case.first(name))


def _safe(text: str | None) -> str | None:
    return text if text is not None and _SAFE.fullmatch(text) else None


def _torch(case: Evidence) -> str | None:
    version = know.torch_version(case)
    return version.public if version else None


def _build(case: Evidence) -> str | None:
    build = know.torch_build(case)
    return build if build and re.fullmatch(r"cpu|xpu|cu\d{2,3}|rocm\d(?:\.\d){1,2}", build) else None


def _cuda(case: Evidence) -> str | None:
    cuda = know.cuda_of_build(case)
    return f"{cuda[0]}.{cuda[1]}" if cuda else None


def _index(case: Evidence) -> str | None:
    build = _build(case)
    return f"{_OFFICIAL}{build}" if build else None


def _installer(case: Evidence) -> str:
    return "uv pip install" if "uv" in case.all("installer") else "python -m pip install"


def _reinstaller(case: Evidence) -> str:
    return (
        "uv pip install --reinstall"
        if "uv" in case.all("installer")
        else "python -m pip install --force-reinstall"
    )


def _capability(case: Evidence) -> str | None:
    found = know.capabilities(case)
    return f"{found[0][0][0]}.{found[0][0][1]}" if found else None


def _companion(project: str) -> Callable[[Evidence], str | None]:
    def version(case: Evidence) -> str | None:
        from wheels_index import UnknownRelease, bundled

        torch = know.torch_version(case)
        if torch is None:
            return None
        try:
            row = bundled().release(Version(torch.public)).companions.get(project)
        except UnknownRelease:
            return None
        return str(row.versions[0]) if row and row.versions else None

    return version


@lru_cache(maxsize=4)
def _plan(case: Evidence, torch: str | None) -> Plan | None:
    """The resolver's plan; where the system is not known, Windows' when Linux has that build as well."""
    if know.operating_system(case) is not None:
        return _plan_on(case, torch, None)
    from wheels_index import bundled

    plan = _plan_on(case, torch, "windows")
    if plan is None:
        return None
    builds = bundled().release(Version(plan.torch.version.public)).platforms.get("linux_x86_64")
    return plan if builds is not None and plan.variant in builds.variants else None


def _plan_on(case: Evidence, torch: str | None, system: str | None) -> Plan | None:
    from packaging.specifiers import SpecifierSet

    from torchdoctor.errors import TorchdoctorError
    from torchdoctor.resolve import resolve
    from torchdoctor.resolve.model import Request

    machine = know.machine_of(case, system=system, usual_driver=_USUAL_DRIVER)
    if machine is None:
        return None
    try:
        return resolve(machine, Request(torch=SpecifierSet(f"=={torch}") if torch else None))
    except TorchdoctorError:
        return None


def _pins(plan: Plan) -> tuple[str, str]:
    return plan.variant, " ".join(f"{row.name}=={row.version.public}" for row in plan.packages)


def _right_plan(case: Evidence) -> Plan | None:
    """The same torch in the build that fits, else the newest that fits; never the CPU build for a GPU."""
    same = _plan(case, _torch(case)) if _torch(case) else None
    if same is not None and not _native(case, same):
        same = None
    if same is not None and same.variant != "cpu":
        return same
    newest = _plan(case, None)
    return newest if newest is not None and newest.variant != "cpu" else None


def _native(case: Evidence, plan: Plan) -> bool:
    """Whether the plan's build has compiled code for every GPU: PTX of an old build is no fix."""
    from wheels_index import covers, nearest_arch_list, variant

    archs = nearest_arch_list(Version(plan.torch.version.public), plan.variant, know.platform_of(case))
    toolkit = variant(plan.variant).toolkit
    return archs is None or all(
        covers(archs, device, toolkit=toolkit) == "native" for device, _ in know.capabilities(case)
    )


def _right_variant(case: Evidence) -> str | None:
    plan = _right_plan(case)
    return plan.variant if plan else None


def _right_install(case: Evidence) -> str | None:
    plan = _right_plan(case)
    return _install(case, plan, _reinstaller(case)) if plan else None


def _any_install(case: Evidence) -> str | None:
    """The newest torch that fits, of whatever build: for a machine that has none yet."""
    plan = _plan(case, None)
    return _install(case, plan, _installer(case)) if plan else None


def _install(case: Evidence, plan: Plan, installer: str) -> str:
    pins = _pins(plan)[1]
    if know.operating_system(case) == "macos":
        return f"{installer} {pins}"
    return f"{installer} {pins} --index-url {plan.index_url}"


def _replacing_package(case: Evidence) -> str | None:
    """The package whose requirement brought another torch: as the log says, else the one that was asked for."""
    name = case.first("torch.wanted_by") or case.first("installed.name")
    return _safe(name.rstrip("->=<~")) if name else None


def _leftovers(case: Evidence) -> str | None:
    """What an interrupted installation left on this machine, each by its full path."""
    return ", ".join(path for path in case.all("live.leftover") if path.isprintable()) or None


def _incomplete_packages(case: Evidence) -> str | None:
    """Pins of the packages on this machine whose files are not as they were installed."""
    names = list(dict.fromkeys((*case.all("live.record"), *case.all("live.unrecorded"))))
    if not names and (case.observations("live.truncated") or case.first("live.check.import") == "fail"):
        names = ["torch"]
    versions = {
        "torch": _torch(case),
        **{name: case.first(f"package.{name}") for name in names if name != "torch"},
    }
    pins = [
        f"{name}=={public}" for name in names if (public := public_version(versions[name])) and _safe(name)
    ]
    return " ".join(pins) or None


def _kernel(fact: str) -> Callable[[Evidence], str]:
    """The kernel with that fault, where it is one; the word of the instructions where it is none or several."""

    def named(case: Evidence) -> str:
        names = case.all(fact)
        if len(names) != 1 or not names[0].isprintable():
            return "NAME"
        return quoted(names[0], windows=know.operating_system(case) == "windows")

    return named


def _kernel_environment(case: Evidence) -> str:
    """This environment where it has a torch for a kernel to run."""
    prefix = case.first("environment.prefix")
    if prefix is None or not prefix.isprintable() or case.first("torch.version") is None:
        return "ENV"
    return quoted(prefix, windows=know.operating_system(case) == "windows")


PLACEHOLDERS: dict[str, Callable[[Evidence], str | None]] = {
    "torch": _torch,
    "build": _build,
    "cuda": _cuda,
    "index_url": _index,
    "pip_install": _installer,
    "pip_reinstall": _reinstaller,
    "driver": _said("nvidia.driver"),
    "python": _said("python.version"),
    "glibc": _said("libc.version"),
    "capability": _capability,
    "minimum_driver": know.minimum_driver,
    "torchvision_for": _companion("torchvision"),
    "torchaudio_for": _companion("torchaudio"),
    "culprit": _replacing_package,
    "kernel_gone": _kernel("live.kernel.gone"),
    "kernel_without_ipykernel": _kernel("live.kernel.without_ipykernel"),
    "kernel_corrupt": _kernel("live.kernel.corrupt"),
    "kernel_environment": _kernel_environment,
    "leftovers": _leftovers,
    "not_whole": _incomplete_packages,
    "right_variant": _right_variant,
    "right_install": _right_install,
    "any_install": _any_install,
}
"""Placeholders of texts and commands -> how each is worked out; None where the case does not say enough."""


class _Names(dict[str, str]):
    def __missing__(self, name: str) -> str:
        if name.startswith("kernel_"):
            return "ENV" if name == "kernel_environment" else "NAME"
        return name.upper().replace("_", "-")


def example(template: str) -> str:
    """A template with its placeholders' names in capitals, for a page that knows no machine."""
    return template.format_map(
        _Names(pip_install="python -m pip install", pip_reinstall="python -m pip install --force-reinstall")
    )
