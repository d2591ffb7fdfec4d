"""The checks of the check-up, each with what it looks at and what it says of what was seen."""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from typing import TYPE_CHECKING, Literal

from torchdoctor.language import gettext as _
from torchdoctor.machine.summary import summary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from torchdoctor.checkup.seen import Seen

__all__ = ["CHECKS", "Check", "Said"]

_MIB_IN_GIB = 1024
_NAMED = 5


@dataclass(frozen=True, kw_only=True, slots=True)
class Said:
    """What a check says; `mark` is its own judgement, where no rule has one."""

    text: str
    evidence: tuple[str, ...] = ()
    mark: Literal["ok", "unknown", "warning", "error"] = "ok"


@dataclass(frozen=True, kw_only=True, slots=True)
class Check:
    """One check: what it looks at, and how it tells it."""

    looks_at: str
    say: Callable[[Seen], Said]


def _facts(seen: Seen, *names: str) -> tuple[str, ...]:
    """Evidence: the facts of these names or sections, as they are known."""
    return tuple(
        f"{row.name}: {_plain(row.fact.value)} ({row.fact.source})"
        if row.fact.state == "found"
        else f"{row.name}: {row.fact}"
        for row in seen.detection.facts
        if any(row.name == name or row.name.startswith(f"{name}.") for name in names)
        and row.fact.state != "absent"
    )


def _plain(value: object) -> str:
    """A value as people write it: lists by commas, yes and no, the fields of a record side by side."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return ", ".join(map(_plain, value))
    if is_dataclass(value):
        told = (getattr(value, row.name) for row in fields(value))
        return " ".join(_plain(one) for one in told if one is not None and one != ())
    return "none" if value is None else str(value)


def _system(seen: Seen) -> Said:
    text = summary(seen.detection.machine, seen.detection.facts)
    return Said(text=text, evidence=_facts(seen, "os"))


def _room(seen: Seen) -> Said:
    values = {row.name: row.fact.value for row in seen.detection.facts if row.fact.state == "found"}

    def gib(name: str) -> str:
        value = values.get(name)
        return f"{value / _MIB_IN_GIB:.1f} GiB" if isinstance(value, int) else "?"

    limit = values.get("system.memory.limit")
    memory = gib("system.memory.limit") if isinstance(limit, int) else gib("system.memory.total")
    text = _("{threads} threads, {memory} of memory, {disk} free for the environment").format(
        threads=values.get("system.cpu.allowed") or values.get("system.cpu.threads") or "?",
        memory=memory,
        disk=gib("system.disk.environment"),
    )
    return Said(text=text, evidence=_facts(seen, "system"))


def _devices(seen: Seen) -> Said:
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
    text = ", ".join(names) or _("no GPU was found")
    if unknown:
        text = f"{text}; {'; '.join(dict.fromkeys(unknown))}"
    return Said(
        text=text,
        evidence=_facts(seen, "nvidia", "amd", "intel", "apple"),
        mark="unknown" if unknown and not names else "ok",
    )


def _driver(seen: Seen) -> Said:
    machine = seen.detection.machine
    said = []
    if machine.nvidia:
        said.append(
            f"NVIDIA {machine.nvidia.driver}" if machine.nvidia.driver else _("no NVIDIA driver answers")
        )
    if machine.amd:
        said.append(f"amdgpu {machine.amd.driver or ''}".strip())
    text = ", ".join(said) or _("none is needed")
    return Said(
        text=text, evidence=_facts(seen, "nvidia.driver", "nvidia.module", "nvidia.libcuda", "amd.driver")
    )


def _access(seen: Seen) -> Said:
    machine = seen.detection.machine
    where = machine.container and _("in a container ({kind})").format(kind=machine.container)
    denied = [
        str(row.fact.value)
        for row in seen.detection.facts
        if row.name.endswith("_denied") and row.fact.state == "found"
    ]
    text = _("may not open {nodes}").format(nodes=", ".join(denied)) if denied else _("nothing is in the way")
    names = (
        "nvidia.devices",
        "nvidia.devices_denied",
        "nvidia.visible",
        "amd.kfd",
        "amd.groups",
        "os.container",
    )
    return Said(text=", ".join(filter(None, (where, text))), evidence=_facts(seen, *names))


def _python(seen: Seen) -> Said:
    kind = seen.inventory.kind.value or "interpreter"
    text = f"{seen.python.prefix}, Python {seen.python.version} ({kind})"
    return Said(text=text, evidence=(f"python: {seen.python.executable}", *_facts(seen, "python")))


def _path(seen: Seen) -> Said:
    inventory = seen.inventory
    folders = [row for row in inventory.path.value or () if row.there and row.origin != "standard library"]
    outside = sorted({row.origin for row in folders} - {"site-packages", ".pth file"})
    text = _("imports look in {count} folders").format(count=len(folders))
    if outside:
        text += ", " + _("also by {origins}").format(origins=", ".join(outside))
    evidence = tuple(f"{row.origin}: {row.folder}" for row in folders)
    return Said(text=text, evidence=evidence)


def _packages(seen: Seen) -> Said:
    rows = seen.inventory.distributions.value or ()
    twice = seen.inventory.duplicates.value or ()
    text = _("{count} packages").format(count=len(rows))
    if twice:
        text += ", " + _("more than once: {names}").format(names=", ".join(row.name for row in twice))
    evidence = tuple(f"{row.name} {row.version} ({row.installer or '?'}, {row.installed_at})" for row in rows)
    return Said(text=text, evidence=evidence)


def _build(seen: Seen) -> Said:
    torch = seen.inventory.torch.value
    if torch is None:
        where = seen.python.prefix
        return Said(
            text=_("torch is not in {where}").format(where=where)
            + (f"; {seen.elsewhere}" if seen.elsewhere else ""),
            mark="unknown",
        )
    build = torch.variant.value or _("build not said")
    text = f"torch {torch.version} ({build})"
    return Said(text=text, evidence=(f"folder: {torch.folder}", f"variant: {torch.variant}"))


def _fits(seen: Seen) -> Said:
    if seen.plan is None:
        return Said(text=_("no build fits: {why}").format(why=seen.unfit), mark="warning")
    names = ", ".join(f"{row.name} {row.version}" for row in seen.plan.packages)
    text = _("the newest that fits: {names}").format(names=names)
    text += "".join(f"; {warning}" for warning in seen.plan.warnings)
    return Said(
        text=text,
        evidence=(*seen.plan.reasons, *seen.plan.warnings),
        mark="warning" if seen.plan.warnings else "ok",
    )


def _companions(seen: Seen) -> Said:
    rows = [row for row in (seen.inventory.torchvision.value, seen.inventory.torchaudio.value) if row]
    text = ", ".join(f"{row.name} {row.version} ({row.variant.value or _('build not said')})" for row in rows)
    evidence = tuple(f"{row.name}: {row.why}" for row in seen.inventory.companions.value or ())
    return Said(text=text or _("neither torchvision nor torchaudio"), evidence=evidence)


def _import(seen: Seen) -> Said:
    if seen.imported is None:
        return Said(text=_("importing torch was not tried"), mark="ok")
    failed = [row for row in seen.imported if row.status == "fail"]
    rows = failed or [row for row in seen.imported if row.id in ("import", "devices")]
    seconds = sum(row.seconds for row in seen.imported)
    text = "; ".join(row.detail for row in rows)
    if not failed:
        text = _("imports in {seconds} s; {devices}").format(
            seconds=f"{seconds:.1f}", devices=next((row.detail for row in rows if row.id == "devices"), "")
        )
    return Said(
        text=text, evidence=tuple(f"{row.id}: {row.detail}" for row in seen.imported),
        mark="error" if failed else "ok",
    )  # fmt: skip


def _kernels(seen: Seen) -> Said:
    rows = [row for row in seen.kernels if row.language in (None, "python")]
    if not rows:
        return Said(text=_("none is registered"))
    broken = [row for row in rows if row.problem is not None]
    text = _("{count} registered").format(count=len(rows))
    if broken:
        names = [row.name for row in broken[:_NAMED]] + (["…"] if len(broken) > _NAMED else [])
        text += ", " + _("cannot start: {names}").format(names=", ".join(names))
    return Said(text=text, evidence=tuple(_kernel_lines(seen)))


def _kernel_lines(seen: Seen) -> Iterator[str]:
    for row in seen.kernels:
        holds = f"torch {row.torch} ({row.build})" if row.torch else "no torch"
        here = ", this environment" if row.prefix == seen.python.prefix else ""
        yield f"{row.name}: {row.python or ' '.join(row.argv)}, {holds}{here}"


def _network(seen: Seen) -> Said:
    reach = seen.reach
    if reach is None:
        return Said(text=_("not asked"))
    through = f" ({reach.through})" if reach.through else ""
    if reach.seconds is not None:
        text = _("{host} answers in {milliseconds} ms").format(
            host=reach.host, milliseconds=f"{reach.seconds * 1000:.0f}"
        )
        return Said(text=text + through)
    text = _(
        "{host} cannot be reached: {why}; `--mirror auto` or `--find-links` help an installation"
    ).format(host=reach.host + through, why=reach.why)
    return Said(text=text, mark="unknown")


CHECKS = {
    "machine.system": Check(looks_at="operating system, C library, Python, accelerators", say=_system),
    "machine.room": Check(looks_at="processors, memory, free disk", say=_room),
    "gpu.devices": Check(looks_at="the GPUs and their state", say=_devices),
    "gpu.driver": Check(looks_at="the driver: loaded, one version, new enough", say=_driver),
    "gpu.access": Check(looks_at="container, permissions, variables that hide GPUs", say=_access),
    "environment.python": Check(looks_at="the environment and its interpreter", say=_python),
    "environment.path": Check(looks_at="where imports look, what shadows what", say=_path),
    "environment.packages": Check(looks_at="packages, copies, files against their RECORD", say=_packages),
    "pytorch.build": Check(looks_at="torch and its build, against the GPU and the driver", say=_build),
    "pytorch.fits": Check(looks_at="the build that would fit this machine", say=_fits),
    "pytorch.companions": Check(looks_at="torchvision and torchaudio, against torch", say=_companions),
    "pytorch.import": Check(looks_at="importing torch in the environment, and its devices", say=_import),
    "kernels.specs": Check(looks_at="Jupyter's kernels: what each runs, and whether it can", say=_kernels),
    "network.index": Check(looks_at="whether the PyTorch index answers", say=_network),
}
