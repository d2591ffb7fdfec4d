"""A pasted text joined with what this machine shows: the text's facts first, and nothing of another machine."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from torchdoctor.core.i18n import message

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path
    from typing import Literal

    from torchdoctor.core.fs.user_folders import UserFolders
    from torchdoctor.core.progress import Reporter
    from torchdoctor.core.system import System
    from torchdoctor.diagnose import Diagnosis, Evidence, Observation
    from torchdoctor.diagnose.machines import MachineText

    Joined = Literal["all", "machine", "nothing"]

__all__ = ["Contradiction", "HereDiagnosis", "JoinedEvidence", "diagnose_here", "join_evidence"]

_NAMES = {
    "os.system": message("operating system"),
    "arch": message("processor's architecture"),
    "libc.version": message("C library"),
    "nvidia.driver": message("NVIDIA driver"),
    "gpu": message("GPU"),
    "torch.version": message("torch"),
    "python.version": message("Python"),
}
_OF_MACHINE = ("os.system", "arch", "libc.version", "nvidia.driver")
_OF_ENVIRONMENT = ("torch.version", "python.version")
_GPUS = ("nvidia.gpu", "amd.gpu", "intel.gpu")
# Beginnings of the names of facts that belong to the machine, whatever the environment.
_MACHINE_FACTS = (
    "os.", "wsl", "arch", "libc.", "nvidia.", "amd.", "intel.", "gpu.", "container", "chip", "cpu.", "disk.",
    "live.nvidia.", "live.amd.", "live.intel.", "live.os.", "live.system.",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class Contradiction:
    """A fact of which the text and this machine say different things; `here` is None where there is none here."""

    fact: str
    text: str
    here: str | None

    def __str__(self) -> str:
        if self.here is None:
            return message("{what}: the text says {text}, here is none", what=self._what, text=self.text)
        return message(
            "{what}: the text says {text}, here it is {here}", what=self._what, text=self.text, here=self.here
        )

    @property
    def _what(self) -> str:
        return _NAMES[self.fact]


@dataclass(frozen=True, kw_only=True, slots=True)
class HereDiagnosis:
    """The diagnosis, what of this machine was joined to the text, and what the two contradict each other in."""

    diagnosis: Diagnosis
    joined: Joined
    contradictions: tuple[Contradiction, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """Return the document of `diagnose --json` with the key `here`."""
        rows = [{"fact": row.fact, "text": row.text, "here": row.here} for row in self.contradictions]
        return {**self.diagnosis.to_json(), "here": {"joined": self.joined, "contradictions": rows}}


def diagnose_here(
    raw: str, seen: Evidence, translate: Callable[[str], str], asked: tuple[str, ...] = ()
) -> HereDiagnosis:
    """Diagnose a text together with what this machine shows, which `evidence_here` has looked at.

    What the text says comes first. A text of another machine is read alone; of one of another environment, only
    what is known of the machine is added. `asked` are questions that nobody could answer.
    """
    from torchdoctor.diagnose import diagnose, live_failures
    from torchdoctor.diagnose.further_evidence import with_question
    from torchdoctor.diagnose.machines import machines_in
    from torchdoctor.diagnose.parsers.parse import parse_report

    if machines := machines_in(raw):
        return _diagnose_machines(raw, machines, seen, translate, asked)
    both = join_evidence(parse_report(raw), seen)
    failures = live_failures() if both.joined != "nothing" else None
    found = diagnose(both.evidence, translate, failures)
    return HereDiagnosis(
        diagnosis=with_question(
            found, both.evidence, translate, asked, raw=raw, here=both.joined != "nothing"
        ),
        joined=both.joined,
        contradictions=both.contradictions,
    )


def _diagnose_machines(
    raw: str,
    machines: Sequence[MachineText],
    seen: Evidence,
    translate: Callable[[str], str],
    asked: tuple[str, ...],
) -> HereDiagnosis:
    """Diagnose a text of several machines; the one of them that this machine fits best is joined with it."""
    from torchdoctor.diagnose import diagnose, live_failures
    from torchdoctor.diagnose.several_machines import joined_diagnosis

    joined = [join_evidence(machine.evidence, seen) for machine in machines]
    order = ("all", "machine", "nothing")
    here = min(range(len(machines)), key=lambda index: order.index(joined[index].joined))
    both = joined[here]
    is_one = both.joined != "nothing"
    read = [
        replace(machine, evidence=both.evidence) if is_one and index == here else machine
        for index, machine in enumerate(machines)
    ]
    judged = [
        (
            machine,
            diagnose(machine.evidence, translate, live_failures() if is_one and index == here else None),
        )
        for index, machine in enumerate(read)
    ]
    return HereDiagnosis(
        diagnosis=joined_diagnosis(raw, judged, translate, asked, here=read[here] if is_one else None),
        joined=both.joined,
        contradictions=both.contradictions,
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class JoinedEvidence:
    """The evidence of a text and of a machine, how much of the machine is in it, and where the two contradict."""

    evidence: Evidence
    joined: Joined
    contradictions: tuple[Contradiction, ...]


def join_evidence(said: Evidence, seen: Evidence) -> JoinedEvidence:
    """Return what a text says with what a machine shows, the text first; nothing of another machine or environment."""
    of_machine = tuple(_contradictions(said, seen))
    of_environment = tuple(_different(said, seen, _OF_ENVIRONMENT))
    joined: Joined = "all"
    evidence = said.merged_with(seen)
    if of_machine:
        joined, evidence = "nothing", said
    elif of_environment:
        joined, evidence = "machine", said.merged_with(replace(seen, facts=tuple(_of_machine(seen))))
    return JoinedEvidence(evidence=evidence, joined=joined, contradictions=(*of_machine, *of_environment))


def evidence_here(python: Path, *, system: System, folders: UserFolders, report: Reporter) -> Evidence:
    """Look at this machine and the environment of `python`; raises `EnvironmentUnusable` when it does not run."""
    from torchdoctor.core.system.environment_trust import foreign_environment
    from torchdoctor.detect import describe_python
    from torchdoctor.doctor import InspectOptions, inspect
    from torchdoctor.doctor.evidence import evidence_from
    from torchdoctor.inventory.interpreter_files import look_at_python, not_run_warning
    from torchdoctor.sources.index_cache import known_index

    reason = foreign_environment(python)
    if reason is not None:
        report.warn(not_run_warning(python, reason))
    look = describe_python if reason is None else look_at_python
    check_up = inspect(
        system,
        look(system, python),
        here=folders.current,
        cache=folders.cache,
        index=known_index(folders.data, report.warn),
        options=InspectOptions(importing=reason is None, packages=False, asking=False),
        on_progress=report.packages,
    )
    return evidence_from(check_up)


def _contradictions(said: Evidence, seen: Evidence) -> Iterator[Contradiction]:
    from torchdoctor.diagnose.parsers.machine_facts import same_gpu

    yield from _different(said, seen, _OF_MACHINE)
    named = [value for name in _GPUS for value in said.all(name)]
    here = [value for name in _GPUS for value in seen.all(name)] + list(seen.all("live.nvidia.pci"))
    if named and not any(same_gpu(one, other) for one in named for other in here):
        yield Contradiction(fact="gpu", text=named[0], here=here[0] if here else None)


def _different(said: Evidence, seen: Evidence, names: tuple[str, ...]) -> Iterator[Contradiction]:
    from torchdoctor.diagnose.parsers.machine_facts import same_version

    for name in names:
        text, here = said.all(name), seen.first(name)
        if text and here is not None and not any(same_version(value, here) for value in text):
            yield Contradiction(fact=name, text=text[0], here=here)


def _of_machine(seen: Evidence) -> Iterator[Observation]:
    return (fact for fact in seen.facts if fact.name.startswith(_MACHINE_FACTS))
