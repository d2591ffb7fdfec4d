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


def test_torch_that_was_named_in_a_requirements_file_blames_no_package(site):
    """The others in the file would have been content with the torch that was there."""
    recorded(site, "2.9.1+cu126")
    installed_at(site.torch("2.13.0", cuda="13.0", says="2.13.0+cu130", requested=True), 60)
    installed_at(site.put("accelerate", "1.2.0", requires=("torch>=2.0",), requested=True), 61)
    installed_at(site.put("rich", "14.0", requested=True), 61)
    replacement = replacement_of(site.take())
    assert (replacement.culprits, replacement.together) == ((), ("accelerate 1.2.0", "rich 14.0"))
    assert "by pip, in one run with accelerate 1.2.0, rich 14.0; none of them asks for another torch" in (
        replacement.description
    )


def test_a_package_of_the_run_that_cannot_have_the_old_torch_is_named(site):
    """Among others that could, and although torch was named too."""
    recorded(site, "2.9.1+cu126")
    installed_at(site.torch("2.13.0+cu130", requested=True), 60)
    installed_at(site.put("accelerate", "1.2.0", requires=("torch>=2.0",), requested=True), 61)
    installed_at(
        site.put("trainer", "2.0", requires=("torch>=2.12", "torch>=99; extra == 'x'"), requested=True), 61
    )
    assert replacement_of(site.take()).culprits == ("trainer 2.0",)


def test_a_sync_of_a_project_is_named(site):
    """uv marks everything as requested; the lock beside the environment says what will do it again."""
    recorded(site, "2.9.1+cu126")
    installed_at(site.torch("2.13.0+cu130", requested=True, installer="uv"), 60)
    installed_at(site.put("rich", "14.0", requested=True, installer="uv"), 60)
    (site.prefix.parent / "uv.lock").touch()
    description = replacement_of(site.take()).description
    assert description.endswith(f"`uv sync` obeys {site.prefix.parent}/uv.lock and does it again")


def test_another_release_of_the_family_is_no_replacement(site):
    """A package may need it; it is one where a package does not get the torch that it requires."""
    recorded(site, "2.9.1+cu130")
    installed_at(site.torch("2.13.0+cu130"), 60)
    installed_at(site.put("trainer", "2.0", requires=("torch>=2.12",), requested=True), 61)
    assert replacement_of(site.take()) is None
    installed_at(site.put("torchvision", "0.24.1", requires=("torch==2.9.1",)), 0)
    assert replacement_of(site.take()).culprits == ("trainer 2.0",)


def test_in_a_held_environment_nobody_asks_for_another_family(site):
    """The hold says that it is to stay, whoever typed the command."""
    recorded(site, "2.9.1+cu130")
    site.torch("2.4.0+cpu", requested=True)
    (site.prefix / "torchdoctor-hold.txt").touch()
    replacement = replacement_of(site.take())
    assert (replacement.now, replacement.held) == ("2.4.0+cpu", True)
    assert "the environment is held, but not for uv where it is not activated" in replacement.description
