"""A wheel under an official name is the official file, or is refused."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.workflows.recorder import Recorder
from torchdoctor.errors import SourceFailed
from torchdoctor.resolve import Plan, PlannedPackage
from torchdoctor.sources import order_sources
from torchdoctor.workflows.wheel_hashes import with_known_hashes
from wheels_index import bundled

OFFICIAL = next(
    wheel
    for wheel in bundled().release("2.9.1").wheels
    if wheel.project == "torch" and wheel.version.local == "cpu" and wheel.sha256
)


def _plan(wheel, source):
    package = PlannedPackage(name="torch", version=wheel.version, known="live", wheel=wheel, source=source)
    return Plan(variant="cpu", index_url="", packages=(package,), reasons=())


def _resolved(sha256, sources, report):
    plan = _plan(replace(OFFICIAL, sha256=sha256), sources.torch[0].name)
    return with_known_hashes(plan, bundled(), sources, (), report).torch.wheel.sha256


def test_a_hash_that_is_missing_is_that_of_the_official_build():
    """A mirror whose pages have no hashes."""
    sources = order_sources(mirror_name="nju")
    assert _resolved(None, sources, Recorder()) == OFFICIAL.sha256


def test_a_mirror_with_another_hash_is_refused():
    """Its file is not the one that it claims to mirror."""
    with pytest.raises(SourceFailed) as refused:
        _resolved("0" * 64, order_sources(mirror_name="nju"), Recorder())
    assert refused.value.code == "hash-conflict"


def test_an_index_of_the_user_may_have_a_build_of_its_own():
    """With a warning, as the name is that of an official file."""
    report = Recorder()
    sources = order_sources(index_url="https://example.org/simple")
    assert _resolved("0" * 64, sources, report) == "0" * 64
    assert "it is used because that index is yours" in report.warnings[0]
