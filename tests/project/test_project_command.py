"""`torchdoctor project`: what it shows, what it writes, and what it refuses."""

from __future__ import annotations

import json
import os
import stat

import pytest

from tests.project.made import MACHINES, PLAIN

# A machine of its own in each test would be detected, which takes programs; families are named instead.
NAMED = ("--variant", "cpu", "--variant", "cu126")


@pytest.fixture
def folder(tmp_path):
    """A folder with a project of uv."""
    made = tmp_path / "work" / "course"
    made.mkdir(parents=True)
    (made / "pyproject.toml").write_text(PLAIN, "utf-8")
    return made


@pytest.fixture
def laptops(tmp_path):
    """A folder with a file for each machine."""
    made = tmp_path / "laptops"
    made.mkdir()
    for name, machine in MACHINES.items():
        (made / f"{name}.json").write_text(json.dumps({"machine": machine.to_json()}), "utf-8")
    return made


def test_nothing_is_written_without_consent(in_process, folder):
    """Nobody can be asked here."""
    ran = in_process("project", folder, *NAMED)
    assert (ran.status, (folder / "pyproject.toml").read_text("utf-8")) == (5, PLAIN)
    assert "+cu126 = [" in ran.out
    assert "needs consent" in ran.err


def test_yes_writes_it_and_keeps_the_old_one(in_process, folder):
    """And a second run has nothing to do."""
    ran = in_process("project", folder, *NAMED, "--yes")
    assert ran.status == 0, ran.err
    assert (folder / "pyproject.toml.bak").read_text("utf-8") == PLAIN
    assert "cu126" in (folder / "pyproject.toml").read_text("utf-8")
    again = in_process("project", folder, *NAMED, "--yes")
    assert "has all of this already" in again.err
    assert not (folder / "pyproject.toml.bak2").exists()


def test_an_earlier_backup_is_kept(in_process, folder):
    """It may be the only one of what the user had."""
    (folder / "pyproject.toml.bak").write_text("mine", "utf-8")
    assert in_process("project", folder, *NAMED, "--yes").status == 0
    assert (folder / "pyproject.toml.bak").read_text("utf-8") == "mine"
    assert (folder / "pyproject.toml.bak2").read_text("utf-8") == PLAIN


def test_dry_run_shows_the_change(in_process, folder):
    """As `diff -u` does."""
    ran = in_process("project", folder, *NAMED, "--dry-run")
    assert ran.status == 0
    assert "+++ pyproject.toml" in ran.out
    assert (folder / "pyproject.toml").read_text("utf-8") == PLAIN


def test_check_is_for_ci(in_process, folder):
    """Status 1 until the project has its families."""
    assert in_process("project", folder, *NAMED, "--check").status == 1
    assert in_process("project", folder, *NAMED, "--yes").status == 0
    assert in_process("project", folder, *NAMED, "--check").status == 0


def test_the_json_says_the_same(in_process, folder):
    """Families, files with their diff, and what was written."""
    document = in_process("project", folder, *NAMED, "--yes", "--json").json
    assert [family["name"] for family in document["families"]] == ["cu126", "cpu"]
    assert document["written"] == [
        {"path": str(folder / "pyproject.toml"), "backup": str(folder / "pyproject.toml.bak")}
    ]
    assert "+conflicts" in document["files"][0]["diff"]


def test_a_class_of_laptops(in_process, folder, laptops):
    """Which takes which extra, and who needs a newer driver."""
    ran = in_process("project", folder, "--machines", laptops, "--json", "--dry-run")
    assert ran.status == 0, ran.out
    machines = {row["name"]: row["command"] for row in ran.json["machines"]}
    assert machines["windows-rtx-3060"] == machines["linux-rtx-5090"] == "uv sync --extra cu128"
    assert machines["mac-m3"] == machines["linux-plain"] == "uv sync --extra cpu"
    assert machines["linux-rx-7900"].startswith("uv sync --extra rocm7-")
    assert ran.json["newer"]["torch"] == "2.14.1"
    assert len(ran.json["newer"]["variants"]) == 1 + len(ran.json["families"])
    (idle,) = ran.json["drivers"]["unused_gpus"]
    assert (idle["machine"], idle["needs"]) == ("old-driver", "528.33")


def test_the_matrix_is_yaml_with_a_row_for_each_system_and_family(in_process, folder, laptops):
    """GitHub's runners have no GPU."""
    import yaml

    document = in_process("project", folder, "--machines", laptops, "--json", "--dry-run").json
    rows = yaml.safe_load(document["matrix"])["jobs"]["test"]["strategy"]["matrix"]["include"]
    assert {"runner": "macos-latest", "python": "3.12", "family": "--extra cpu"} in rows
    assert {"runner": ["self-hosted", "windows", "gpu"], "python": "3.12", "family": "--extra cu128"} in rows


def test_one_machine_that_nothing_serves_is_named(in_process, folder, laptops):
    """The others get their families."""
    musl = MACHINES["linux-plain"].to_json() | {"libc": {"name": "musl", "version": "1.2"}}
    (laptops / "alpine.json").write_text(json.dumps(musl), "utf-8")
    ran = in_process("project", folder, "--machines", laptops, "--dry-run")
    assert ran.status == 0
    assert "no build: alpine: no torch wheel is built for musl" in ran.out


def test_what_the_project_pins_is_respected(in_process, folder):
    """The extras name torch without a version then, and the families are those of that release."""
    path = folder / "pyproject.toml"
    path.write_text(PLAIN.replace('"torch"', '"torch==2.9.1"'), "utf-8")
    document = in_process("project", folder, "--machine", "-", "--json", "--dry-run")
    assert document.status == 2  # there is nothing on standard input
    (folder / "m.json").write_text(json.dumps(MACHINES["linux-rtx-5090"].to_json()), "utf-8")
    (family,) = in_process("project", folder, "--machine", folder / "m.json", "--json", "--dry-run").json[
        "families"
    ]
    assert (family["torch"], family["variant"], family["requirements"][0]) == ("2.9.1", "cu130", "torch")


def test_a_pin_of_an_extra_is_respected_until_torch_is_asked_for(in_process, folder):
    """The machine takes the family that the project has, in the release that it admits."""
    (folder / "m.json").write_text(json.dumps(MACHINES["linux-rtx-5090"].to_json()), "utf-8")
    assert (
        in_process(
            "project", folder, "--variant", "cpu", "--variant", "cu128", "--torch", "2.9", "--yes"
        ).status
        == 0
    )
    path = folder / "pyproject.toml"
    path.write_text(path.read_text("utf-8").replace("torch>=2.9.0,<2.10", "torch==2.9.0"), "utf-8")
    document = in_process("project", folder, "--machine", folder / "m.json", "--json", "--check").json
    assert [(row["variant"], row["torch"]) for row in document["families"]] == [("cu128", "2.9.0")]
    assert not document["files"][0]["changes"]
    newer = in_process(
        "project", folder, "--machine", folder / "m.json", "--torch", "2.15", "--json", "--dry-run"
    ).json
    assert [(row["variant"], row["torch"]) for row in newer["families"]] == [("cu132", "2.15.0")]


def test_a_marker_of_the_project_counts_for_its_machine_alone(in_process, folder):
    """`torch<2.8` on a Mac holds no Linux machine back."""
    path = folder / "pyproject.toml"
    path.write_text(PLAIN.replace('"torch"', "\"torch<2.8; sys_platform == 'darwin'\""), "utf-8")
    (folder / "m.json").write_text(json.dumps(MACHINES["linux-plain"].to_json()), "utf-8")
    (family,) = in_process("project", folder, "--machine", folder / "m.json", "--json", "--dry-run").json[
        "families"
    ]
    assert family["torch"] == "2.15.0"


def test_companions_of_the_project_come_from_the_family_too(in_process, folder):
    """Also one that is only in uv.lock, and a compiled one that PyTorch's index builds."""
    path = folder / "pyproject.toml"
    path.write_text(PLAIN.replace('"timm>=1"', '"torchcodec"'), "utf-8")
    (folder / "uv.lock").write_text(
        'version = 1\n\n[[package]]\nname = "torchvision"\nversion = "0.28.0"\n', "utf-8"
    )
    document = in_process("project", folder, *NAMED, "--json", "--dry-run").json
    for family in document["families"]:
        assert [line.partition(">")[0] for line in family["requirements"]] == [
            "torch",
            "torchvision",
            "torchcodec",
        ]


def test_a_compiled_companion_that_was_not_seen_for_a_family_is_said(in_process, folder):
    """A source for what an index does not have would keep uv from locking."""
    path = folder / "pyproject.toml"
    path.write_text(PLAIN.replace('"timm>=1"', '"xformers"'), "utf-8")
    document = in_process("project", folder, "--variant", "cu132", "--json", "--dry-run").json
    assert document["families"][0]["requirements"][1:] == []
    assert any("xformers" in text and "left to PyPI" in text for text in document["warnings"])


def test_the_python_of_the_project_decides(in_process, folder):
    """`.python-version` is what uv takes on each machine."""
    (folder / ".python-version").write_text("3.9\n", "utf-8")
    (folder / "m.json").write_text(json.dumps(MACHINES["linux-plain"].to_json()), "utf-8")
    (family,) = in_process("project", folder, "--machine", folder / "m.json", "--json", "--dry-run").json[
        "families"
    ]
    assert family["torch"] == "2.8.0"


def test_a_mirror_can_be_named(in_process, folder):
    """For a class in a place where the official index is slow."""
    ran = in_process("project", folder, *NAMED, "--mirror", "nju", "--dry-run")
    assert "https://mirror.nju.edu.cn/pytorch/whl/cu126" in ran.out


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"[project\nname = 1\n", "line 1, column"),
        (b"\xff\xfe\x00", "is not UTF-8"),
        (b"# " + b"x" * (1 << 20), "larger than 1 MiB"),
        (b"[tool.ruff]\n", "no table [project]"),
        (b'[project]\nname = "x"\nname = "y"\n', "line 3"),
    ],
    ids=["broken", "utf-16", "huge", "no-project", "twice"],
)
def test_a_file_that_cannot_be_used_is_named(in_process, folder, content, said):
    """With line and column where it is not TOML; and it stays as it is."""
    path = folder / "pyproject.toml"
    path.write_bytes(content)
    ran = in_process("project", folder, *NAMED, "--yes", "--json")
    assert (ran.status, path.read_bytes()) == (2, content)
    assert said in ran.json["error"]["message"]
    assert ran.json["error"]["fix"]


def test_a_folder_without_a_project_is_refused(in_process, tmp_path):
    """And what would make one is said."""
    ran = in_process("project", tmp_path, *NAMED, "--json")
    assert (ran.status, ran.json["error"]["kind"]) == (2, "no-project")
    assert "uv init" in ran.json["error"]["fix"]


def test_a_read_only_file_stays(in_process, folder):
    """Also for an administrator, whom the system would let write it."""
    path = folder / "pyproject.toml"
    path.chmod(0o444)
    ran = in_process("project", folder, *NAMED, "--yes", "--json")
    assert (ran.status, ran.json["error"]["kind"]) == (2, "read-only")
    assert path.read_text("utf-8") == PLAIN


def test_a_link_stays_a_link(in_process, folder, tmp_path):
    """The file that it names is changed, and its permissions stay."""
    real = tmp_path / "real.toml"
    (folder / "pyproject.toml").rename(real)
    real.chmod(0o640)
    (folder / "pyproject.toml").symlink_to(real)
    assert in_process("project", folder, *NAMED, "--yes").status == 0
    assert (folder / "pyproject.toml").is_symlink()
    assert "cu126" in real.read_text("utf-8")
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


def test_a_link_to_nothing_is_refused(in_process, folder):
    """It is no file to add to."""
    path = folder / "pyproject.toml"
    path.unlink()
    path.symlink_to(folder / "nowhere")
    assert in_process("project", folder, *NAMED, "--yes").status == 2


def test_a_change_by_somebody_else_is_not_overwritten(folder):
    """An editor may have saved the file while the question stood there."""
    from torchdoctor.errors import UsageError
    from torchdoctor.project import ProjectChange, write_change

    path = folder / "pyproject.toml"
    change = ProjectChange(path=path, before=b"older", after=b"new")
    with pytest.raises(UsageError, match="changed meanwhile"):
        write_change(change)
    assert path.read_text("utf-8") == PLAIN


def test_control_characters_of_a_file_do_not_reach_the_terminal(in_process, folder):
    """Comments may hold anything that TOML admits."""
    path = folder / "pyproject.toml"
    path.write_text(f"{PLAIN}# \u202eright to left\n", "utf-8")
    assert "\u202e" not in in_process("project", folder, *NAMED, "--dry-run").out


@pytest.mark.parametrize(
    "options",
    [
        ("--machines", "nowhere"),
        ("--machine", "nowhere.json"),
        ("--variant", "cu1"),
        ("--mirror", "auto"),
        ("--mirror", "nju", "--index-url", "https://example.org/whl"),
        ("--with", "not a name"),
        ("--with", "./folder"),
    ],
)
def test_options_that_cannot_be_meant_are_refused(in_process, folder, options):
    """Wrong usage, and what to write instead."""
    ran = in_process("project", folder, *options, "--json")
    assert ran.status == 2, ran.out
    assert ran.json["error"]["fix"]


def test_a_file_that_is_no_machine_is_named(in_process, folder, laptops):
    """Among sixty, which one it is."""
    (laptops / "notes.json").write_text("[]", "utf-8")
    ran = in_process("project", folder, "--machines", laptops, "--json")
    assert ran.status == 2
    assert "notes.json" in ran.json["error"]["message"]


def test_a_variant_that_no_release_has_is_no_solution(in_process, folder):
    """cu199 could be a name, and nothing is built for it."""
    assert in_process("project", folder, "--variant", "cu199", "--json").status == 3


def test_dynamic_extras_become_groups(in_process, folder):
    """The build backend writes the extras of such a project."""
    path = folder / "pyproject.toml"
    path.write_text(
        PLAIN.replace('version = "0.1"', 'version = "0.1"\ndynamic = ["optional-dependencies"]'), "utf-8"
    )
    document = in_process("project", folder, *NAMED, "--json", "--dry-run").json
    assert {family["section"] for family in document["families"]} == {"group"}
    assert any("dependency groups" in text for text in document["warnings"])


def test_a_python_without_any_build_is_warned_of(in_process, folder):
    """uv solves for every Python that the project admits."""
    path = folder / "pyproject.toml"
    path.write_text(PLAIN.replace('version = "0.1"', 'version = "0.1"\nrequires-python = ">=3.8"'), "utf-8")
    document = in_process("project", folder, *NAMED, "--torch", ">=2.9", "--json", "--dry-run").json
    assert any("admits Python 3.8" in text for text in document["warnings"])


@pytest.mark.skipif(os.name == "nt", reason="a test of text")
def test_chinese_is_shown(in_process, folder):
    """Every sentence has its translation."""
    ran = in_process("--lang", "zh", "project", folder, *NAMED, "--dry-run")
    assert "没有写入任何内容" in ran.err
