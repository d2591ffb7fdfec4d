"""What pip and uv are configured with is understood as they understand it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from torchdoctor.sources.installer_config import pip_settings, uv_settings


def places(rows, kind):
    return [row.place for row in rows if row.kind == kind]


def test_each_setting_of_pip_keeps_where_it_came_from():
    """`pip config list` names the level; the setting carries it."""
    rows = pip_settings("global.index-url='https://pypi.example/simple'\n:env:.find-links='/srv/wheels'\n")
    assert [(row.kind, row.place, row.origin) for row in rows] == [
        ("index", "https://pypi.example/simple", "pip's index-url (global)"),
        ("find-links", "/srv/wheels", "pip's find-links (env)"),
    ]


def test_several_places_in_one_setting_are_several_settings():
    """pip splits at white space, and so do we."""
    rows = pip_settings(
        "global.extra-index-url='https://a.example/s\\nhttps://b.example/s https://c.example/s'"
    )
    assert places(rows, "extra-index") == [
        "https://a.example/s",
        "https://b.example/s",
        "https://c.example/s",
    ]


def test_the_environment_wins_over_the_command_and_that_over_the_global_level():
    """pip's own precedence decides which value of a key holds."""
    listing = "global.index-url='https://g/s'\ninstall.index-url='https://i/s'\n:env:.index-url='https://e/s'"
    assert places(pip_settings(listing), "index") == ["https://e/s"]
    assert places(pip_settings(listing.rpartition("\n")[0]), "index") == ["https://i/s"]


def test_settings_of_other_commands_do_not_count():
    """What `pip download` is told says nothing about an installation."""
    assert pip_settings("download.find-links='/tmp/x'\nglobal.timeout='60'\nnonsense\n") == ()


@given(st.text(max_size=300))
def test_no_listing_breaks_the_parser(text):
    """Whatever pip prints, the answer is a tuple of settings."""
    for row in pip_settings(text):
        assert row.place
        assert not any(sign.isspace() for sign in row.place)


def test_uv_variables_take_names_and_lists():
    """UV_INDEX holds several, each with an optional name; UV_FIND_LINKS separates with commas."""
    rows = uv_settings(
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
    rows = uv_settings({}, [("uv.toml", table)])
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
    assert all(isinstance(row.place, str) for row in uv_settings({}, [("uv.toml", table)]))


def test_a_ban_on_indexes_is_read_as_pip_and_uv_read_it():
    """From each place where it can stand, and only where it says yes."""
    assert [row.kind for row in pip_settings("global.no-index='true'\n")] == ["no-index"]
    assert pip_settings("global.no-index='true'\n:env:.no-index='0'\n") == ()
    assert [row.kind for row in uv_settings({"UV_NO_INDEX": "1"}, [])] == ["no-index"]
    assert uv_settings({"UV_NO_INDEX": "false"}, []) == ()
    assert [row.kind for row in uv_settings({}, [("uv.toml", {"pip": {"no-index": True}})])] == ["no-index"]
