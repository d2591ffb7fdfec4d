"""On a machine with an NVIDIA GPU: every fact beside what `nvidia-smi -q -x` says there."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from xml.etree import ElementTree as ET

import pytest

from torchdoctor.core.system import host_system
from torchdoctor.detect import describe_python, detect

pytestmark = pytest.mark.skipif(shutil.which("nvidia-smi") is None, reason="no NVIDIA driver here")


def _log() -> ET.Element:
    ran = subprocess.run(["nvidia-smi", "-q", "-x"], capture_output=True, text=True, check=False, timeout=60)
    if ran.returncode:
        pytest.skip(f"nvidia-smi does not work here: {ran.stdout[:200]}")
    return ET.fromstring(ran.stdout)  # noqa: S314  (the driver's own tool)


def _number(text: str | None) -> float | None:
    word = (text or "").split(" ")[0]
    return float(word) if word.replace(".", "", 1).isdecimal() else None


def test_every_fact_is_what_the_drivers_own_tool_says():
    """Driver, names, memory, ids, modes, limits; what changes by the second is left."""
    system = host_system(os.environ)
    detection = detect(system, python=describe_python(system, sys.executable))
    log = _log()
    gpus = log.findall("gpu")
    assert detection.fact("nvidia.driver").value == log.findtext("driver_version")
    assert detection.fact("nvidia.cuda").value == log.findtext("cuda_version")
    assert [gpu.name for gpu in detection.fact("nvidia.gpus").value] == [
        row.findtext("product_name") for row in gpus
    ]
    for gpu, row in zip(detection.fact("nvidia.gpus").value, gpus, strict=True):
        assert gpu.memory_mib == _number(row.findtext("fb_memory_usage/total"))
    expected = {
        "nvidia.uuid": [row.findtext("uuid") for row in gpus],
        "nvidia.bus_id": [row.get("id") for row in gpus],
        "nvidia.persistence": [row.findtext("persistence_mode") == "Enabled" for row in gpus],
        "nvidia.compute_mode": [
            {"Default": "default", "Prohibited": "prohibited"}.get(
                row.findtext("compute_mode") or "", "exclusive-process"
            )
            for row in gpus
        ],
        "nvidia.mig": [
            {"Enabled": True, "Disabled": False}.get(row.findtext("mig_mode/current_mig") or "")
            for row in gpus
        ],
        "nvidia.clock_max": [_number(row.findtext("max_clocks/sm_clock")) for row in gpus],
    }
    for name, values in expected.items():
        fact = detection.fact(name)
        assert list(fact.value or [None] * len(gpus)) == values, name
