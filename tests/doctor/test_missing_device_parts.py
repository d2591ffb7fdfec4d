"""Parts that must exist because another part does."""

from __future__ import annotations

import pytest

from tests.detect.recorded_system import RecordedSystem, paper_python
from torchdoctor.core import NamedFact
from torchdoctor.core.fact import absent, found, unknown
from torchdoctor.detect import detect
from torchdoctor.doctor.missing_device_parts import missing_part_observations


def machine_with(**facts):
    """A machine of which nothing is known but these facts of NVIDIA's."""
    bare = detect(RecordedSystem(), python=paper_python())
    changed = {f"nvidia.{name}": fact for name, fact in facts.items()}
    named = [NamedFact(name=row.name, fact=changed.get(row.name, row.fact)) for row in bare.facts]
    return type(bare)(machine=bare.machine, facts=tuple(named))


NO_NODES = {"module_version": found("580.1", "/sys"), "devices": absent("/dev"), "uuid": absent("NVML")}


@pytest.mark.parametrize(
    ("facts", "seen"),
    [
        ({**NO_NODES, "nvml_error": found("driver-not-loaded", "NVML")}, ("live.nvidia.no_nodes", "refused")),
        ({**NO_NODES, "nvml_error": unknown("no pynvml", "NVML")}, ("live.nvidia.no_nodes", "not-asked")),
        ({**NO_NODES, "uuid": found(("GPU-1",), "NVML")}, None),
        ({"devices": found(("/dev/nvidia0",), "/dev"), "libcuda": absent("ldconfig")},
         ("live.nvidia.no_libcuda", "true")),
        ({"mig": found((True, True), "NVML"), "mig_instances": absent("NVML")}, ("live.nvidia.no_slice", "true")),
        ({"mig": found((True, False), "NVML"), "mig_instances": absent("NVML")}, None),
        ({"pcie_width": found((4, 16), "NVML"), "pcie_width_max": found((16, 16), "NVML")},
         ("live.nvidia.narrow", "0")),
    ],
)  # fmt: skip
def test_a_part_that_is_missing_is_observed(facts, seen):
    """Only where the other part is proven to be there."""
    rows = [(row.name, row.value) for row in missing_part_observations(machine_with(**facts))]
    assert rows == ([seen] if seen else [])
