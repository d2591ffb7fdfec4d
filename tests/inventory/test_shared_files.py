"""Files that several packages list in their RECORDs: whose they are, and when one that is gone does harm."""

from __future__ import annotations

LIBRARY = "nvidia/cudnn/lib/libcudnn.so.9"
REQUIRES = ("nvidia-cudnn-cu13==9.24.0.43", "nvidia-cublas-cu12==12.8.4.1")


def _wrong(env):
    checks = env.take().records.value or ()
    return {check.name: [(row.path, row.problem, row.owners) for row in check.wrong] for check in checks}


def _for_cuda_12(env, *names):
    for name in names:
        env.put(name, "12.8.4.1", files={"nvidia/__init__.py": "", f"nvidia/{name}/lib/x.so": name})


def test_an_empty_file_that_went_with_another_package_is_not_missed(env):
    """pip removes `nvidia/__init__.py` with nvcc, and all that are left list it: nothing is broken."""
    env.torch("2.9.1", cuda="12.8", requires=REQUIRES)
    _for_cuda_12(env, "nvidia-cublas-cu12", "nvidia-nvjitlink-cu12")
    (env.site / "nvidia/__init__.py").unlink()
    assert _wrong(env) == {}


def test_an_empty_file_of_torch_alone_is_missed(env):
    """Its neighbours are whole packages, in which it may mean something."""
    env.put("torch", "2.9.1", files={"torch/__init__.py": "import os", "torch/nn/__init__.py": ""})
    (env.site / "torch/nn/__init__.py").unlink()
    assert _wrong(env) == {"torch": [("torch/nn/__init__.py", "missing", ())]}


def test_a_file_that_the_package_of_the_new_torch_wrote_is_no_damage_of_the_old_one(env):
    """The old cuDNN is left over; its library is the new one's, and rightly so."""
    env.torch("2.14.1", cuda="13.0", requires=REQUIRES)
    env.put("nvidia-cudnn-cu12", "9.10.2.21", files={LIBRARY: "old"})
    env.put("nvidia-cudnn-cu13", "9.24.0.43", files={LIBRARY: "the new one"})
    assert _wrong(env) == {}


def test_a_file_that_a_package_of_another_torch_wrote_is_damage(env):
    """Another cuDNN lies in the place of the one that torch requires; it is named."""
    env.torch("2.14.1", cuda="13.0", requires=REQUIRES)
    env.put("nvidia-cudnn-cu13", "9.24.0.43", files={LIBRARY: "the new one"})
    env.put("nvidia-cudnn-cu12", "9.10.2.21", files={LIBRARY: "old"})
    assert _wrong(env) == {"nvidia-cudnn-cu13": [(LIBRARY, "size", ("nvidia-cudnn-cu12",))]}


def test_a_library_that_went_with_another_package_is_missed(env):
    """The old cuDNN was removed, and took the library of the new one along."""
    env.torch("2.14.1", cuda="13.0", requires=REQUIRES)
    env.put("nvidia-cudnn-cu13", "9.24.0.43", files={LIBRARY: "the new one"})
    (env.site / LIBRARY).unlink()
    assert _wrong(env) == {"nvidia-cudnn-cu13": [(LIBRARY, "missing", ())]}


def test_a_damaged_package_that_torch_does_not_require_says_so(env):
    """It is somebody else's, and no reason why torch would fail."""
    env.torch("2.14.1", cuda="13.0", requires=REQUIRES)
    env.put("nvidia-cusparselt", "0.8.1", files={"nvidia/x.so": "text"})
    (env.site / "nvidia/x.so").unlink()
    assert [(check.name, check.needed) for check in env.take().records.value] == [
        ("nvidia-cusparselt", False)
    ]


def test_files_of_every_package_that_torch_requires_are_compared(env):
    """Whatever their names."""
    env.torch("2.14.1", requires=("filelock",))
    env.put("filelock", "4.3.1", files={"filelock/__init__.py": "text"})
    (env.site / "filelock/__init__.py").unlink()
    assert list(_wrong(env)) == ["filelock"]


def test_a_launcher_that_was_rewritten_is_no_damage(env):
    """Its first line is the environment's path, which a move changes."""
    env.put("torch", "2.14.1", files={"../../../bin/torchrun": "#!/a/bin/python"})
    (env.prefix / "bin/torchrun").write_text("#!/another/place/bin/python")
    assert _wrong(env) == {}


def test_files_that_conda_rewrote_are_no_damage(env):
    """It writes the environment's path into them; one that is gone is."""
    files = {"torch/a.py": "text", "torch/b.py": "text"}
    env.put("torch", "2.14.1", files=files, installer="conda")
    (env.site / "torch/a.py").write_text("longer text")
    (env.site / "torch/b.py").unlink()
    assert _wrong(env) == {"torch": [("torch/b.py", "missing", ())]}


def test_the_file_of_nvidias_namespace_is_never_missed(env):
    """Whatever one wheel put into it: Python takes the folder for a package without it."""
    env.torch("2.9.1", cuda="12.8", requires=REQUIRES)
    env.put("nvidia-cublas-cu12", "12.8.4.1", files={"nvidia/__init__.py": "# text", "nvidia/x.so": "text"})
    (env.site / "nvidia/__init__.py").unlink()
    assert _wrong(env) == {}
