"""A pyproject.toml is given its families, and keeps everything else as it was written."""

from __future__ import annotations

import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from packaging.version import Version

from tests.project.made import PLAIN
from torchdoctor.errors import UsageError
from torchdoctor.project.adopt import adopt_families
from torchdoctor.project.model import FamilyTables, Member
from torchdoctor.project.pyproject import read_pyproject
from torchdoctor.project.uv_edit import edit_uv_project

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

WHL = "https://download.pytorch.org/whl"


def family(variant, *, torch=">=2.9.0,<2.15", newest="2.14.1", below="2.15.0", section="extra"):
    """A family with torchvision as `torchdoctor project` makes it."""
    name = variant.replace(".", "-")
    members = (
        Member(name="torch", line=f"torch{torch}", reaches=Version(newest), stops_below=Version(below)),
        Member(name="torchvision", line="torchvision"),
    )
    return FamilyTables(
        variant=variant, section=section, name=name, index_name=f"pytorch-{name}",
        index_url=f"{WHL}/{variant}", members=members,
    )  # fmt: skip


@pytest.fixture
def edit(tmp_path):
    """Edits a text, checks that a second run has nothing to do, and gives the change and its values."""

    def run(text, *families):
        path = tmp_path / "pyproject.toml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        before = read_pyproject(tmp_path)
        change = edit_uv_project(before, adopt_families(before, families))
        path.write_bytes(change.after)
        again = read_pyproject(tmp_path)
        assert not edit_uv_project(again, adopt_families(again, families)).changes
        return change, again.document

    return run


def test_each_family_has_an_extra_a_source_and_an_index(edit):
    """And no two of them can be installed together."""
    _, document = edit(PLAIN, family("cpu"), family("cu126"))
    assert document["project"]["optional-dependencies"] == {
        "cpu": ["torch>=2.9.0,<2.15", "torchvision"],
        "cu126": ["torch>=2.9.0,<2.15", "torchvision"],
    }
    uv = document["tool"]["uv"]
    assert uv["conflicts"] == [[{"extra": "cpu"}, {"extra": "cu126"}]]
    assert uv["sources"]["torch"] == [
        {"index": "pytorch-cpu", "extra": "cpu"},
        {"index": "pytorch-cu126", "extra": "cu126"},
    ]
    assert uv["index"] == [
        {"name": "pytorch-cpu", "url": f"{WHL}/cpu", "explicit": True},
        {"name": "pytorch-cu126", "url": f"{WHL}/cu126", "explicit": True},
    ]


def test_every_line_stays(edit):
    """Comments, order and spelling: what is new is added."""
    change, _ = edit(PLAIN, family("cpu"), family("cu126"))
    after = change.after.decode().splitlines()
    assert [line for line in after if line in PLAIN.splitlines() and line] == [
        line for line in PLAIN.splitlines() if line
    ]


def test_windows_line_ends_stay(edit):
    """Every line has its own again."""
    change, _ = edit(PLAIN.replace("\n", "\r\n"), family("cpu"))
    assert change.after.count(b"\n") == change.after.count(b"\r\n")


def test_a_byte_order_mark_stays(edit):
    """Some editors of Windows write one."""
    change, _ = edit(b"\xef\xbb\xbf" + PLAIN.encode(), family("cpu"))
    assert change.after.startswith(b"\xef\xbb\xbf# what")


def test_one_family_conflicts_with_nothing(edit):
    """uv refuses a set of one."""
    _, document = edit(PLAIN, family("cpu"))
    assert "conflicts" not in document["tool"]["uv"]


def test_groups_take_the_place_of_extras(edit):
    """For a project whose extras are published."""
    _, document = edit(PLAIN, family("cpu", section="group"), family("cu126", section="group"))
    assert document["dependency-groups"]["cpu"] == ["torch>=2.9.0,<2.15", "torchvision"]
    assert document["tool"]["uv"]["sources"]["torch"][0] == {"index": "pytorch-cpu", "group": "cpu"}
    assert document["tool"]["uv"]["conflicts"] == [[{"group": "cpu"}, {"group": "cu126"}]]


def test_a_dotted_variant_has_a_plain_name(edit):
    """An extra is called rocm7-2 by every tool."""
    _, document = edit(PLAIN, family("rocm7.2"))
    assert "rocm7-2" in document["project"]["optional-dependencies"]


def test_a_second_machine_adds_its_family(edit, tmp_path):
    """The first one's stays."""
    change, _ = edit(PLAIN, family("cpu"))
    _, document = edit(change.after, family("cu126"))
    assert set(document["project"]["optional-dependencies"]) == {"cpu", "cu126"}
    assert document["tool"]["uv"]["conflicts"] == [[{"extra": "cpu"}, {"extra": "cu126"}]]
    assert len(document["tool"]["uv"]["sources"]["torch"]) == 2


def test_a_family_is_taken_under_the_name_that_it_has(edit):
    """A project that has an extra `cuda` for cu126 needs no second one."""
    text = PLAIN + (
        '[project.optional-dependencies]\ncuda = ["torch==2.9.1+cu126"]\n'
        '[tool.uv.sources]\ntorch = [{ index = "gpu", extra = "cuda" }]\n'
        f'[[tool.uv.index]]\nname = "gpu"\nurl = "{WHL}/cu126/"\nexplicit = true\n'
    )
    change, document = edit(text, family("cu126"), family("cpu"))
    assert document["project"]["optional-dependencies"]["cuda"] == ["torch==2.9.1+cu126"]
    assert "cu126" not in document["project"]["optional-dependencies"]
    assert document["tool"]["uv"]["conflicts"] == [[{"extra": "cpu"}, {"extra": "cuda"}]]
    assert "cuda" in "".join(change.notes)


def test_a_source_for_every_machine_is_replaced_and_said(edit):
    """uv takes no source without an extra beside those with one."""
    text = PLAIN + (
        '[tool.uv.sources]\ntorch = { index = "pytorch" }\nother = { path = "../other" }\n'
        f'[[tool.uv.index]]\nname = "pytorch"\nurl = "{WHL}/cu124"\nexplicit = true\n'
    )
    change, document = edit(text, family("cpu"), family("cu126"))
    assert [entry["extra"] for entry in document["tool"]["uv"]["sources"]["torch"]] == ["cpu", "cu126"]
    assert document["tool"]["uv"]["sources"]["other"] == {"path": "../other"}
    assert any("is replaced; without an extra it comes from PyPI" in note for note in change.notes)


def test_an_index_for_everything_serves_the_family_alone_afterwards(edit):
    """PyTorch's index has old copies of numpy, requests and others."""
    text = PLAIN + f'[[tool.uv.index]]\nurl = "{WHL}/cpu"\ndefault = true\n'
    change, document = edit(text, family("cpu"))
    assert document["tool"]["uv"]["index"] == [{"url": f"{WHL}/cpu", "explicit": True, "name": "pytorch-cpu"}]
    assert any("was asked for every package" in note for note in change.notes)


def test_a_mirror_that_the_project_names_stays(tmp_path):
    """Whoever runs it next need not know of it."""
    mirror = "https://mirror.nju.edu.cn/pytorch/whl/cpu"
    text = PLAIN + f'[[tool.uv.index]]\nname = "fast"\nurl = "{mirror}"\nexplicit = true\n'
    (tmp_path / "pyproject.toml").write_text(text, "utf-8")
    (adopted,) = adopt_families(read_pyproject(tmp_path), [family("cpu")], keep_mirrors=True)
    assert (adopted.index_name, adopted.index_url) == ("fast", mirror)


def test_another_index_of_the_same_name_stays(edit):
    """The family's has another name then."""
    text = PLAIN + '[[tool.uv.index]]\nname = "pytorch-cpu"\nurl = "https://example.org/simple"\n'
    _, document = edit(text, family("cpu"))
    names = [row["name"] for row in document["tool"]["uv"]["index"]]
    assert len(set(names)) == 2
    assert document["tool"]["uv"]["sources"]["torch"][0]["index"] == names[1]


def test_what_else_an_extra_has_stays(edit):
    """And a torch that is pinned there stays pinned."""
    text = PLAIN + '[project.optional-dependencies]\ncpu = [\n  "torch==2.9.1",  # the exam\n  "onnx",\n]\n'
    change, document = edit(text, family("cpu", newest="2.9.1"))
    assert document["project"]["optional-dependencies"]["cpu"] == ["torch==2.9.1", "onnx", "torchvision"]
    assert b"# the exam" in change.after


def test_a_range_that_misses_the_release_follows(edit):
    """And what it was is said."""
    first, _ = edit(PLAIN, family("cpu"))
    second, document = edit(first.after, family("cpu", torch=">=2.13.0", newest="2.15.0", below="2.16.0"))
    assert document["project"]["optional-dependencies"]["cpu"][0] == "torch>=2.13.0"
    assert any("torch>=2.9.0,<2.15 becomes torch>=2.13.0" in note for note in second.notes)


def test_a_range_that_admits_a_release_without_code_for_a_gpu_is_narrowed(edit):
    """uv would take the newest one."""
    text = PLAIN + '[project.optional-dependencies]\ncpu = ["torch>=2.4"]\n'
    _, document = edit(text, family("cpu"))
    assert document["project"]["optional-dependencies"]["cpu"][0] == "torch>=2.9.0,<2.15"


def test_a_range_of_the_users_that_does_is_left_alone(edit):
    """It is theirs."""
    text = PLAIN + '[project.optional-dependencies]\ncpu = ["torch>=2.4,<2.15"]\n'
    _, document = edit(text, family("cpu"))
    assert document["project"]["optional-dependencies"]["cpu"][0] == "torch>=2.4,<2.15"


GROUPS = """
[dependency-groups]
dev = ["pytest"]
pypi = ["torch>=2.7.1"]
cu126 = ["torch>=2.7.1,<2.15"]

[tool.uv]
default-groups = ["dev", "pypi"]
conflicts = [
  [
    { group = "pypi" },
    # { group = "cu124" },
    { group = "cu126" },
  ],
]

[tool.uv.sources]
torch = [
  { index = "all", group = "pypi" },
  # for later
  { index = "pytorch-cu126", group = "cu126", marker = "sys_platform == 'linux'" },
]

[[tool.uv.index]]
name = "all"
url = "https://pypi.org/simple"
explicit = true

[[tool.uv.index]]
name = "pytorch-cu126"
url = "https://download.pytorch.org/whl/cu126"
explicit = true
"""


def test_a_project_that_has_groups_gets_a_group(edit, tmp_path):
    """And the group that it installs by default is left out in the command."""
    change, document = edit(PLAIN + GROUPS, family("cu126"), family("cpu"))
    assert document["dependency-groups"]["cpu"] == ["torch>=2.9.0,<2.15", "torchvision"]
    assert "optional-dependencies" not in document["project"]
    assert document["tool"]["uv"]["conflicts"] == [[{"group": name} for name in ("cpu", "cu126", "pypi")]]
    assert b"# for later" in change.after
    assert b"sys_platform == 'linux'" in change.after
    adopted = adopt_families(read_pyproject(tmp_path), [family("cu126")])
    assert adopted[0].sync_command == "uv sync --no-group pypi --group cu126"


def test_an_extra_that_brings_torch_without_a_source_conflicts_too(edit):
    """`mps` is PyPI's torch, and a part of the project's own set."""
    text = PLAIN + (
        '[project.optional-dependencies]\ncpu = ["torch<2.15"]\nmps = ["torch<2.15"]\n'
        '[tool.uv]\nconflicts = [[{ extra = "cpu" }, { extra = "mps" }]]\n'
        '[tool.uv.sources]\ntorch = [{ index = "pytorch-cpu", extra = "cpu" }]\n'
        f'[[tool.uv.index]]\nname = "pytorch-cpu"\nurl = "{WHL}/cpu"\nexplicit = true\n'
    )
    _, document = edit(text, family("cpu"), family("cu126"))
    assert document["tool"]["uv"]["conflicts"] == [[{"extra": name} for name in ("cpu", "cu126", "mps")]]


def test_other_conflicts_stay(edit):
    """Ours is a set of its own."""
    text = PLAIN + '[tool.uv]\nconflicts = [\n  [{ extra = "docs" }, { extra = "lint" }],\n]\n'
    _, document = edit(text, family("cpu"), family("cu126"))
    assert document["tool"]["uv"]["conflicts"] == [
        [{"extra": "docs"}, {"extra": "lint"}],
        [{"extra": "cpu"}, {"extra": "cu126"}],
    ]


@pytest.mark.parametrize(
    "source", ['{ git = "https://github.com/me/torch" }', '{ path = "../torch" }', "{ workspace = true }"]
)
def test_a_torch_of_ones_own_is_not_touched(edit, source):
    """Whoever builds torch says so, and is asked to decide."""
    with pytest.raises(UsageError, match="from its own place") as caught:
        edit(PLAIN + f"[tool.uv.sources]\ntorch = {source}\n", family("cpu"))
    assert caught.value.code == "conflicting-source"


def test_a_file_without_a_project_is_refused(edit):
    """uv would not know what to sync."""
    with pytest.raises(UsageError, match=r"no table \[project\]"):
        edit("[tool.ruff]\nline-length = 100\n", family("cpu"))


def test_a_uv_toml_beside_it_is_refused(edit, tmp_path):
    """It hides the indexes of pyproject.toml."""
    (tmp_path / "uv.toml").write_text("")
    with pytest.raises(UsageError, match="makes uv ignore"):
        edit(PLAIN, family("cpu"))


def test_a_layout_that_cannot_be_edited_is_shown_instead(edit):
    """Nothing is written that would mean something else; what to add stands in the message."""
    text = '[project]\nname = "x"\nversion = "0"\n[tool]\nuv.sources.other = { path = "o" }\n'
    with pytest.raises(UsageError, match="laid out so that it cannot be changed safely") as caught:
        edit(text, family("cpu"))
    assert 'name = "pytorch-cpu"' in caught.value.fix


HEADERS = st.sampled_from([
    '[project.scripts]\nrun = "a:b"\n', '[project.optional-dependencies]\ndev = ["pytest"]  # tests\n',
    '[tool.uv]\ndev-dependencies = ["ruff"]\n', '[tool.uv.sources]\nmine = { path = "m" }\n',
    '[[tool.uv.index]]\nname = "mine"\nurl = "https://example.org/simple"\n', "[tool.ruff]\nline-length = 99\n",
    '[dependency-groups]\nlint = ["ruff"]\n', "# a remark\n", '[tool.other]\ntext = """\n[tool.uv]\n"""\n',
    '[build-system]\nrequires = ["hatchling"]\n',
])  # fmt: skip


@settings(max_examples=40)
@given(st.lists(HEADERS, unique=True, max_size=6), st.sampled_from(["\n", "\r\n"]), st.booleans())
def test_whatever_the_order_of_tables_the_rest_is_as_it_was(tmp_path_factory, blocks, newline, first):
    """Tables may stand in any order, and ours find their place or are refused."""
    project = '[project]\nname = "x"\nversion = "0"\ndependencies = ["torch"]\n'
    text = "\n".join([project, *blocks] if first else [*blocks, project])
    folder = tmp_path_factory.mktemp("project")
    (folder / "pyproject.toml").write_bytes(text.replace("\n", newline).encode())
    before = read_pyproject(folder)
    change = edit_uv_project(before, adopt_families(before, [family("cpu"), family("cu126")]))
    after = tomllib.loads(change.after.decode().replace(newline, "\n"))
    for block in blocks:
        if block.startswith("#"):
            assert block.strip().encode() in change.after
    assert after["tool"]["uv"]["conflicts"] == [[{"extra": "cpu"}, {"extra": "cu126"}]]
    assert after.get("build-system") == before.document.get("build-system")
    assert after["project"]["dependencies"] == ["torch"]
    (folder / "pyproject.toml").write_bytes(change.after)
    again = read_pyproject(folder)
    assert not edit_uv_project(again, adopt_families(again, [family("cpu"), family("cu126")])).changes
