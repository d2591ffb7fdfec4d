"""NCCL_SOCKET_IFNAME against the interfaces that are there."""

from __future__ import annotations

import pytest

from tests.detect.recorded_system import RecordedSystem, paper_python
from torchdoctor.detect.host.socket_interface import probe_socket_interface

NET = {f"/sys/class/net/{name}/address": "" for name in ("lo", "docker0", "eno1", "ib0")}


def facts(setting=None, **files):
    environ = {} if setting is None else {"NCCL_SOCKET_IFNAME": setting}
    return probe_socket_interface(RecordedSystem(files={**NET, **files}, environ=environ), paper_python())


@pytest.mark.parametrize("setting", ["eth0", "eth,em", "=eno", "^lo,docker,eno,ib"])
def test_a_setting_that_names_no_interface_is_found(setting):
    """Beginnings, exact names after "=", all but those after "^"."""
    assert facts(setting)["nccl.interface_missing"].value == setting


@pytest.mark.parametrize("setting", ["en", "eth0,eno1", "=ib0", "^lo,docker", "^=eno1"])
def test_a_setting_that_names_an_interface_is_right(setting):
    """One of several is enough."""
    said = facts(setting)
    assert said["nccl.socket_interface"].value == setting
    assert said["nccl.interface_missing"].state == "absent"


def test_without_a_setting_there_is_nothing_to_miss():
    """The file of the system counts where the variable is not set."""
    assert facts()["nccl.interface_missing"].state == "absent"
    conf = {"/etc/nccl.conf": "NCCL_DEBUG=WARN\nNCCL_SOCKET_IFNAME=eth2\n"}
    assert facts(**conf)["nccl.interface_missing"].value == "eth2"
    assert facts("eno1", **conf)["nccl.interface_missing"].state == "absent"


def test_where_the_interfaces_cannot_be_seen_nothing_is_claimed():
    """Unknown, with the reason."""
    system = RecordedSystem(environ={"NCCL_SOCKET_IFNAME": "eth2"})
    assert probe_socket_interface(system, paper_python())["nccl.interface_missing"].state == "unknown"
