"""A text of several machines: each is read by itself, and each finding says which one it belongs to."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from torchdoctor.diagnose import Evidence, Observation, diagnose_text
from torchdoctor.diagnose.machines import machines_in
from torchdoctor.diagnose.parsers.parse import parse_report
from torchdoctor.diagnose.pasted_text import may_be_of_several
from torchdoctor.diagnose.question_answers import with_answer
from torchdoctor.report.terminal.diagnosis import diagnosis_markdown, diagnosis_text
from torchdoctor.report.terminal.issue_comment import issue_comment
from torchdoctor.workflows.diagnose_here import diagnose_here

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

CASE_FILES = Path(__file__).parents[1] / "cases"
CASES = tomllib.loads((CASE_FILES / "several.toml").read_text("utf-8"))["report"]
SEVERAL = [case for case in CASES if case["machines"]]
# One machine has one value of each.
SINGLE = ("nvidia.driver", "torch.version")


def by_form(case):
    return case["form"]


@pytest.mark.parametrize("case", CASES, ids=by_form)
def test_the_machines_of_a_text_are_told_apart(case):
    """By their names, or by their reports; one machine stays one."""
    assert [machine.name for machine in diagnose_text(case["text"]).machines] == case["machines"]


@pytest.mark.parametrize("case", SEVERAL, ids=by_form)
def test_a_text_of_several_machines_is_looked_at(case):
    """The quick look before it does not miss one; a report of one machine alone is passed over."""
    assert may_be_of_several(case["text"])
    assert not may_be_of_several((CASE_FILES / "formats" / "collect-env-rocm.txt").read_text("utf-8"))


@pytest.mark.parametrize("case", CASES, ids=by_form)
def test_each_finding_says_which_machine_it_belongs_to(case):
    """Nothing else is found: no fact of one machine is held against a fact of another one."""
    found = diagnose_text(case["text"])
    assert [{"id": one.id, "machines": list(one.machines)} for one in found.findings] == case["findings"]
    assert not {one.id for one in found.in_order} & set(case["never"])


@pytest.mark.parametrize("case", SEVERAL, ids=by_form)
def test_no_machine_has_a_fact_of_another(case):
    """A driver or a torch that a text states once is of one machine, or of all."""
    for machine in machines_in(case["text"]):
        for name in SINGLE:
            assert len(machine.evidence.all(name)) <= 1, (machine.name, machine.evidence.all(name))


@pytest.mark.parametrize("case", SEVERAL, ids=by_form)
def test_the_lines_of_the_facts_are_those_of_the_text(case):
    """What is left out of a machine's part keeps its lines."""
    whole = {(fact.line, fact.source) for fact in parse_report(case["text"]).facts}
    lines = {line for line, _ in whole}
    for machine in machines_in(case["text"]):
        assert {fact.line for fact in machine.evidence.facts} <= lines


def test_texts_of_one_machine_stay_whole():
    """Of the reports that the rules are tested with, hardly one is told apart."""
    texts = [
        row["text"]
        for path in sorted(CASE_FILES.glob("*.toml"))
        if path.name != "several.toml"
        for row in tomllib.loads(path.read_text("utf-8")).get("report", [])
    ]
    several = [text for text in texts if machines_in(text)]
    assert len(several) <= len(texts) / 100, several


def case_of(beginning):
    return next(case["text"] for case in CASES if case["form"].startswith(beginning))


QUOTED = case_of("the report of another user")
SENTENCES = case_of("one sentence each")


def test_the_text_form_names_the_machines_and_each_finding_has_its_machine():
    """First what is known of each machine, then the findings, the machine before the title."""
    shown = diagnosis_text(diagnose_text(SENTENCES))
    assert shown.startswith(
        "The text is about 2 machines or environments:\n  laptop (from line 1): torch: 2.1.0"
    )
    assert "✗ server: The NVIDIA driver is older" in shown


@pytest.mark.parametrize("form", [diagnosis_markdown, issue_comment])
def test_markdown_has_the_machine_before_the_title(form):
    """As in the text form; a report without a name has its number, and the list says where it begins."""
    shown = form(diagnose_text(QUOTED))
    assert "report 1: The NVIDIA driver is older" in shown.replace("\\", "")
    assert "quoted report (from line 1): " in shown.replace("\\", "")


def test_json_has_the_machines_and_those_of_each_finding():
    """`machines` of the document, `machines` of a finding, `machine` of the question."""
    document = diagnose_text(SENTENCES).to_json()
    assert [(row["name"], row["line"]) for row in document["machines"]] == [("laptop", 1), ("server", 1)]
    assert document["findings"][0]["machines"] == ["server"]
    assert diagnose_text(case_of("Machine A")).to_json()["question"]["machine"] == "machine a"


def test_a_text_of_one_machine_has_no_machines():
    """The keys are there and empty."""
    document = diagnose_text("torch 2.9.1+cpu, RTX 4070, cuda.is_available() False").to_json()
    assert document["machines"] == []
    assert document["findings"][0]["machines"] == []


def test_an_answer_is_of_the_machine_that_was_asked_about():
    """It is added under the machine's name, also where that is the number of a report."""
    text = with_answer(SENTENCES, "python", "3.9", "laptop")
    laptop, server = machines_in(text)
    assert laptop.evidence.first("python.version") == "3.9"
    assert server.evidence.first("python.version") is None
    first, second = machines_in(with_answer(case_of("two nvidia-smi"), "python", "3.9", "report 2"))
    assert (first.evidence.first("python.version"), second.evidence.first("python.version")) == (None, "3.9")


def test_what_is_said_of_no_machine_is_of_none():
    """An error that stands before both reports is found once, without a machine."""
    text = "ImportError: libcudnn.so.9: cannot open shared object file: No such file or directory\n\n"
    found = diagnose_text(text + case_of("two collect_env"))
    assert [finding.machines for finding in found.findings] == [()]


def test_here_joins_the_machine_of_the_text_that_this_one_is():
    """The other machines of the text are read alone."""
    seen = Evidence(
        facts=(
            Observation(name="os.system", value="linux", source="uname"),
            Observation(name="nvidia.driver", value="450.80.02", source="nvml"),
            Observation(name="nvidia.gpu", value="Tesla V100", source="nvml"),
            Observation(name="torch.version", value="2.4.0+cu124", source="metadata"),
        )
    )
    found = diagnose_here(SENTENCES, seen, str)
    assert found.joined == "all"
    assert [(one.id, one.machines) for one in found.diagnosis.findings] == [("driver-too-old", ("server",))]


def test_no_name_of_a_machine_is_markup():
    """A name has words of the text in it, and those that stand beside it stay out."""
    markup = "<b>[x](//example.org)</b> `@me` **x**"
    headed = case_of("Machine A").replace("Machine A:", f"Machine A ({markup}):")
    named = SENTENCES.replace("on my laptop", f"{markup} on my h100-x laptop")
    for text in (headed, named):
        machines = machines_in(text)
        assert len(machines) == 2
        for machine in machines:
            assert not set(machine.name) & set("<>[]()@`*")


@given(st.lists(st.sampled_from([line for case in CASES for line in case["text"].split("\n")]), max_size=30))
def test_any_order_of_lines_gives_machines_with_names_of_their_own(lines):
    """It never raises, and each fact of a machine stands in a line of the text."""
    text = "\n".join(lines)
    machines = machines_in(text)
    assert len(machines) != 1
    assert len({machine.name for machine in machines}) == len(machines)
    for machine in machines:
        assert len(machine.text) == len(text)
        assert all(1 <= fact.line <= len(lines) for fact in machine.evidence.facts)


def test_facts_are_not_compared_one_by_one(monkeypatch):
    """A long list of packages is read in the time of its length: a fact is looked up, not searched for."""
    compared = []

    def equal(one, other):
        compared.append(one)
        return one is other

    monkeypatch.setattr(Observation, "__eq__", equal)
    monkeypatch.setattr(Observation, "__hash__", object.__hash__)
    listed = "".join(f"torchvision==0.{2 + number % 30}.1\nnumpy==1.26.{number}\n" for number in range(300))
    machines = machines_in(f"```\n{listed}```\n\n{SENTENCES}")
    assert [machine.name for machine in machines] == ["laptop", "server"]
    assert len(machines[0].evidence.facts) > 600
    assert len(compared) < len(machines[0].evidence.facts)


def test_the_question_is_about_the_machine_that_fails():
    """Not about the one that works, wherever they stand in the text."""
    text = case_of("a sentence each, the one that works first")
    assert diagnose_text(text).question.machine == "work desktop"
    turned = text.replace("it works", "it crashes").replace("it fails with a segfault", "it works")
    assert diagnose_text(turned).question.machine == "laptop"


@pytest.mark.parametrize(
    "said",
    ["The torch is the CPU build, installed with conda.", "My GPU is not used. Windows, pip install torch"],
)
def test_what_a_cpu_build_shows_is_not_of_a_machine_with_another_build(said):
    """What stands before both machines is of the one whose torch it can come from."""
    rows = "Machine A: RTX 3080, torch 2.4.1+cpu\nMachine B: RTX 4090, torch 2.4.1+cu121\n"
    found = diagnose_text(f"{said}\n\n{rows}").in_order
    assert "machine a" in {name for one in found for name in one.machines}
    assert "machine b" not in {name for one in found for name in one.machines}


def test_who_quotes_a_report_speaks_of_the_own_machine_in_the_rest():
    """The driver that the sentence states is not the one of the quoted report."""
    quoted = QUOTED.split("\n\n", maxsplit=1)[0]
    text = f"{quoted}\n\nThe driver version is 550.54.15 in my case.\n\nPyTorch version: 2.9.1+cu130\n"
    text += "OS: Ubuntu 22.04.4 LTS (x86_64)\nGPU models and configuration: GPU 0: NVIDIA L4\n"
    drivers = {machine.name: machine.evidence.all("nvidia.driver") for machine in machines_in(text)}
    assert drivers == {"quoted report": ("470.199.02",), "report 1": ("550.54.15",)}


def test_of_many_machines_the_first_eight_are_read():
    """A list of a whole cluster takes no longer."""
    rows = [f"Machine {number}: driver {500 + number}.54.15, torch 2.{number}.0" for number in range(1, 13)]
    assert [machine.name for machine in machines_in("\n".join(rows))] == [f"machine {n}" for n in range(1, 9)]


def test_the_own_machine_is_none_beside_two_that_have_names():
    """It is told apart where that of somebody else alone has a name."""
    text = (
        "On my computer with driver 550.54.15 it works. On the laptop with driver 535.154.05 it works. "
        "On the server with driver 450.80.02 it fails."
    )
    assert [machine.name for machine in machines_in(text)] == ["laptop", "server"]


def test_the_kind_alone_is_the_machine_that_was_named_in_full():
    """Where no other laptop is named."""
    text = (
        "On my gaming laptop with driver 535.154.05 it works. On the server with driver 450.80.02 it fails. "
        "On the laptop I have torch 2.4.0+cu121."
    )
    laptop, server = machines_in(text)
    assert (laptop.name, server.name) == ("gaming laptop", "server")
    assert laptop.evidence.first("torch.version") == "2.4.0+cu121"
