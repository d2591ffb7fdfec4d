"""A release that came out after the last update is installed from the index that has it."""

from __future__ import annotations

import sys

import pytest

from tests.wheelmaker import make_wheel

NEW, VISION = "2.99.0", "0.99.0"


@pytest.fixture
def options(official):
    """A dry run against the official layout."""
    return (
        "--index-url", f"{official.url}/whl", "--python", sys.executable, "--variant", "cpu", "--dry-run", "--json",
    )  # fmt: skip


def add(index, project, version, tag, *, page="/whl/cpu", requires=()):
    """List a wheel."""
    name, content = make_wheel(project, version, tag=tag, requires=requires)
    index.add(f"{page}/{project}/", name, content)


def versions(ran):
    """What was planned."""
    assert ran.status == 0, ran.out + ran.err
    return {row["name"]: row["version"] for row in ran.json["packages"]}


def test_a_release_newer_than_all_known_is_chosen_with_what_declares_it(torchdoctor, official, options, tag):
    """torch and the torchvision whose metadata pins it; nothing was updated before."""
    add(official, "torch", f"{NEW}+cpu", tag)
    add(official, "torchvision", f"{VISION}+cpu", tag, requires=(f"torch=={NEW}",))
    ran = torchdoctor("install", "env", *options)
    assert versions(ran) == {"torch": f"{NEW}+cpu", "torchvision": f"{VISION}+cpu"}
    assert {row["known"] for row in ran.json["packages"]} == {"live"}


def test_it_is_chosen_when_it_is_asked_for(torchdoctor, official, options, tag):
    """--torch names a release that the bundled facts do not have."""
    add(official, "torch", f"{NEW}+cpu", tag)
    assert versions(torchdoctor("install", "env", *options, "--torch", NEW))["torch"] == f"{NEW}+cpu"


def test_an_older_release_asked_for_stays(torchdoctor, official, options, tag):
    """--torch 2.13.0 is 2.13.0, whatever is newer."""
    add(official, "torch", f"{NEW}+cpu", tag)
    assert versions(torchdoctor("install", "env", *options, "--torch", "2.13.0"))["torch"] == "2.13.0+cpu"


def test_a_release_that_nobody_has_is_status_3(torchdoctor, options):
    """The answer names what is known."""
    ran = torchdoctor("install", "env", *options, "--torch", NEW)
    assert ran.status == 3, ran.out


def test_pre_releases_are_not_taken(torchdoctor, official, options, tag):
    """A release candidate on the page is passed over."""
    add(official, "torch", f"{NEW}rc1+cpu", tag)
    assert versions(torchdoctor("install", "env", *options))["torch"] == "2.13.0+cpu"


def test_a_simple_index_introduces_no_release(torchdoctor, official, options, tag):
    """pip's own index may carry any torch; only an index with variants is believed about new ones."""
    add(official, "torch", f"{NEW}+cpu", tag, page="/simple")
    assert versions(torchdoctor("install", "env", *options))["torch"] == "2.13.0+cpu"


def test_a_folder_introduces_no_release(torchdoctor, official, options, tag, tmp_path):
    """Nor does a folder of wheels."""
    name, content = make_wheel("torch", f"{NEW}+cpu", tag=tag)
    (tmp_path / "wheels").mkdir()
    (tmp_path / "wheels" / name).write_bytes(content)
    ran = torchdoctor("install", "env", *options, "--find-links", tmp_path / "wheels")
    assert versions(ran)["torch"] == "2.13.0+cpu"
