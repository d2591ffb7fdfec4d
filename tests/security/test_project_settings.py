"""What a project says of indexes to pip and uv is used only after consent that names the file and the index."""

from __future__ import annotations

import os
import sys
from types import SimpleNamespace

import pytest

from tests.workflows.recorder import Recorder
from torchdoctor.core.system import host_system
from torchdoctor.errors import NotConfirmed
from torchdoctor.requirements import StackOptions, StackRequest, read_stack
from torchdoctor.workflows import SourceOptions, project_settings
from torchdoctor.workflows.sources import gather_sources

EVIL = "https://evil.example/simple"


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A cloned repository that we stand in, below its top."""
    project_settings._ANSWERS.clear()
    folder = tmp_path / "clone"
    (folder / "notebooks").mkdir(parents=True)
    (folder / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    monkeypatch.chdir(folder / "notebooks")
    return folder


@pytest.fixture
def gathered(tmp_path, project):
    """A function that gathers the sources there, and returns the URLs for torch, those for the rest, and the report."""

    def gather(answer=None, environ=(), **options):
        alone = {"HOME": str(tmp_path), "XDG_CONFIG_DIRS": str(tmp_path / "none"), **dict(environ)}
        place = SimpleNamespace(executable=sys.executable, prefix=project / ".venv", sys_platform="linux")
        report = Recorder(answer)
        sources = gather_sources(SourceOptions(**options), host_system(alone), place, report)
        default = [sources.default_index] if sources.default_index else []
        others = {each.url for each in (*sources.indexes, *default, *sources.find_links)}
        return {each.url for each in sources.torch}, others, report

    return gather


FILES = {
    "uv.toml": f'extra-index-url = ["{EVIL}"]\n',
    "pyproject.toml": f'[[tool.uv.index]]\nurl = "{EVIL}"\ndefault = true\n',
    ".venv/pip.conf": f"[global]\nindex-url = {EVIL}\n",
    "notebooks/uv.toml": f'[pip]\nindex-url = "{EVIL}"\n',
}


@pytest.mark.parametrize("name", FILES)
def test_without_a_terminal_nothing_of_it_is_used_and_that_is_said(project, gathered, name):
    """With the file, the index and the option that agrees."""
    (project / name).parent.mkdir(exist_ok=True)
    (project / name).write_text(FILES[name])
    torch, others, report = gathered()
    assert EVIL not in torch | others
    (note,) = [note for note in report.notes if EVIL in note]
    assert str(project / name) in note
    assert "--trust-project" in note


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("answer", [True, False])
def test_on_a_terminal_it_is_asked_about_once(project, gathered, name, answer):
    """A yes uses it for all other packages, and never for torch, wherever the official host is out of reach."""
    (project / name).parent.mkdir(exist_ok=True)
    (project / name).write_text(FILES[name])
    torch, others, report = gathered(answer)
    assert EVIL not in torch
    assert (EVIL in others) is answer
    assert len(report.questions) == 1
    assert str(project / name) in report.questions[0]
    assert EVIL in report.questions[0]
    assert gathered(answer)[2].questions == []


def test_the_option_agrees_without_a_question(project, gathered):
    """`--trust-project`."""
    (project / "uv.toml").write_text(FILES["uv.toml"])
    torch, others, report = gathered(trust_project=True)
    assert (EVIL in others, EVIL in torch, report.questions) == (True, False, [])


def test_times_and_folders_of_a_project_need_it_too(project, gathered):
    """An old time brings back what was mended since, and `no-index` with a folder replaces every package."""
    (project / "uv.toml").write_text(
        'exclude-newer = "2019-01-01"\nno-index = true\nfind-links = ["./wheels"]\n'
    )
    _, others, report = gathered()
    assert "https://pypi.org/simple" in others
    (note,) = [note for note in report.notes if "uv.toml" in note]
    assert all(word in note for word in ("exclude-newer", "no-index", "find-links"))


def test_what_was_agreed_to_of_a_named_project_is_not_asked_about_again(project):
    """`--project .` asks about each index itself."""
    (project / "uv.toml").write_text(f'extra-index-url = ["{EVIL}"]\nfind-links = ["wheels"]\n')
    report = Recorder(answer=False)
    place = SimpleNamespace(executable=sys.executable, prefix=project / ".venv", sys_platform="linux")
    stack = StackRequest(indexes=(EVIL,), find_links=(str(project / "wheels"),))
    alone = host_system({"HOME": str(project.parent)})
    project_settings.agreed_settings(SourceOptions(), alone, place, report, stack)
    assert report.questions == []


def test_the_official_indexes_need_no_consent(project, gathered):
    """PyPI is asked anyway, and of PyTorch's index the part that fits the machine."""
    (project / "uv.toml").write_text(
        'index-url = "https://pypi.org/simple"\nextra-index-url = ["https://download.pytorch.org/whl/cu128"]\n'
    )
    _, others, report = gathered(answer=False)
    assert (report.questions, report.notes) == ([], [])
    assert "https://download.pytorch.org/whl/cu128" not in others


def test_settings_of_the_user_stay(tmp_path, project, gathered):
    """Of variables, of the user's own files, and of a file that a variable names, wherever it lies."""
    (tmp_path / ".config" / "uv").mkdir(parents=True)
    (tmp_path / ".config" / "uv" / "uv.toml").write_text('extra-index-url = ["https://own.example/simple"]\n')
    (project / "named.conf").write_text("[global]\nextra-index-url = https://named.example/simple\n")
    environ = {"PIP_CONFIG_FILE": str(project / "named.conf"), "UV_INDEX": "https://variable.example/simple"}
    torch, others, report = gathered(environ=environ)
    for name in ("own", "named", "variable"):
        assert f"https://{name}.example/simple" in others
        assert f"https://{name}.example/simple" in torch
    assert report.questions == []


def test_a_project_does_not_hide_what_the_user_is_configured_with(tmp_path, project, gathered):
    """pip lets an environment's file win; one that is not used must not."""
    (tmp_path / ".config" / "pip").mkdir(parents=True)
    (tmp_path / ".config" / "pip" / "pip.conf").write_text(
        "[global]\nindex-url = https://own.example/simple\n"
    )
    (project / ".venv").mkdir()
    (project / ".venv" / "pip.conf").write_text(f"[global]\nindex-url = {EVIL}\n")
    assert "https://own.example/simple" in gathered()[1]


def test_what_the_user_is_configured_with_anyway_is_not_asked_about(tmp_path, project, gathered):
    """A hold repeats the user's constraints in the environment's pip.conf, and people their index."""
    (tmp_path / ".config" / "pip").mkdir(parents=True)
    same = "[install]\nindex-url = https://own.example/simple\nconstraint = limits.txt"
    (tmp_path / ".config" / "pip" / "pip.conf").write_text(same + "\n")
    (project / ".venv").mkdir()
    (project / ".venv" / "pip.conf").write_text(same + "\n    file:///x/torchdoctor-hold.txt\n")
    _, others, report = gathered(answer=False)
    assert report.questions == []
    assert "https://own.example/simple" in others


def test_a_password_in_a_projects_index_is_not_shown(project, gathered):
    """Nor a control character of a name."""
    (project / "uv.toml").write_text('index-url = "https://me:hunter2@evil.example/simple\\u001b[2J"\n')
    _, _, report = gathered()
    text = " ".join(report.notes)
    assert "evil.example" in text
    assert "hunter2" not in text
    assert "\x1b" not in text


def test_an_index_that_looks_like_another_is_shown_as_what_it_is(project, gathered):
    """A Cyrillic letter, and a mark that turns the line around."""
    (project / "uv.toml").write_text('index-url = "https://p\u0443pi.org/\u202esimple"\n', "utf-8")
    _, _, report = gathered(answer=False)
    assert "p\\u0443pi.org" in report.questions[0]
    assert "\u202e" not in report.questions[0]


@pytest.mark.parametrize("way", ["files", "projects"])
def test_files_that_are_named_have_the_same_rule(project, way):
    """`-r FILE` and `--project DIR` were typed, and their indexes were not: PyPI alone needs no consent."""
    (project / "requirements.txt").write_text(f"--extra-index-url {EVIL}\nidna\n")
    (project / "pyproject.toml").write_text(
        f'[project]\nname = "x"\nversion = "1"\ndependencies = []\n[tool.uv]\nindex-url = "{EVIL}"\n'
    )
    named = {"files": (str(project / "requirements.txt"),), "projects": (str(project),)}[way]
    options = StackOptions(**{way: named})

    def read(answer, *, trust):
        return read_stack(
            options, environ=os.environ, folder=project, ask=lambda _: answer, trust_indexes=trust
        )

    with pytest.raises(NotConfirmed, match="evil") as refused:
        read(answer=False, trust=False)
    assert "--trust-project" in refused.value.fix
    assert read(answer=True, trust=False).indexes == (EVIL,)
    assert read(answer=False, trust=True).indexes == (EVIL,)
