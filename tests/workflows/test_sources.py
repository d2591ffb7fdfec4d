"""The options' sources come first, and each of them must exist."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from tests.workflows.recorder import Recorder
from torchdoctor.core.system import host_system
from torchdoctor.errors import UsageError
from torchdoctor.workflows import SourceOptions
from torchdoctor.workflows.sources import gather_sources, sources_from_options


def test_a_folder_that_does_not_exist_is_wrong_usage(tmp_path):
    """Before pip's settings are read."""
    python = SimpleNamespace(executable=Path(sys.executable), prefix=Path(sys.prefix))
    options = SourceOptions(find_links=(str(tmp_path / "missing"),))
    with pytest.raises(UsageError, match="there is no"):
        gather_sources(options, host_system(os.environ), python, Recorder())


def test_an_index_that_was_named_is_asked_first():
    """Before the official one."""
    sources = sources_from_options(SourceOptions(index_url="https://example.org/whl"), Recorder())
    assert sources.torch[0].url.startswith("https://example.org/whl")
    assert len(sources.torch) > 1


def test_offline_leaves_only_folders(tmp_path):
    """No index is asked."""
    options = SourceOptions(find_links=(str(tmp_path),), offline=True)
    sources = sources_from_options(options, Recorder())
    assert [source.url.startswith("file:") for source in sources.torch] == [True]


def test_an_index_of_the_project_in_this_folder_is_said(tmp_path, monkeypatch):
    """uv's settings of a project are honoured, and never in silence: somebody else may have written them."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").write_text('[[tool.uv.index]]\nurl = "https://example.org/simple"\n')
    python = SimpleNamespace(
        executable=Path(sys.executable), prefix=Path(sys.prefix), sys_platform=sys.platform
    )
    report = Recorder()
    gather_sources(SourceOptions(), host_system({}), python, report)
    assert any("https://example.org/simple is asked for packages" in text for text in report.notes)
