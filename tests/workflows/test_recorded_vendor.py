"""An installation into an environment that has a vendor's own builds by its record."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from tests.workflows.recorder import Recorder
from torchdoctor.errors import NoSolution
from torchdoctor.resolve import Request
from torchdoctor.workflows import install
from torchdoctor.workflows.install_model import InstallOptions
from torchdoctor.workflows.recorded_vendor import keeping_recorded_vendor
from torchdoctor.workflows.source_options import SourceOptions


@pytest.fixture
def options(tmp_path):
    """An install into an environment whose record says that its torch is AMD's."""
    record = {"schema": 1, "plan": {"vendor": "amd", "variant": "rocm10.0.0"}}
    (tmp_path / "torchdoctor.json").write_text(json.dumps(record), encoding="utf-8")
    return InstallOptions(folder=tmp_path, cache=tmp_path / "cache")


@pytest.mark.parametrize("variant", ["auto", "rocm10.0.0"])
def test_the_vendor_of_the_record_is_asked_again(options, variant):
    """Nobody named another place or build, so what is there stays of its family; this is said."""
    report = Recorder()
    kept = keeping_recorded_vendor(replace(options, request=Request(variant=variant)), report)
    assert kept.sources.vendor == "amd"
    assert report.notes == ["torch here is of AMD's own builds, as with --vendor amd"]


@pytest.mark.parametrize(
    "asked",
    [
        {"request": Request(variant="cpu")},
        {"sources": SourceOptions(index_url="https://example.org/simple")},
        {"sources": SourceOptions(mirror="auto")},
    ],
)
def test_another_place_or_build_is_taken_and_said(options, asked):
    """What was asked for counts, and the way to keep the vendor's builds is named."""
    report = Recorder()
    assert keeping_recorded_vendor(replace(options, **asked), report).sources.vendor is None
    assert [note.endswith("--vendor amd keeps them") for note in report.notes] == [True]


@pytest.mark.parametrize("name", ["voodoo", ["amd"], None, 7])
def test_a_record_with_another_vendor_counts_for_nothing(options, name):
    """The record is a file that others can write."""
    record = {"schema": 1, "plan": {"vendor": name, "variant": "cpu"}}
    (options.folder / "torchdoctor.json").write_text(json.dumps(record), encoding="utf-8")
    report = Recorder()
    assert keeping_recorded_vendor(options, report) is options
    assert not report.notes


@pytest.mark.parametrize("code", ["no-vendor-build", "no-wheel"])
def test_builds_that_do_not_fit_this_machine_make_way_for_pytorchs(options, monkeypatch, code):
    """An environment may have come from another machine; a release that the vendor lacks is no reason."""
    asked = []

    def install_once(options, *, system, report):
        asked.append(options.sources.vendor)
        if options.sources.vendor is not None:
            raise NoSolution("AMD's builds do not fit", fix="", code=code)
        return "installed"

    monkeypatch.setattr(install, "_install_once", install_once)
    report = Recorder()
    if code == "no-wheel":
        with pytest.raises(NoSolution):
            install.run_install(options, system=SimpleNamespace(environ={}), report=report)
        assert asked == ["amd"]
        return
    assert install.run_install(options, system=SimpleNamespace(environ={}), report=report) == "installed"
    assert asked == ["amd", None]
    assert report.notes[-1] == "AMD's builds do not fit: PyTorch's own builds are looked at"
