"""What is installed comes from the right place, and companions are of torch's own build."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys

import pytest

from tests.install.conftest import TORCH, VISION
from tests.loopback import Fault
from tests.wheelmaker import make_wheel


def versions(folder):
    """What an environment's own interpreter sees installed."""
    code = "import importlib.metadata as m, json; print(json.dumps({d.name: d.version for d in m.distributions()}))"
    done = subprocess.run([folder / "bin" / "python", "-I", "-c", code], capture_output=True, check=True)
    return json.loads(done.stdout)


def test_the_official_layout_is_installed_from(torchdoctor, bare, tmp_path):
    """BASE/<variant>/<project>/ is found from the base, and torch and torchvision are installed."""
    ran = torchdoctor("install", tmp_path / "env", *bare)
    assert ran.status == 0, ran.err
    assert versions(tmp_path / "env") == {"torch": f"{TORCH}+cpu", "torchvision": f"{VISION}+cpu"}


def test_the_index_of_one_variant_is_installed_from(torchdoctor, official, bare, tmp_path):
    """BASE/<variant> as pip takes it works too."""
    options = ["--index-url", f"{official.url}/whl/cpu", *bare[2:]]
    ran = torchdoctor("install", tmp_path / "env", *options)
    assert ran.status == 0, ran.err
    assert versions(tmp_path / "env")["torch"] == f"{TORCH}+cpu"


def test_json_is_the_plan_the_environment_and_the_files(torchdoctor, official, bare, tmp_path):
    """One document on standard output, nothing else there."""
    ran = torchdoctor("install", tmp_path / "env", *bare, "--json")
    document = ran.json
    assert document["variant"] == "cpu"
    assert [row["name"] for row in document["packages"]] == ["torch", "torchvision"]
    assert {row["known"] for row in document["packages"]} == {"live"}
    assert document["environment"]["path"] == str(tmp_path / "env")
    torch = next(row for row in document["files"] if row["name"] == "torch")
    content = official.files[f"/whl/cpu/{torch['filename']}"]
    assert torch["sha256"] == hashlib.sha256(content).hexdigest()


def test_a_torchvision_of_another_accelerator_is_left_out_with_a_warning(torchdoctor, index, tag, tmp_path):
    """PyPI's torchvision carries no tag and is a CUDA build on Linux; beside a CPU torch it cannot be imported."""
    name, content = make_wheel("torch", f"{TORCH}+cpu", tag=tag)
    index.add("/whl/cpu/torch/", name, content)
    name, content = make_wheel("torchvision", VISION, tag=tag, built=f"{VISION}+cu130")
    index.add("/simple/torchvision/", name, content)
    ran = torchdoctor(
        "install", tmp_path / "env", "--index-url", f"{index.url}/whl", "--python", sys.executable, "--torch",
        TORCH, "--variant", "cpu", "--without", "pip", "--no-verify",
    )  # fmt: skip
    assert ran.status == 0, ran.err
    assert versions(tmp_path / "env") == {"torch": f"{TORCH}+cpu"}
    assert "torchvision is left out" in ran.err
    assert "cu130" in ran.err


def test_a_companion_that_lies_about_its_build_is_left_out(torchdoctor, index, tag, tmp_path):
    """The name says +cpu and version.py inside says +cu130: the file is believed, not its name."""
    for project, version, built in (("torch", TORCH, None), ("torchvision", VISION, f"{VISION}+cu130")):
        name, content = make_wheel(project, f"{version}+cpu", tag=tag, built=built)
        index.add(f"/whl/cpu/{project}/", name, content)
    ran = torchdoctor(
        "install", tmp_path / "env", "--index-url", f"{index.url}/whl", "--python", sys.executable, "--torch",
        TORCH, "--variant", "cpu", "--without", "pip", "--no-verify",
    )  # fmt: skip
    assert ran.status == 0, ran.err
    assert versions(tmp_path / "env") == {"torch": f"{TORCH}+cpu"}
    assert "its file is a cu130 build" in ran.err


def test_a_companion_asked_for_and_not_there_is_an_error(torchdoctor, official, bare, tmp_path):
    """--with torchaudio cannot be met by leaving it out."""
    options = [option for option in bare if option not in ("--without", "torchaudio", "pip")]
    ran = torchdoctor("install", tmp_path / "env", *options, "--with", "torchaudio", "--json")
    assert ran.status == 3
    assert ran.json["error"]["kind"] == "companion-missing"
    assert not (tmp_path / "env").exists()


def test_a_companion_asked_for_decides_and_the_reason_says_so(torchdoctor, official, bare, tag, tmp_path):
    """A newer torch exists without the companions asked for: no source is blamed for that."""
    name, content = make_wheel("torch", "2.14.0+cpu", tag=tag)
    official.add("/whl/cpu/torch/", name, content)
    options = [option for option in bare if option not in ("--torch", TORCH)]
    ran = torchdoctor("install", tmp_path / "env", *options, "--with", "torchvision", "--json", "--dry-run")
    assert ran.json["packages"][0]["version"] == f"{TORCH}+cpu"
    assert "is the newest with a build of each companion asked for" in ran.json["reasons"][0]


def test_a_companion_version_that_does_not_belong_is_an_error(torchdoctor, bare, tmp_path):
    """torchvision 0.19.1 belongs to torch 2.4.1."""
    ran = torchdoctor("install", tmp_path / "env", *bare, "--with", "torchvision==0.19.1", "--json")
    assert ran.status == 3
    assert "belongs to torch 2.13.0" in ran.json["error"]["message"]


def test_pypis_cuda_build_is_not_taken_for_a_cpu_machine_unasked(torchdoctor, index, tag, tmp_path):
    """On Linux PyPI's torch is a CUDA build; without --yes it is named and not installed."""
    name, content = make_wheel("torch", TORCH, tag=tag, built=f"{TORCH}+cu130")
    index.add("/simple/torch/", name, content)
    options = (
        "--python", sys.executable, "--torch", TORCH, "--without", "pip", "--without", "torchvision", "--without",
        "torchaudio", "--no-verify",
    )  # fmt: skip
    refused = torchdoctor("install", tmp_path / "env", *options, "--json")
    assert refused.status == 3
    assert refused.json["error"]["kind"] == "cuda-build-for-cpu"
    assert "--yes" in refused.json["error"]["fix"]
    assert not (tmp_path / "env").exists()
    taken = torchdoctor("install", tmp_path / "env", *options, "--yes")
    assert taken.status == 0, taken.err
    assert versions(tmp_path / "env") == {"torch": TORCH}


def test_a_source_out_of_reach_is_said_and_the_next_is_asked(torchdoctor, official, bare, tmp_path):
    """One line names the source and the cause; pip's configured index then serves torch."""
    official.pages["/simple/torch/"] = official.pages["/whl/cpu/torch/"]
    ran = torchdoctor(
        "install",
        tmp_path / "env",
        *bare[2:],
        "--without",
        "torchvision",
        "--index-url",
        "http://127.0.0.1:9/whl",
    )
    assert ran.status == 0, ran.err
    assert "http://127.0.0.1:9/whl/torch/ cannot be read: it refuses the connection" in ran.err
    assert f"torch {TORCH}+cpu from {official.url}/simple" in ran.err


def test_an_index_in_trouble_is_said_and_the_next_is_asked(torchdoctor, official, bare, tmp_path):
    """500 from one source does not end the search."""
    official.pages["/simple/torch/"] = official.pages["/whl/cpu/torch/"]
    official.faults["/whl/torch/"] = Fault(status=500)
    official.faults["/whl/cpu/torch/"] = Fault(status=500)
    ran = torchdoctor("install", tmp_path / "env", *bare, "--without", "torchvision")
    assert ran.status == 0, ran.err
    assert "it answers 500" in ran.err


def test_settings_of_pip_are_handed_on_and_said_under_v(torchdoctor, official, bare, tmp_path):
    """uv does not read pip's configuration: what torch needs comes from pip's index all the same."""
    name, content = make_wheel(
        "torch", f"{TORCH}+cpu", tag=bare_tag(official), requires=("needed-by-torch>=1",)
    )
    official.pages.pop("/whl/cpu/torch/")
    official.add("/whl/cpu/torch/", name, content)
    name, content = make_wheel("needed-by-torch", "1.5", tag="py3-none-any")
    official.add("/simple/needed-by-torch/", name, content)
    ran = torchdoctor("install", tmp_path / "env", *bare, "-v")
    assert ran.status == 0, ran.err
    assert versions(tmp_path / "env")["needed-by-torch"] == "1.5"
    assert "pip's index-url (env)" in ran.err


def bare_tag(official):
    """The tag of the torch wheel that is listed."""
    path = next(path for path in official.files if "/torch-" in path and path.endswith(".whl"))
    return path.removesuffix(".whl").split("+cpu-")[1]


def test_torch_is_never_taken_from_the_index_of_its_dependencies(torchdoctor, official, bare, tag, tmp_path):
    """A newer build of the same version on pip's index cannot stand in for the file that was chosen."""
    name, content = make_wheel("torch", f"{TORCH}+cpu", tag=tag, modules={"torch/evil.py": ""})
    official.add("/simple/torch/", name.replace("+cpu-", "+cpu-9-"), content)
    ran = torchdoctor("install", tmp_path / "env", *bare, "--json")
    assert ran.status == 0, ran.out
    assert {row["filename"] for row in ran.json["files"] if row["name"] == "torch"} == {name}


def test_a_dry_run_installs_nothing(torchdoctor, bare, tmp_path):
    """--dry-run says what would be installed and leaves the disk alone."""
    ran = torchdoctor("install", tmp_path / "env", *bare, "--dry-run")
    assert ran.status == 0, ran.err
    assert f"torch {TORCH}+cpu" in ran.out
    assert not (tmp_path / "env").exists()


def test_a_second_run_takes_the_files_from_the_cache(torchdoctor, official, bare, tmp_path):
    """What was fetched once is not fetched again."""
    assert torchdoctor("install", tmp_path / "one", *bare).status == 0
    official.seen.clear()
    assert torchdoctor("install", tmp_path / "two", *bare).status == 0
    assert not [path for path in official.seen if path.endswith(".whl")]


def test_a_file_damaged_in_the_cache_is_fetched_again(torchdoctor, bare, tmp_path):
    """A cached file is checked each time it is used."""
    assert torchdoctor("install", tmp_path / "one", *bare).status == 0
    for path in (tmp_path / "cache" / "wheels").rglob("*.whl"):
        path.write_bytes(b"damaged")
    assert torchdoctor("install", tmp_path / "two", *bare).status == 0
    assert versions(tmp_path / "two")["torch"] == f"{TORCH}+cpu"


def test_settings_of_uvs_that_would_lead_it_elsewhere_do_not_count(torchdoctor, bare, tmp_path):
    """It works on a plan of ours, in a folder of ours."""
    more = {
        "UV_WORKING_DIR": str(tmp_path),
        "UV_FORK_STRATEGY": "none",
        "UV_BUILD_CONSTRAINT": "/no/such/file",
    }
    ran = torchdoctor("install", tmp_path / "env", *bare, **more)
    assert ran.status == 0, ran.err


def test_a_folder_of_pips_settings_that_is_gone_is_passed_over(torchdoctor, bare, tmp_path):
    """A stick that is not there now; pip goes on too."""
    ran = torchdoctor("install", tmp_path / "env", *bare, PIP_FIND_LINKS=str(tmp_path / "gone"))
    assert ran.status == 0, ran.err
    assert f"there is no {tmp_path / 'gone'}; it is ignored" in ran.err


@pytest.mark.parametrize(
    ("name", "value", "status", "kind"),
    [("UV_CACHE_DIR", "/dev/null", 4, "cache"), ("UV_HTTP_TIMEOUT", "soon", 2, "uv-setting")],
)
def test_a_setting_of_uvs_that_is_wrong_is_named(torchdoctor, bare, tmp_path, name, value, status, kind):
    """Not taken for packages that cannot be found."""
    ran = torchdoctor("install", tmp_path / "env", *bare, "--json", **{name: value})
    assert (ran.status, ran.json["error"]["kind"]) == (status, kind), ran.out
    assert value in ran.json["error"]["message"]
