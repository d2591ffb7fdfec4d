"""English and Chinese: who decides, and that nothing is lost where the terminal cannot show it."""

from __future__ import annotations

import pytest

from torchdoctor.core.i18n.catalog import choose_language


@pytest.mark.parametrize(
    ("asked", "environ", "encoding", "language"),
    [
        (None, {}, "utf-8", "en"),
        (None, {"LANG": "zh_CN.UTF-8"}, "utf-8", "zh"),
        (None, {"LANG": "zh_CN.GBK"}, "gbk", "zh"),
        (None, {"LANG": "zh_CN.UTF-8"}, "ascii", "en"),
        (None, {"LANG": "zh_CN.UTF-8"}, None, "en"),
        (None, {"LC_ALL": "de_DE.UTF-8", "LANG": "zh_CN.UTF-8"}, "utf-8", "en"),
        (None, {"LANGUAGE": "zh:en", "LANG": "de_DE.UTF-8"}, "utf-8", "zh"),
        ("zh", {"LANG": "C"}, "ascii", "zh"),
        ("en", {"LANG": "zh_CN.UTF-8"}, "utf-8", "en"),
        ("xx", {"LANG": "zh_TW.UTF-8"}, "utf-8", "zh"),
    ],
)
def test_what_is_asked_for_wins_over_the_locale(asked, environ, encoding, language):
    """A locale counts where the output can carry it."""
    assert choose_language(asked, environ, encoding=encoding) == language


@pytest.mark.parametrize(
    "where", [("--lang", "zh", "config"), ("config", "--lang=zh"), ("config", "--lang", "zh")]
)
def test_every_command_takes_a_language_before_and_after_it(torchdoctor, where):
    """The same option in both places."""
    assert torchdoctor(*where, "--json").status == 0


def test_another_language_is_wrong_usage(torchdoctor):
    """English or Chinese."""
    assert torchdoctor("config", "--lang", "fr").status == 2
