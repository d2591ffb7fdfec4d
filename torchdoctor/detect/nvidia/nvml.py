"""Asks NVML, the driver's own library, in a process that can be given up."""

from __future__ import annotations

import sys
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from torchdoctor.core.fact import absent, found, unknown
from torchdoctor.core.i18n import message
from torchdoctor.detect.nvidia.facts import Gpus, NvidiaFacts, no_facts
from torchdoctor.detect.nvidia.gpu_state import STATE_NAMES, parse_states, state_facts
from torchdoctor.detect.nvidia.parsers import NvmlAnswer, parse_nvml

if TYPE_CHECKING:
    from torchdoctor.core import Fact
    from torchdoctor.core.system import Completed, System

__all__ = ["NO_ANSWER", "query_nvml"]

_CHILD = Path(__file__).with_name("_nvml_script.py")
_SOURCE = "NVML"
# The code of `nvml_error` where the process that asks NVML hung, crashed or printed something else.
NO_ANSWER = "no-answer"


def query_nvml(system: System) -> NvidiaFacts:
    """Driver, GPUs and their state; what was said before a call hung is kept."""
    spec = find_spec("pynvml")
    if spec is None or spec.origin is None or not sys.executable:
        return no_facts(unknown(message("nvidia-ml-py is not installed"), _SOURCE))
    module = Path(spec.origin)
    # A package instead of a module is the forerunner of nvidia-ml-py, of the same interface.
    folder = str(module.parents[1] if module.name == "__init__.py" else module.parent)
    # -S: site-packages is not needed, and its .pth files cost time.
    answer = system.run([sys.executable, "-I", "-S", str(_CHILD), folder])
    first, _, second = answer.stdout.strip().partition("\n")
    if not first and not answer.ok:
        asked = answer.failure not in ("missing", "denied")
        return no_facts(
            unknown(_why(answer), _SOURCE),
            nvml_error=found(NO_ANSWER, _SOURCE) if asked else None,
            hung=answer.failure == "time-limit",
        )
    try:
        said = parse_nvml(first)
    except ValueError as error:
        why = message("its answer makes no sense: {error}", error=error) if answer.ok else _why(answer)
        return no_facts(unknown(why, _SOURCE), nvml_error=found(NO_ANSWER, _SOURCE))
    if said.error is not None:
        gone = said.error in ("library-not-found", "driver-not-loaded")
        fact = absent(_SOURCE, why=said.detail) if gone else unknown(said.detail, _SOURCE)
        return no_facts(fact, nvml_error=found(said.error, _SOURCE))
    return NvidiaFacts(
        driver=found(said.driver, _SOURCE) if said.driver else unknown(message("none said"), _SOURCE),
        gpus=_gpus(said),
        cuda=found(said.cuda, _SOURCE) if said.cuda else unknown(message("none said"), _SOURCE),
        lost=found(said.lost, _SOURCE) if said.lost else absent(_SOURCE),
        nvml_error=absent(_SOURCE),
        states=_states(second, answer, len(said.gpus)),
    )


def _why(answer: Completed) -> str:
    return answer.cause.replace(Path(sys.executable).name, "NVML", 1)


def _gpus(said: NvmlAnswer) -> Fact[Gpus]:
    if said.gpus:
        return found(said.gpus, _SOURCE)
    return unknown(said.detail, _SOURCE) if said.detail else absent(_SOURCE, why=message("no device"))


def _states(text: str, answer: Completed, count: int) -> dict[str, Fact[object]]:
    """The second line's facts; the first line stands without it."""
    try:
        states = parse_states(text) if answer.ok else ()
    except ValueError as error:
        return dict.fromkeys(
            STATE_NAMES, unknown(message("its answer makes no sense: {error}", error=error), _SOURCE)
        )
    if count and len(states) != count:
        why = _why(answer) or "it did not say each GPU's state"
        return dict.fromkeys(STATE_NAMES, unknown(why, _SOURCE))
    if not count:
        return dict.fromkeys(STATE_NAMES, absent(_SOURCE, why=message("no device")))
    return state_facts(states, _SOURCE)
