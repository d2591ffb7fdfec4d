"""conda's files are read as YAML reads them, and never guessed at."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from torchdoctor.inventory.condarc import FILE_KEY, parse_condarc

KEYS = ("channels", "ssl_verify", "proxy_servers")


def read_by_yaml(text):
    """What PyYAML makes of it, every scalar a text."""
    return yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506  (it makes texts, lists and mappings only)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("channels:\n  - pytorch\n  - defaults  # last\n", {"channels": ["pytorch", "defaults"]}),
        ("channels:\n- pytorch\n- 'nvidia'\n", {"channels": ["pytorch", "nvidia"]}),
        ("channels: [pytorch, 'a, b']\n", {"channels": ["pytorch", "a, b"]}),
        ("channels: [\n  pytorch,  # one\n  nvidia,\n]\n", {"channels": ["pytorch", "nvidia"]}),
        ("---\n# c\nssl_verify: /etc/ca.pem # c\n", {"ssl_verify": "/etc/ca.pem"}),
        ('ssl_verify: "C:\\\\ca.pem"\n', {"ssl_verify": "C:\\ca.pem"}),
        (
            "proxy_servers:\n  http: http://u:p@proxy:3128\n  'https://x': 'it''s'\n",
            {"proxy_servers": {"http": "http://u:p@proxy:3128", "https://x": "it's"}},
        ),
        (
            "proxy_servers: {http: 'http://a', https: http://b}\n",
            {"proxy_servers": {"http": "http://a", "https": "http://b"}},
        ),
        ("channels:\nssl_verify: false\nother: &x\n  y: z\n", {"ssl_verify": "false"}),
        ("ssl_verify: a\nssl_verify: b\n", {"ssl_verify": "b"}),
        ("", {}),
    ],
)
def test_what_conda_s_files_hold_is_read(text, values):
    """Scalars, lists and mappings in both styles; comments and quotes as YAML has them."""
    assert parse_condarc(text, KEYS) == values
    whole = read_by_yaml(text) or {}
    assert {key: whole[key] for key in KEYS if whole.get(key)} == values


@pytest.mark.parametrize(
    "text",
    ["channels: *u\n", "channels: !x [a]\n", "channels: |\n  a\n", "channels: [[a]]\n", "channels: a\n  b\n",
     "channels:\n  - a\n    b\n", 'channels: "\\x41"\n', "channels: [a'b, c'd]\n"],
)  # fmt: skip
def test_a_value_that_is_not_understood_is_none(text):
    """The other keys of the file are read all the same."""
    assert parse_condarc(f"{text}ssl_verify: true\n", KEYS) == {"channels": None, "ssl_verify": "true"}


@pytest.mark.parametrize(
    "text",
    ["- a\n", "channels: [a\nssl_verify: b]\n", 'other: "a\nchannels: b"\n', "\tchannels: a\n", "<<: *x\n",
     "channels: a\n...\n", "a\x07: b\n", "no colon\n"],
)  # fmt: skip
def test_a_file_that_is_not_understood_is_one_key(text):
    """What an open bracket or quote swallows is not taken for settings."""
    assert parse_condarc(text, KEYS) == {FILE_KEY: None}


def test_a_text_that_swells_is_not_followed():
    """Aliases of aliases: nothing of them is unfolded."""
    lines = [f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]" for n in range(20)]
    text = "\n".join(["a: &a [x, x]", *lines, "channels: *u", ""])
    assert parse_condarc(text, KEYS) == {"channels": None}


PIECES = st.sampled_from(
    ["channels", "ssl_verify", "proxy_servers", "x", ": ", ":", "\n", "\n  ", "\n- ", "\n  - ", "\n  h: ", "[",
     "]", "{", "}", ",", "'", '"', " #", "a", "b c", "it's", "http://u/v", "\\", "|", "*a", "&a ", "---", "-"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=14).map("".join) | st.text(max_size=60))
def test_what_is_read_is_what_yaml_reads(text):
    """Whatever the text: where YAML reads it and we give a value, it is the same value."""
    values = parse_condarc(text, KEYS)
    try:
        whole = read_by_yaml(text)
    except (yaml.YAMLError, ValueError):
        return
    whole = whole if isinstance(whole, dict) else {}
    for key, value in values.items():
        if value is not None:
            expected = whole.get(key)
            assert value == ([row for row in expected if row] if isinstance(expected, list) else expected)
    if None not in values.values():
        empty = ("", [], {}, [""], ["", ""])
        assert {key for key in KEYS if key in whole and whole[key] not in empty} <= set(values)
