"""Requirement files, and the files that they name."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from torchdoctor.errors import NotConfirmed, UsageError

if TYPE_CHECKING:
    from tests.requirements.conftest import Reader


def lines(asked: object) -> list[str]:
    return [each.line for each in asked]  # type: ignore[attr-defined]


def test_requirements_of_nested_files_are_read(reader: Reader) -> None:
    """A file and the files that it names are one request, each beside the file that names it."""
    reader.write(
        {
            "requirements.txt": "-r more/base.txt\ntimm>=1.0\n",
            "more/base.txt": "-c limits.txt\nEinOps[x]==0.8.*\n",
            "more/limits.txt": "numpy<2\n",
        }
    )
    stack = reader.read("requirements.txt")
    assert lines(stack.requirements) == ["einops[x]==0.8.*", "timm>=1.0"]
    assert lines(stack.constraints) == ["numpy<2"]
    assert [each.origin for each in stack.requirements] == ["more/base.txt:2", "requirements.txt:2"]


def test_what_a_constraints_file_names_is_a_constraint(reader: Reader) -> None:
    """`-r` inside a file of constraints names more constraints."""
    reader.write({"limits.txt": "-r more.txt\n", "more.txt": "numpy<2\n"})
    stack = reader.read(constraints=("limits.txt",))
    assert lines(stack.constraints) == ["numpy<2"]
    assert not stack.requirements


def test_continued_lines_and_hashes_are_joined(reader: Reader) -> None:
    """The hashes after a backslash belong to the requirement before it."""
    reader.write(
        {
            "requirements.txt": 'einops==0.8.1 ; os_name == "nt" \\\n  --hash=sha256:aa \\\n  --hash=sha256:bb\n'
        }
    )
    stack = reader.read("requirements.txt")
    assert lines(stack.requirements) == ['einops==0.8.1; os_name == "nt"']
    assert stack.requirements[0].hashes == ("sha256:aa", "sha256:bb")


def test_a_variable_in_a_line_is_replaced(reader: Reader) -> None:
    """`${NAME}` is the value of a variable, and stays where there is none."""
    reader.environ["WANTED"] = "timm"
    reader.write({"requirements.txt": "${WANTED}==1.0\n"})
    assert lines(reader.read("requirements.txt").requirements) == ["timm==1.0"]


@pytest.mark.parametrize(
    ("text", "position"),
    [
        ("numpy\nfoo bar==1\n", "2:5"),
        ("numpy\n\n  foo bar==1\n", "3:7"),
        ("numpy ; \\\n  python_version ! '3'\n", "2:18"),
        ("numpy --bogus\n", "1:7"),
        ("-r\n", "1:1"),
        ("numpy\nwant 'this'\n", "2:6"),
    ],
)
def test_a_line_that_is_none_is_named_to_the_column(reader: Reader, text: str, position: str) -> None:
    """The error names file, line and column of what is wrong, also after a backslash."""
    reader.write({"requirements.txt": text})
    with pytest.raises(UsageError, match=f"^requirements.txt:{position}: ") as caught:
        reader.read("requirements.txt")
    assert caught.value.code == "requirements-line"


def test_a_cycle_is_refused_with_its_files(reader: Reader) -> None:
    """Two files that name each other are an error that shows the way round."""
    reader.write({"a.txt": "-r b.txt\n", "b.txt": "-c a.txt\n"})
    with pytest.raises(UsageError, match=r"^b.txt:1: .*a.txt -> .*b.txt -> .*a.txt") as caught:
        reader.read("a.txt")
    assert caught.value.code == "requirements-cycle"


def test_a_file_named_twice_is_read(reader: Reader) -> None:
    """Two files may name the same third one."""
    reader.write({"a.txt": "-r c.txt\n-r b.txt\n", "b.txt": "-r c.txt\n", "c.txt": "timm\n"})
    assert lines(reader.read("a.txt").requirements) == ["timm"]


def test_a_file_in_the_encoding_of_powershell_is_read(reader: Reader) -> None:
    """`pip freeze > requirements.txt` in Windows PowerShell writes UTF-16."""
    (reader.folder / "requirements.txt").write_text("timm==1.0\r\n", "utf-16")
    assert lines(reader.read("requirements.txt").requirements) == ["timm==1.0"]


def test_bytes_that_are_no_text_are_refused(reader: Reader) -> None:
    """A file that is no text is an error and no traceback."""
    (reader.folder / "requirements.txt").write_bytes(b"\xff\x00\xfe\xfd timm")
    with pytest.raises(UsageError, match="not a text"):
        reader.read("requirements.txt")


def test_indexes_of_pytorch_are_replaced_and_said(reader: Reader) -> None:
    """A line for PyTorch's index asks nobody, since the index is chosen for the machine."""
    reader.write({"requirements.txt": "--extra-index-url https://download.pytorch.org/whl/cu121\ntorch\n"})
    stack = reader.read("requirements.txt")
    assert stack.indexes == ()
    assert reader.questions == []
    (note,) = stack.notes
    assert note.startswith("requirements.txt:1: https://download.pytorch.org/whl/cu121 is replaced")


def test_another_index_needs_consent(reader: Reader) -> None:
    """An index that a file names is used after the user agreed, and its password is not shown."""
    reader.write({"requirements.txt": "-i https://me:secret@example.org/simple\ntimm\n"})
    assert reader.read("requirements.txt").indexes == ("https://me:secret@example.org/simple",)
    assert "secret" not in reader.questions[0]
    reader.answer = False
    with pytest.raises(NotConfirmed, match="names the index"):
        reader.read("requirements.txt")


def test_a_repository_needs_consent(reader: Reader) -> None:
    """A git URL is built from source, which runs its code; its name is told by the repository or `#egg=`."""
    reader.write({"requirements.txt": "git+https://github.com/openai/CLIP.git@main\n"})
    stack = reader.read("requirements.txt")
    assert lines(stack.requirements) == ["clip @ git+https://github.com/openai/CLIP.git@main"]
    assert stack.builds == {"clip"}  # so that nobody is asked again when it is built
    reader.answer = False
    with pytest.raises(NotConfirmed, match=r"^requirements.txt:1: clip is built from"):
        reader.read("requirements.txt")


@pytest.mark.parametrize("line", ["x @ https://example.org/x-1.0.tar.gz", "https://example.org/x-1.0.zip"])
def test_an_archive_of_sources_needs_consent(reader: Reader, line: str) -> None:
    """Building it runs its code, whether or not the line has a name."""
    reader.write({"requirements.txt": f"{line}\n"})
    assert reader.read("requirements.txt").requirements[0].name == "x"
    reader.answer = False
    with pytest.raises(NotConfirmed, match="x is built from"):
        reader.read("requirements.txt")


def test_a_wheel_without_a_name_gets_its_own(reader: Reader) -> None:
    """The name of the file of a URL is the name that PEP 508 wants."""
    reader.write(
        {
            "requirements.txt": "https://a.org/My_Pkg-1.0-py3-none-any.whl ; os_name == 'nt'\n./x-2-py3-none-any.whl\n"
        }
    )
    (reader.folder / "x-2-py3-none-any.whl").touch()
    first, second = lines(reader.read("requirements.txt").requirements)
    assert first == "my-pkg @ https://a.org/My_Pkg-1.0-py3-none-any.whl ; os_name == 'nt'"
    assert second == f"x @ {(reader.folder / 'x-2-py3-none-any.whl').as_uri()}"


def test_a_marker_may_follow_a_url_as_pip_writes_it(reader: Reader) -> None:
    """A semicolon and a space end the URL; one without is a part of it."""
    reader.write(
        {
            "requirements.txt": 'https://a.org/x-1-py3-none-any.whl; platform_system == "Windows"\n'
            "https://a.org/a;b/y-1-py3-none-any.whl\n"
        }
    )
    first, second = lines(reader.read("requirements.txt").requirements)
    assert first == 'x @ https://a.org/x-1-py3-none-any.whl ; platform_system == "Windows"'
    assert second == "y @ https://a.org/a;b/y-1-py3-none-any.whl"


def test_an_editable_project_stands_for_its_requirements(reader: Reader) -> None:
    """`-e .` asks for what the project needs."""
    reader.write(
        {
            "requirements.txt": "-e .[gpu]\n",
            "pyproject.toml": '[project]\nname = "x"\ndependencies = ["timm"]\n'
            '[project.optional-dependencies]\ngpu = ["torch"]\n',
        }
    )
    assert lines(reader.read("requirements.txt").requirements) == ["timm", "torch"]


@pytest.mark.parametrize("name", ["pylock.toml", "environment.yml", "uv.lock", "x-1.0-py3-none-any.whl"])
def test_files_of_other_formats_are_refused_with_the_way_out(reader: Reader, name: str) -> None:
    """What is no file of requirements is said to be what it is."""
    (reader.folder / name).write_text("x", "utf-8")
    with pytest.raises(UsageError, match="this is"):
        reader.read(name)
