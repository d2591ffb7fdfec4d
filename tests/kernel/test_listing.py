"""What is listed of each kernel: read from files, with the reason where it cannot start."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.detect.recorded_system import RecordedSystem
from torchdoctor.kernel import list_kernels
from torchdoctor.kernel.spec import parse_spec

USER = "/home/a/.local/share/jupyter/kernels"
VENV = {
    "/envs/vision/pyvenv.cfg": "home = /usr/bin\ninclude-system-site-packages = false\n",
    "/envs/vision/bin/python": "",
    "/envs/vision/lib/python3.12/site-packages/torch-2.9.1+cu128.dist-info/METADATA": "",
    "/envs/vision/lib/python3.12/site-packages/torch/version.py": "__version__ = '2.9.1+cu128'\n",
    "/envs/vision/lib/python3.12/site-packages/ipykernel-7.1.0.dist-info/METADATA": "",
}


def spec_of(python, *, name="ipykernel_launcher", **more):
    """A kernel.json as ipykernel writes it."""
    argv = [python, "-Xfrozen_modules=off", "-m", name, "-f", "{connection_file}"]
    return json.dumps({"argv": argv, "display_name": "Vision", "language": "python", **more})


def listed(files, **environ):
    """The kernels of a world that has these files."""
    return list_kernels(RecordedSystem(files=files, environ={"HOME": "/home/a", **environ}))


def test_a_kernel_says_its_python_its_torch_and_its_build():
    """Nothing is started: the folders of the environment tell."""
    (state,) = listed({f"{USER}/vision/kernel.json": spec_of("/envs/vision/bin/python"), **VENV})
    assert (state.name, state.display_name, state.place) == ("vision", "Vision", "user")
    assert (state.python, state.prefix) == (Path("/envs/vision/bin/python"), Path("/envs/vision"))
    assert (state.torch, state.build, state.ipykernel) == ("2.9.1+cu128", "cu128", "7.1.0")
    assert state.healthy


def test_a_build_that_only_version_py_tells_is_found():
    """PyPI's wheels have no local version; the file inside says which build it is."""
    site = "/envs/vision/lib/python3.12/site-packages"
    files = {key: text for key, text in VENV.items() if "torch" not in key}
    files |= {
        f"{site}/torch-2.9.1.dist-info/METADATA": "",
        f"{site}/torch/version.py": "__version__ = '2.9.1+cu128'\n",
    }
    (state,) = listed({f"{USER}/vision/kernel.json": spec_of("/envs/vision/bin/python"), **files})
    assert (state.torch, state.build) == ("2.9.1", "cu128")


def test_a_removed_environment_is_named():
    """The most common broken kernel: its Python is no longer there."""
    (state,) = listed({f"{USER}/old/kernel.json": spec_of("/envs/old/bin/python")})
    assert state.problem is not None
    assert state.problem.kind == "python-gone"
    assert "/envs/old/bin/python no longer exists" in state.problem.message
    assert "repair old" in state.problem.fix


def test_a_venv_whose_own_python_was_made_with_one_that_is_gone_is_told_apart():
    """The folder is there; its link leads nowhere."""
    files = {
        f"{USER}/old/kernel.json": spec_of("/envs/old/bin/python"),
        "/envs/old/pyvenv.cfg": "home = /gone",
    }
    (state,) = listed(files)
    assert state.problem is not None
    assert "the Python that it was made with does not" in state.problem.message


def test_an_environment_without_ipykernel_is_named():
    """The spec is there and the module that it runs is not."""
    files = {key: text for key, text in VENV.items() if "ipykernel" not in key}
    (state,) = listed({f"{USER}/vision/kernel.json": spec_of("/envs/vision/bin/python"), **files})
    assert state.problem is not None
    assert state.problem.kind == "no-ipykernel"
    assert state.torch == "2.9.1+cu128"


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"argv": [\n  oops', "line 2, column 3"),
        ("", "line 1, column 1"),
        ("[]", "not an object"),
        ('{"display_name": "x"}', "no argv"),
        ('{"argv": []}', "no argv"),
        ('{"argv": "python"}', "no argv"),
        ('{"argv": ["p"], "env": {"A": 1}}', "env"),
        ('{"argv": ["p"], "display_name": 5}', "display_name"),
        ('{"argv": ["p"], "metadata": []}', "metadata"),
        ('{"argv": ["p"], "interrupt_mode": "shout"}', "interrupt_mode"),
        ('{"argv": ["p\ufffd"]}', "UTF-8"),
    ],
)
def test_a_corrupt_spec_says_where(text, why):
    """Line and column where JSON breaks off; else what is missing."""
    (state,) = listed({f"{USER}/bad/kernel.json": text})
    assert state.problem is not None
    assert state.problem.kind == "corrupt-spec"
    assert why in state.problem.message


@given(st.text(max_size=200) | st.recursive(
    st.none() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["argv", "env", "metadata", "display_name", "x"]), inner, max_size=4),
).map(json.dumps))  # fmt: skip
def test_any_text_is_a_spec_or_a_reason(text):
    """No file that a user has brings the list down."""
    (state,) = listed({f"{USER}/any/kernel.json": text})
    if state.argv:
        assert parse_spec(text).argv == state.argv
    else:
        assert state.problem is not None
        assert state.problem.kind == "corrupt-spec"


def test_one_name_in_two_folders_shows_which_jupyter_takes():
    """The later one is hidden, and says by what."""
    files = {
        "/opt/first/kernels/vision/kernel.json": spec_of("/envs/vision/bin/python"),
        f"{USER}/Vision/kernel.json": spec_of("/envs/vision/bin/python"),
        **VENV,
    }
    first, second = listed(files, JUPYTER_PATH="/opt/first")
    assert (first.place, first.hidden_by) == ("JUPYTER_PATH", None)
    assert second.hidden_by == first.folder


def test_python_alone_is_the_python_of_the_jupyter_that_starts_it():
    """Jupyter puts its own interpreter there; in an environment's own folder that is the environment's."""
    files = {"/envs/vision/share/jupyter/kernels/python3/kernel.json": spec_of("python"), **VENV}
    (state,) = listed(files, VIRTUAL_ENV="/envs/vision")
    assert (state.name, state.prefix) == ("python3", Path("/envs/vision"))
    (state,) = listed({f"{USER}/any/kernel.json": spec_of("python3")})
    assert state.python is None
    assert state.healthy


def test_a_kernel_of_another_language_is_listed_and_not_judged():
    """Only its program is looked for."""
    argv = ["R", "--slave", "-e", "IRkernel::main()", "--args", "{connection_file}"]
    text = json.dumps({"argv": argv, "display_name": "R", "language": "R"})
    (state,) = listed({f"{USER}/ir/kernel.json": text, "/usr/bin/R": ""}, PATH="/usr/bin")
    assert (state.healthy, state.python, state.torch) == (True, None, None)
    (state,) = listed({f"{USER}/ir/kernel.json": text}, PATH="/usr/bin")
    assert state.problem is not None
    assert state.problem.message == "R is not on PATH"


def test_a_kernel_that_sees_the_system_packages_has_the_torch_of_the_system():
    """include-system-site-packages lets the outer torch in, after the environment's own."""
    files = {
        f"{USER}/sys/kernel.json": spec_of("/envs/sys/bin/python"),
        "/envs/sys/bin/python": "",
        "/envs/sys/pyvenv.cfg": "home = /opt/py/bin\ninclude-system-site-packages = true\n",
        "/envs/sys/lib/python3.12/site-packages/ipykernel-7.1.0.dist-info/METADATA": "",
        "/opt/py/lib/python3.12/site-packages/torch-2.8.0+cpu.dist-info/METADATA": "",
    }
    (state,) = listed(files)
    assert (state.torch, state.build) == ("2.8.0+cpu", "cpu")


def test_a_torch_that_the_spec_itself_puts_on_the_path_is_the_one_it_gets():
    """PYTHONPATH in the spec comes before the environment."""
    files = {
        f"{USER}/vision/kernel.json": spec_of("/envs/vision/bin/python", env={"PYTHONPATH": "/shadow"}),
        "/shadow/torch-1.0.0.dist-info/METADATA": "",
        **VENV,
    }
    (state,) = listed(files)
    assert state.torch == "1.0.0"


def test_the_kernels_of_nb_conda_kernels_are_listed_as_its_own():
    """It makes them while Jupyter runs: the conda environments that have a Python kernel."""
    site = "lib/python3.12/site-packages"
    files = {
        "/conda/bin/jupyter": "#!/conda/bin/python\n",
        f"/conda/{site}/nb_conda_kernels-2.5.1.dist-info/METADATA": "",
        "/home/a/.conda/environments.txt": "/conda\n/conda/envs/deep\n/conda/envs/bare\n",
        "/conda/envs/deep/bin/python": "",
        "/conda/envs/deep/share/jupyter/kernels/python3/kernel.json": spec_of("/conda/envs/deep/bin/python"),
        f"/conda/envs/deep/{site}/torch-2.5.1.dist-info/METADATA": "",
        "/conda/envs/bare/bin/python": "",
    }
    states = {state.name: state for state in listed(files, PATH="/conda/bin")}
    assert set(states) == {"conda-env-deep-py"}
    deep = states["conda-env-deep-py"]
    assert (deep.place, deep.prefix, deep.torch) == ("nb_conda_kernels", Path("/conda/envs/deep"), "2.5.1")


def test_a_spec_that_nb_conda_kernels_wrote_is_followed_to_its_environment():
    """Its command runs a runner; the metadata name the environment."""
    runner = ["python", "-m", "nb_conda_kernels.runner", "/conda", "/conda/envs/deep"]
    argv = [*runner, "python", "-m", "ipykernel_launcher"]
    text = json.dumps({"argv": argv, "metadata": {"conda_env_path": "/conda/envs/deep"}})
    files = {
        f"{USER}/conda-env-deep-py/kernel.json": text,
        "/conda/envs/deep/bin/python": "",
        "/conda/envs/deep/lib/python3.12/site-packages/ipykernel-7.1.0.dist-info/METADATA": "",
    }
    (state,) = listed(files)
    assert (state.place, state.prefix) == ("nb_conda_kernels", Path("/conda/envs/deep"))


def test_the_json_of_a_kernel_has_no_other_keys():
    """Scripts may rest on these."""
    (state,) = listed({f"{USER}/old/kernel.json": spec_of("/envs/old/bin/python")})
    assert list(state.to_json()) == [
        "name", "display_name", "folder", "place", "language", "argv", "env", "python", "environment", "ipykernel",
        "torch", "variant", "healthy", "problem", "hidden_by",
    ]  # fmt: skip
    assert json.loads(json.dumps(state.to_json()))["variant"] is None
