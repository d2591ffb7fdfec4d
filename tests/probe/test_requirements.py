"""What torch requires, read where `packaging` may not be: it agrees with `packaging`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.markers import Marker
from packaging.specifiers import InvalidSpecifier, Specifier, SpecifierSet
from packaging.version import Version

from torchdoctor.probe.requirements import marker_holds, meets, required_packages
from torchdoctor.probe.version_order import allows, parse_version

TOOLKIT = (
    "(sys_platform == 'linux' and platform_machine == 'aarch64' or sys_platform == 'linux' and platform_machine == "
    "'x86_64' or sys_platform == 'win32' and platform_machine == 'AMD64') and extra == 'cublas'"
)


@pytest.mark.parametrize(
    "marker",
    [
        TOOLKIT,
        "python_version < '3.15' and platform_system == \"Linux\"",
        "python_version >= '3.9'",
        "python_full_version != '3.0.0'",
        "extra != 'cublas'",
        "sys_platform in 'linux darwin win32'",
        "sys_platform not in 'linux darwin win32'",
        "(os_name == 'posix') or (os_name == 'nt')",
    ],
)
@pytest.mark.parametrize("extra", ["", "cublas"])
def test_markers_are_judged_as_packaging_does(marker, extra):
    """Those of torch's wheels and of cuda-toolkit."""
    assert marker_holds(marker, extra) == Marker(marker).evaluate({"extra": extra})


@given(st.text(alphabet="()'\" =<>andorsys_platform.03", max_size=60))
def test_no_marker_breaks_the_reader(marker):
    """What cannot be read does not hold."""
    assert marker_holds(marker) in (True, False)


NUMBERS = st.lists(st.integers(0, 20), min_size=1, max_size=4).map(lambda parts: ".".join(map(str, parts)))
CLAUSES = st.one_of(
    st.tuples(st.sampled_from(["==", "!=", "<=", ">=", "<", ">"]), NUMBERS).map("".join),
    st.tuples(st.sampled_from(["==", "!="]), NUMBERS).map(lambda parts: "".join(parts) + ".*"),
    NUMBERS.filter(lambda text: "." in text).map("~={}".format),
)


SUFFIXES = st.sampled_from(
    [
        "",
        "a1",
        "b2",
        "rc1",
        ".dev3",
        "a1.dev2",
        ".post1",
        ".post1.dev2",
        "-1",
        "rc1.post2",
        "alpha",
        "C3",
        "+local.1",
        "+1",
    ]
)
VERSIONS = st.tuples(st.sampled_from(["", "", "", "1!"]), NUMBERS, SUFFIXES).map("".join)
PUBLIC = VERSIONS.map(lambda text: text.partition("+")[0])
OF_ALL_KINDS = st.one_of(
    CLAUSES,
    st.tuples(st.sampled_from(["==", "!="]), VERSIONS).map("".join),
    st.tuples(st.sampled_from(["<=", ">=", "<", ">"]), PUBLIC).map("".join),
    PUBLIC.filter(lambda text: "." in text.rpartition("!")[2].partition("p")[0].partition(".dev")[0]).map(
        "~={}".format
    ),
)


@given(NUMBERS, st.lists(CLAUSES, max_size=3).map(",".join))
def test_versions_are_compared_as_packaging_does(version, specifier):
    """Of numbers alone, as NVIDIA's are."""
    assert meets(version, specifier) == SpecifierSet(specifier).contains(version)


@given(VERSIONS, OF_ALL_KINDS)
def test_pre_releases_are_compared_as_packaging_does(version, clause):
    """Epochs, candidates, development, post and local versions too."""
    try:
        expected = Specifier(clause)
    except InvalidSpecifier:
        return
    operator, wanted = expected.operator, clause[len(expected.operator) :]
    assert allows(version, operator, wanted) == expected.contains(version, prereleases=True)


@given(VERSIONS, VERSIONS)
def test_versions_have_the_order_of_packaging(one, other):
    """The newest of many is found with it."""
    assert (parse_version(one) < parse_version(other)) == (Version(one) < Version(other))


@pytest.mark.parametrize("text", ["", "x", "1.0.x", "1..0", "1.0+", "1" * 300, "1.0 2"])
def test_what_is_no_version_is_none(text):
    """Nor does a clause of it say anything."""
    assert parse_version(text) is None
    assert allows("1.0", "<=", text) is None


@pytest.mark.parametrize("version", ["3.11.0a6", "3.11.0a7", "3.11.0", "3.10.2", "3.12.0rc1"])
@pytest.mark.parametrize(
    "marker",
    [
        'python_full_version <= "3.11.0a6"',
        'python_full_version < "3.11"',
        'python_full_version >= "3.12.0rc1"',
        'python_full_version != "3.11.*"',
        '"3.11.0a6" < python_full_version',
        'python_full_version ~= "3.11.0a6"',
        'python_full_version === "3.11.0"',
    ],
)
def test_markers_with_pre_releases_are_judged_as_packaging_does(marker, version, monkeypatch):
    """A Python that is one, and a limit that is one."""
    monkeypatch.setattr("torchdoctor.probe.requirements.platform.python_version", lambda: version)
    assert marker_holds(marker) == Marker(marker).evaluate({"python_full_version": version})


def test_a_python_from_a_checkout_is_the_version_that_it_names(monkeypatch):
    """`3.14.0a1+` is no version by the standard, which has `+` before a local part alone."""
    monkeypatch.setattr("torchdoctor.probe.requirements.platform.python_version", lambda: "3.14.0a1+")
    assert marker_holds('python_full_version >= "3.14.0a1"')
    assert not marker_holds('python_full_version >= "3.14"')


def test_the_version_of_the_implementation_is_known():
    """PyPy's is not Python's."""
    for marker in ('implementation_version >= "3.6"', 'implementation_version < "3.6"'):
        assert marker_holds(marker) == Marker(marker).evaluate()


@pytest.mark.parametrize(
    ("version", "specifier"), [("2.3.0rc1", ">=3"), ("1.0", "@ https://x"), ("a.b", "==1")]
)
def test_what_cannot_be_read_counts_as_met(version, specifier):
    """No finding rests on it."""
    assert meets(version, specifier)


def test_extras_are_followed(monkeypatch):
    """`cuda-toolkit[cublas]` brings what the extra brings, and nothing of the others."""
    lines = {
        "torch": [
            "cuda-toolkit[cublas]==13.0.3",
            'optree; extra == "optree"',
            "sympy>=1.13 ; python_version>'3'",
        ],
        "cuda-toolkit": [
            f"nvidia-cublas==13.1.1.3.*; {TOOLKIT}",
            "nvidia-cuda-nvcc==13.0.88.*; extra == 'nvcc'",
        ],
    }
    monkeypatch.setattr("torchdoctor.probe.requirements.metadata.requires", lines.get)
    monkeypatch.setattr("torchdoctor.probe.requirements.metadata.version", {"nvidia-cublas": "13.0.0.19"}.get)
    monkeypatch.setattr("torchdoctor.probe.requirements.platform.machine", lambda: "x86_64")
    monkeypatch.setattr("torchdoctor.probe.requirements.sys.platform", "linux")
    found = {each.name: (each.by, each.version, each.is_met) for each in required_packages("torch")}
    assert found == {
        "cuda-toolkit": ("torch", None, False),
        "sympy": ("torch", None, False),
        "nvidia-cublas": ("cuda-toolkit", "13.0.0.19", False),
    }


def test_a_package_that_two_require_is_judged_by_both(monkeypatch):
    """The second one may be the stricter."""
    lines = {"torch": ["sympy>=1.13", "networkx"], "networkx": ["sympy==1.14"]}
    monkeypatch.setattr("torchdoctor.probe.requirements.metadata.requires", lines.get)
    monkeypatch.setattr(
        "torchdoctor.probe.requirements.metadata.version", {"sympy": "1.13.3", "networkx": "3"}.get
    )
    found = [(each.by, each.is_met) for each in required_packages("torch") if each.name == "sympy"]
    assert found == [("torch", True), ("networkx", False)]
