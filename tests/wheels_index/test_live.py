"""What a live index lists, laid over the snapshot: new files, variants and releases, and what is refused."""

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet
from packaging.version import Version

from torchdoctor.detect import Libc, Machine, Nvidia, NvidiaGpu, Python
from torchdoctor.resolve import Request, rank
from wheels_index import Wheel, bundled, nearest_gfx, overlay, parse_page
from wheels_index.live import LiveSnapshot, Overlay, declared_torch

BASE = "https://download-r2.pytorch.org/whl"
DAY = "2027-01-05"
WINDOWS = "torch-2.4.1+cu124-cp312-cp312-win_amd64.whl"


def wheel(name, *, digest="a" * 64, variant=None):
    """A wheel as the official index lists it."""
    seen = Wheel.from_filename(name)
    folder = seen.variant or variant or "cpu"
    url = f"{BASE}/{folder}/{name.replace('+', '%2B')}"
    return Wheel.from_filename(name, url=url, sha256=digest, variant=folder)


def live(*names, requires=None):
    """The bundled snapshot with some files seen."""
    return overlay(bundled(), [wheel(name) for name in names], as_of=DAY, requires=requires or {})


NEW = (
    "torch-2.16.0+cu134-cp312-cp312-manylinux_2_28_x86_64.whl",
    "torch-2.16.0+cu134-cp314-cp314t-manylinux_2_28_x86_64.whl",
    "torch-2.16.0+cpu-cp312-cp312-manylinux_2_34_aarch64.whl",
    "torch-2.16.0+cu134-cp312-cp312-win_amd64.whl",
    "torch-2.16.0-cp312-cp312-macosx_15_0_arm64.whl",
    "torchvision-0.31.0+cu134-cp312-cp312-manylinux_2_28_x86_64.whl",
)
DECLARED = {"torchvision-0.31.0": ["numpy", "torch==2.16.0"]}


def machine(driver):
    """A Linux machine with an RTX 4090."""
    return Machine(
        os="linux", arch="x86_64", libc=Libc(name="glibc", version="2.35"), python=Python(version="3.12.4"),
        nvidia=Nvidia(driver=driver, gpus=(NvidiaGpu(name="RTX 4090", compute_capability="8.9"),)),
    )  # fmt: skip


def test_a_new_release_is_made_of_its_file_names():
    """Platforms, variants, Pythons and floors come from the tags; nothing else is made up."""
    snapshot = live(*NEW, requires=DECLARED)
    assert snapshot.versions()[:2] == (Version("2.16.0"), bundled().versions()[0])
    release = snapshot.release("2.16.0")
    linux = release.platforms["linux_x86_64"]
    assert linux.variants == ("cu134",)
    assert (*linux.pythons, *linux.index_only_pythons) == ("3.12", "3.14t")
    assert linux.glibc_floor("cu134") == (2, 28)
    assert linux.unmatrixed == {"cu134": f"seen on the index on {DAY}"}
    assert release.platforms["linux_aarch64"].glibc_floor("cpu") == (2, 34)
    assert release.platforms["windows_x86_64"].variants == ("cu134",)
    assert release.platforms["macos_arm64"].macos_floor("3.12") == (15, 0)
    assert release.platforms["macos_x86_64"].variants == ()
    assert {builds.pypi_default for builds in release.platforms.values()} == {None}
    assert (release.released, release.requires_python, release.triton) == (None, None, None)
    assert (release.as_of, release.sources["live"]) == (DAY, f"seen on the index on {DAY}")


def test_a_file_says_which_layer_of_knowledge_it_is():
    """A file of the snapshot has no day of sight; one of the live index has."""
    release = live("torch-2.4.1+cu124-cp313-cp313-win_amd64.whl").release("2.4.1")
    seen = {w.filename: w.seen for w in release.wheels}
    assert seen[WINDOWS] is None
    assert seen["torch-2.4.1+cu124-cp313-cp313-win_amd64.whl"] == DAY


def test_companions_of_a_new_release_are_those_that_declare_it():
    """torchvision 0.31.0 pins torch 2.16.0; torchaudio declares no upper end, so the rule before it holds on."""
    companions = live(*NEW, requires=DECLARED).release("2.16.0").companions
    assert companions["torchvision"].versions == (Version("0.31.0"),)
    assert companions["torchvision"].constraint == "torch==2.16.0"
    assert companions["torchaudio"].versions == (Version("2.11.1"), Version("2.11.0"))
    assert "taken from torch 2.15.0" in companions["torchaudio"].note


def test_without_metadata_open_ended_companions_stay():
    """torchvision 0.29.2 asks for torch >= 2.14, which a newer torch meets; the note names the rule."""
    row = live(*NEW).release("2.16.0").companions["torchvision"]
    assert row.versions == bundled().release("2.15.0").companions["torchvision"].versions
    assert "whose torchvision torch>=2.14.0" in row.note


def test_a_pinned_companion_does_not_go_with_a_release_in_between():
    """torchvision 0.28.0 pins torch 2.13.0: a 2.13.1 has none until one declares it."""
    release = live("torch-2.13.1+cpu-cp312-cp312-manylinux_2_28_x86_64.whl").release("2.13.1")
    assert release.companions["torchvision"].versions == ()


def test_a_new_companion_joins_every_release_that_it_admits():
    """torchvision 0.29.3 with torch >= 2.14 goes with 2.14 and 2.15, not with 2.13."""
    name = "torchvision-0.29.3+cpu-cp312-cp312-manylinux_2_28_x86_64.whl"
    snapshot = live(name, requires={"torchvision-0.29.3": ["torch>=2.14.0"]})
    for torch in ("2.14.0", "2.15.0"):
        assert snapshot.release(torch).companions["torchvision"].versions[0] == Version("0.29.3")
        assert name in {w.filename for w in snapshot.release(torch).wheels}
    assert snapshot.release("2.13.0") is snapshot.release("2.13.0")
    assert snapshot.release("2.13.0").companions["torchvision"].versions == (Version("0.28.0"),)


def test_another_digest_for_a_known_file_is_refused_and_the_known_one_stays():
    """The name, what is known and what was found are kept for the report."""
    known = bundled().release("2.4.1").wheels_named(WINDOWS, "official")[0]
    snapshot = live(WINDOWS)
    (refused,) = snapshot.refused
    assert (refused.filename, refused.known, refused.found) == (WINDOWS, known.sha256, "a" * 64)
    assert snapshot.release("2.4.1").wheels_named(WINDOWS, "official") == (known,)


def test_a_page_without_digests_takes_none_away():
    """A link without `#sha256=` keeps the digest that is known."""
    known = bundled().release("2.4.1").wheels_named(WINDOWS, "official")[0]
    snapshot = overlay(bundled(), [wheel(WINDOWS, digest=None)], as_of=DAY)
    assert snapshot.release("2.4.1").wheels_named(WINDOWS, "official")[0].sha256 == known.sha256
    assert snapshot.refused == ()


def test_a_digest_that_was_missing_is_filled_in():
    """A file known without a digest takes the one that the index gives now."""
    bare = next(
        w for r in bundled().releases() for w in r.wheels if w.sha256 is None and w.project == "torch"
    )
    snapshot = overlay(bundled(), [wheel(bare.filename, variant=bare.variant)], as_of=DAY)
    found = {w.variant: w for w in snapshot.release(bare.version).wheels_named(bare.filename, "official")}
    assert found[bare.variant].sha256 == "a" * 64
    assert found[bare.variant].seen == DAY


def test_a_known_release_gains_a_variant():
    """cu134 of 2.15.0 appears: it counts, and how it came is said."""
    builds = live("torch-2.15.0+cu134-cp312-cp312-manylinux_2_28_x86_64.whl").release("2.15.0").platforms
    assert builds["linux_x86_64"].variants[-1] == "cu134"
    assert builds["linux_x86_64"].unmatrixed["cu134"] == f"seen on the index on {DAY}"
    assert "cu134" not in builds["windows_x86_64"].variants


@pytest.mark.parametrize(
    "name",
    [
        "torch-2.17.0.dev20270101+cu134-cp312-cp312-manylinux_2_28_x86_64.whl",
        "torch-2.16.0rc1+cu134-cp312-cp312-manylinux_2_28_x86_64.whl",
        "torch-1.13.1+cu117-cp310-cp310-linux_x86_64.whl",
    ],
)
def test_pre_releases_nightlies_and_ancient_releases_are_no_releases(name):
    """Only releases newer than the oldest known one count."""
    assert live(name).versions() == bundled().versions()


def test_files_of_no_variant_make_no_release():
    """A torch without a build tag, from a folder or PyPI, says nothing of variants."""
    name = "torch-9.0.0-cp312-cp312-manylinux_2_28_x86_64.whl"
    bare = Wheel.from_filename(name, url=f"https://example.org/{name}")
    assert overlay(bundled(), [bare], as_of=DAY).versions() == bundled().versions()


def test_what_was_not_seen_is_the_bundled_release_itself():
    """A release that the overlay does not touch is not copied."""
    base = bundled()
    snapshot = overlay(base, [wheel(NEW[0])], as_of=DAY)
    assert snapshot.release("2.9.0") is base.release("2.9.0")
    assert next(snapshot.releases()).version == Version("2.16.0")


def test_other_projects_gain_files_too():
    """triton is listed beside torch."""
    name = "triton-9.9.0-cp312-cp312-manylinux_2_28_x86_64.whl"
    snapshot = live(name)
    assert snapshot.project("triton")[-1].filename == name
    assert "triton" in snapshot.projects()


def test_a_new_release_and_a_new_cuda_are_chosen_without_new_code():
    """A driver of CUDA 13 takes 2.16.0+cu134 by the rule of the major; an older one stays where it was."""
    snapshot = live(*NEW, requires=DECLARED)
    best = rank(machine("580.65.06"), Request(), snapshot).candidates[0]
    assert (str(best.torch), best.variant) == ("2.16.0", "cu134")
    assert [str(row.versions[0]) for row in best.companions] == ["0.31.0", "2.11.1"]
    old = rank(machine("550.54.15"), Request(), snapshot).candidates[0]
    assert (str(old.torch), old.variant) == ("2.14.1", "cu126")


def test_a_variant_that_nobody_knows_is_taken_when_asked_for():
    """cu136 is in no table: the rule of CUDA 13 gives its driver."""
    name = "torch-2.16.0+cu136-cp312-cp312-manylinux_2_28_x86_64.whl"
    request = Request(torch=SpecifierSet("==2.16.0"))
    best = rank(machine("580.65.06"), request, live(name)).candidates[0]
    assert best.variant == "cu136"


def test_targets_of_a_new_rocm_are_the_nearest_known():
    """rocm8.0 is taken for what rocm7.2 has, and says so; a known list needs no rule; CUDA has none."""
    targets, rule = nearest_gfx("rocm8.0")
    assert "gfx942" in targets
    assert rule == "AMD targets taken from rocm7.2"
    assert nearest_gfx("rocm6.3")[1] is None
    assert nearest_gfx("cu124") is None
    assert nearest_gfx("rocm1.0") is None


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["torch==2.16.0"], "==2.16.0"),
        (["torch (>=2.14)"], ">=2.14"),
        (["torch>=1; extra == 'old'"], None),
        (["torch"], None),
        (["numpy", "!!!", ""], None),
    ],
)
def test_what_metadata_declares_of_torch(lines, said):
    """The specifier of the plain requirement; extras and rubbish are passed over."""
    declared = declared_torch(lines)
    assert (declared and str(declared)) == said


def test_the_overlay_survives_json():
    """What is written reads back equal, so a second process knows the same."""
    snapshot = live(*NEW, requires=DECLARED)
    text = json.dumps(snapshot.overlay.to_json())
    again = Overlay.from_json(json.loads(text))
    assert again == snapshot.overlay
    assert LiveSnapshot(bundled(), again).release("2.16.0") == snapshot.release("2.16.0")


def test_a_page_of_the_index_goes_in_as_it_is():
    """Parsed links, `%2B` and all, come out with the URL that the page gave."""
    page = '<a href="/whl/cu134/torch-2.16.0%2Bcu134-cp312-cp312-win_amd64.whl#sha256={}">x</a>'.format(
        "b" * 64
    )
    wheels = parse_page(page, url="https://download.pytorch.org/whl/torch/").wheels
    (found,) = overlay(bundled(), wheels, as_of=DAY).release("2.16.0").wheels
    assert (
        found.url == "https://download.pytorch.org/whl/cu134/torch-2.16.0%2Bcu134-cp312-cp312-win_amd64.whl"
    )
    assert found.sha256 == "b" * 64


def _good():
    return live(*NEW, requires=DECLARED).overlay.to_json()


@pytest.mark.parametrize(
    "spoil",
    [
        lambda d: d.update(schema=2),
        lambda d: d.update(as_of="yesterday"),
        lambda d: d.update(groups={}),
        lambda d: d.update(requires=[]),
        lambda d: d.update(requires={"evil-1.0": []}),
        lambda d: d.update(requires={"torchvision-x": []}),
        lambda d: d["groups"].append(None),
        lambda d: d["groups"][0].update(folder="file:///etc/"),
        lambda d: d["groups"][0].update(folder="javascript:x"),
        lambda d: d["groups"][0].update(project="Torch"),
        lambda d: d["groups"][0].update(variant="cu12345"),
        lambda d: d["groups"][0].update(version="2.15.0+cu134"),
        lambda d: d["groups"][0]["files"].append(["../x.whl", None, None, None, None]),
        lambda d: d["groups"][0]["files"][0].__setitem__(1, "A" * 64),
        lambda d: d["groups"][0]["files"][0].__setitem__(2, -1),
        lambda d: d["groups"][0]["files"][0].__setitem__(2, True),
        lambda d: d["groups"][0]["files"][0].__setitem__(3, "no digest"),
        lambda d: d["groups"][0]["files"][0].__setitem__(4, "ftp://example.org/x"),
        lambda d: d["groups"][0]["files"][0].pop(),
    ],
)
def test_spoiled_json_is_a_value_error(spoil):
    """A stored overlay that cannot be right is turned down as a whole."""
    data = _good()
    spoil(data)
    with pytest.raises(ValueError):  # noqa: PT011  (each has its own message)
        Overlay.from_json(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(JSON, st.sampled_from(["schema", "as_of", "groups", "requires", None]), st.data())
def test_any_json_is_an_overlay_or_a_value_error(value, key, data):
    """Nothing but ValueError comes out of hostile data, and what comes out right can be used."""
    document = _good()
    if key is None:
        group = data.draw(st.sampled_from(document["groups"]))
        group[data.draw(st.sampled_from(sorted(group)))] = value
    else:
        document[key] = value
    try:
        found = Overlay.from_json(document)
    except ValueError:
        return
    list(LiveSnapshot(bundled(), found).releases())


@pytest.mark.process
def test_the_overlay_is_imported_only_when_it_is_there():
    """Reading the bundled snapshot alone does not import what merges."""
    code = "import sys, wheels_index as w; w.bundled().release('2.4.1'); print('wheels_index.live' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
