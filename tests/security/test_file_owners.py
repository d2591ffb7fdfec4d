"""A file of an environment belongs to one wheel, whichever folder of the wheel holds it."""

from __future__ import annotations

import pytest

from tests.security.wheels import saved
from torchdoctor.core.wheelfile import FileOwners, location_of, validate_wheel, wheel_files
from torchdoctor.errors import InstallFailed

FAMILY = ("torch", "torchvision", "torchaudio")


@pytest.fixture
def owners(tmp_path):
    """Takes in wheels with these modules, in this order, and gives the refusal of the last one."""

    def add(*wheels, case_counts=True):
        found = FileOwners(FAMILY, case_counts=case_counts)
        for project, modules in wheels[:-1]:
            found.add(wheel_files(project, saved(tmp_path, project, modules=modules)))
        project, modules = wheels[-1]
        with pytest.raises(InstallFailed) as caught:
            found.add(wheel_files(project, saved(tmp_path, project, modules=modules)))
        return caught.value

    return add


@pytest.mark.parametrize(
    "member",
    [
        "torch/__init__.py", "needed-1.0.data/purelib/torch/__init__.py", "needed-1.0.data/platlib/torch/__init__.py",
        "needed-1.0.data/data/lib/python3.11/site-packages/torch/__init__.py",
        "needed-1.0.data/data/lib64/python3.11/site-packages/torch/__init__.py",
        "needed-1.0.data/data/Lib/site-packages/torch/__init__.py", "needed-1.0.data/purelib/Torch/__INIT__.py",
        "torch/__pycache__/__init__.cpython-311.pyc", "needed-1.0.data/purelib/torch/added.py",
    ],
)  # fmt: skip
@pytest.mark.parametrize("first", [True, False])
def test_nothing_is_put_into_torch(owners, member, first):
    """Whichever of the two comes first: unpacked last, it would be what `import torch` runs."""
    wheels = [("torch", {}), ("needed", {member: "evil()"})]
    error = owners(*wheels if first else reversed(wheels))
    assert (error.code, error.message.startswith("needed-1.0-")) == ("bad-wheel", True), error.message


@pytest.mark.parametrize(
    ("project", "own", "added"),
    [
        ("torch", "torchgen/model.py", "torchgen/api/added.py"),
        ("torch", "functorch/__init__.py", "functorch/added.py"),
        ("torchvision", "torchvision.libs/libz.so", "needed-1.0.data/platlib/torchvision.libs/libpng.so"),
        ("torchaudio", "torio/__init__.py", "Torio/added.py"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("first", [True, False])
def test_nothing_is_put_into_another_folder_of_the_family(owners, project, own, added, first):
    """Their wheels have more folders than one, and import or load what lies there."""
    wheels = [(project, {own: ""}), ("needed", {added: "evil()"})]
    error = owners(*wheels if first else reversed(wheels))
    assert error.message.startswith("needed-1.0-"), error.message
    assert f"into the folder of {project}" in error.message


def test_a_command_of_torch_is_nobody_elses(owners):
    """`torchrun` is made from a text of torch's metadata; another wheel can name a command so, or hold a script."""
    torch = ("torch", {"torch-1.0.dist-info/entry_points.txt": "[console_scripts]\ntorchrun = torch:run\n"})
    named = {"needed-1.0.dist-info/entry_points.txt": "[console_scripts]\ntorchrun = needed:evil\n"}
    scripts = [{f"needed-1.0.data/scripts/torchrun{end}": "#!python\n"} for end in ("", ".exe", "-script.py")]
    for modules in (named, *scripts):
        assert "torchrun" in owners(torch, ("needed", modules)).message


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("shared/a.py", "shared/a.py"), ("shared/a.py", "other-1.0.data/platlib/shared/a.py"),
        ("one-1.0.data/scripts/tool", "other-1.0.data/data/bin/tool"),
        ("one-1.0.data/data/share/x", "other-1.0.data/data/share/x"),
        ("one-1.0.data/headers/x.h", "other-1.0.data/data/include/site/python3.11/one/x.h"),
        ("evil.pth", "evil.pth"),
    ],
)  # fmt: skip
def test_two_different_files_for_one_place_are_refused(owners, one, other):
    """Only one of them could be there, and which one would be chance."""
    error = owners(("one", {one: "1"}), ("other", {other: "2"}))
    assert error.code == "file-conflict"
    assert "--without one, or --without other" in error.fix


def test_names_that_differ_by_case_are_one_file_where_case_does_not_count(owners):
    """As on Windows and most Macs."""
    error = owners(("one", {"shared/a.py": "1"}), ("other", {"shared/A.py": "2"}), case_counts=False)
    assert error.code == "file-conflict"


@pytest.mark.parametrize(
    ("member", "one", "other"),
    [
        ("nvidia/__init__.py", "same", "same"), ("tests/__init__.py", "1", "2"), ("LICENSE", "1", "2"),
        ("README.md", "1", "2"), ("Shared/a.py", "same", "same"),
    ],
)  # fmt: skip
def test_what_real_stacks_share_is_taken(tmp_path, member, one, other):
    """NVIDIA's wheels have one empty file in common; tests and licences lie beside the packages of many projects."""
    found = FileOwners(FAMILY)
    for project, text in (("one", one), ("other", other)):
        found.add(wheel_files(project, saved(tmp_path, project, modules={member: text})))


def test_builds_of_one_program_may_lie_together(tmp_path):
    """A project requires opencv-python, and a package that it needs opencv-python-headless: both are OpenCV."""
    found = FileOwners(FAMILY)
    for project in ("opencv-python", "opencv-python-headless"):
        found.add(wheel_files(project, saved(tmp_path, project, modules={"cv2/__init__.py": project})))


def test_two_commands_of_one_name_are_taken(tmp_path):
    """`fastapi` and `fastapi-cli` both make `fastapi`."""
    found = FileOwners(FAMILY)
    for project in ("one", "other"):
        text = f"[console_scripts]\ntool = {project}:main\n"
        modules = {f"{project}-1.0.dist-info/entry_points.txt": text}
        found.add(wheel_files(project, saved(tmp_path, project, modules=modules)))


@pytest.mark.parametrize(
    ("path", "location"),
    [
        ("lib/python3.14t/site-packages/a.py", "packages/a.py"), ("bin/a", "commands/a"),
        ("include/python3.12/a/a.h", "headers/a/a.h"),
        ("Scripts/a", "commands/a"), ("include/site/python3.11/a/a.h", "headers/a/a.h"), ("share/a", "data/share/a"),
        ("lib/a.so", "data/lib/a.so"),
    ],
)  # fmt: skip
def test_a_place_has_one_name(path, location):
    """The same for a file of a wheel and for one that is installed."""
    assert location_of(path) == location


@pytest.mark.parametrize(
    ("modules", "why"),
    [
        ({"/".join(["d"] * 1500) + "/a.py": ""}, "lies in 1500 folders"),
        ({"d" * 300 + "/a.py": ""}, "too long for a path"),
        ({"/".join(["d" * 200] * 5) + "/a.py": ""}, "too long for a path"),
        ({"needed-1.0.data/purelib/needed/version.py": ""}, "would be one file"),
        ({"needed-1.0.data/purelib/torch-9.9.dist-info/METADATA": ""}, "metadata of another package"),
        ({"needed-1.0.data/data/lib/python3.11/site-packages/torch-9.dist-info/RECORD": ""}, "metadata of another"),
        ({"needed-1.0.DATA/purelib/torch/__init__.py": ""}, "named after another package"),
        ({"Needed-1.0.data/purelib/torch/__init__.py": ""}, "have different names"),
        ({"needed-1.0.dist-info/entry_points.txt": "[console_scripts]\n../evil = needed:main\n"}, "'../evil'"),
        ({"needed-1.0.data/scripts/activate_this.py": ""}, "part of the environment itself"),
        ({"needed-1.0.data/data/torchdoctor.json": ""}, "part of the environment itself"),
        ({"needed-1.0.dist-info/entry_points.txt": "[gui_scripts]\npython3 = needed:main\n"}, "'python3'"),
        ({"needed-1.0.dist-info/entry_points.txt": "[console_scripts]\nactivate = needed:main\n"}, "'activate'"),
    ],
    ids=range(13),
)  # fmt: skip
def test_a_wheel_that_lays_its_files_out_to_harm_is_refused(tmp_path, modules, why):
    """Before anything unpacks it, and with a reason."""
    path = saved(tmp_path, "needed", modules=modules)
    with pytest.raises(InstallFailed) as caught:
        validate_wheel(path, path.name)
    assert (caught.value.code, why in caught.value.message) == ("bad-wheel", True), caught.value.message


def test_a_wheel_does_not_replace_a_file_of_an_installed_torch(torchdoctor, official, bare, tmp_path):
    """torch stays as it is, and the package that would change it is named."""
    from tests.wheelmaker import make_wheel

    assert torchdoctor("install", tmp_path / "env", *bare, "--without", "torchvision").status == 0
    module = next(tmp_path.glob("env/lib/python*/site-packages/torch/version.py"))
    before = module.read_text("utf-8")
    evil = {"needed-1.0.data/purelib/torch/version.py": "#" * len(before)}
    official.add("/simple/needed/", *make_wheel("needed", "1.0", tag="py3-none-any", modules=evil))
    ran = torchdoctor(
        "install", tmp_path / "env", *bare, "--without", "torchvision", "--with", "needed", "--yes", "--json"
    )
    assert (ran.status, ran.json["error"]["kind"]) == (5, "bad-wheel"), ran.err
    assert "would replace torch/version.py" in ran.json["error"]["message"]
    assert module.read_text("utf-8") == before
