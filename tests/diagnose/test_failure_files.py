"""A failure is one file: adding it is enough, and what is wrong in it is named with file and key."""

from __future__ import annotations

import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.diagnose.test_failures import FOLDER, SCHEMA
from torchdoctor.diagnose import diagnose, diagnose_text
from torchdoctor.diagnose.catalogue import build_failures
from torchdoctor.diagnose.compiled_data import DataFileError, parse_toml
from torchdoctor.diagnose.failure_files import compile_failures
from torchdoctor.diagnose.parsers.parse import parse_report

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

CONTRIBUTING = Path(__file__).parents[2] / "CONTRIBUTING.md"
GOOD = re.search(r"```toml\n(#:schema .*?)```", CONTRIBUTING.read_text("utf-8"), re.DOTALL)[1]


@pytest.fixture
def folder(tmp_path):
    """A folder for failures with the shared signs alone: all failures take a moment to compile."""
    for theme in ("room", "network"):
        (tmp_path / theme).mkdir()
    shutil.copy(FOLDER / "_shared.toml", tmp_path)
    return tmp_path


def found_by(failures, text):
    """The ids of the findings in a text."""
    return [finding.id for finding in diagnose(parse_report(text), failures=failures).findings]


def test_the_recipe_of_contributing_adds_a_failure_by_one_file(tmp_path):
    """The file as it stands there is found in its first case, and not in its second."""
    folder = Path(shutil.copytree(FOLDER, tmp_path / "failures"))
    (folder / "room" / "inodes-used-up.toml").write_text(GOOD, "utf-8")
    failures = build_failures(compile_failures(folder))
    shown, alike = (case["text"] for case in parse_toml(folder / "room" / "inodes-used-up.toml")["case"])
    assert not diagnose_text(shown).findings
    assert found_by(failures, shown) == ["inodes-used-up"]
    assert "inodes-used-up" not in found_by(failures, alike)


WRONG = {
    "unknown key": ("severity =", "gravity =", "inodes-used-up.toml: has the unknown key 'gravity'"),
    "missing key": ('severity = "error"\n', "", "inodes-used-up.toml: lacks the key 'severity'"),
    "wrong word": ('"certain"', '"sure"', "inodes-used-up.toml: sign[0].confidence: must be one of certain, likely,"),
    "no list": ('text = ["no free inodes"]', 'text = "no free inodes"', "sign[0].text: must be a list"),
    "capitals": ("no free inodes", "No free inodes", "sign[0].text[0]: 'No free inodes' must be in lower case"),
    "two kinds": ('text = ["no free', 'fact = "os.name"\ntext = ["no free', "sign[0]: looks for text and fact"),
    "nothing sought": ('text = ["no free inodes"]\n', "", "sign[0]: needs one of shared, text, fact"),
    "regex alone": ('text = ["no free inodes"]', "regex = 'inodes'\nshared = \"in-wsl\"", "'regex' goes with 'text'"),
    "empty title": ('title = "The file system can hold no more files"', 'title = " "', "title: must be a text"),
    "no negative case": ('expect = "absent"\n', "", "case: needs a case that shows the failure and one with"),
    "step without words": (
        'text = "See which file system is full:"\ncommand = "df -i ."', 'who = "admin"', "fix[0]: needs a text",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "message"), WRONG.values(), ids=WRONG)
def test_a_wrong_file_is_named_with_its_key(folder, old, new, message):
    """The message says where, and what is right; the schema refuses the same."""
    assert old in GOOD
    wrong = GOOD.replace(old, new)
    (folder / "room" / "inodes-used-up.toml").write_text(wrong, "utf-8")
    with pytest.raises(DataFileError) as error:
        compile_failures(folder)
    assert str(error.value).startswith("inodes-used-up.toml: ")
    assert message in str(error.value)
    if old != "no free inodes":  # a schema knows no letters in lower case
        assert not SCHEMA.is_valid(tomllib.loads(wrong))


BEYOND = {
    "not TOML": ("severity =", "severity", "Expected '='"),
    "broken regex": ('text = ["no free inodes"]', "text = [\"no\"]\nregex = '('", "sign[0].regex: is not a regular"),
    "another id": ('id = "inodes-used-up"', 'id = "inodes"', "id: must be the file's name, not 'inodes'"),
    "masks nothing": ("confirm =", 'masks = ["no-such"]\nconfirm =', "masks: there is no other failure 'no-such'"),
    "unknown shared sign": ('text = ["no free inodes"]', 'shared = "no-such"', "there is no shared sign 'no-such'"),
    "kernel repair of no problem": ("confirm =", 'repair = "kernel"\nconfirm =', "go together"),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "message"), BEYOND.values(), ids=BEYOND)
def test_what_a_schema_cannot_see_is_named_too(folder, old, new, message):
    """Names of other files, patterns, and TOML itself."""
    (folder / "room" / "inodes-used-up.toml").write_text(GOOD.replace(old, new), "utf-8")
    with pytest.raises(DataFileError, match=r"^inodes-used-up\.toml: ") as error:
        compile_failures(folder)
    assert message in str(error.value)


def test_an_unknown_predicate_is_named_with_its_file(folder):
    """It is looked up when the signs are built."""
    wrong = GOOD.replace('text = ["no free inodes"]', 'predicate = "no_such"')
    (folder / "room" / "inodes-used-up.toml").write_text(wrong, "utf-8")
    with pytest.raises(DataFileError, match=r"^inodes-used-up\.toml: there is no predicate 'no_such'"):
        build_failures(compile_failures(folder))


def test_a_file_of_the_same_name_in_two_folders_is_refused(folder):
    """One failure has one file."""
    for theme in ("room", "network"):
        (folder / theme / "inodes-used-up.toml").write_text(GOOD, "utf-8")
    with pytest.raises(DataFileError, match="in two folders"):
        compile_failures(folder)
