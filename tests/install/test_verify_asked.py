"""What was asked for is proven at the end of an install: one that cannot be imported is named, with why and the fix."""

from __future__ import annotations

import pytest

from tests.wheelmaker import make_wheel

pytestmark = pytest.mark.process


@pytest.fixture
def options(official, bare):
    """Options of an install from the index, where `works` and `breaks` lie too."""
    for name, source in (("works", ""), ("breaks", "import libxyz_of_nobody")):
        files = make_wheel(name, "1.0", tag="py3-none-any", modules={f"{name}/__init__.py": source})
        official.add(f"/simple/{name}/", *files)
    return (*(option for option in bare if option != "--no-verify"),)


def test_what_was_asked_for_is_imported_at_the_end_of_an_install(torchdoctor, options, tmp_path):
    """By name, file and record: a failure is exit status 1, and its cause and fix stand below the summary."""
    folder = tmp_path / "env"
    (tmp_path / "requirements.txt").write_text("works==1.0\n")
    ran = torchdoctor(
        "install", folder, *options, "-r", tmp_path / "requirements.txt", "--with", "breaks", "--yes"
    )

    assert ran.status == 1
    assert "failed package:breaks on cpu: import breaks: ModuleNotFoundError" in ran.err
    assert "package:works" not in ran.err
    assert "A package needs a module that is not installed" in ran.out
    assert f"torchdoctor install {folder}" in ran.out


def test_what_was_asked_for_before_is_proven_too(torchdoctor, options, tmp_path):
    """The record of the environment remembers it; `--json` has the causes beside the results."""
    folder = tmp_path / "env"
    torchdoctor("install", folder, *options, "--with", "breaks", "--no-verify", "--yes")
    ran = torchdoctor("install", folder, *options, "--with", "works", "--yes", "--json")

    checks = {check["id"]: check["status"] for check in ran.json["verify"]["checks"]}
    assert (checks["package:works"], checks["package:breaks"]) == ("pass", "fail")
    assert "package-dependency-missing" in {finding["id"] for finding in ran.json["verify"]["findings"]}
    verified = torchdoctor("verify", folder, "--only", "packages", "--json")
    assert {check["id"]: check["status"] for check in verified.json["checks"]} == {
        "package:works": "pass",
        "package:breaks": "fail",
        **({"import": "fail"} if "import" in checks and checks["import"] == "fail" else {}),
    }
