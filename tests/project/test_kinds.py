"""Projects of pip and Poetry, and programs that start pip themselves."""

from __future__ import annotations

import json
import shlex

import pytest

from tests.project.made import MACHINES
from torchdoctor.project.launchers import find_launcher, launchers

LINUX = MACHINES["linux-rtx-5090"]


@pytest.fixture
def shown(in_process, tmp_path):
    """What `project` says of a folder for one machine."""

    def run(folder, machine=LINUX, *options):
        (tmp_path / "m.json").write_text(json.dumps(machine.to_json()), "utf-8")
        ran = in_process("project", folder, "--machine", tmp_path / "m.json", "--json", *options)
        assert ran.status == 0, ran.out
        return ran.json

    return run


def copy_of(folder, launcher):
    """A folder with the files by which a program is recognised."""
    for name in launcher.files:
        path = folder / name
        if "." in path.name:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("", "utf-8")
        else:
            path.mkdir(parents=True, exist_ok=True)
    return folder


def test_a_requirements_file_gets_constraints(shown, tmp_path):
    """One for each family, which pip and uv take; the requirements stay as they are."""
    (tmp_path / "requirements.txt").write_text("torch>=2.4  # a remark\ntimm\n-e .\n", "utf-8")
    document = shown(tmp_path, LINUX, "--yes")
    assert document["project"]["kind"] == "requirements"
    (machine,) = document["machines"]
    assert machine["command"] == "pip install -c constraints-cu132.txt -r requirements.txt"
    lines = (tmp_path / "constraints-cu132.txt").read_text("utf-8").splitlines()
    assert lines[1:3] == ["--extra-index-url https://download.pytorch.org/whl/cu132", "torch==2.15.0+cu132"]


def test_a_pin_of_a_requirements_file_is_respected(shown, tmp_path):
    """The family is one that has this release."""
    (tmp_path / "requirements.txt").write_text("torch==2.9.1+cu128\n", "utf-8")
    (family,) = shown(tmp_path, LINUX, "--dry-run")["families"]
    assert (family["variant"], family["torch"]) == ("cu130", "2.9.1")


def test_a_file_that_another_one_names_counts(shown, tmp_path):
    """As pip reads it."""
    (tmp_path / "requirements.txt").write_text("-r base.txt\n-c limits.txt\n", "utf-8")
    (tmp_path / "base.txt").write_text("torch\ntorchaudio\n", "utf-8")
    (tmp_path / "limits.txt").write_text("torch<2.10\n", "utf-8")
    (family,) = shown(tmp_path, LINUX, "--dry-run")["families"]
    assert family["torch"] == "2.9.1"
    assert "torchaudio" in family["requirements"]


def test_a_file_that_nobody_may_follow_is_read_as_far_as_it_goes(shown, tmp_path):
    """An index of one's own would need consent to be asked; nothing is asked here."""
    text = "--extra-index-url https://example.org/simple\ntorch==2.9.1\n"
    (tmp_path / "requirements.txt").write_text(text, "utf-8")
    (family,) = shown(tmp_path, LINUX, "--dry-run")["families"]
    assert family["torch"] == "2.9.1"


def test_a_pin_of_poetry_is_respected(shown, tmp_path):
    """In its own words."""
    (tmp_path / "pyproject.toml").write_text(
        '[tool.poetry]\nname = "x"\n[tool.poetry.dependencies]\npython = "^3.11"\ntorch = "~2.9"\n', "utf-8"
    )
    (family,) = shown(tmp_path, LINUX)["families"]
    assert family["torch"] == "2.9.1"


def test_constraints_of_a_family_that_macs_share_have_markers(in_process, tmp_path):
    """The build for a Mac has no local version."""
    (tmp_path / "requirements.txt").write_text("torch\n", "utf-8")
    for name in ("mac-m3", "linux-plain"):
        (tmp_path / f"{name}.json").write_text(json.dumps(MACHINES[name].to_json()), "utf-8")
    ran = in_process("project", tmp_path, "--machines", tmp_path, "--yes")
    assert ran.status == 0, ran.err
    text = (tmp_path / "constraints-cpu.txt").read_text("utf-8")
    assert "torch==2.15.0+cpu; sys_platform != 'darwin'" in text.replace('"', "'")
    assert "torch==2.15.0; sys_platform == 'darwin'" in text.replace('"', "'")


def test_a_poetry_project_is_shown_its_tables(shown, tmp_path):
    """Nothing is written into it."""
    text = '[tool.poetry]\nname = "x"\n[tool.poetry.dependencies]\npython = "^3.12"\ntorch = "*"\n'
    (tmp_path / "pyproject.toml").write_text(text, "utf-8")
    document = shown(tmp_path, LINUX)
    assert document["project"]["kind"] == "poetry"
    assert 'priority = "explicit"' in document["to_add"]
    assert document["machines"][0]["command"] == "poetry install --extras cu132"
    assert (tmp_path / "pyproject.toml").read_text("utf-8") == text


@pytest.mark.parametrize("launcher", launchers(), ids=lambda launcher: launcher.id)
def test_each_program_is_recognised_by_its_files(tmp_path, launcher):
    """And taken for no other."""
    found = find_launcher(copy_of(tmp_path, launcher))
    assert found is not None
    assert found.id == launcher.id
    assert found.source.startswith("https://github.com/")


@pytest.mark.parametrize("launcher", launchers(), ids=lambda launcher: launcher.id)
@pytest.mark.parametrize("machine", ["linux-rtx-5090", "windows-rtx-3060", "linux-plain"])
def test_each_program_has_steps_for_each_machine(shown, tmp_path, launcher, machine):
    """With the source of what is said."""
    copy_of(tmp_path, launcher)
    if "pyproject.toml" in launcher.files:
        (tmp_path / "pyproject.toml").write_text(
            '[project]\nname = "x"\nversion = "0"\ndependencies = ["torch"]\n'
        )
    document = shown(tmp_path, MACHINES[machine], "--dry-run")
    assert document["project"]["launcher"] == launcher.id
    assert document["steps"]


def test_torch_command_holds_the_whole_choice(shown, tmp_path):
    """A shell gives it to `python -m`, so that what is in it must come through two shells."""
    forge = next(each for each in launchers() if each.id == "forge")
    document = shown(copy_of(tmp_path, forge), LINUX)
    step = document["steps"][0]
    assert step["file"] == "webui-user.sh"
    name, _, value = shlex.split(step["command"])[1].partition("=")
    assert name == "TORCH_COMMAND"
    words = shlex.split(value)
    assert words[:2] == ["pip", "install"]
    assert [word.partition("==")[0] for word in words[2:4]] == ["torch", "torchvision"]
    assert words[-2] == "--extra-index-url"


def test_comfyui_is_installed_with_its_requirements(shown, tmp_path):
    """They name torch without a version."""
    comfyui = next(each for each in launchers() if each.id == "comfyui")
    (tmp_path / "custom_nodes" / "ComfyUI-Manager").mkdir(parents=True)
    steps = shown(copy_of(tmp_path, comfyui), LINUX)["steps"]
    assert steps[0]["command"] == "torchdoctor install .venv -r requirements.txt"
    assert "ComfyUI-Manager keeps torch" in steps[1]["text"]


def test_a_program_that_insists_on_its_torch_is_compared_with_the_machine(shown, tmp_path):
    """text-generation-webui asks for a letter, and installs cu128 for NVIDIA."""
    webui = next(each for each in launchers() if each.id == "text-generation-webui")
    steps = shown(copy_of(tmp_path, webui), MACHINES["windows-rtx-3060"])["steps"]
    assert steps[1]["command"] == "set GPU_CHOICE=A"
    assert "it takes cu128" in steps[2]["text"]
