"""Files of others may hold anything at all: an error of ours says so, and nothing else is ever raised."""

from __future__ import annotations

import contextlib

import tomli_w
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.project.made import MACHINES
from torchdoctor.errors import TorchdoctorError
from torchdoctor.project.result import ProjectOptions
from torchdoctor.project.uv_lock import locked_names
from torchdoctor.sources import OFFICIAL
from torchdoctor.workflows.project import plan_project
from wheels_index import bundled

WORDS = st.sampled_from(
    ["torch", "torch>=2.9", "torch @ https://example.org/t.whl", "cpu", "cu126", "extra", "group", "index", "name",
     "url", "https://download.pytorch.org/whl/cpu", "git", "marker", "x; y", "", "\x00", "ü",
     ">=3.11", "===", "torch==1+cpu"]
)  # fmt: skip
VALUES = st.recursive(
    WORDS | st.booleans() | st.integers(-3, 3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)
PROJECT = st.fixed_dictionaries(
    {},
    optional={
        "dependencies": VALUES,
        "optional-dependencies": VALUES,
        "requires-python": VALUES,
        "dynamic": VALUES,
        "name": VALUES,
    },
)
UV = st.fixed_dictionaries(
    {},
    optional={
        "sources": st.dictionaries(WORDS, VALUES, max_size=3) | VALUES,
        "index": st.lists(st.dictionaries(WORDS, VALUES, max_size=3), max_size=2) | VALUES,
        "conflicts": VALUES,
        "default-groups": VALUES,
        "constraint-dependencies": VALUES,
    },
)


def planned(folder):
    """What `project` would do with a folder for two machines."""
    machines = {name: MACHINES[name] for name in ("linux-plain", "windows-rtx-3060")}
    return plan_project(ProjectOptions(folder=folder, machines=machines, source=OFFICIAL), bundled())


@settings(max_examples=60)
@given(PROJECT | VALUES, UV | VALUES, VALUES)
@example(
    {"dependencies": [{"include-group": "x"}]},
    {"sources": {"torch": [3]}},
    {"cpu": [1, {"include-group": "cpu"}]},
)
def test_tables_of_any_shape_are_an_answer_or_an_error_of_ours(tmp_path_factory, project, uv, groups):
    """What is no list, no text or no requirement is passed over, or refused."""
    folder = tmp_path_factory.mktemp("hostile")
    document = {"project": project, "tool": {"uv": uv}, "dependency-groups": groups}
    (folder / "pyproject.toml").write_text(tomli_w.dumps(document), "utf-8")
    with contextlib.suppress(TorchdoctorError):
        planned(folder)


@settings(max_examples=30)
@given(st.binary(max_size=60) | st.text(max_size=60).map(str.encode))
def test_bytes_of_any_kind_are_an_answer_or_an_error_of_ours(tmp_path_factory, content):
    """In a pyproject.toml, a requirements.txt, a uv.lock and a .python-version."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "requirements.txt").write_bytes(content)
    (folder / ".python-version").write_bytes(content)
    with contextlib.suppress(TorchdoctorError):
        planned(folder)
    (folder / "uv.lock").write_bytes(content)
    assert locked_names(folder) == frozenset()
    (folder / "pyproject.toml").write_bytes(content)
    with contextlib.suppress(TorchdoctorError):
        planned(folder)
