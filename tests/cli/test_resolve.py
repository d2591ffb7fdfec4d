"""`torchdoctor resolve` for machines that are not this one, in every form that a person pastes."""

from __future__ import annotations

import pytest

from tests.wheelmaker import make_wheel

CLASSIC = ("--platform", "win_amd64", "--python-version", "3.12", "--torch", "2.4.1")
FILES = [
    "torch-2.4.1+cu124-cp312-cp312-win_amd64.whl",
    "torchvision-0.19.1+cu124-cp312-cp312-win_amd64.whl",
    "torchaudio-2.4.1+cu124-cp312-cp312-win_amd64.whl",
]


@pytest.fixture
def classic(in_process):
    """The set for Windows, Python 3.12, torch 2.4.1 and an RTX 4090 with driver 551.61, in one form."""

    def ask(*more):
        return in_process("resolve", *CLASSIC, "--driver", "551.61", "--gpu", "RTX 4090", *more)

    return ask


def test_the_classic_set_has_its_real_files_and_hashes(classic):
    """Contract 3: names, versions, files, hashes and the layer they are known from."""
    document = classic("--json").json
    assert document["variant"] == "cu124"
    assert document["index_url"] == "https://download.pytorch.org/whl/cu124"
    assert [row["filename"] for row in document["packages"]] == FILES
    assert [row["version"] for row in document["packages"]] == ["2.4.1+cu124", "0.19.1+cu124", "2.4.1+cu124"]
    assert {row["known"] for row in document["packages"]} == {"listed"}
    assert (
        document["packages"][0]["sha256"]
        == "d077728576768acbf0e4ce1b87164d1f3f75c17a9b1676c09e84c32ceeac1c06"
    )
    assert {row["variant"] for row in document["rejected"]} == {"cu121", "cu118", "cpu"}


def test_format_json_is_the_same_document(classic):
    """--format json and --json say the same."""
    assert classic("--format", "json").json == classic("--json").json


def test_the_pip_command_names_exact_builds_and_the_index(classic):
    """One line to paste."""
    assert classic("--format", "pip").out.strip() == (
        "pip install torch==2.4.1+cu124 torchvision==0.19.1+cu124 torchaudio==2.4.1+cu124"
        " --extra-index-url https://download.pytorch.org/whl/cu124"
    )


def test_old_builds_bring_the_numpy_that_they_were_compiled_for(torchdoctor):
    """torch 2.2.2 does not declare that NumPy 2 breaks it."""
    ran = torchdoctor(
        "resolve", "--platform", "linux", "--python-version", "3.11", "--torch", "2.2.2", "--format", "pip"
    )
    assert "'numpy<2'" in ran.out


@pytest.mark.process
def test_a_lock_that_cannot_be_whole_is_an_error(classic):
    """What torch 2.4.1 needs is not known here, and no source that has it is in reach."""
    ran = classic("--format", "pylock", "--offline")
    assert ran.status == 4
    assert "--find-links" in ran.err


def test_the_urls_are_the_files_themselves(classic):
    """A `+` is written %2B, and the hash stands behind."""
    first = classic("--format", "urls").out.splitlines()[0]
    assert first.startswith(
        "https://download.pytorch.org/whl/cu124/torch-2.4.1%2Bcu124-cp312-cp312-win_amd64.whl#sha256=d0777"
    )


def test_a_build_of_which_no_file_was_seen_has_no_file_name(torchdoctor):
    """`published`: version, variant and index are known, file, hash and size are null."""
    document = torchdoctor("resolve", "--platform", "linux", "--python-version", "3.12", "--json").json
    torch = document["packages"][0]
    assert (torch["version"], torch["known"]) == ("2.15.0+cpu", "published")
    assert (torch["filename"], torch["url"], torch["sha256"], torch["size"]) == (None, None, None, None)


def test_a_companion_without_a_build_is_left_out_and_one_asked_for_moves_the_choice(torchdoctor):
    """torchaudio has no cu132 build for Windows; cu130 has it."""
    here = ("--platform", "win_amd64", "--python-version", "3.12", "--driver", "590.44", "--gpu", "RTX 5090")
    free = torchdoctor("resolve", *here, "--json").json
    assert free["variant"] == "cu132"
    assert "torchaudio" not in {row["name"] for row in free["packages"]}
    assert any("torchaudio is left out" in text for text in free["warnings"])
    bound = torchdoctor("resolve", *here, "--with", "torchaudio", "--json").json
    assert bound["variant"] == "cu130"
    assert "is the newest with a build of each companion asked for" in bound["reasons"][0]
    assert "torchaudio" in {row["name"] for row in bound["packages"]}


def test_a_pinned_companion_decides_the_release(torchdoctor):
    """torchvision 0.19.1 belongs to torch 2.4.1."""
    ran = torchdoctor(
        "resolve",
        "--platform",
        "linux",
        "--python-version",
        "3.12",
        "--with",
        "torchvision==0.19.1",
        "--json",
    )
    assert ran.json["packages"][0]["version"] == "2.4.1+cpu"


@pytest.mark.parametrize(
    ("options", "message", "fix"),
    [
        (["--python-version", "3.14", "--torch", "2.8"], "Python 3.14 and torch 2.8 together", "Python ≤ 3.13"),
        (["--python-version", "3.14", "--torch", "2.8"], "has no build for Python 3.14", "torch ≥ 2.9.0"),
        (["--python-version", "3.12", "--torch", "2.4.7"], "no torch release matches ==2.4.7", "2.4.1"),
        (["--python-version", "3.12", "--libc", "musl1.2"], "musl", "glibc"),
        (["--python-version", "3.12", "--libc", "glibc2.12"], "glibc 2.12", "glibc ≥ 2.17"),
        (["--python-version", "3.6"], "Python 3.6", "Python ≥ 3.8"),
        (["--python-version", "3.12", "--torch", "2.15", "--variant", "cu126"], "variant cu126", "2.6.0 to 2.14.1"),
    ],
)  # fmt: skip
def test_no_solution_names_the_conflict_and_the_way_out(torchdoctor, options, message, fix):
    """The smallest set of constraints in each other's way, and what to change each to."""
    ran = torchdoctor("resolve", "--platform", "linux", *options, "--json")
    assert ran.status == 3, ran.out
    assert message in ran.json["error"]["message"]
    assert fix in ran.json["error"]["fix"]


@pytest.mark.parametrize(
    "options",
    [
        ["--driver", "N/A"], ["--driver", "r550"], ["--driver", "5" * 400], ["--gpu", "Voodoo 2"], ["--gpu", ""],
        ["--platform", "amiga"], ["--platform", "../etc"], ["--python-version", "three"], ["--libc", "newlib"],
        ["--machine", "/no/such/file"], ["--format", "yaml"], ["--machine", "-", "--gpu", "RTX 4090"],
        ["--variant", "cu1"], ["--variant", "rocm1.2.3.4"], ["--torch", "=="], ["--with", "torch vision"],
    ],
    ids=lambda options: " ".join(options)[:40],
)  # fmt: skip
def test_what_cannot_be_read_is_wrong_usage(torchdoctor, options):
    """Never a guess: exit status 2 and what to write instead."""
    ran = torchdoctor("resolve", *options, "--json")
    assert ran.status == 2, ran.out + ran.err
    assert ran.json["error"]["fix"]


def test_a_driver_of_one_part_is_a_driver(torchdoctor):
    """`550` is what people remember of 550.54.15."""
    ran = torchdoctor(
        "resolve",
        "--platform",
        "linux",
        "--python-version",
        "3.12",
        "--driver",
        "550",
        "--gpu",
        "RTX 4090",
        "--json",
    )
    assert ran.json["variant"] == "cu126"


def test_a_source_that_is_named_is_asked(torchdoctor, index):
    """--index-url makes the answer live: what the index has, with the hash it gives."""
    name, content = make_wheel("torch", "2.13.0+cpu", tag="cp312-cp312-win_amd64")
    index.add("/whl/cpu/torch/", name, content)
    ran = torchdoctor(
        "resolve",
        "--platform",
        "win_amd64",
        "--python-version",
        "3.12",
        "--index-url",
        f"{index.url}/whl",
        "--json",
    )
    assert ran.status == 0, ran.out
    torch = ran.json["packages"][0]
    assert (torch["known"], torch["filename"]) == ("live", name)
    assert ran.json["index_url"] == f"{index.url}/whl/cpu", "the place that pip can be given"


@pytest.mark.parametrize("tag", ["linux_riscv64", "linux_ppc64le", "manylinux_2_31_s390x", "linux_armv7l"])
def test_a_processor_without_any_build_is_an_answer_and_not_wrong_usage(torchdoctor, tag):
    """Its name is a platform tag, and torch has nothing for it."""
    ran = torchdoctor("resolve", "--platform", tag, "--json")
    assert (ran.status, ran.json["error"]["kind"]) == (3, "no-solution")


def test_a_file_that_pins_torch_alone_to_a_release_without_the_gpu_is_refused_with_an_override(
    torchdoctor, tmp_path
):
    """The CPU build comes only after it; `--torch` is the user's own word and is followed."""
    (tmp_path / "work" / "pin.txt").write_text("torch==2.1.0\n", "utf-8")
    machine = (
        "--platform", "manylinux_2_35_x86_64", "--python-version", "3.10", "--driver", "580.95", "--gpu", "RTX 5090",
    )  # fmt: skip
    ran = torchdoctor("resolve", *machine, "-r", "pin.txt", "--json")
    assert (ran.status, ran.json["error"]["kind"]) == (3, "pin-excludes-gpu")
    assert "--override 'torch==2.7.*'" in ran.json["error"]["fix"]
    overridden = torchdoctor("resolve", *machine, "-r", "pin.txt", "--override", "torch==2.7.*", "--json")
    assert (overridden.status, overridden.json["variant"]) == (0, "cu128")
    assert torchdoctor("resolve", *machine, "--torch", "2.1.0", "--json").json["variant"] == "cpu"
