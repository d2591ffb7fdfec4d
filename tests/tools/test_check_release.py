"""What may be published, and what may not."""

import importlib.util
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[2] / "tools" / "check_release.py"


@pytest.fixture(scope="module")
def check():
    spec = importlib.util.spec_from_file_location("check_release", TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def changelog(check, tmp_path, monkeypatch):
    path = tmp_path / "CHANGELOG.md"
    path.write_text("# Changelog\n\n## 1.2.0 (2026-12-01)\n")
    monkeypatch.setattr(check, "CHANGELOG", path)
    return path


def built(folder, version="1.2.0", owner="someone"):
    """A wheel and an sdist that hold metadata alone."""
    metadata = f"Metadata-Version: 2.4\nName: torchdoctor\nVersion: {version}\nProject-URL: Homepage, https://github.com/{owner}/torchdoctor\n"
    wheel = folder / f"torchdoctor-{version}-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as file:
        file.writestr(f"torchdoctor-{version}.dist-info/METADATA", metadata)
    sdist = folder / f"torchdoctor-{version}.tar.gz"
    with tarfile.open(sdist, "w:gz") as file:
        info = tarfile.TarInfo(f"torchdoctor-{version}/PKG-INFO")
        info.size = len(metadata.encode())
        file.addfile(info, io.BytesIO(metadata.encode()))
    return [wheel, sdist]


def test_a_right_build_may_be_published(check, changelog, tmp_path):
    """Tag, version, changelog and URLs agree."""
    assert list(check.problems("v1.2.0", built(tmp_path))) == []


@pytest.mark.parametrize(
    ("tag", "how", "says"),
    [
        ("v1.2.1", {}, "is not version 1.2.1"),
        ("v1.2.0", {"owner": "OWNER"}, "names OWNER"),
        ("v1.3.0", {"version": "1.3.0"}, "has no section '## 1.3.0"),
    ],
)
def test_what_does_not_agree_is_named(check, changelog, tmp_path, tag, how, says):
    """Another tag, a placeholder in the URLs, a version that the changelog does not date."""
    assert any(says in problem for problem in check.problems(tag, built(tmp_path, **how)))


def test_nothing_is_not_a_release(check, changelog):
    """An empty build is refused."""
    assert list(check.problems("v1.2.0", [])) == ["nothing was built"]
