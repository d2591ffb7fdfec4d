"""What pip and uv are configured with is understood as they understand it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.detect.recorded_system import paper_python
from torchdoctor.inventory.pip_settings import PipSetting
from torchdoctor.sources.installer_config import installer_settings, settings_of_pip, settings_of_uv


def places(rows, kind):
    return [row.place for row in rows if row.kind == kind]


def pip(*values):
    """pip's settings, each given as section, key and value."""
    rows = (PipSetting(section=section, key=key, value=value, origin="") for section, key, value in values)
    return settings_of_pip(rows)


def test_each_setting_of_pip_keeps_where_it_came_from():
    """Key and level, as `pip config list` names them."""
    rows = pip(("global", "index-url", "https://pypi.example/simple"), (":env:", "find-links", "/srv/wheels"))
    assert [(row.kind, row.place, row.origin) for row in rows] == [
        ("index", "https://pypi.example/simple", "pip's index-url (global)"),
        ("find-links", "/srv/wheels", "pip's find-links (env)"),
    ]


def test_several_places_in_one_setting_are_several_settings():
    """pip splits at white space, and so do we."""
    rows = pip(("global", "extra-index-url", "https://a.example/s\nhttps://b.example/s https://c.example/s"))
    assert places(rows, "extra-index") == [
        "https://a.example/s",
        "https://b.example/s",
        "https://c.example/s",
    ]


def test_the_environment_wins_over_the_command_and_that_over_the_global_level():
    """pip's own precedence decides which value of a key holds."""
    rows = [(section, "index-url", f"https://{section[0]}/s") for section in ("global", "install", ":env:")]
    assert places(pip(*rows), "index") == ["https://:/s"]
    assert places(pip(*rows[:2]), "index") == ["https://i/s"]


def test_of_two_files_the_later_one_counts():
    """pip reads the more general one first."""
    assert places(
        pip(("global", "index-url", "https://a/s"), ("global", "index-url", "https://b/s")), "index"
    ) == ["https://b/s"]


def test_settings_of_other_commands_do_not_count():
    """What `pip download` is told says nothing about an installation."""
    assert pip(("download", "find-links", "/srv/x"), ("global", "timeout", "60")) == ()


def test_a_place_that_pip_and_uv_both_name_is_one_setting(tmp_path):
    """pip's comes first, and no program is started to learn it."""
    environ = {
        "HOME": str(tmp_path), "XDG_CONFIG_DIRS": str(tmp_path), "PIP_CONFIG_FILE": "/dev/null",
        "PIP_INDEX_URL": "https://a.example/simple", "UV_DEFAULT_INDEX": "https://a.example/simple",
        "UV_FIND_LINKS": "/srv/wheels",
    }  # fmt: skip
    rows = installer_settings(environ, paper_python(prefix=tmp_path), tmp_path).indexes
    assert [(row.kind, row.place, row.origin) for row in rows] == [
        ("index", "https://a.example/simple", "pip's index-url (env)"),
        ("find-links", "/srv/wheels", "uv's UV_FIND_LINKS"),
    ]


def test_uv_variables_take_names_and_lists():
    """UV_INDEX holds several, each with an optional name; UV_FIND_LINKS separates with commas."""
    rows = settings_of_uv(
        {"UV_INDEX": "one=https://one/simple https://two/simple", "UV_FIND_LINKS": "/a,/b"}, []
    )
    assert places(rows, "extra-index") == ["https://one/simple", "https://two/simple"]
    assert places(rows, "find-links") == ["/a", "/b"]


def test_a_uv_file_gives_its_indexes_and_leaves_explicit_ones_to_projects():
    """An explicit index serves only packages pinned to it, so it is none of ours."""
    table = {
        "index": [
            {"name": "torch", "url": "https://t/simple", "explicit": True},
            {"name": "corp", "url": "https://corp/simple", "default": True},
            {"name": "flat", "url": "/wheels", "format": "flat"},
        ],
        "pip": {"extra-index-url": ["https://x/simple"]},
    }
    rows = settings_of_uv({}, [("uv.toml", table)])
    assert places(rows, "index") == ["https://corp/simple"]
    assert places(rows, "find-links") == ["/wheels"]
    assert places(rows, "extra-index") == ["https://x/simple"]
    assert {row.origin for row in rows} == {"uv's index (uv.toml)", "uv's extra-index-url (uv.toml)"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(st.sampled_from(["index", "pip", "index-url", "find-links", "extra-index-url"]), JSON))
def test_no_uv_table_breaks_the_parser(table):
    """A file of another shape than uv's gives fewer settings, never a failure."""
    assert all(isinstance(row.place, str) for row in settings_of_uv({}, [("uv.toml", table)]))


def test_a_ban_on_indexes_is_read_as_pip_and_uv_read_it():
    """From each place where it can stand, and only where it says yes."""
    assert [row.kind for row in pip(("global", "no-index", "true"))] == ["no-index"]
    assert pip(("global", "no-index", "true"), (":env:", "no-index", "0")) == ()
    assert [row.kind for row in settings_of_uv({"UV_NO_INDEX": "1"}, [])] == ["no-index"]
    assert settings_of_uv({"UV_NO_INDEX": "false"}, []) == ()
    assert [row.kind for row in settings_of_uv({}, [("uv.toml", {"pip": {"no-index": True}})])] == [
        "no-index"
    ]
