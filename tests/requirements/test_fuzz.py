"""What anybody may write into the files of a project ends in a request or in an error of ours."""

from __future__ import annotations

import contextlib
import string
from typing import TYPE_CHECKING

import pytest
import tomli_w
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from torchdoctor.errors import TorchdoctorError
from torchdoctor.requirements.built_metadata import lines_of_metadata
from torchdoctor.requirements.lines import Place
from torchdoctor.requirements.pip_lines import logical_lines
from torchdoctor.requirements.pip_options import BadOption, parse_pip_line

if TYPE_CHECKING:
    from tests.requirements.conftest import Reader

SHARED = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
WORDS = st.sampled_from(
    [
        "timm", "torch==2.1", "numpy>=1,<2", "a[b]", " ; os_name == 'nt'", "--hash=sha256:aa", "-r", "b.txt", "-c",
        "-e", ".", "./x", "--pre", "--index-url", "https://download.pytorch.org/whl/cpu", "\\", "\n", "\r\n", "#",
        " # note", "git+https://example.org/x.git@main#egg=y", "x @ https://example.org/x-1-py3-none-any.whl", "'",
        "${HOME}", "\u2028", "\x0c", "\t", "===", "@", "[", "--no-binary", ":all:", "\x00", "=", "-",
    ]
)  # fmt: skip
TEXTS = st.lists(st.one_of(WORDS, st.just(" "), st.just("\n"), st.text(max_size=4)), max_size=25).map("".join)


@SHARED
@given(text=TEXTS)
def test_lines_are_those_of_pip(text: str) -> None:
    """Joined lines, comments and variables are as pip's own reader has them, line numbers included."""
    req_file = pytest.importorskip("pip._internal.req.req_file")
    ours = [(line.number, line.text) for line in logical_lines(text, {"HOME": "/h"})]
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", "/h")
        theirs = list(req_file.preprocess(text))
    assert ours == theirs


@SHARED
@given(text=TEXTS)
def test_the_place_of_a_character_is_where_it_stands(text: str) -> None:
    """Each position lies in the file, and the character there is that of the line."""
    physical = text.splitlines()
    for line in logical_lines(text, {}):
        for offset, character in enumerate(line.text):
            number, column = line.position(offset)
            assert physical[number - 1][column - 1] == character


@SHARED
@given(text=st.lists(st.one_of(WORDS, st.just(" ")), max_size=8).map("".join))
def test_options_of_a_line_are_those_of_pip(text: str) -> None:
    """A line that pip takes apart means the same here; words that pip passes over in silence are refused."""
    req_file = pytest.importorskip("pip._internal.req.req_file")
    from pip._internal.exceptions import CommandError

    for line in logical_lines(text, {}):
        ours = None
        try:
            ours = parse_pip_line(line.text)
        except BadOption as error:
            if "neither an option" in error.reason:
                continue
        try:
            requirement, theirs = req_file.get_line_parser(None)(line.text)
        except CommandError:  # pip looks at the values of options that are not followed here
            continue
        except Exception:  # noqa: BLE001  (pip's errors are of several modules)
            assert ours is None
            continue
        assert ours is not None
        assert ours.requirement == requirement.strip()
        assert list(ours.requirements) == (theirs.requirements or [])
        assert list(ours.constraints) == (theirs.constraints or [])
        assert list(ours.editables) == (theirs.editables or [])
        assert list(ours.extra_index_urls) == (theirs.extra_index_urls or [])
        assert ours.pre == bool(theirs.pre)


@SHARED
@given(text=TEXTS, other=TEXTS)
def test_any_file_is_a_request_or_an_error(reader: Reader, text: str, other: str) -> None:
    """No text of a requirements file ends in a traceback."""
    for name, content in (("a.txt", text), ("b.txt", other)):
        (reader.folder / name).write_text(content, "utf-8", errors="surrogatepass", newline="")
    with contextlib.suppress(TorchdoctorError):
        stack = reader.read("a.txt", constraints=("b.txt",))
        assert all(each.name and each.line for each in (*stack.requirements, *stack.constraints))


VALUES = st.recursive(
    st.one_of(
        st.booleans(),
        st.integers(-9, 9),
        st.sampled_from(["timm", "x[a]", "torch>=2", "^1.2", "a b", "", ".", "https://example.org/simple", "main"]),
        st.text(string.printable, max_size=6),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                [
                    "name", "dependencies", "dynamic", "optional-dependencies", "a", "torch", "git", "url", "index",
                    "path", "version", "include-group", "file", "source", "marker", "extra", "workspace", "optional",
                ]
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=8,
)  # fmt: skip
TABLES = st.fixed_dictionaries(
    {},
    optional={
        "project": VALUES,
        "dependency-groups": VALUES,
        "tool": st.fixed_dictionaries(
            {}, optional={"uv": VALUES, "poetry": VALUES, "setuptools": VALUES, "hatch": VALUES}
        ),
        "package": VALUES,
    },
)


@SHARED
@given(document=TABLES, lock=TABLES)
def test_any_pyproject_is_a_request_or_an_error(reader: Reader, document: object, lock: object) -> None:
    """No TOML of a project ends in a traceback, whatever its tables hold."""
    (reader.folder / "pyproject.toml").write_text(tomli_w.dumps(document), "utf-8")
    (reader.folder / "uv.lock").write_text(tomli_w.dumps(lock), "utf-8")
    with contextlib.suppress(TorchdoctorError):
        reader.read(projects=(".[a]",))


@SHARED
@given(text=st.one_of(TEXTS, st.text(max_size=40)), cfg=st.text(max_size=60))
def test_any_setup_file_is_a_request_or_an_error(reader: Reader, text: str, cfg: str) -> None:
    """No text of setup.py or setup.cfg ends in a traceback."""
    (reader.folder / "setup.py").write_text(f"setup(install_requires={text!r}, x={text})", "utf-8", "replace")
    (reader.folder / "setup.cfg").write_text(f"[options]\ninstall_requires = {cfg}\n", "utf-8", "replace")
    with contextlib.suppress(TorchdoctorError):
        reader.read(projects=(".",))


@given(lines=st.lists(st.one_of(WORDS, st.text(string.printable, max_size=20)), max_size=5))
def test_any_metadata_has_its_lines(lines: list[str]) -> None:
    """Metadata that anybody wrote is split by extras without a traceback."""
    text = "Name: x\nProvides-Extra: a\n" + "".join(f"Requires-Dist: {line}\n" for line in lines)
    assert "" in lines_of_metadata(text, Place(origin="PKG-INFO", name="PKG-INFO")).groups
