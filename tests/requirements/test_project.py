"""Projects: what their files say that they need."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from torchdoctor.errors import NotConfirmed, UsageError

if TYPE_CHECKING:
    from tests.requirements.conftest import Reader

PROJECT = """
[project]
name = "My_Project"
requires-python = ">=3.10"
dependencies = ["torch>=2.1", "timm"]
[project.optional-dependencies]
dev = ["my-project[docs]", "pytest"]
docs = ["sphinx ; python_version >= '3.11'"]
[dependency-groups]
lint = ["ruff", { include-group = "types" }]
types = ["mypy"]
"""


def project_lines(reader: Reader, extras: str = "") -> list[str]:
    stack = reader.read(projects=(f".{extras}",))
    return [each.line for each in stack.requirements]


def test_dependencies_of_a_project_are_asked_for(reader: Reader) -> None:
    """A project asks for its dependencies, and for no extra that was not named."""
    reader.write({"pyproject.toml": PROJECT})
    stack = reader.read(projects=(".",))
    assert [each.line for each in stack.requirements] == ["torch>=2.1", "timm"]
    assert [each.line for each in stack.pythons] == ["python>=3.10"]
    assert {each.origin for each in stack.requirements} == {"pyproject.toml"}


def test_extras_and_groups_are_asked_for_by_name(reader: Reader) -> None:
    """`DIR[a,b]` adds extras and groups, and those that they include."""
    reader.write({"pyproject.toml": PROJECT})
    assert project_lines(reader, "[dev]")[2:] == ['sphinx; python_version >= "3.11"', "pytest"]
    assert project_lines(reader, "[Lint]")[2:] == ["ruff", "mypy"]


def test_an_unknown_extra_is_refused_with_those_that_there_are(reader: Reader) -> None:
    """A misspelt extra is an error that lists the others."""
    reader.write({"pyproject.toml": PROJECT})
    with pytest.raises(UsageError, match="'gpu'") as caught:
        project_lines(reader, "[gpu]")
    assert "dev, docs, lint, types" in caught.value.fix


def test_extras_that_name_each_other_end(reader: Reader) -> None:
    """Two extras that include each other are read once."""
    reader.write(
        {
            "pyproject.toml": '[project]\nname = "x"\ndependencies = []\n'
            '[project.optional-dependencies]\na = ["x[b]", "timm"]\nb = ["x[a]", "einops"]\n'
        }
    )
    assert set(project_lines(reader, "[a]")) == {"timm", "einops"}


def test_a_group_that_includes_itself_is_refused(reader: Reader) -> None:
    """A cycle of groups is an error and no endless loop."""
    reader.write(
        {
            "pyproject.toml": '[project]\nname = "x"\ndependencies = ["timm"]\n'
            '[dependency-groups]\na = [{ include-group = "b" }]\nb = [{ include-group = "a" }]\n'
        }
    )
    with pytest.raises(UsageError, match="includes itself"):
        project_lines(reader)


def test_where_torch_is_an_extra_that_is_said(reader: Reader) -> None:
    """A project with torch in extras alone is read, and the note names them."""
    reader.write(
        {
            "pyproject.toml": '[project]\nname = "x"\ndependencies = ["timm"]\n'
            '[project.optional-dependencies]\ncpu = ["torch==2.9.1"]\ngpu = ["torch==2.9.1"]\n'
        }
    )
    (note,) = reader.read(projects=(".",)).notes
    assert "torch is only in cpu, gpu" in note


UV = """
[project]
name = "x"
dependencies = ["torch", "clip", "helper", "flashy"]
[tool.uv]
constraint-dependencies = ["numpy<2"]
override-dependencies = ["protobuf>=5"]
[tool.uv.sources]
torch = [{ index = "pytorch", extra = "gpu" }]
clip = { git = "https://github.com/openai/CLIP.git", rev = "abc" }
helper = { path = "helper" }
flashy = { index = "flash" }
[[tool.uv.index]]
name = "pytorch"
url = "https://download.pytorch.org/whl/cu128"
explicit = true
[[tool.uv.index]]
name = "flash"
url = "https://flash.example.org/simple"
explicit = true
[[tool.uv.index]]
name = "unused"
url = "https://unused.example.org/simple"
explicit = true
"""


def test_the_sources_of_uv_are_followed_and_those_of_torch_replaced(reader: Reader) -> None:
    """`[tool.uv.sources]` gives places and indexes; the index of torch is chosen for the machine."""
    helper = '[project]\nname = "helper"\ndependencies = ["einops"]\n'
    reader.write({"pyproject.toml": UV, "helper/pyproject.toml": helper})
    stack = reader.read(projects=(".",))
    assert [each.line for each in stack.requirements] == [
        "torch",
        "clip @ git+https://github.com/openai/CLIP.git@abc",
        "flashy",
        "einops",
    ]
    assert [each.line for each in stack.constraints] == ["numpy<2"]
    assert stack.overrides == ("protobuf>=5",)
    assert stack.indexes == ("https://flash.example.org/simple",)
    assert [question for question in reader.questions if "unused" in question] == []
    assert any("download.pytorch.org/whl/cu128 is replaced" in note for note in stack.notes)


def test_a_project_may_need_nothing(reader: Reader) -> None:
    """`[project]` without dependencies says so; nothing is run to learn more."""
    reader.write({"pyproject.toml": '[project]\nname = "x"\n', "setup.py": "raise SystemExit\n"})
    assert reader.read(projects=(".",)).requirements == ()
    assert reader.questions == []


def test_a_uv_toml_stands_for_the_settings_beside_it(reader: Reader) -> None:
    """As uv reads them: what pyproject.toml says in `[tool.uv]` does not count then, but for the sources."""
    settings = (
        'constraint-dependencies = ["numpy<3"]\nfind-links = ["wheels", "https://links.example.org/"]\n'
        '[[index]]\nurl = "https://company.example.org/simple"\n'
    )
    reader.write(
        {"pyproject.toml": UV, "uv.toml": settings, "helper/pyproject.toml": '[project]\nname="helper"\n'}
    )
    stack = reader.read(projects=(".",))
    assert [each.line for each in stack.constraints] == ["numpy<3"]
    assert stack.indexes == ("https://company.example.org/simple",)
    assert [link.rpartition("/")[2] or link for link in stack.find_links] == [
        "wheels",
        "https://links.example.org/",
    ]
    assert "clip @ git+https://github.com/openai/CLIP.git@abc" in [each.line for each in stack.requirements]
    assert any("uv.toml" in question for question in reader.questions)


POETRY = """
[tool.poetry]
name = "x"
[tool.poetry.dependencies]
python = "^3.9"
torch = { version = "^2.1", source = "pytorch" }
timm = [{ version = "~1.0", python = ">=3.10" }, { version = "0.9.*", python = "<3.10" }]
flash = { version = "*", optional = true }
odd = ">=1,<2 || >=3"
[tool.poetry.extras]
fast = ["flash"]
[tool.poetry.group.dev.dependencies]
pytest = "*"
[[tool.poetry.source]]
name = "pytorch"
url = "https://download.pytorch.org/whl/cu121"
priority = "explicit"
"""


def test_a_project_of_poetry_is_read(reader: Reader) -> None:
    """Poetry's ranges become those of PEP 508, and what has no such form is said."""
    reader.write({"pyproject.toml": POETRY})
    stack = reader.read(projects=(".[fast,dev]",))
    assert [each.line for each in stack.requirements] == [
        "torch<3.0,>=2.1",
        'timm<1.1,>=1.0; python_version >= "3.10"',
        'timm==0.9.*; python_version < "3.10"',
        "odd>=3",
        "flash",
        "pytest",
    ]
    assert [each.line for each in stack.pythons] == ["python<4.0,>=3.9"]
    assert any("odd >=1,<2 || >=3" in note for note in stack.notes)
    assert any("whl/cu121 is replaced" in note for note in stack.notes)


def test_setup_cfg_is_read(reader: Reader) -> None:
    """`[options]` of setup.cfg says what is needed, also by naming files."""
    reader.write(
        {
            "setup.cfg": "[options]\npython_requires = >=3.9\ninstall_requires =\n  timm\n  torch>=2\n"
            "[options.extras_require]\ndev = file: dev.txt\n",
            "dev.txt": "pytest\n",
        }
    )
    assert project_lines(reader, "[dev]") == ["timm", "torch>=2", "pytest"]


def test_a_setup_py_that_lists_its_requirements_is_not_run(reader: Reader) -> None:
    """Lists that are written out are read from the text, so nobody is asked."""
    reader.write(
        {
            "setup.py": "from setuptools import setup\nimport torch\nREQUIRES = ['timm', 'torch>=2']\n"
            "setup(name='x', install_requires=REQUIRES, extras_require={'dev': ['pytest']})\n"
        }
    )
    assert project_lines(reader, "[dev]") == ["timm", "torch>=2", "pytest"]
    assert reader.questions == []


@pytest.mark.parametrize(
    "text",
    [
        "REQUIRES = ['timm']\nREQUIRES.append('torch')\nsetup(install_requires=REQUIRES)\n",
        "setup(install_requires=open('r.txt').read().split())\n",
        "setup(**options)\n",
    ],
)
def test_a_setup_py_that_computes_needs_consent_to_run(reader: Reader, text: str) -> None:
    """What only running the file tells is asked for, and its metadata is then read."""
    reader.write({"setup.py": text})
    reader.metadata = (
        "Metadata-Version: 2.1\nName: x\nVersion: 1\nRequires-Dist: timm\nProvides-Extra: dev\n"
        'Requires-Dist: pytest; (os_name == "nt") and extra == "dev"\n'
    )
    assert project_lines(reader, "[dev]") == ["timm", 'pytest; os_name == "nt"']
    assert "setup.py" in reader.questions[0]
    reader.answer = False
    with pytest.raises(NotConfirmed, match=r"setup\.py"):
        project_lines(reader)


def test_a_project_without_requirements_of_its_own_has_a_file_of_them(reader: Reader) -> None:
    """Where only requirements.txt says it, that is read and said, and no code runs."""
    reader.write(
        {
            "pyproject.toml": '[project]\nname = "x"\nversion = "1"\n',
            "setup.py": "setup(install_requires=open('requirements.txt').read())",
            "requirements.txt": "timm\n",
        }
    )
    stack = reader.read(projects=(".",))
    assert [each.line for each in stack.requirements] == ["timm"]
    assert "requirements.txt is read" in stack.notes[0]
    assert reader.questions == []


def test_a_folder_without_a_project_is_refused(reader: Reader) -> None:
    """A folder that says nothing is an error that names the other way."""
    with pytest.raises(UsageError, match="nothing there says") as caught:
        reader.read(projects=(".",))
    assert "-r FILE" in caught.value.fix


LOCK = """
version = 1
[[package]]
name = "x"
source = { editable = "." }
[[package]]
name = "torch"
version = "2.9.1+cu128"
source = { registry = "https://download.pytorch.org/whl/cu128" }
[[package]]
name = "torch"
version = "2.9.1"
source = { registry = "https://pypi.org/simple" }
[[package]]
name = "numpy"
version = "1.26.4"
source = { registry = "https://pypi.org/simple" }
resolution-markers = ["python_full_version < '3.12'"]
[[package]]
name = "numpy"
version = "2.3.0"
source = { registry = "https://pypi.org/simple" }
resolution-markers = ["python_full_version >= '3.12'"]
[[package]]
name = "clip"
version = "1.0"
source = { git = "https://github.com/openai/CLIP.git" }
"""


def test_the_lock_of_a_project_gives_its_versions(reader: Reader) -> None:
    """uv.lock pins the release of torch, and its other versions are preferred where their markers hold."""
    reader.write({"pyproject.toml": PROJECT, "uv.lock": LOCK})
    stack = reader.read(projects=(".",))
    assert [each.line for each in stack.constraints] == ["torch==2.9.1"]
    assert [each.line for each in stack.preferred] == [
        'numpy==1.26.4 ; python_full_version < "3.12"',
        'numpy==2.3.0 ; python_full_version >= "3.12"',
    ]
    assert "uv.lock" in stack.notes[-1]


def test_toml_that_is_none_is_named(reader: Reader) -> None:
    """The error of a broken pyproject.toml names the file and the line."""
    reader.write({"pyproject.toml": "[project\n"})
    with pytest.raises(UsageError, match=r"^pyproject.toml: it is not TOML: .*line 1"):
        reader.read(projects=(".",))
