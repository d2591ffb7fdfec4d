"""What pip and uv are told of times, constraints and the like takes part in the choice, or is told by name."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.workflows.recorder import Recorder
from torchdoctor.core.system import host_system, uv
from torchdoctor.detect import Machine
from torchdoctor.errors import NoSolution, UsageError
from torchdoctor.lock.uv_inputs import uv_settings
from torchdoctor.requirements import StackOptions, StackRequest, read_stack
from torchdoctor.resolve import Request, resolve
from torchdoctor.resolve.stack import with_stack
from torchdoctor.sources.cutoff import Cutoff, parse_pip_time, parse_uv_time, written
from torchdoctor.sources.installer_config import installer_settings
from torchdoctor.sources.installer_limits import Limits, UsedSetting, limits_of, settings_table
from torchdoctor.workflows import SourceOptions
from torchdoctor.workflows.limits import dated_facts, said_of_limits, stack_with_limits
from torchdoctor.workflows.project_settings import has_limits
from torchdoctor.workflows.sources import gather_sources
from wheels_index import bundled

HERE = Path(sys.prefix)
NOW = datetime(2026, 12, 1, 12, tzinfo=timezone.utc)
MACHINE = Machine.from_json(
    {
        "os": "linux",
        "arch": "x86_64",
        "libc": {"name": "glibc", "version": "2.35"},
        "python": {"version": "3.11.9"},
    }
)


def python(prefix):
    return SimpleNamespace(executable=sys.executable, prefix=prefix, sys_platform="linux")


@pytest.fixture
def gathered(tmp_path, monkeypatch):
    """A function that gathers the sources with these variables and no settings of the user, and what it reports."""
    monkeypatch.chdir(tmp_path)
    alone = {"HOME": str(tmp_path), "XDG_CONFIG_DIRS": str(tmp_path / "none"), "PIP_CONFIG_FILE": "/dev/null"}

    def gather(environ, *, limited=True, **options):
        system = host_system({**alone, **environ})
        report = Recorder()
        sources = gather_sources(
            SourceOptions(**options), system, python(tmp_path / "env"), report, limited=limited
        )
        return sources, report

    return gather


@pytest.mark.parametrize(
    ("environ", "moment"),
    [
        ({"UV_EXCLUDE_NEWER": "2025-12-01T00:00:00Z"}, datetime(2025, 12, 1, tzinfo=timezone.utc)),
        ({"PIP_UPLOADED_PRIOR_TO": "2025-12-01T00:00:00Z"}, datetime(2025, 12, 1, tzinfo=timezone.utc)),
        # Of both the stricter one.
        (
            {
                "PIP_UPLOADED_PRIOR_TO": "2025-12-01T00:00:00Z",
                "UV_EXCLUDE_NEWER": "2025-11-01T00:00:00Z",
            },
            datetime(2025, 11, 1, tzinfo=timezone.utc),
        ),
    ],
)
def test_a_time_that_pip_or_uv_is_told_is_followed_and_said(gathered, environ, moment):
    """It goes to uv for all other packages, and is reported with the variable."""
    sources, report = gathered(environ)
    assert sources.limits.cutoff.moment == moment
    given_to_uv = uv_settings(sources, HERE, [])
    assert given_to_uv["exclude-newer"] == moment.strftime("%Y-%m-%dT%H:%M:%SZ")
    assert all(any(name in note for note in report.notes) for name in environ)


@pytest.mark.parametrize("key", ["uploaded-prior-to", "uploaded_prior_to"])
def test_a_time_in_the_users_pip_conf_is_followed(tmp_path, gathered, key):
    """As pip reads it, with either spelling of the key."""
    (tmp_path / ".config" / "pip").mkdir(parents=True)
    (tmp_path / ".config" / "pip" / "pip.conf").write_text(f"[install]\n{key} = 2025-12-01T00:00:00Z\n")
    sources, _ = gathered({"PIP_CONFIG_FILE": ""})
    assert sources.limits.cutoff.shown == "2025-12-01T00:00:00Z"
    assert "pip.conf" in sources.limits.cutoff.origin


def test_a_time_in_the_users_uv_toml_is_followed_with_those_of_single_packages(tmp_path, gathered):
    """`exclude-newer-package` holds for its package, and `false` lifts the limit of one."""
    (tmp_path / ".config" / "uv").mkdir(parents=True)
    (tmp_path / ".config" / "uv" / "uv.toml").write_text(
        'exclude-newer = "2025-12-01T00:00:00Z"\n'
        'exclude-newer-package = { Idna = "2025-01-01T00:00:00Z", six = false }\n'
    )
    cutoff = gathered({})[0].limits.cutoff
    assert (cutoff.of("idna").year, cutoff.of("six"), cutoff.of("torch").month) == (2025, None, 12)


def test_the_option_stands_before_what_the_tools_are_told(gathered):
    """A later time, and none at all."""
    environ = {"UV_EXCLUDE_NEWER": "2025-12-01"}
    assert gathered(environ, exclude_newer="2026-06-01T00:00:00Z")[0].limits.cutoff.moment.year == 2026
    assert gathered(environ, exclude_newer="false")[0].limits.cutoff is None


@pytest.mark.parametrize("name", ["UV_EXCLUDE_NEWER", "PIP_UPLOADED_PRIOR_TO"])
def test_a_time_that_is_none_is_refused_by_its_name(gathered, name):
    """As pip and uv refuse it: passing over it would take what somebody wanted to keep out."""
    with pytest.raises(UsageError, match=name):
        gathered({name: "sometime"})


def test_a_release_that_is_too_new_is_not_chosen():
    """Of torch by the day of its release, of a companion by its own: torchaudio 2.11.1 came out alone."""
    cutoff = Cutoff(moment=datetime(2026, 7, 1, tzinfo=timezone.utc), origin="UV_EXCLUDE_NEWER")
    known = dated_facts(bundled(), cutoff)
    used = UsedSetting(setting="exclude-newer", value="2026-07-01", origin="UV_EXCLUDE_NEWER")
    limits = Limits(cutoff=cutoff, used=(used,))
    plan = said_of_limits(resolve(MACHINE, Request(), known), limits, bundled())
    assert str(plan.torch.version.public) == "2.12.1"
    assert "2.11.1" in map(str, bundled().release("2.12.1").companions["torchaudio"].versions)
    assert "2.11.1" not in map(str, known.release("2.12.1").companions["torchaudio"].versions)
    assert any("UV_EXCLUDE_NEWER" in reason and "2026-10-28" in reason for reason in plan.reasons)
    assert plan.to_json()["limits"][0]["origin"] == "UV_EXCLUDE_NEWER"


def test_a_day_counts_when_it_was_over_and_an_unknown_one_never():
    """The facts know the day of a release and not its hour."""
    from wheels_index import released_before

    moment = datetime(2025, 11, 12, 18, tzinfo=timezone.utc)
    assert [released_before(day, moment) for day in ("2025-11-11", "2025-11-12", None, "soon")] == [
        True,
        False,
        False,
        False,
    ]


def test_no_torch_before_the_time_is_an_error_that_says_so():
    """With the first that there is."""
    cutoff = Cutoff(moment=datetime(2015, 1, 1, tzinfo=timezone.utc), origin="--exclude-newer")
    with pytest.raises(NoSolution, match="--exclude-newer") as refused:
        dated_facts(bundled(), cutoff)
    assert refused.value.code == "exclude-newer"


@pytest.mark.parametrize("name", ["PIP_CONSTRAINT", "UV_CONSTRAINT"])
def test_a_constraint_that_the_tools_are_told_chooses_torch_too(tmp_path, gathered, name):
    """And its reason is the line and the variable."""
    (tmp_path / "limits.txt").write_text("torch==2.9.1\nidna<3.10\n")
    sources, report = gathered({name: "limits.txt"})
    stack, sources = stack_with_limits(StackRequest(), sources, {}, report)
    request, rest = with_stack(Request(), stack)
    plan = said_of_limits(resolve(MACHINE, request), sources.limits, bundled())
    assert (str(plan.torch.version.public), [each.line for each in rest.constraints]) == (
        "2.9.1",
        ["idna<3.10"],
    )
    assert any("limits.txt:1" in reason and name in reason for reason in plan.reasons)


def test_a_file_of_constraints_that_is_not_there_is_refused_by_the_setting(gathered):
    """Somebody relies on it."""
    sources, report = gathered({"PIP_CONSTRAINT": "gone.txt"})
    with pytest.raises(UsageError, match="PIP_CONSTRAINT"):
        stack_with_limits(StackRequest(), sources, {}, report)


def test_overrides_and_pre_releases_of_the_tools_are_followed(tmp_path, gathered):
    """UV_OVERRIDE, PIP_PRE and UV_PRERELEASE."""
    (tmp_path / "over.txt").write_text("numpy<2\n")
    sources, report = gathered({"UV_OVERRIDE": "over.txt", "PIP_PRE": "1"})
    stack, _ = stack_with_limits(StackRequest(), sources, {}, report)
    assert (stack.overrides, stack.prereleases) == (("numpy<2",), True)
    assert not gathered({"UV_PRERELEASE": "disallow"})[0].limits.prereleases


@pytest.mark.parametrize(
    ("environ", "project", "builds"),
    [
        ({"PIP_ONLY_BINARY": ":all:"}, "six", False),
        ({"PIP_ONLY_BINARY": "Six,idna"}, "six", False),
        ({"PIP_ONLY_BINARY": "idna"}, "six", True),
        ({"UV_NO_BUILD": "1"}, "six", False),
        ({"UV_NO_BUILD_PACKAGE": "six"}, "six", False),
        ({"UV_NO_BUILD": "0"}, "six", True),
    ],
)
def test_what_must_not_be_built_is_not_built(gathered, environ, project, builds):
    """The sources of an index are not looked at then."""
    assert gathered(environ)[0].limits.builds(project) is builds


@pytest.mark.parametrize(
    "name",
    [
        "PIP_NO_BINARY", "UV_NO_BINARY", "PIP_REQUIRE_HASHES", "UV_REQUIRE_HASHES", "PIP_NO_DEPS", "UV_RESOLUTION",
        "UV_INDEX_STRATEGY", "UV_TORCH_BACKEND", "UV_BUILD_CONSTRAINT", "PIP_TARGET", "UV_EXCLUDE", "UV_OFFLINE",
        "PIP_PLATFORM", "PIP_REQUIREMENT", "UV_NO_VERIFY_HASHES", "UV_PYTHON",
    ],
)  # fmt: skip
def test_what_is_not_followed_is_told_by_name(gathered, name):
    """With the reason."""
    _, report = gathered({name: "something"})
    assert any(note.startswith(f"{name}: ") and "is not followed" in note for note in report.notes)


def test_no_setting_that_uv_would_obey_is_dropped_without_a_word():
    """Each variable that is kept from uv is an index, is followed, is told, or only says how uv runs by itself."""
    table = settings_table()
    known = {
        *table["followed"]["uv"],
        *(key for keys in table["not_followed"].values() for key in keys.get("uv", ())),
        *table["own"]["uv"],
        "default-index", "index", "index-url", "extra-index-url", "find-links", "no-index",
    }  # fmt: skip
    cleared = {name[3:].lower().replace("_", "-") for name in uv._CLEARED if name.startswith("UV_")}
    assert cleared <= known


def test_a_constraint_for_another_system_says_nothing_of_this_one(tmp_path, gathered):
    """Its marker decides; the reason is not given then either."""
    (tmp_path / "limits.txt").write_text("torch==2.9.1; sys_platform == 'win32'\n")
    sources, report = gathered({"PIP_CONSTRAINT": "limits.txt"})
    _, sources = stack_with_limits(StackRequest(), sources, {}, report, MACHINE)
    assert sources.limits.on_torch == ()


def test_where_nothing_is_chosen_a_limit_is_told_as_not_followed(gathered):
    """A lock or a record says the versions; a limit that they break is not hidden."""
    sources, report = gathered({"UV_EXCLUDE_NEWER": "2025-12-01"}, limited=False)
    assert not sources.limits
    assert any("UV_EXCLUDE_NEWER" in note and "not followed" in note for note in report.notes)


def test_the_time_of_one_index_is_told(tmp_path, gathered):
    """uv can lift it for an index; here it counts for each."""
    (tmp_path / ".config" / "uv").mkdir(parents=True)
    (tmp_path / ".config" / "uv" / "uv.toml").write_text(
        '[[index]]\nurl = "https://own.example/simple"\nexclude-newer = false\n'
    )
    assert any("index.exclude-newer" in note for note in gathered({})[1].notes)


def test_a_project_that_was_named_tells_its_time(tmp_path):
    """`--project` follows its requirements, and `--exclude-newer` says the time."""
    (tmp_path / "pyproject.toml").write_text(
        '[project]\nname = "x"\nversion = "1"\n[tool.uv]\nexclude-newer = "2025-12-01"\n'
    )
    options = StackOptions(projects=(str(tmp_path),))
    stack = read_stack(options, environ={}, folder=HERE, ask=lambda _: False)
    assert any("exclude-newer 2025-12-01" in note for note in stack.notes)


def test_the_hold_of_an_environment_is_no_constraint_for_another(tmp_path, gathered):
    """Activating an environment sets these variables; they are for pip and uv in it."""
    (tmp_path / "torchdoctor-hold.txt").write_text("torch<=2.9.1\n")
    environ = {
        "UV_CONSTRAINT": (tmp_path / "torchdoctor-hold-uv.txt").as_uri(),
        "UV_TORCH_BACKEND": "cu128",
        "VIRTUAL_ENV": str(tmp_path),
    }
    sources, report = gathered(environ)
    assert (sources.limits.constraints, report.notes) == ((), [])


def test_what_the_user_has_beside_a_hold_counts(tmp_path, gathered):
    """A hold adds its file behind the user's, in the same setting."""
    (tmp_path / "limits.txt").write_text("idna<3.10\n")
    environ = {"UV_CONSTRAINT": f"limits.txt {(tmp_path / 'torchdoctor-hold-uv.txt').as_uri()}"}
    assert gathered(environ)[0].limits.constraints == (("limits.txt", "UV_CONSTRAINT"),)


def test_resolve_without_a_network_looks_for_them_too(tmp_path, monkeypatch):
    """It reads no setting else, and goes the longer way where one limits torch."""
    monkeypatch.chdir(tmp_path)
    assert has_limits(SourceOptions(), {"PIP_CONSTRAINT": "c.txt", "HOME": str(tmp_path)})
    assert not has_limits(SourceOptions(), {"HOME": str(tmp_path), "PIP_CONFIG_FILE": "/dev/null"})


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-24T12:00:00Z", NOW - timedelta(days=7)),
        ("2026-11-24T14:00:00+02:00", NOW - timedelta(days=7)),
        ("7 days", NOW - timedelta(days=7)),
        ("1 week ago", NOW - timedelta(days=7)),
        ("7d", NOW - timedelta(days=7)),
        ("1 week 2 days", NOW - timedelta(days=9)),
        ("P7D", NOW - timedelta(days=7)),
        ("P1W", NOW - timedelta(days=7)),
        ("PT24H", NOW - timedelta(days=1)),
        ("false", None),
    ],
)
def test_uvs_forms_of_a_time_are_understood(text, moment):
    """As uv 0.13.9 was seen to take them."""
    assert parse_uv_time(text, "x", NOW) == moment


@pytest.mark.parametrize(
    "text",
    [
        "2 months",
        "P1M",
        "1 year",
        "P1Y",
        "yesterday",
        "1.5 days",
        "",
        "P",
        "PT",
        "2025-13-01",
        "7" * 99,
        "9999-12-31",
        "9999-12-31T23:59:59-23:00",
        "0001-01-01T00:00:00+23:00",
        "999999999 weeks",
        "0000-01-01",
    ],
)
def test_what_uv_does_not_take_is_refused(text):
    """Months and years have no fixed length."""
    with pytest.raises(UsageError):
        parse_uv_time(text, "x", NOW)


def test_a_time_that_an_index_makes_up_does_not_count():
    """A page may say anything; one that cannot be a time is none."""
    cutoff = Cutoff(moment=NOW, origin="x")
    for uploaded in ("0001-01-01T00:00:00+23:00", "soon", "", "9" * 5000, None):
        assert not cutoff.admits("idna", uploaded)
    assert cutoff.admits("idna", "2026-11-30T10:00:00.123456Z")
    assert not cutoff.admits("idna", "2026-12-30T10:00:00.123456Z")
    assert written(datetime(110, 5, 27, tzinfo=timezone.utc)) == "0110-05-27T00:00:00Z"


def test_a_day_is_the_end_of_it_for_uv_and_its_beginning_for_pip():
    """https://docs.astral.sh/uv/reference/settings/#exclude-newer; pip reads midnight."""
    ends, begins = parse_uv_time("2025-10-12", "x", NOW), parse_pip_time("2025-10-12", "x", NOW)
    assert ends - begins in (timedelta(hours=23), timedelta(days=1), timedelta(hours=25))
    assert parse_pip_time("P7D", "x", NOW) == NOW - timedelta(days=7)


@given(st.text(max_size=80))
def test_any_text_is_a_time_or_refused(text):
    """Nothing else is raised, whatever stands in a file."""
    for parse in (parse_uv_time, parse_pip_time):
        try:
            found = parse(text, "x", NOW)
        except UsageError:
            continue
        assert found is None or found.tzinfo is not None


@given(
    st.dictionaries(
        st.sampled_from([f"UV_{k.upper().replace('-', '_')}" for k in settings_table()["followed"]["uv"]]),
        st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\x00"), max_size=40),
    )
)
def test_any_value_of_a_setting_is_read_or_refused(environ):
    """Whatever it is."""
    environ = {**environ, "HOME": "/nonexistent", "PIP_CONFIG_FILE": "/dev/null"}
    settings = installer_settings(environ, python("/nonexistent"), HERE)
    refused = ""
    try:
        limits_of(settings.values, now=NOW)
    except UsageError as error:
        refused = error.message
    assert not refused or "UV_" in refused


@pytest.mark.process
def test_uv_takes_only_what_is_old_enough(request_for, local_index):
    """Of what an index has, by the time of its upload; a file without one does not count, ours do."""
    from torchdoctor.lock import compile_lock
    from torchdoctor.resolve import Plan

    local_index.add("idna", "3.9")
    local_index.add("idna", "3.10")
    page = local_index.folder / "idna" / "index.html"
    names = sorted(path.name for path in page.parent.glob("*.whl"))
    times = {names[0]: "2026-03-01", names[1]: "2025-03-01"}
    page.write_text(
        "".join(f'<a href="{name}" data-upload-time="{day}T00:00:00Z">x</a>' for name, day in times.items())
    )
    request = request_for(extras=("idna",))
    cutoff = Cutoff(moment=datetime(2025, 6, 1, tzinfo=timezone.utc), origin="UV_EXCLUDE_NEWER")
    limited = replace(request, sources=replace(request.sources, limits=Limits(cutoff=cutoff)))
    folder = local_index.folder.parent
    none = Plan(variant="cpu", index_url="", packages=(), reasons=())
    versions = []
    for number, each in enumerate((request, limited)):
        (folder / str(number)).mkdir()
        lock = compile_lock(none, each, folder=folder / str(number))
        versions.append([wheel.version for wheel in lock.wheels])
    assert versions == [["3.10"], ["3.9"]]
