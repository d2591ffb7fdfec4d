"""File names of wheels: what they say, and what is refused."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.version import Version

from wheels_index import InvalidWheel, Wheel, variant_of

NAME = "torch-2.4.1+cu124-cp312-cp312-win_amd64.whl"


def test_a_name_says_project_version_variant_and_tags():
    """A wheel is read from its file name: project, version with local part, variant, tags."""
    wheel = Wheel.from_filename(NAME)
    assert (wheel.project, wheel.version, wheel.variant) == ("torch", Version("2.4.1+cu124"), "cu124")
    assert {str(tag) for tag in wheel.tags} == {"cp312-cp312-win_amd64"}
    assert (wheel.url, wheel.sha256, wheel.size) == (None, None, None)


def test_a_compressed_tag_set_is_expanded():
    """`manylinux_2_17_aarch64.manylinux2014_aarch64` is two tags."""
    name = "torch-2.4.1-cp312-cp312-manylinux_2_17_aarch64.manylinux2014_aarch64.whl"
    platforms = {tag.platform for tag in Wheel.from_filename(name).tags}
    assert platforms == {"manylinux_2_17_aarch64", "manylinux2014_aarch64"}


def test_a_build_number_is_kept_apart_from_the_version():
    """`torch-2.10.0-2-...` is version 2.10.0, build 2."""
    wheel = Wheel.from_filename("torch-2.10.0-2-cp312-none-macosx_11_0_arm64.whl")
    assert (str(wheel.version), wheel.build) == ("2.10.0", (2, ""))


def test_a_project_name_is_normalised():
    """`pytorch_triton_rocm` is the project pytorch-triton-rocm."""
    name = "pytorch_triton_rocm-3.2.0-cp312-cp312-linux_x86_64.whl"
    assert Wheel.from_filename(name).project == "pytorch-triton-rocm"


@pytest.mark.parametrize(
    ("local", "variant"),
    [
        ("cu124", "cu124"),
        ("cpu", "cpu"),
        ("xpu", "xpu"),
        ("rocm6.2.4", "rocm6.2.4"),
        ("rocm7.14", "rocm7.14"),
        ("cpu.cxx11.abi", "cpu-cxx11-abi"),
        ("e437e35", None),
        ("5d4b92a5.d20251029", None),
    ],
)
def test_the_local_version_names_the_variant_or_nothing(local, variant):
    """A local version is a variant, or something else (a git hash) and then no variant."""
    assert variant_of(Version(f"2.6.0+{local}")) == variant


def test_the_local_version_goes_before_the_folder():
    """A file's own name decides its variant; the folder only where the name says nothing."""
    assert Wheel.from_filename(NAME, variant="cpu").variant == "cu124"
    mac = "torch-2.4.1-cp312-none-macosx_11_0_arm64.whl"
    assert Wheel.from_filename(mac, variant="cpu").variant == "cpu"
    git = "torchvision-0.24.0+e437e35-cp312-cp312-win_arm64.whl"
    assert Wheel.from_filename(git, variant="cpu").variant == "cpu"


@pytest.mark.parametrize(
    "name",
    [
        "",
        "torch",
        "torch-2.4.1.tar.gz",
        "torch-2.4.1-cp312.whl",
        "torch-two-cp312-cp312-win_amd64.whl",
        "../torch-2.4.1-cp312-cp312-win_amd64.whl",
        "a/torch-2.4.1-cp312-cp312-win_amd64.whl",
        "a\\torch-2.4.1-cp312-cp312-win_amd64.whl",
        "torch-2.4.1-cp312-cp312-win_amd64.whl\x00",
        "torch-2.4.1-cp312-cp312-win_amd64.whl\n",
        "torch-2.4.1%2Bcpu-cp312-cp312-win_amd64.whl",
        "torch-2.4.1-cp312-cp312-" + "a" * 300 + ".whl",
        "törch-2.4.1-cp312-cp312-win_amd64.whl",
    ],
)
def test_a_bad_name_is_refused_with_a_reason(name):
    """What is not a wheel's name raises InvalidWheel, which is a ValueError, and says why."""
    with pytest.raises(InvalidWheel, match=r"."):
        Wheel.from_filename(name)


@pytest.mark.parametrize("digest", ["", "abc", "g" * 64, "a" * 63, "a" * 65, " " + "a" * 63])
def test_a_bad_digest_is_refused(digest):
    """A sha256 is 64 hex digits or is not given at all."""
    with pytest.raises(InvalidWheel, match="64 hex digits"):
        Wheel.from_filename(NAME, sha256=digest)


def test_a_digest_is_kept_in_lower_case():
    """Digests compare as text, so they are all lower case."""
    assert Wheel.from_filename(NAME, sha256="AB" * 32).sha256 == "ab" * 32


def test_a_negative_size_is_refused():
    """A size is a number of bytes."""
    with pytest.raises(InvalidWheel, match="negative"):
        Wheel.from_filename(NAME, size=-1)


@given(st.text(max_size=300))
def test_any_text_is_a_wheel_or_invalid(text):
    """Nothing but InvalidWheel comes out of a file name, and no accepted name can leave its folder."""
    try:
        wheel = Wheel.from_filename(text)
    except InvalidWheel:
        return
    assert not set(wheel.filename) & set("/\\\x00")


_PART = st.text("abcdefghijklmnopqrstuvwxyz0123456789._+!-/\\%", max_size=20)


@given(_PART, _PART, _PART, _PART, _PART)
def test_anything_shaped_like_a_wheel_is_a_wheel_or_invalid(project, version, python, abi, platform):
    """The same holds for text with a wheel's five parts."""
    try:
        wheel = Wheel.from_filename(f"{project}-{version}-{python}-{abi}-{platform}.whl")
    except InvalidWheel:
        return
    assert wheel.tags
    assert "/" not in wheel.filename
