"""The checks of the check-up, each with what it looks at and what it says of what was seen."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from typing import TYPE_CHECKING, Literal

from packaging.version import InvalidVersion, Version

from torchdoctor.core.i18n import plurals
from torchdoctor.core.i18n.messages import joined, message
from torchdoctor.detect.summary import summary
from torchdoctor.diagnose.placeholders import quoted
from torchdoctor.doctor.environment_evidence import worded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torchdoctor.doctor.model import CheckUp
    from torchdoctor.resolve.model import Plan

__all__ = ["CHECKS", "Check", "CheckText"]

_MIB_IN_GIB = 1024
_NAMED = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class CheckText:
    """What a check says; `mark` is its own judgement, where no rule has one."""

    text: str
    evidence: tuple[str, ...] = ()
    mark: Literal["ok", "unknown", "warning", "error"] = "ok"


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """One check: what it looks at, and how it tells it."""

    looks_at: str
    say: Callable[[CheckUp], CheckText]


def _facts(seen: CheckUp, *names: str) -> tuple[str, ...]:
    """Evidence: the facts of these names or sections, as they are known."""
    return tuple(
        message(
            "{what}: {value} ({where})", what=row.name, value=_plain(row.fact.value), where=row.fact.source
        )
        if row.fact.state == "found"
        else message(
            "{what}: {why} ({where})",
            what=row.name,
            why=message("unknown: {why}", why=row.fact.why) if row.fact.why else message("unknown"),
            where=row.fact.source,
        )
        for row in seen.detection.facts
        if any(row.name == name or row.name.startswith(f"{name}.") for name in names)
        and row.fact.state != "absent"
    )


def _plain(value: object) -> str:
    """A value as people write it: lists by commas, yes and no, the fields of a record side by side."""
    if isinstance(value, bool):
        return message("yes") if value else message("no")
    if isinstance(value, tuple):
        return joined(map(_plain, value))
    if is_dataclass(value):
        told = (getattr(value, row.name) for row in fields(value))
        return joined((_plain(one) for one in told if one is not None and one != ()), " ")
    if value is None:
        return message("none")
    return value if isinstance(value, str) else str(value)


def _system(seen: CheckUp) -> CheckText:
    text = summary(seen.detection.machine, seen.detection.facts)
    return CheckText(text=text, evidence=_facts(seen, "os"))


def _room(seen: CheckUp) -> CheckText:
    values = {row.name: row.fact.value for row in seen.detection.facts if row.fact.state == "found"}

    def gib(name: str) -> str:
        value = values.get(name)
        return f"{value / _MIB_IN_GIB:.1f} GiB" if isinstance(value, int) else "?"

    limit = values.get("system.memory.limit")
    memory = gib("system.memory.limit") if isinstance(limit, int) else gib("system.memory.total")
    count = values.get("system.cpu.allowed") or values.get("system.cpu.threads")
    text = message(
        "{threads}, {memory} of memory, {disk} free for the environment",
        threads=plurals.threads(count) if isinstance(count, int) else message("unknown threads"),
        memory=memory,
        disk=gib("system.disk.environment"),
    )
    return CheckText(text=text, evidence=_facts(seen, "system"))


def _devices(seen: CheckUp) -> CheckText:
    machine = seen.detection.machine
    names = [gpu.name for gpu in machine.nvidia.gpus] if machine.nvidia else []
    names += [gpu.name or gpu.gfx or "AMD GPU" for gpu in machine.amd.gpus] if machine.amd else []
    names += [gpu.name for gpu in machine.intel.gpus] if machine.intel else []
    names += [machine.apple.chip] if machine.apple else []
    unknown = [
        row.fact.why or ""
        for row in seen.detection.facts
        if row.name in ("nvidia.gpus", "amd.gpus", "intel.gpus") and row.fact.state == "unknown"
    ]
    text = joined(names) if names else message("no GPU was found")
    if unknown:
        text = joined((text, *dict.fromkeys(unknown)), "; ")
    return CheckText(
        text=text,
        evidence=_facts(seen, "nvidia", "amd", "intel", "apple"),
        mark="unknown" if unknown and not names else "ok",
    )


def _driver(seen: CheckUp) -> CheckText:
    machine = seen.detection.machine
    said = []
    if machine.nvidia:
        driver = machine.nvidia.driver
        said.append(f"NVIDIA {driver}" if driver else message("no NVIDIA driver answers"))
    if machine.amd:
        said.append(f"amdgpu {machine.amd.driver or ''}".strip())
    text = joined(said) if said else message("none is needed")
    return CheckText(
        text=text, evidence=_facts(seen, "nvidia.driver", "nvidia.module", "nvidia.libcuda", "amd.driver")
    )


def _access(seen: CheckUp) -> CheckText:
    machine = seen.detection.machine
    where = machine.container and message("in a container ({kind})", kind=machine.container)
    denied = [
        str(row.fact.value)
        for row in seen.detection.facts
        if row.name.endswith("_denied") and row.fact.state == "found"
    ]
    text = (
        message("may not open {nodes}", nodes=joined(denied)) if denied else message("nothing is in the way")
    )
    names = (
        "nvidia.devices",
        "nvidia.devices_denied",
        "nvidia.visible",
        "amd.kfd",
        "amd.groups",
        "os.container",
    )
    return CheckText(text=joined(filter(None, (where, text))), evidence=_facts(seen, *names))


def _python(seen: CheckUp) -> CheckText:
    kind = seen.inventory.kind.value or "interpreter"
    text = message(
        "{place}, Python {version} ({kind})",
        place=seen.python.prefix,
        version=seen.python.version,
        kind=worded(kind),
    )
    where = message("{what}: {where}", what="python", where=seen.python.executable)
    return CheckText(
        text=text,
        evidence=(
            where,
            *_facts(seen, "python"),
        ),
    )


def _path(seen: CheckUp) -> CheckText:
    inventory = seen.inventory
    folders = [row for row in inventory.path.value or () if row.there and row.origin != "standard library"]
    outside = sorted({row.origin for row in folders} - {"site-packages", ".pth file"})
    text = message("imports look in {folders}", folders=plurals.folders(len(folders)))
    if outside:
        text = joined((text, message("also by {origins}", origins=joined(map(worded, outside)))))
    evidence = tuple(message("{what}: {where}", what=worded(row.origin), where=row.folder) for row in folders)
    return CheckText(text=text, evidence=evidence)


def _packages(seen: CheckUp) -> CheckText:
    rows = seen.inventory.distributions.value or ()
    twice = seen.inventory.duplicates.value or ()
    text: str = plurals.packages(len(rows))
    if twice:
        text = joined((text, message("more than once: {names}", names=joined(row.name for row in twice))))
    evidence = tuple(f"{row.name} {row.version} ({row.installer or '?'}, {row.installed_at})" for row in rows)
    return CheckText(text=text, evidence=evidence)


def _build(seen: CheckUp) -> CheckText:
    torch = seen.inventory.torch.value
    if torch is None:
        where = seen.python.prefix
        text = message("torch is not in {where}", where=where)
        return CheckText(
            text=joined((text, seen.elsewhere), "; ") if seen.elsewhere else text, mark="unknown"
        )
    build = torch.variant.value or message("build not said")
    text = message("torch {version} ({build})", version=torch.version, build=build)
    evidence = (
        message("folder: {place}", place=torch.folder),
        message("variant: {said}", said=torch.variant),
    )
    return CheckText(text=text, evidence=evidence)


def _fits(seen: CheckUp) -> CheckText:
    if seen.plan is None:
        return CheckText(text=message("no build fits: {why}", why=seen.unfit), mark="warning")
    text = _against_the_newest(seen, seen.plan)
    if seen.plan.warnings:
        text = joined((text, *seen.plan.warnings), "; ")
    return CheckText(
        text=text,
        evidence=(*seen.plan.reasons, *seen.plan.warnings),
        mark="warning" if seen.plan.warnings else "ok",
    )


def _against_the_newest(seen: CheckUp, plan: Plan) -> str:
    """The newest build that fits; where a torch is there, whether that is it, and how to get a newer one."""
    torch = seen.inventory.torch.value
    newest = f"{plan.torch.name} {plan.torch.version}"
    try:
        here = Version(torch.version or "") if torch else None
    except InvalidVersion:
        here = None
    if torch is None or here is None:
        names = joined(f"{row.name} {row.version}" for row in plan.packages)
        return message("the newest that fits: {names}", names=names)
    release = Version(plan.torch.version.public)
    if Version(here.public) < release:
        text = message(
            "a newer one would fit: {newest}; to get it: {command}", newest=newest, command=_to_get(seen)
        )
    elif Version(here.public) > release:
        text = message("newer than {newest}, the newest known to fit", newest=newest)
    elif torch.variant.value not in (None, plan.variant):
        text = message("the newest that fits; its best build here is {variant}", variant=plan.variant)
    else:
        text = message("the newest that fits")
    return text


def _to_get(seen: CheckUp) -> str:
    """The command that changes this environment; where it is none that may be changed, one that makes another."""
    prefix = str(seen.python.prefix)
    if seen.inventory.kind.value == "interpreter" or not prefix.isprintable():
        return "torchdoctor install"
    return f"torchdoctor install {quoted(prefix, windows=seen.python.sys_platform == 'win32')}"


def _companions(seen: CheckUp) -> CheckText:
    rows = [row for row in (seen.inventory.torchvision.value, seen.inventory.torchaudio.value) if row]
    text = joined(
        message(
            "{package} {version} ({build})",
            package=row.name,
            version=row.version,
            build=row.variant.value or message("build not said"),
        )
        for row in rows
    )
    evidence = tuple(
        message("{what}: {why}", what=row.name, why=row.why) for row in seen.inventory.companions.value or ()
    )
    return CheckText(text=text if rows else message("neither torchvision nor torchaudio"), evidence=evidence)


def _import(seen: CheckUp) -> CheckText:
    if seen.imported is None:
        return CheckText(text=message("importing torch was not tried"), mark="unknown")
    failed = [row for row in seen.imported if row.status == "fail"]
    rows = failed or [row for row in seen.imported if row.id in ("import", "devices")]
    seconds = sum(row.seconds for row in seen.imported)
    text = joined((row.detail for row in rows), "; ")
    if not failed:
        text = message(
            "imports in {seconds} s; {devices}",
            seconds=f"{seconds:.1f}",
            devices=next((row.detail for row in rows if row.id == "devices"), ""),
        )
    return CheckText(
        text=text, evidence=tuple(message("{what}: {why}", what=row.id, why=row.detail) for row in seen.imported),
        mark="error" if failed else "ok",
    )  # fmt: skip


def _kernels(seen: CheckUp) -> CheckText:
    rows = [row for row in seen.kernels if row.language in (None, "python")]
    if not rows:
        return CheckText(text=message("none is registered"))
    broken = [row for row in rows if row.problem is not None]
    text = message("{count} registered", count=len(rows))
    if broken:
        names = [row.name for row in broken[:_NAMED]] + (["…"] if len(broken) > _NAMED else [])
        text = joined((text, message("cannot start: {names}", names=joined(names))))
    return CheckText(text=text, evidence=tuple(_kernel_lines(seen)))


def _kernel_lines(seen: CheckUp) -> Iterator[str]:
    for row in seen.kernels:
        holds = f"torch {row.torch} ({row.build})" if row.torch else message("no torch")
        here = [message("this environment")] if row.prefix == seen.python.prefix else []
        runs = str(row.python or " ".join(row.argv))
        yield message("{what}: {why}", what=row.name, why=joined((runs, holds, *here)))


def _network(seen: CheckUp) -> CheckText:
    reach = seen.reach
    if reach is None:
        return CheckText(text=message("not asked"), mark="unknown")
    through = f" ({reach.through})" if reach.through else ""
    if reach.seconds is not None:
        text = message(
            "{host} answers in {milliseconds} ms{through}",
            host=reach.host,
            milliseconds=f"{reach.seconds * 1000:.0f}",
            through=through,
        )
        return CheckText(text=text)
    text = message(
        "{host} cannot be reached: {why}; `--mirror auto` or `--find-links` help an installation",
        host=reach.host + through,
        why=reach.reason,
    )
    return CheckText(text=text, mark="unknown")


CHECKS = {
    "machine.system": Check(
        looks_at=message("operating system, C library, Python, accelerators"), say=_system
    ),
    "machine.room": Check(looks_at=message("processors, memory, free disk"), say=_room),
    "gpu.devices": Check(looks_at=message("the GPUs and their state"), say=_devices),
    "gpu.driver": Check(looks_at=message("the driver: loaded, one version, new enough"), say=_driver),
    "gpu.access": Check(looks_at=message("container, permissions, variables that hide GPUs"), say=_access),
    "environment.python": Check(looks_at=message("the environment and its interpreter"), say=_python),
    "environment.path": Check(looks_at=message("where imports look, what shadows what"), say=_path),
    "environment.packages": Check(
        looks_at=message("packages, copies, files against their RECORD"), say=_packages
    ),
    "pytorch.build": Check(
        looks_at=message("torch and its build, against the GPU and the driver"), say=_build
    ),
    "pytorch.fits": Check(looks_at=message("the build that would fit this machine"), say=_fits),
    "pytorch.companions": Check(
        looks_at=message("torchvision and torchaudio, against torch"), say=_companions
    ),
    "pytorch.import": Check(
        looks_at=message("importing torch in the environment, and its devices"), say=_import
    ),
    "kernels.specs": Check(
        looks_at=message("Jupyter's kernels: what each runs, and whether it can"), say=_kernels
    ),
    "network.index": Check(looks_at=message("whether the PyTorch index answers"), say=_network),
}
