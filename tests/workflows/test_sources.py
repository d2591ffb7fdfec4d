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


def configured(environ, report):
    python = SimpleNamespace(
        executable=Path(sys.executable), prefix=Path(sys.prefix), sys_platform=sys.platform
    )
    sources = gather_sources(SourceOptions(), host_system(environ), python, report)
    return {source.url for source in (*sources.torch, *sources.indexes, *sources.find_links)}


def test_the_users_own_settings_of_uv_are_used_wherever_they_lie(tmp_path, monkeypatch):
    """A mirror of the company in the user's uv.toml, and a file that UV_CONFIG_FILE names in this folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "config" / "uv").mkdir(parents=True)
    (tmp_path / "config" / "uv" / "uv.toml").write_text('extra-index-url = ["https://own.example/simple"]\n')
    (tmp_path / "uv.toml").write_text('extra-index-url = ["https://named.example/simple"]\n')
    own = configured({"XDG_CONFIG_HOME": str(tmp_path / "config")}, Recorder())
    assert any("own.example" in url for url in own)
    assert not any("named.example" in url for url in own)
    named = configured({"UV_CONFIG_FILE": str(tmp_path / "uv.toml")}, Recorder())
    assert any("named.example" in url for url in named)


def test_a_mirror_beside_a_vendor_says_that_torch_is_not_from_it():
    """A mirror of PyTorch's index has none of the vendor's builds."""
    report = Recorder()
    sources = sources_from_options(SourceOptions(mirror="nju", vendor="amd"), report)
    assert not any("nju" in source.url for source in sources.torch)
    assert any("--mirror nju" in note and "amd" in note for note in report.notes)
