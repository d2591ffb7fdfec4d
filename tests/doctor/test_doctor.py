"""doctor's own manners: which checks there are, which are left out, what its lines and its status say."""

from __future__ import annotations

import json
import re
import sys

import pytest

BARE = ("doctor", "--no-network")


def test_the_checks_are_listed(torchdoctor):
    """Each has an id of a section and a name, and says what it looks at."""
    rows = torchdoctor("doctor", "--list-checks", "--json").json["checks"]
    assert len(rows) > 10
    assert all(re.fullmatch(r"[a-z]+\.[a-z]+", row["id"]) and row["looks_at"] for row in rows)


@pytest.mark.parametrize(
    ("options", "sections"),
    [
        (("--only", "gpu"), {"gpu"}),
        (("--only", "pytorch.fits"), {"pytorch"}),
        (
            ("--exclude", "kernels", "--exclude", "network"),
            {"machine", "gpu", "environment", "pytorch", "packages"},
        ),
    ],
)
def test_single_checks_and_sections_can_be_chosen(torchdoctor, options, sections):
    """By id or by section; the others are not in the answer."""
    ran = torchdoctor(*BARE, *options, "--json")
    assert {row["id"].partition(".")[0] for row in ran.json["checks"]} == sections


def test_what_is_to_be_passed_over_can_stand_in_the_config(torchdoctor, tmp_path):
    """The config file excludes as the option does."""
    config = tmp_path / "config.toml"
    config.write_text('[doctor]\nexclude = ["network", "kernels.specs"]\n')
    ran = torchdoctor("doctor", "--json", TORCHDOCTOR_CONFIG=str(config))
    ids = {row["id"] for row in ran.json["checks"]}
    assert not {"network.index", "kernels.specs"} & ids


def test_a_mistyped_check_offers_the_nearest(torchdoctor):
    """Wrong usage."""
    ran = torchdoctor("doctor", "--only", "gpus.driver", "--json")
    assert (ran.status, "gpu.driver" in ran.json["error"]["fix"]) == (2, True)


def test_the_verdict_is_the_last_line(torchdoctor):
    """Only the last lines are seen in many places; without torch it says so."""
    ran = torchdoctor(*BARE)
    assert ran.out.splitlines()[-1].startswith("Nothing is wrong, and torch is not installed yet")


def test_quiet_says_nothing_where_all_is_well(torchdoctor):
    """For scripts and hooks."""
    ran = torchdoctor(*BARE, "-q")
    assert (ran.status, ran.out) == (0, "")


def test_verbose_shows_each_check_with_its_evidence(torchdoctor):
    """Ids to choose by, and where each fact was read."""
    ran = torchdoctor(*BARE, "-v")
    assert "[machine.system]" in ran.out
    assert re.search(r"os\.name: .+ \(/etc/os-release\)", ran.out)


def test_an_index_out_of_reach_is_no_failure(torchdoctor):
    """Trouble with the network is told, with what helps, and the status stays 0."""
    ran = torchdoctor("doctor", "--only", "network", HTTPS_PROXY="http://127.0.0.1:9", NO_PROXY="")
    assert ran.status == 0
    assert "127.0.0.1:9" in ran.out
    assert "--mirror auto" in ran.out


def test_the_index_is_reached_through_the_proxy(torchdoctor, index):
    """What answers at the proxy's address counts as the way out."""
    address = index.url.removeprefix("http://")
    ran = torchdoctor("doctor", "--only", "network", "--json", HTTPS_PROXY=f"http://{address}", NO_PROXY="")
    assert ran.json["checks"][0]["status"] == "ok"
    assert address in ran.json["checks"][0]["text"]


def test_sections_have_names_in_the_user_s_language(torchdoctor):
    """The names for `--only` stay as they are."""
    shown = torchdoctor(*BARE, "--lang", "zh").out
    assert "内核" in shown
    assert torchdoctor(*BARE, "--lang", "zh", "--only", "kernels", "--json").json["checks"]


@pytest.mark.parametrize("environ", [{"NO_COLOR": "1"}, {"FORCE_COLOR": ""}])
def test_a_pipe_gets_plain_text(torchdoctor, environ):
    """No colours, no broken lines."""
    assert "\x1b" not in torchdoctor(*BARE, "-v", **environ).out


def test_strict_counts_warnings(torchdoctor, alone, tmp_path):
    """What the exit status passes over by default, it tells with --strict."""
    kernel = tmp_path / "home" / "jupyter" / "kernels" / "plain"
    kernel.mkdir(parents=True)
    argv = [f"{sys.prefix}/gone/python", "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (kernel / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "P", "language": "python"}))
    statuses = [torchdoctor(*BARE, *more).status for more in ((), ("--strict",))]
    findings = torchdoctor(*BARE, "--json").json["findings"]
    assert findings
    worst = {row["severity"] for row in findings}
    assert statuses == ([1, 1] if "error" in worst else [0, 1])
