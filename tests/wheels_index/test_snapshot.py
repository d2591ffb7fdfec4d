"""The snapshot: lazily read, complete, and true to its own rules."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from packaging.tags import Tag
from packaging.version import Version

import wheels_index
from wheels_index import PLATFORMS, Snapshot, UnknownRelease, Wheel, bundled, variant, variant_of

SNAPSHOT = bundled()
VERSIONS = SNAPSHOT.versions()
RELEASES = tuple(SNAPSHOT.releases())
CLASSIC = {
    "torch-2.4.1+cu124": "d077728576768acbf0e4ce1b87164d1f3f75c17a9b1676c09e84c32ceeac1c06",
    "torchvision-0.19.1+cu124": "00ba20cb86664c8e51a001662ce320dc52137ee1e072842174e9d0f0b114020c",
    "torchaudio-2.4.1+cu124": "616076cd3b69e73e79642486fd8642eaf58243f5ee16b5f6de13422142c273fe",
}


@pytest.mark.parametrize("name", CLASSIC)
def test_the_classic_windows_set_is_listed_with_its_digests(name):
    """Torch 2.4.1, CUDA 12.4, Python 3.12 on Windows: all three files, with place and digest."""
    filename = f"{name}-cp312-cp312-win_amd64.whl"
    (wheel,) = SNAPSHOT.release("2.4.1").wheels_named(filename, "official")
    assert wheel.sha256 == CLASSIC[name]
    assert wheel.url == "https://download.pytorch.org/whl/cu124/" + filename.replace("+", "%2B")
    assert (wheel.variant, wheel.size) == ("cu124", None)
    assert Tag("cp312", "cp312", "win_amd64") in wheel.tags


def test_every_release_from_2_0_0_to_2_15_0_is_there_newest_first():
    """28 releases, sorted as versions."""
    assert (len(VERSIONS), VERSIONS[0], VERSIONS[-1]) == (28, Version("2.15.0"), Version("2.0.0"))
    assert list(VERSIONS) == sorted(VERSIONS, reverse=True)


def test_making_a_snapshot_reads_nothing(tmp_path):
    """A snapshot of a folder that is not there is empty, and says so only when asked."""
    snapshot = Snapshot(tmp_path / "absent")
    assert (snapshot.versions(), tuple(snapshot.releases()), snapshot.projects()) == ((), (), ())


def test_a_release_is_read_once_and_found_under_any_spelling():
    """2.4 is not 2.4.1; 2.4 is 2.4.0; a local part is ignored."""
    assert SNAPSHOT.release("2.4") is SNAPSHOT.release(Version("2.4.0"))
    assert SNAPSHOT.release("2.4.1+cu124") is SNAPSHOT.release("2.4.1")


def test_an_unknown_release_is_an_error_that_names_the_newest():
    """UnknownRelease is a KeyError with a sentence."""
    with pytest.raises(UnknownRelease, match=r"torch 9\.9 is not in the index; the newest known is 2\.15\.0"):
        SNAPSHOT.release("9.9")
    assert issubclass(UnknownRelease, KeyError)


def test_other_projects_are_read_when_asked_for():
    """Triton's wheels lie apart; a name that is no project of the index has none, whatever it holds."""
    assert {wheel.project for wheel in SNAPSHOT.project("triton-rocm")} == {"triton-rocm"}
    assert SNAPSHOT.project("../releases/2.4.1") == SNAPSHOT.project("nothing") == ()


@pytest.mark.process
def test_importing_the_library_stays_light():
    """`import wheels_index` and reading a release import neither a page parser nor subprocess."""
    heavy = ("html.parser", "urllib.request", "importlib.metadata", "subprocess", "wheels_index.index_page")
    code = (
        "import sys, wheels_index as w; w.bundled().release('2.4.1'); w.variant('cu124'); w.gpu('T4');"
        f"print([m for m in {heavy!r} if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def _all_wheels():
    for release in RELEASES:
        yield from ((wheel, "official") for wheel in release.wheels)
        yield from ((wheel, "pypi") for wheel in release.pypi_wheels)
    for project in SNAPSHOT.projects():
        yield from ((wheel, "official") for wheel in SNAPSHOT.project(project))


ALL_WHEELS = tuple(_all_wheels())


def test_every_row_is_what_its_file_name_says():
    """Rows are read without parsing names; here each name is parsed and agrees with its row."""
    for wheel, _ in ALL_WHEELS:
        parsed = Wheel.from_filename(wheel.filename, sha256=wheel.sha256, size=wheel.size)
        assert (parsed.project, parsed.version) == (wheel.project, wheel.version), wheel.filename
        assert parsed.variant in (None, wheel.variant)
        assert parsed.sha256 == wheel.sha256


def test_every_digest_is_64_hex_digits_or_unknown():
    """A digest is complete or None, never empty."""
    assert all(w.sha256 is None or re.fullmatch("[0-9a-f]{64}", w.sha256) for w, _ in ALL_WHEELS)


def test_no_file_of_the_official_index_has_two_digests():
    """One URL, one digest."""
    digests: dict[str, set[str | None]] = {}
    for wheel, host in ALL_WHEELS:
        if host == "official":
            assert wheel.url
            digests.setdefault(wheel.url, set()).add(wheel.sha256)
    assert all(len(found) == 1 for found in digests.values())


def test_the_hosts_are_kept_apart():
    """PyPI's files have sizes and digests and no official URL; many share a name and not the bytes."""
    for release in RELEASES:
        assert all(w.sha256 and w.size and w.url is None for w in release.pypi_wheels)
        assert all(w.url and w.url.startswith("https://download.pytorch.org/whl/") for w in release.wheels)
    official = {w.filename: w.sha256 for r in RELEASES for w in r.wheels if w.sha256}
    pypi = {w.filename: w.sha256 for r in RELEASES for w in r.pypi_wheels}
    shared = official.keys() & pypi.keys()
    assert any(official[name] != pypi[name] for name in shared)


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: str(release.version))
def test_a_release_is_complete(release):
    """Each release has its date, its Pythons, every platform, both companions, sources, and PyPI's files."""
    assert re.fullmatch(r"20\d\d-\d\d-\d\d", release.released)
    assert release.as_of == "2026-11-23"
    assert tuple(release.platforms) == PLATFORMS
    assert tuple(release.companions) == ("torchvision", "torchaudio")
    assert all(release.sources.values())
    linux = release.platforms["linux_x86_64"]
    assert linux.pythons
    assert all(linux.glibc_floor(name) for name in linux.variants)
    assert {wheel.project for wheel in release.pypi_wheels} == {"torch", "torchvision", "torchaudio"}


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: str(release.version))
def test_a_release_holds_only_what_belongs_to_it(release):
    """Every file is of the release or of a companion version that belongs, and of a variant that it has."""
    belongs = {"torch": (release.version,), **{c.project: c.versions for c in release.companions.values()}}
    for wheel in (*release.wheels, *release.pypi_wheels):
        assert Version(wheel.version.public) in belongs[wheel.project]
    names = {name for builds in release.platforms.values() for name in builds.variants}
    assert {w.variant for w in release.listed("torch") if w.variant} <= names
    assert all(variant(name).known for name in names)


@pytest.mark.parametrize("release", RELEASES, ids=lambda release: str(release.version))
def test_what_pypi_has_is_what_the_platforms_say(release):
    """The Pythons of each platform are those of PyPI's torch wheels."""
    tags = {str(tag) for w in release.pypi_wheels if w.project == "torch" for tag in w.tags}
    for name, arch in (
        ("linux_x86_64", "x86_64"),
        ("linux_aarch64", "aarch64"),
        ("windows_x86_64", "win_amd64"),
    ):
        found = {tag.split("-")[1] for tag in tags if tag.endswith(arch) and "macos" not in tag}
        assert found == {f"cp{p.replace('.', '')}" for p in release.platforms[name].pythons}


def test_the_newest_release_is_as_the_index_has_it():
    """Torch 2.15.0: no CUDA 12, PyPI serves cu132, what is not confirmed says so."""
    linux = SNAPSHOT.release("2.15.0").platforms["linux_x86_64"]
    assert linux.variants == ("cpu", "cu130", "cu132", "rocm7.14", "rocm10.0", "xpu")
    assert linux.pypi_default == "cu132"
    assert {"cu126", "cu134", "rocm7.2", "rocm7.14", "rocm10.0"} <= linux.unconfirmed.keys()


def test_a_file_that_was_seen_proves_a_build_that_no_matrix_lists():
    """aarch64 wheels of 2.9.1+cu129 are listed, so the variant is there, and how it came is said."""
    arm = SNAPSHOT.release("2.9.1").platforms["linux_aarch64"]
    assert "cu129" in arm.variants
    assert "cu129" in arm.unmatrixed
    assert "cu129" not in arm.unconfirmed


def test_the_glibc_floor_is_split_in_2_6():
    """2.6.0: cpu, cu118 and cu124 run on glibc 2.17, cu126 and ROCm need 2.28."""
    linux = SNAPSHOT.release("2.6.0").platforms["linux_x86_64"]
    floors = {name: linux.glibc_floor(name) for name in linux.variants}
    assert floors["cu124"] == (2, 17)
    assert floors["cu126"] == floors["rocm6.1"] == floors["rocm6.2.4"] == (2, 28)


def test_the_macos_floor_depends_on_the_python():
    """2.10.0 needs macOS 14 for Python 3.14 and 11 for 3.12; of 3.8 nothing is known."""
    mac = SNAPSHOT.release("2.10.0").platforms["macos_arm64"]
    assert [mac.macos_floor(p) for p in ("3.14", "3.12", "3.8")] == [(14, 0), (11, 0), None]


def test_pythons_that_only_the_official_index_has_are_apart():
    """Python 3.15 for torch 2.13 is on the official index for Linux alone."""
    platforms = SNAPSHOT.release("2.13.0").platforms
    assert platforms["linux_x86_64"].index_only_pythons == ("3.15", "3.15t")
    assert "3.15" not in platforms["linux_x86_64"].pythons
    assert platforms["windows_x86_64"].index_only_pythons == ()


def test_python_3_15_of_torch_2_14_is_for_every_platform_that_has_builds():
    """With torchvision 0.29.0: https://github.com/pytorch/pytorch/issues/184352."""
    release = SNAPSHOT.release("2.14.0")
    with_builds = [builds for builds in release.platforms.values() if builds.pythons]
    assert len(with_builds) == 4
    assert {builds.index_only_pythons for builds in with_builds} == {("3.15", "3.15t")}
    assert release.companions["torchvision"].has_python(Version("0.29.0"), "3.15")
    assert not release.companions["torchvision"].has_python(Version("0.29.1"), "3.15")


def test_companions_are_newest_first_with_their_pythons():
    """Torch 2.14.0 goes with three torchvisions; 0.29.2 is one wheel for every Python."""
    vision = SNAPSHOT.release("2.14.0").companions["torchvision"]
    assert [str(v) for v in vision.versions] == ["0.29.2", "0.29.1", "0.29.0"]
    assert vision.has_python(Version("0.29.2"), "3.15t")
    assert not vision.has_python(Version("0.29.1"), "3.15")
    assert vision.requires_python["0.29.2"] == ">=3.10,!=3.14.1"


def test_torchaudio_2_11_goes_with_every_later_torch():
    """2.11.1 declares torch >= 2.11, is one wheel for all Pythons, and was seen on PyPI alone."""
    for torch in ("2.11.0", "2.13.0", "2.15.0"):
        audio = SNAPSHOT.release(torch).companions["torchaudio"]
        assert ([str(v) for v in audio.versions], audio.constraint) == (["2.11.1", "2.11.0"], "torch>=2.11")
        assert audio.has_python(Version("2.11.1"), "3.15")
        assert not audio.has_python(Version("2.11.0"), "3.15")
        assert audio.pypi_only == {"2.11.1"}


@pytest.mark.parametrize(
    ("torch", "platform", "wanted"),
    [
        ("2.2.2", "linux_x86_64", "<2"),
        ("2.4.0", "windows_x86_64", "<2"),
        ("2.4.0", "linux_x86_64", None),
        ("2.4.1", "windows_x86_64", None),
    ],
)
def test_old_releases_need_numpy_1(torch, platform, wanted):
    """Up to 2.2.2 everywhere, and up to 2.4.0 on Windows."""
    assert SNAPSHOT.release(torch).numpy.get(platform) == wanted


def test_a_git_hash_takes_its_variant_from_the_folder():
    """torchvision-0.24.0+e437e35 lies in whl/cpu."""
    wheels = [w for w in SNAPSHOT.release("2.9.0").wheels if w.version.local == "e437e35"]
    assert wheels
    assert {w.variant for w in wheels} == {"cpu"}
    assert variant_of(wheels[0].version) is None


def test_one_name_can_lie_in_two_folders():
    """aarch64 companions have no local version: one name, another file for each variant."""
    release = SNAPSHOT.release("2.5.1")
    wheels = release.wheels_named("torchaudio-2.5.1-cp312-cp312-linux_aarch64.whl", "official")
    assert {w.variant for w in wheels} == {"cpu", "cu124"}
    assert len({w.sha256 for w in wheels}) == 2


def test_the_data_names_its_date_and_is_plain_json():
    """Every data file is JSON with the date on which it was true."""
    files = sorted((Path(wheels_index.__file__).parent / "data").rglob("*.json"))
    assert len(files) > 30
    for path in files:
        assert "2026-11-23" <= json.loads(path.read_text("utf-8"))["as_of"] <= "2026-12-01", path.name
