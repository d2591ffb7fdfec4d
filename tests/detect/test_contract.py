"""A machine to and from JSON: nothing is lost, and what is wrong is named by its path."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torchdoctor.detect import (  # fmt: skip
    Amd,
    AmdGpu,
    Apple,
    Intel,
    IntelGpu,
    Libc,
    Machine,
    Nvidia,
    NvidiaGpu,
    Python,
)
from torchdoctor.detect.model import GPU_LIMIT_COUNT
from torchdoctor.errors import UsageError

EXAMPLE: dict[str, Any] = {
    "os": "linux", "os_version": "22.04", "arch": "x86_64",
    "libc": {"name": "glibc", "version": "2.35"}, "wsl": False, "container": None,
    "python": {"implementation": "cpython", "version": "3.12.4", "free_threaded": False, "bits": 64},
    "nvidia": {"driver": "550.54.15", "gpus": [
        {"name": "NVIDIA GeForce RTX 4090", "compute_capability": "8.9", "memory_mib": 24564}]},
    "amd": {"driver": "6.10.5", "gpus": [{"name": "Radeon RX 7900 XTX", "gfx": "gfx1100"}]},
    "intel": {"gpus": [{"name": "Intel Arc B580"}]},
    "apple": {"chip": "Apple M2"},
}  # fmt: skip

name = st.from_regex(r"[A-Za-z][A-Za-z0-9 \[\]()é-]{0,40}", fullmatch=True)
version = st.from_regex(r"[0-9]{1,4}(\.[0-9]{1,4}){1,2}", fullmatch=True)
machines = st.builds(
    Machine,
    os=st.sampled_from(["linux", "windows", "macos"]),
    arch=st.sampled_from(["x86_64", "aarch64", "arm64", "i686", "riscv64"]),
    os_version=st.none() | name,
    libc=st.none() | st.builds(Libc, name=st.sampled_from(["glibc", "musl"]), version=st.none() | version),
    wsl=st.booleans(),
    container=st.none() | name,
    python=st.builds(
        Python,
        version=st.from_regex(r"3\.[0-9]{1,2}(\.[0-9]{1,2})?(rc1)?", fullmatch=True),
        implementation=st.sampled_from(["cpython", "pypy"]),
        free_threaded=st.booleans(),
        bits=st.sampled_from([32, 64]),
    ),
    nvidia=st.none() | st.builds(
        Nvidia,
        driver=st.none() | version,
        gpus=st.lists(st.builds(
            NvidiaGpu,
            name=name,
            compute_capability=st.none() | st.sampled_from(["5.0", "8.9", "12.0"]),
            memory_mib=st.none() | st.integers(1, 300_000),
        ), max_size=4).map(tuple),
    ),
    amd=st.none() | st.builds(Amd, driver=st.none() | version, gpus=st.lists(st.builds(
        AmdGpu, name=st.none() | name, gfx=st.none() | st.sampled_from(["gfx90a", "gfx1100"])
    ), max_size=3).map(tuple)),
    intel=st.none() | st.builds(Intel, gpus=st.lists(st.builds(IntelGpu, name=name), max_size=3).map(tuple)),
    apple=st.none() | st.builds(Apple, chip=name),
)  # fmt: skip
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*EXAMPLE, "gpus", "name"]), inner)
    ),
    max_leaves=20,
)


def _changed(path: str, value: Any) -> dict[str, Any]:
    document = json.loads(json.dumps(EXAMPLE))
    place = document
    *above, last = [int(part) if part.isdigit() else part for part in path.split(".")]
    for part in above:
        place = place[part]
    place[last] = value
    return document


def test_the_contracts_example_reads_and_writes_the_same():
    """Every field of the documented example survives, in its order."""
    assert json.dumps(Machine.from_json(EXAMPLE).to_json()) == json.dumps(EXAMPLE)


@given(machines)
def test_every_machine_survives_json(machine):
    """Reading what was written gives the machine back."""
    assert Machine.from_json(json.loads(json.dumps(machine.to_json()))) == machine


@given(anything)
def test_whatever_is_no_machine_is_refused_with_a_reason(document):
    """Any JSON at all either is a machine or is refused as wrong usage."""
    try:
        machine = Machine.from_json(document)
    except UsageError as error:
        message = error.message
    else:
        message = f"expected: {machine.platform}"
    assert "expected" in message


@given(st.sampled_from(sorted(EXAMPLE)), anything)
def test_any_value_in_any_field_is_read_or_refused(field, value):
    """A field that holds something strange never raises anything but the usage error."""
    message = field
    try:
        Machine.from_json({**EXAMPLE, field: value})
    except UsageError as error:
        message = error.message
    assert field in message


def test_fields_that_are_not_there_are_unknown():
    """System, processor and Python's version are enough."""
    machine = Machine.from_json({"os": "linux", "arch": "x86_64", "python": {"version": "3.12"}})
    assert machine == Machine(os="linux", arch="x86_64", python=Python(version="3.12"))


def test_a_whole_report_is_read_for_its_machine():
    """What `report --format json` and `resolve --json` write holds it under `machine`."""
    assert Machine.from_json({"schema": 1, "machine": EXAMPLE, "plan": None}) == Machine.from_json(EXAMPLE)


@pytest.mark.parametrize("document", [{"schema": 2, "machine": EXAMPLE}, {**EXAMPLE, "schema": 2}])
def test_a_schema_of_a_newer_torchdoctor_is_refused(document):
    """Its fields may mean something else."""
    with pytest.raises(UsageError, match="schema: expected 1, found 2"):
        Machine.from_json(document)


def test_a_reports_wrong_field_is_named_by_its_whole_path():
    """From the top of the file."""
    with pytest.raises(UsageError, match=r"machine\.arch: expected"):
        Machine.from_json({"machine": {**EXAMPLE, "arch": 5}})


def test_fields_it_does_not_know_are_left():
    """A description by a newer version reads."""
    assert Machine.from_json({**EXAMPLE, "tpu": {"gpus": 7}}) == Machine.from_json(EXAMPLE)


@pytest.mark.parametrize(
    ("path", "value", "complaint"),
    [
        ("os", "beos", 'os: expected "linux" or "windows" or "macos", found \'beos\''),
        ("arch", None, 'arch: expected "x86_64", found nothing'),
        ("arch", "x86 64; rm", 'arch: expected "x86_64", found'),
        ("wsl", "no", "wsl: expected true or false, found 'no'"),
        ("python", None, "python: expected an object, found nothing"),
        ("python.version", "three", "python.version: expected \"3.12.4\", found 'three'"),
        ("python.bits", 128, "python.bits: expected 32 or 64, found 128"),
        ("libc.name", "newlib", 'libc.name: expected "glibc" or "musl"'),
        ("nvidia", [], "nvidia: expected an object, found a list"),
        ("nvidia.driver", "N/A", "nvidia.driver: expected \"550.54.15\", found 'N/A'"),
        ("nvidia.gpus", {}, "nvidia.gpus: expected a list, found an object"),
        ("nvidia.gpus.0.compute_capability", "sm_89", 'nvidia.gpus[0].compute_capability: expected "8.9"'),
        ("nvidia.gpus.0.compute_capability", 8.9, "nvidia.gpus[0].compute_capability: expected"),
        ("nvidia.gpus.0.memory_mib", -1, "nvidia.gpus[0].memory_mib: expected a whole number from 1 to"),
        ("nvidia.gpus.0.memory_mib", True, "nvidia.gpus[0].memory_mib: expected a whole number"),
        ("nvidia.gpus.0.memory_mib", 10**4000, "found a huge number"),
        ("nvidia.gpus.0.name", "a\x1b[31m", "nvidia.gpus[0].name: expected a short text"),
        ("nvidia.gpus.0.name", "x" * 10_000, "nvidia.gpus[0].name: expected a short text"),
        ("amd.gpus.0.gfx", "navi31", 'amd.gpus[0].gfx: expected "gfx1100"'),
        ("apple.chip", 2, "apple.chip: expected a short text, found 2"),
    ],
)
def test_a_wrong_field_is_named_by_its_path(path, value, complaint):
    """The message holds the path, what belongs there and what was found, and is short."""
    with pytest.raises(UsageError) as caught:
        Machine.from_json(_changed(path, value))
    assert complaint in caught.value.message
    assert len(caught.value.message) < 250


def test_more_gpus_than_a_machine_has_are_refused():
    """Ten thousand GPUs are a mistake or an attack, and so is not a description of one machine."""
    with pytest.raises(UsageError, match=f"nvidia.gpus: expected at most {GPU_LIMIT_COUNT} entries"):
        Machine.from_json(_changed("nvidia.gpus", [{"name": "A100"}] * 10_000))


@pytest.mark.parametrize(
    ("system", "arch", "bits", "platform"),
    [
        ("linux", "x86_64", 64, "linux_x86_64"),
        ("linux", "aarch64", 64, "linux_aarch64"),
        ("windows", "arm64", 64, "windows_arm64"),
        ("windows", "x86_64", 32, None),
        ("macos", "x86_64", 64, "macos_x86_64"),
        ("linux", "riscv64", 64, None),
    ],
)
def test_a_platform_is_named_where_torch_knows_one(system, arch, bits, platform):
    """32-bit interpreters and other processors have none."""
    python = Python(version="3.12.4", bits=bits)
    assert Machine(os=system, arch=arch, python=python).platform == platform


def test_the_label_of_a_python_says_free_threaded():
    """3.13.1 without a GIL is 3.13t."""
    python = Python(version="3.13.1", free_threaded=True)
    assert Machine(os="linux", arch="x86_64", python=python).python_label == "3.13t"
