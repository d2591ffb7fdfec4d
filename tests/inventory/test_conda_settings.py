"""conda's files and variables, in the order in which conda reads them."""

from __future__ import annotations

from torchdoctor.inventory.conda_settings import conda_files, read_conda_settings


def test_the_environment_s_file_comes_after_the_user_s():
    """https://docs.conda.io/projects/conda/en/stable/user-guide/configuration/use-condarc.html."""
    environ = {"HOME": "/h", "CONDA_EXE": "/opt/conda/bin/conda", "CONDA_PREFIX": "/e", "CONDARC": "/named"}
    paths = conda_files(environ, sys_platform="linux")
    order = ["/etc/conda/.condarc", "/opt/conda/.condarc", "/h/.condarc", "/e/.condarc", "/named"]
    assert [path for path in paths if path in order] == order


def test_windows_has_a_folder_of_its_own():
    """Below ProgramData."""
    assert conda_files({}, sys_platform="win32")[0] == r"C:\ProgramData\conda/.condarc"


def test_a_variable_comes_after_the_files(tmp_path):
    """The later one counts."""
    (tmp_path / "condarc").write_text("solver: libmamba\nother: x\n")
    environ = {
        "HOME": str(tmp_path / "home"),
        "CONDARC": str(tmp_path / "condarc"),
        "CONDA_SOLVER": "classic",
    }
    rows = read_conda_settings(environ, sys_platform="linux")
    assert [(row.key, row.value, row.origin) for row in rows] == [
        ("solver", "libmamba", str(tmp_path / "condarc")), ("solver", "classic", "CONDA_SOLVER"),
    ]  # fmt: skip
