"""Which package replaced torch, by our own record and the times of installation."""

from __future__ import annotations

import json
import os

from torchdoctor.doctor.torch_replaced import replacement_of


def installed_at(info, minute):
    """The metadata as if it had been written in this minute."""
    for path in (info / "RECORD", info):
        os.utime(path, (1_790_000_000 + 60 * minute,) * 2)


def recorded(site, version):
    document = {"schema": 1, "plan": {"variant": "cu130"}, "files": [{"name": "torch", "version": version}]}
    (site.prefix / "torchdoctor.json").write_text(json.dumps(document))


def test_the_package_that_came_with_another_torch_is_named(site):
    """In the same run, and it needs torch."""
    recorded(site, "2.9.1+cu130")
    installed_at(site.torch("2.4.0+cpu"), 60)
    installed_at(site.put("upscaler", "1.0", requires=("torch",), requested=True), 61)
    installed_at(site.put("rich", "14.0"), 61)
    installed_at(site.put("old-tool", "1.0", requires=("torch",), requested=True), 0)
    replacement = replacement_of(site.take())
    assert (replacement.before, replacement.now, replacement.culprits) == (
        "2.9.1+cu130", "2.4.0+cpu", ("upscaler 1.0",),
    )  # fmt: skip
    assert replacement.description.startswith("torch changed from 2.9.1+cu130 to 2.4.0+cpu at 2026-")
    assert replacement.description.endswith(", when upscaler 1.0 was installed")


def test_the_torch_of_the_record_was_not_replaced(site):
    """The same release in the same build; a build that the record does not name is any."""
    site.torch("2.9.1+cu130")
    for version in ("2.9.1+cu130", "2.9.1"):
        recorded(site, version)
        assert replacement_of(site.take()) is None


def test_a_torch_that_was_asked_for_was_not_replaced(site):
    """Somebody wanted the other one."""
    recorded(site, "2.9.1+cu130")
    site.torch("2.4.0+cpu", requested=True)
    assert replacement_of(site.take()) is None


def test_an_older_companion_tells_which_torch_there_was(site):
    """Without a record: it requires one release, and torch is newer than it."""
    installed_at(site.put("torchvision", "0.24.1", requires=("torch==2.9.1",)), 0)
    installed_at(site.torch("2.4.0+cpu"), 60)
    assert replacement_of(site.take()).before == "2.9.1"


def test_without_torch_nothing_was_replaced(site):
    """It is missing, which is another finding."""
    recorded(site, "2.9.1+cu130")
    assert replacement_of(site.take()) is None
