"""The config file: what it sets, who wins, and what is said of a broken one."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import TRUSTING
from torchdoctor.cli.config.parser import ConfigError, parse_config


@pytest.fixture
def config(tmp_path):
    """A config file of one's own, not there yet."""
    return tmp_path / "settings" / "config.toml"


@pytest.fixture
def run(in_process, config):
    """The program with that config file."""
    return lambda *arguments, **more: in_process(*arguments, TORCHDOCTOR_CONFIG=str(config), **more)


def _write(config, text):
    config.parent.mkdir(parents=True, exist_ok=True)
    config.write_text(text, "utf-8")


def _settings(ran):
    return {row["key"]: (row["value"], row["origin"]) for row in ran.json["settings"]}


def test_without_a_file_nothing_is_set(run, config, monkeypatch):
    """The place of the file is told, and that it is not there."""
    for name in TRUSTING:
        monkeypatch.delenv(name)
    ran = run("config", "--json")
    assert (ran.json["exists"], ran.json["files"]["config"], ran.json["settings"]) == (False, str(config), [])


def test_a_setting_reaches_its_command(run, config):
    """resolve takes its variant from the file, as if it had been typed."""
    _write(config, '[resolve]\nvariant = "cpu"\nplatform = "win_amd64"\npython-version = "3.12"\n')
    ran = run("resolve", "--json")
    assert (ran.json["variant"], ran.json["machine"]["os"]) == ("cpu", "windows")


def test_a_variable_wins_over_the_file_and_the_line_over_both(run, config):
    """The nearest to the person decides."""
    _write(config, '[resolve]\nvariant = "cu118"\nplatform = "win_amd64"\npython-version = "3.12"\n')
    assert run("resolve", "--json", TORCHDOCTOR_RESOLVE_VARIANT="cpu").json["variant"] == "cpu"
    ran = run("resolve", "--json", "--variant", "cu126", TORCHDOCTOR_RESOLVE_VARIANT="cpu")
    assert ran.json["variant"] == "cu126"


def test_each_setting_says_where_it_came_from(run, config):
    """File and line, or the variable."""
    _write(config, 'lang = "en"\n\n[install]\nmirror = "nju"\nfind-links = ["a", "b"]\n')
    settings = _settings(run("config", "--json", TORCHDOCTOR_INSTALL_MIRROR="sjtu"))
    assert settings["lang"] == ("en", f"{config}:1")
    assert settings["install.find-links"] == (["a", "b"], f"{config}:5")
    assert settings["install.mirror"] == ("sjtu", "TORCHDOCTOR_INSTALL_MIRROR")


def test_set_keeps_comments_and_unset_takes_only_its_own(run, config):
    """The file is somebody's text."""
    _write(config, '# mine\n[install]\nmirror = "nju"  # near\n')
    assert run("config", "set", "install.offline", "true").status == 0
    assert run("config", "set", "jupyter-kernel.add.name", "demo").status == 0
    assert run("config", "unset", "install.offline").status == 0
    text = config.read_text("utf-8")
    assert text.startswith('# mine\n[install]\nmirror = "nju"  # near\n')
    assert "offline" not in text
    assert parse_config(text, path="x").table("jupyter-kernel add") == {"name": "demo"}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[install]\nmirror = "nju\n', "line 2, column 14"),
        ('[install]\n\nmiror = "nju"\n', ":3: there is no setting install.miror; did you mean mirror?"),
        ("a = ", "line 1, column 5"),
        ('lang = "en"\n\n[install', "line 3, column 9"),
        ('[instal]\nmirror = "nju"\n', "did you mean install?"),
        ('[install]\noffline = "yes"\n', ":2: install.offline is true or false"),
        ('lang = "fr"\n', ":1: lang is 'fr'"),
        ("[install]\nmirror = 1979-05-27\n", ":2: install.mirror is neither text"),
        ('install = "cpu"\n', "there is no setting install"),
        ('[install]\nmirror = ["a"]\n', ":2: install.mirror takes one value"),
    ],
)
def test_a_broken_file_names_the_line(run, config, text, said):
    """Wrong usage: where it is wrong, and what was meant."""
    _write(config, text)
    ran = run("install", "--dry-run", "--json")
    assert (ran.status, ran.json["error"]["kind"]) == (2, "config")
    assert said in ran.json["error"]["message"]


def test_a_file_that_is_no_text_names_the_line(run, config):
    """Another encoding than UTF-8."""
    _write(config, "")
    config.write_bytes('[install]\n# 清华\nmirror = "nju"\n'.encode("gb18030"))
    assert ":2 is not UTF-8" in run("resolve", "--json").json["error"]["message"]


def test_what_would_break_the_file_is_not_written(run, config):
    """A value that the option does not take leaves the file as it was."""
    _write(config, "# mine\n")
    ran = run("config", "set", "install.offline", "perhaps", "--json")
    assert (ran.status, config.read_text("utf-8")) == (2, "# mine\n")


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("install.mirror", "foo", "no mirror is called 'foo'"),
        ("install.torch", "banana", "'banana' is neither a version nor a range"),
        ("resolve.variant", "cuda", "'cuda' is not a variant"),
        ("resolve.platform", "beos", "'beos' is not a platform tag"),
        ("install.kernel-name", "a b", "'a b' cannot name a kernel"),
        ("verify.only", "matmul,nonsense", "there is no check named 'nonsense'"),
        ("bench.device", "tpu", "'tpu' is not the name of a device"),
    ],
)
def test_a_value_that_its_command_would_refuse_is_refused_when_it_is_set(run, config, key, value, said):
    """By the option's own check: nonsense is met at once, and not by the next command."""
    ran = run("config", "set", key, value, "--json")
    assert (ran.status, ran.json["error"]["kind"], config.exists()) == (2, "config", False)
    assert key in ran.json["error"]["message"]
    assert said in ran.json["error"]["message"]


@pytest.mark.process
@pytest.mark.parametrize(
    ("command", "variable", "value"),
    [
        (("install", "--dry-run"), "TORCHDOCTOR_INSTALL_MIRROR", "foo"),
        (("resolve",), "TORCHDOCTOR_RESOLVE_TORCH", "99"),
        (("cache", "clean"), "TORCHDOCTOR_CACHE_CLEAN_OLDER_THAN", "old"),
        (("verify",), "TORCHDOCTOR_VERIFY_ONLY", "nonsense"),
        (("resolve",), "TORCHDOCTOR_RESOLVE_WITH", "a@b"),
    ],
)
def test_an_error_about_a_variable_names_it(run, command, variable, value):
    """Whoever typed nothing wrong has to be told where it stands."""
    ran = run(*command, "--json", **{variable: value})
    assert ran.status != 0
    assert f"comes from {variable})" in ran.json["error"]["message"]


@pytest.mark.parametrize(
    ("command", "variable"),
    [
        (("resolve",), "TORCHDOCTOR_RESOLVE_FORMAT"),
        (("resolve",), "TORCHDOCTOR_RESOLVE_MACHINE"),
        (("resolve",), "TORCHDOCTOR_RESOLVE_GPU"),
        (("report",), "TORCHDOCTOR_REPORT_FORMAT"),
        (("report",), "TORCHDOCTOR_REPORT_IMPORT"),
        (("config",), "TORCHDOCTOR_CONFIG_ALL"),
    ],
)
def test_a_variable_is_named_as_its_option_is_typed(run, command, variable):
    """Whatever the program calls it inside."""
    assert variable in run(*command, "--json", **{variable: "nonsense"}).json["error"]["message"]


@pytest.mark.process
def test_an_error_about_a_setting_names_its_line(run, config):
    """What only the run can find wrong: a release that does not exist."""
    _write(config, '# mine\n[resolve]\ntorch = "99"\n')
    assert f"(--torch comes from {config}:3)" in run("resolve", "--json").json["error"]["message"]


@pytest.mark.process
def test_an_error_about_what_was_typed_names_no_origin(run, config):
    """The line wins over the file, so the file is not to blame."""
    _write(config, '[resolve]\ntorch = "2.9"\n')
    assert "comes from" not in run("resolve", "--torch", "99", "--json").json["error"]["message"]


def test_to_unset_what_is_not_set_is_no_failure(run, config):
    """There is nothing to do, which is said; a key that cannot be set is refused."""
    ran = run("config", "unset", "install.mirror")
    assert (ran.status, ran.out, config.exists()) == (0, "install.mirror was not set; nothing to do\n", False)
    assert "did you mean install.mirror?" in run("config", "unset", "install.miror").err


def test_one_of_two_faults_can_be_unset(run, config):
    """A file that cannot be used is mended one setting after the other."""
    _write(config, '[install]\nmirror = "foo"\ntorch = "banana"\n')
    assert run("config", "unset", "install.mirror").status == 0
    assert run("config", "unset", "install.torch").status == 0
    assert run("resolve", "--platform", "win_amd64").status == 0


def test_all_that_can_be_set_is_listed(run):
    """The settings of every command too; without --all it is said how to see them."""
    assert {"lang", "quiet", "install.mirror"} <= _settings(run("config", "--all", "--json")).keys()
    assert "torchdoctor config --all" in run("config").out


def test_a_place_that_cannot_be_written_is_said(torchdoctor, tmp_path):
    """No traceback: the file, the reason and the variable that names another."""
    (tmp_path / "file").write_text("")
    blocked = str(tmp_path / "file" / "config.toml")
    ran = torchdoctor("config", "set", "lang", "zh", "--json", TORCHDOCTOR_CONFIG=blocked)
    assert (ran.status, ran.json["error"]["kind"]) == (2, "config")
    assert "TORCHDOCTOR_CONFIG" in ran.json["error"]["fix"]


@given(st.text(max_size=300))
def test_any_text_is_a_config_or_a_named_error(text):
    """Never anything else than our error."""
    try:
        lines = parse_config(text, path="config.toml").lines
    except ConfigError:
        lines = {}
    assert all(1 <= line <= len(text.splitlines()) for line in lines.values())
