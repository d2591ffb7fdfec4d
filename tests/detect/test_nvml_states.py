"""Each GPU's state by NVML: everything that it tells, every error that it knows, and calls that hang."""

from __future__ import annotations

import json
import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.detect.nvml import EIGHT_H100, nvml_system
from tests.detect.recorded_system import paper_python
from torchdoctor.core.system import HostSystem
from torchdoctor.detect import detect
from torchdoctor.detect.nvidia.gpu_state import MigInstance, parse_states, state_facts
from torchdoctor.detect.nvidia.nvml import query_nvml
from torchdoctor.detect.nvidia.probe import probe_nvidia

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the library is built for Linux")

SLICED = """driver 535.129.03
cuda 12020
gpu 8 0 42949672960 NVIDIA A100-SXM4-40GB
set uuid GPU-11111111-1111-4111-8111-111111111111
set mig 1 1
slice MIG-aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa NVIDIA A100-SXM4-40GB MIG 3g.20gb
slice MIG-bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb NVIDIA A100-SXM4-40GB MIG 4g.20gb
gpu 8 9 25757220864 NVIDIA GeForce RTX 4090
set compute_mode 2
set rows 0 1 1 0
set throttle 76
set ecc_errors 2 9
"""


def _facts(system):
    return {name: fact.value for name, fact in query_nvml(system).states.items() if fact.state == "found"}


def test_eight_healthy_gpus_tell_everything(library, tmp_path):
    """All facts of a state come in the order of the GPUs."""
    answer = query_nvml(nvml_system(library, tmp_path, EIGHT_H100))
    values = {name: fact.value for name, fact in answer.states.items()}
    assert (answer.driver.value, answer.cuda.value, len(answer.gpus.value or ())) == ("550.54.15", "12.4", 8)
    assert values["nvidia.uuid"][7] == "GPU-00000007-0000-4000-8000-000000000000"
    expected = {
        "mig": False, "mig_pending": False, "compute_mode": "default", "persistence": True, "ecc": True,
        "ecc_errors": 0, "ecc_lifetime": 0, "row_remap": "none", "temperature": 34, "power_draw": 71.2,
        "power_limit": 700.0, "power_default": 700.0, "throttle": ("idle",), "clock": 345, "clock_max": 1980,
        "pcie_gen": 1, "pcie_gen_max": 5, "pcie_width": 16, "pcie_width_max": 16,
        "memory_used": 1, "processes": 0, "nvlinks": 18, "nvlinks_up": 18, "fabric": "completed",
    }  # fmt: skip
    assert {name: values[f"nvidia.{name}"] for name in expected} == {
        name: (value,) * 8 for name, value in expected.items()
    }
    assert answer.states["nvidia.mig_instances"].state == "absent"


def test_mixed_gpus_tell_what_each_of_them_has(library, tmp_path):
    """Slices with their ids, a prohibited GPU, a row to be remapped, reasons to run slow; None for nothing."""
    values = _facts(nvml_system(library, tmp_path, SLICED))
    assert values["nvidia.mig"] == (True, None)
    assert values["nvidia.mig_instances"] == (
        MigInstance(
            gpu=0,
            name="NVIDIA A100-SXM4-40GB MIG 3g.20gb",
            uuid="MIG-aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa",
        ),
        MigInstance(
            gpu=0,
            name="NVIDIA A100-SXM4-40GB MIG 4g.20gb",
            uuid="MIG-bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb",
        ),
    )
    assert values["nvidia.compute_mode"] == (None, "prohibited")
    assert values["nvidia.row_remap"] == (None, "pending")
    assert values["nvidia.throttle"] == (
        None,
        ("software-power-cap", "hardware-slowdown", "hardware-thermal"),
    )
    assert (values["nvidia.ecc_errors"], values["nvidia.ecc_lifetime"]) == ((None, 2), (None, 9))


@pytest.mark.parametrize(
    ("state", "word"), [("1 0", "not-started"), ("2 0", "in-progress"), ("3 0", "completed"), ("3 4", "failed (4)")]
)  # fmt: skip
def test_the_fabrics_state_is_named(library, tmp_path, state, word):
    """What Fabric Manager has done, and its failure."""
    system = nvml_system(library, tmp_path, f"driver 550.54.15\ngpu 9 0 1 H100\nset fabric {state}\n")
    assert _facts(system)["nvidia.fabric"] == (word,)


@pytest.mark.parametrize("code", [*range(1, 31), 999])
def test_every_error_of_the_start_is_told(library, tmp_path, code):
    """No driver and no library are absence; any other error is unknown, with NVML's own words."""
    answer = query_nvml(nvml_system(library, tmp_path, f"init {code}\ngpu 9 0 1 H100\n"))
    assert answer.gpus.state == ("absent" if code in (9, 12) else "unknown")
    assert answer.gpus.why


@pytest.mark.parametrize("code", [1, 2, 3, 4, 6, 7, 10, 13, 15, 16, 17, 21, 25, 999])
def test_an_error_of_one_question_leaves_the_others(library, tmp_path, code):
    """What is not supported is absent, what failed is unknown with the reason; the rest stands."""
    text = f"{EIGHT_H100}fail nvmlDeviceGetTemperature {code}\n"
    answer = query_nvml(nvml_system(library, tmp_path, text))
    fact = answer.states["nvidia.temperature"]
    assert fact.state == ("absent" if code in (3, 13) else "unknown")
    assert fact.why
    assert answer.states["nvidia.power_limit"].value == (700.0,) * 8


def test_a_question_that_hangs_leaves_the_driver_and_the_gpus(library, tmp_path, monkeypatch):
    """What was said before the limit is kept; the states are unknown."""
    monkeypatch.setattr(HostSystem.run, "__kwdefaults__", {"timeout": 2.5})
    text = f"{EIGHT_H100}hang nvmlDeviceGetPowerUsage\n"
    began = time.monotonic()
    answer = probe_nvidia(nvml_system(library, tmp_path, text))
    assert time.monotonic() - began < 20
    assert (answer.driver.value, len(answer.gpus.value or ())) == ("550.54.15", 8)
    assert answer.states["nvidia.temperature"].why == "NVML did not answer within 2.5 s"


def test_a_function_of_a_newer_name_is_asked_first(library, tmp_path):
    """NVML renamed the reasons for low clocks: what has the new name answers by it, what has the old by that."""
    text = "driver 580.95.05\ngpu 9 0 1 H100\nset events 4\nset throttle 1\ngpu 8 0 1 A100\nset throttle 1\n"
    values = _facts(nvml_system(library, tmp_path, text))
    assert values["nvidia.throttle"] == (("software-power-cap",), ("idle",))


def test_a_lost_gpu_is_told(library, tmp_path):
    """A GPU that fell off the bus is counted as lost, and the states are those of the others."""
    text = "driver 550.54.15\ngpu 8 0 1 lost\ngpu 8 0 1048576 A100\nset temperature 40\n"
    answer = query_nvml(nvml_system(library, tmp_path, text))
    assert [line.startswith("GPU 0: ") for line in answer.lost.value or ()] == [True]
    assert answer.states["nvidia.temperature"].value == (40,)


@pytest.mark.parametrize(
    ("text", "kind", "shown", "why"),
    [
        ("", "none", (), "hidden"),
        ("-1", "none", (), "hides"),
        ("0,1", "index", ("0", "1"), None),
        ("0,8,1", "index", ("0",), "there is no GPU 8"),
        ("GPU-00000003", "uuid", ("GPU-00000003",), None),
        ("GPU-deadbeef", "none", (), "no GPU has the id"),
        ("MIG-aaaa", "none", (), "no GPU has the id"),
        ("all", "none", (), "neither a number nor an id"),
    ],
)
def test_hidden_gpus_are_told_apart(library, tmp_path, text, kind, shown, why):
    """CUDA_VISIBLE_DEVICES is checked against the GPUs and ids that NVML names."""
    system = nvml_system(library, tmp_path, EIGHT_H100, CUDA_VISIBLE_DEVICES=text)
    visible = detect(system, python=paper_python()).fact("nvidia.visible").value
    assert (visible.kind, visible.shown) == (kind, shown)
    assert why is None or why in visible.why


def test_a_thousand_gpus_tell_their_state(library, tmp_path):
    """The first 1,024 are read."""
    text = "driver 550.54.15\n" + "gpu 8 0 1073741824 A100\nset temperature 30\n" * 1500
    assert _facts(nvml_system(library, tmp_path, text))["nvidia.temperature"] == (30,) * 1024


scalars = st.none() | st.booleans() | st.integers() | st.text(max_size=4)
json_values = (
    scalars | st.lists(scalars, max_size=4) | st.dictionaries(st.text(max_size=4), scalars, max_size=2)
)
KEYS = (
    "uuid",
    "mig",
    "mig_instances",
    "remapped_rows",
    "nvlinks",
    "fabric",
    "throttle",
    "errors",
    "power_draw",
)


@given(st.lists(st.dictionaries(st.sampled_from(KEYS), json_values), max_size=3))
def test_no_answer_breaks_the_reader(rows):
    """Whatever JSON a broken library makes, states and facts come out."""
    states = parse_states(json.dumps(rows))
    assert len(state_facts(states, "NVML")) > 20


@pytest.mark.parametrize(
    ("said", "licence"),
    [
        ("set virtual 2\nset licence 1 1 0\n", "unlicensed"),
        ("set virtual 2\nset licence 1 3 1\n", "licensed"),
        ("set virtual 1\nset licence 1 3 0\n", None),
        ("set virtual 2\nset licence 0 0 0\n", None),
        ("set virtual 2\n", None),
    ],
)
def test_a_vgpu_says_whether_it_is_licensed(library, tmp_path, said, licence):
    """A whole GPU and one that is passed through need none for CUDA."""
    system = nvml_system(library, tmp_path, f"driver 550.54.15\ngpu 8 9 1 L40S-48C\nset clock 345\n{said}")
    assert _facts(system).get("nvidia.licence") == (None if licence is None else (licence,))
