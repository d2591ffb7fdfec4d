"""The tutorial's notebook, run from top to bottom by a real kernel with the real torch."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.conftest import TORCH, run_torchdoctor

NOTEBOOK = Path(__file__).parents[2] / "docs" / "tutorial.ipynb"


def test_the_notebook_is_kept_without_outputs():
    """What it prints is what your machine prints."""
    import nbformat  # takes a second

    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    assert not any(cell.get("outputs") for cell in notebook.cells)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.slow
def test_the_notebook_trains_a_network_in_the_kernel_that_was_registered(real, tmp_path, monkeypatch):
    """From `jupyter-kernel` to a network that names new pictures: every cell runs, in the environment meant."""
    import nbformat
    from nbclient import NotebookClient

    monkeypatch.setenv("JUPYTER_DATA_DIR", str(tmp_path / "jupyter"))
    made = run_torchdoctor("jupyter-kernel", real.folder, "--name", "tutorial", "--json")
    assert made.status == 0, made.out
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    NotebookClient(
        notebook, timeout=300, kernel_name="tutorial", resources={"metadata": {"path": tmp_path}}
    ).execute()
    said = "".join(output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", ()))
    assert str(real.python) in said
    assert f"torch {TORCH}+cpu on cpu" in said
    accuracy = re.search(r"([\d.]+)% of 600 new pictures", said)
    assert accuracy is not None, said
    assert float(accuracy[1]) > 85
