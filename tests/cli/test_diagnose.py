"""`torchdoctor diagnose` and `explain`: files, pipes, forms, exit status, and input that is no text."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from torchdoctor.cli.app import cli
from torchdoctor.errors import UsageError

CPU = "AssertionError: Torch not compiled with CUDA enabled\ntorch 2.9.1+cpu, Windows 11, RTX 4090\n"


def run(*words, text=None):
    """The command's result, errors raised."""
    return CliRunner().invoke(cli, [*words], input=text, catch_exceptions=False, standalone_mode=False)


def test_a_file_with_a_problem_ends_with_1(tmp_path):
    """The first finding, why, and the fix; the verdict in the last line."""
    file = tmp_path / "report.txt"
    file.write_text(CPU)
    ran = run("diagnose", str(file))
    assert ran.return_value == 1
    assert "cpu-only-wheel" in ran.stdout
    assert "--index-url https://download.pytorch.org/whl/cu" in ran.stdout
    assert ran.stdout.rstrip().splitlines()[-1].startswith("Problems found")


def test_a_line_of_an_error_can_be_given_itself():
    """No file is needed; a file beside it is wrong usage."""
    assert "cpu-only-wheel" in run("diagnose", "--text", CPU).stdout
    with pytest.raises(UsageError):
        run("diagnose", "--text", CPU, "-")


def test_json_is_contract_3():
    """One document on stdout, from a pipe."""
    ran = run("diagnose", "-", "--json", text=CPU)
    document = json.loads(ran.stdout)
    assert document["schema"] == 1
    row = document["findings"][0]
    assert {"id", "severity", "title", "evidence", "explanation", "fix"} <= set(row)
    assert (row["id"], row["severity"]) == ("cpu-only-wheel", "error")


def test_markdown_is_for_pasting():
    """A heading, and commands in fences."""
    ran = run("diagnose", "-", "--format", "md", text=CPU)
    assert ran.stdout.startswith("### torchdoctor: Problems found")
    assert "```text\n" in ran.stdout


def test_nothing_to_find_ends_with_0():
    """Says what to run next."""
    ran = run("diagnose", "-", text="hello")
    assert ran.return_value == 0
    assert "collect_env" in ran.stdout
    assert ran.stdout.rstrip().endswith("Not enough to tell.")


@pytest.mark.parametrize("raw", [b"", b"\x00\xff" * 4000, b"\x7fELF" + bytes(range(256)) * 50])
def test_binary_input_is_no_error(tmp_path, raw):
    """It says that there is not enough to tell."""
    file = tmp_path / "file.bin"
    file.write_bytes(raw)
    assert "Not enough to tell." in run("diagnose", str(file)).stdout


@pytest.mark.parametrize("encoding", ["utf-16", "gb18030", "utf-8-sig"])
def test_the_encodings_of_windows_consoles_are_read(tmp_path, encoding):
    """PowerShell's redirection writes UTF-16, a Chinese console GBK."""
    file = tmp_path / "log.txt"
    text = 'OSError: [WinError 126] 找不到指定的模块。 Error loading "D:\\env\\torch\\lib\\shm.dll"'
    file.write_bytes(text.encode(encoding))
    assert "windows-vcredist-missing" in run("diagnose", str(file)).stdout


def test_of_a_huge_file_the_ends_are_read(tmp_path):
    """100 MB with the error in the last line: it is found."""
    file = tmp_path / "huge.log"
    with file.open("wb") as stream:
        stream.truncate(100 * 1024 * 1024)
        stream.seek(0, 2)
        stream.write(b"\nAssertionError: Torch not compiled with CUDA enabled\n")
    assert "cpu-only-wheel" in run("diagnose", str(file)).stdout


def test_a_file_that_is_not_there_is_wrong_usage():
    """Named, with what to do."""
    from torchdoctor.errors import UsageError

    with pytest.raises(UsageError, match="cannot be read"):
        run("diagnose", "/nowhere/report.txt")
    with pytest.raises(UsageError, match="no text"):
        run("diagnose")


def test_explain_prints_the_page_and_lists_all():
    """By either name."""
    page = run("diagnose", "--explain", "driver-too-old").stdout
    assert page == run("explain", "driver-too-old").stdout
    assert page.startswith("# The NVIDIA driver is older")
    assert "driver-too-old" in run("explain").stdout
    assert json.loads(run("explain", "--json").stdout)["failures"]


def test_an_unknown_failure_names_the_nearest():
    """A slip of the pen is helped."""
    from torchdoctor.errors import UsageError

    with pytest.raises(UsageError) as raised:
        run("explain", "driver-to-old")
    assert "driver-too-old" in raised.value.fix


POSSIBLE = (
    "Fresh install of torch, and torch.cuda.is_available() comes back False. How do I get my card to be used?"
)


def test_possible_causes_alone_are_no_problem():
    """They stand under a heading of their own, each with what would confirm it, and the exit status is 0."""
    ran = run("diagnose", "-", text=POSSIBLE)
    assert ran.return_value == 0
    heading, *listed = ran.stdout.split("\n\n")[0].splitlines()
    assert heading == "Possible causes"
    assert "[cpu-only-wheel]" in listed[0]
    assert any(line.strip().startswith("to make sure:") for line in listed)
    assert "✗" not in ran.stdout
    assert ran.stdout.rstrip().endswith("Not enough to tell.")


def test_json_keeps_possible_causes_apart_from_problems():
    """`findings` are claims; the verdict says that there is none."""
    document = json.loads(run("diagnose", "-", "--json", text=POSSIBLE).stdout)
    assert (document["verdict"], document["findings"]) == ("not-enough-to-tell", [])
    assert document["possible"][0]["id"] == "cpu-only-wheel"
    assert {row["confidence"] for row in document["possible"]} == {"possible"}


def test_markdown_lists_possible_causes():
    """As a list, below the problems."""
    ran = run("diagnose", "-", "--format", "md", text=POSSIBLE)
    assert "**Possible causes**\n\n- CPU\\-only torch" in ran.stdout


UNUSED = "torch.cuda.is_available() returns False and it only uses my cpu, please help. Windows 11\n"


@pytest.mark.parametrize(
    ("fail_on", "status"), [("certain", 0), ("likely", 0), ("possible", 1), ("never", 0)]
)
def test_fail_on_names_the_confidence_that_ends_with_1(fail_on, status):
    """A possible cause alone is a failure only where that is asked for."""
    assert run("diagnose", "-", "--fail-on", fail_on, text=UNUSED).return_value == status


@pytest.mark.parametrize(
    ("fail_on", "status"), [("certain", 1), ("likely", 1), ("possible", 1), ("never", 0)]
)
def test_a_certain_finding_fails_unless_nothing_may(fail_on, status):
    """With `never` the text is the whole answer."""
    assert run("diagnose", "-", "--fail-on", fail_on, text=CPU).return_value == status


def test_ask_goes_on_with_the_answers(tmp_path):
    """The build, then the card: the answers make it certain."""
    file = tmp_path / "post.txt"
    file.write_text(UNUSED)
    ran = run("diagnose", str(file), "--ask", text="2.9.1+cpu\n\n4070\n\n")
    assert "Which build of PyTorch" in ran.stderr
    assert "Which graphics card" in ran.stderr
    assert "[cpu-only-wheel]" in ran.stdout
    assert "download.pytorch.org/whl/cu" in ran.stdout


@pytest.mark.parametrize("answers", ["", "\n" * 30])
def test_ask_ends_where_nobody_answers(tmp_path, answers):
    """An empty line is "not known": no question comes twice, and the end of the input ends it."""
    file = tmp_path / "post.txt"
    file.write_text(UNUSED)
    ran = run("diagnose", str(file), "--ask", text=answers)
    asked = [line for line in ran.stderr.splitlines() if line.startswith("  Which ")]
    assert asked
    assert len(asked) == len(set(asked))


def test_ask_and_json_are_wrong_usage():
    """JSON has the question; nobody can be asked beside it."""
    with pytest.raises(UsageError):
        run("diagnose", "--text", UNUSED, "--ask", "--json")


def test_json_has_the_question():
    """Its id, the sentence, the command, and the causes between which it decides."""
    question = json.loads(run("diagnose", "-", "--json", text=UNUSED).stdout)["question"]
    assert question["id"] == "torch"
    assert question["command"].startswith("python -c")
    assert question["between"] == question["decides"] == ["cpu-only-wheel"]
    assert json.loads(run("diagnose", "-", "--json", text=CPU).stdout)["question"] is None


@pytest.mark.parametrize("raw", [b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff\xe0", b"GIF89a", b"RIFF0000WEBP"])
def test_a_picture_is_wrong_usage(tmp_path, raw):
    """It cannot be read, and the user is told to copy the text."""
    file = tmp_path / "screenshot.png"
    file.write_bytes(raw + bytes(range(200)))
    with pytest.raises(UsageError, match="picture"):
        run("diagnose", str(file))


@pytest.mark.process
def test_here_joins_this_machine_or_says_that_it_is_another():
    """A Windows post on this machine is read alone."""
    document = json.loads(
        run("diagnose", "--text", UNUSED.replace("Windows 11", "HP-UX"), "--here", "--json").stdout
    )
    assert document["here"]["joined"] in ("all", "machine", "nothing")
    document = json.loads(
        run("diagnose", "--text", "GPU 0: NVIDIA GeForce GTX 280", "--here", "--json").stdout
    )
    assert document["here"] == {
        "joined": "nothing",
        "contradictions": [
            {
                "fact": "gpu",
                "text": "NVIDIA GeForce GTX 280",
                "here": document["here"]["contradictions"][0]["here"],
            }
        ],
    }
