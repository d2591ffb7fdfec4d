"""A package that is built against torch is built beside that torch, after consent, and installed with it."""

from __future__ import annotations

import subprocess

import pytest

from tests.sdistmaker import make_sdist
from tests.wheelmaker import make_wheel

pytestmark = pytest.mark.process

# It fails where torch is not there, and writes which one it was built against.
CODE = "import torch; pathlib.Path('{mark}').write_text(torch.__version__)"


@pytest.fixture
def extension(official, tmp_path):
    """An extension without a wheel on the index, whose build imports torch; the file that its build writes."""
    mark = tmp_path / "built-against"
    filename, content = make_sdist(
        "fast-ops",
        "1.0",
        files={"setup.py": "import torch\n", "fast.cpp": "int x;"},
        code=CODE.format(mark=mark),
    )
    official.add("/simple/fast-ops/", filename, content)
    for name in ("setuptools", "wheel", "ninja", "packaging"):
        official.add(f"/simple/{name}/", *make_wheel(name, "99.0", tag="py3-none-any"))
    return mark


def test_nothing_is_built_unasked(torchdoctor, bare, extension):
    """The refusal says what it would need and how to agree."""
    ran = torchdoctor("install", "env", *bare, "--with", "fast-ops", "--json")
    assert (ran.status, ran.json["error"]["kind"]) == (3, "builds-against-torch")
    assert "--build fast-ops" in ran.json["error"]["fix"]
    assert not extension.exists()


def test_it_is_built_against_the_torch_that_is_installed(torchdoctor, bare, extension, tmp_path):
    """And both are in the environment."""
    ran = torchdoctor("install", "env", *bare, "--with", "fast-ops", "--build", "fast-ops")
    assert ran.status == 0, ran.err
    assert "fast-ops 1.0" in next(line for line in ran.out.splitlines() if line.startswith("installed"))
    python = tmp_path / "work" / "env" / "bin" / "python"
    code = "import fast_ops, torch; print(fast_ops.__version__, torch.__version__)"
    shown = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True).stdout
    assert shown.split()[0] == "1.0"
    assert extension.read_text("utf-8") == shown.split()[1]
