"""The workflows of the repository: valid, with the least rights, and every action pinned to a commit."""

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


@pytest.mark.parametrize("path", [*WORKFLOWS, ROOT / "action.yml"], ids=lambda path: path.name)
def test_every_action_is_pinned_to_a_commit(path):
    """A tag can be moved to other code; the commit cannot. The version stands beside it for people and dependabot."""
    uses = re.findall(r"uses: (\S+)(.*)", path.read_text("utf-8"))
    assert uses
    for action, beside in uses:
        assert re.search(r"@[0-9a-f]{40}$", action), action
        assert re.search(r"# v\d+\.\d+\.\d+$", beside), action


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_has_no_rights_that_a_job_does_not_name(path):
    """Every job names its rights and how long it may take; nothing is granted to all."""
    document = yaml.safe_load(path.read_text("utf-8"))
    assert document["permissions"] == {}
    for job in document["jobs"].values():
        assert job["permissions"]
        assert job["timeout-minutes"] <= 60


def test_ci_covers_every_python_of_the_classifiers():
    """The matrix is what the metadata promises."""
    document = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8"))
    promised = re.findall(
        r"Programming Language :: Python :: (3\.\d+)", (ROOT / "pyproject.toml").read_text("utf-8")
    )
    assert document["jobs"]["fast"]["strategy"]["matrix"]["python"] == promised
