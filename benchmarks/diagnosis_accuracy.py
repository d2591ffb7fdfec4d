"""How often `diagnose` is right: the first finding, the first three, false alarms, and each confidence by itself.

Usage: python benchmarks/diagnosis_accuracy.py [--misses] [--json] [FILE_OR_FOLDER ...]

A folder holds a JSON file a case (`evidence`, `cause`, `healthy`), a TOML file holds `[[report]]` tables (`text`,
`cause`). A case without a cause is of a machine on which nothing fails, unless it says `healthy = false`: then
something fails that the catalogue does not have. Problems and possible causes count in the order in which they are
shown; only a problem is a claim.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from torchdoctor.diagnose import all_failures, diagnose_text

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

CASES = Path(__file__).parents[1] / "tests" / "cases"
DEFAULT = (CASES / "retold", CASES / "further.toml", CASES / "gathered.toml", CASES / "unread")
CONFIDENCES = ("certain", "likely", "possible")


@dataclass(frozen=True)
class Case:
    """One labelled text."""

    name: str
    text: str
    cause: tuple[str, ...]
    healthy: bool


@dataclass(frozen=True)
class Answer:
    """What `diagnose` says of a case: ids with their confidence in the order shown, problems first, what it asks."""

    case: Case
    ids: tuple[str, ...]
    confidences: tuple[str, ...]
    problems: int
    asked: str | None = None

    @property
    def place(self) -> int | None:
        """The place of the first right cause, from 0."""
        return next((place for place, name in enumerate(self.ids) if name in self.case.cause), None)


def main() -> int:
    """Print the table of the cases."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("paths", nargs="*", type=Path, default=DEFAULT)
    parser.add_argument("--misses", action="store_true", help="name each case that is not right")
    parser.add_argument("--json", action="store_true", help="print the numbers as JSON")
    options = parser.parse_args()
    answers = [answer(case) for path in options.paths for case in cases_of(path)]
    numbers = count(answers)
    print(json.dumps(numbers, indent=1) if options.json else table(numbers))
    if options.misses:
        print("\n".join(misses(answers)))
    return 0


def cases_of(path: Path) -> list[Case]:
    """Return the labelled cases of a folder of JSON files, or of a JSON or TOML file."""
    if path.is_dir():
        return [
            case for file in sorted([*path.glob("*.json"), *path.glob("*.toml")]) for case in cases_of(file)
        ]
    if path.suffix == ".toml":
        return [_case(row) for row in tomllib.loads(path.read_text("utf-8")).get("report", [])]
    return [_case(json.loads(path.read_text("utf-8")))]


def _case(row: dict[str, Any]) -> Case:
    cause = tuple(row.get("cause", ()))
    return Case(
        name=str(row.get("id") or row.get("source")),
        text=row["text"] if "text" in row else "\n".join(row["evidence"].values()),
        cause=cause,
        healthy=row.get("healthy", not cause),
    )


def answer(case: Case) -> Answer:
    """Return what `diagnose` says of a case."""
    found = diagnose_text(case.text)
    shown = (*found.findings, *found.possible)
    return Answer(
        case=case,
        ids=tuple(one.id for one in shown),
        confidences=tuple(one.confidence for one in shown),
        problems=len(found.findings),
        asked=found.question.id if found.question else None,
    )


def count(answers: list[Answer]) -> dict[str, Any]:
    """Return the numbers of the table."""
    known = {failure.id: failure for failure in all_failures()}
    labelled = [one for one in answers if one.case.cause]
    healthy = [one for one in answers if one.case.healthy]
    other = [one for one in answers if not one.case.healthy and not one.case.cause]
    open_cases = [one for one in labelled if one.confidences[:1] != ("certain",)]
    by_confidence = {name: Counter[str]() for name in CONFIDENCES}
    for one in answers:
        if one.ids:
            by_confidence[one.confidences[0]]["right" if one.place == 0 else "wrong"] += 1
    return {
        "labelled": len(labelled),
        "labels_unknown_to_the_catalogue": sum(not set(one.case.cause) & known.keys() for one in labelled),
        "first": sum(one.place == 0 for one in labelled),
        "first_three": sum(one.place is not None and one.place < 3 for one in labelled),
        "anywhere": sum(one.place is not None for one in labelled),
        "wrong_problem_first": sum(bool(one.problems) and one.place != 0 for one in labelled),
        "not_certain": len(open_cases),
        "asked": sum(one.asked is not None for one in open_cases),
        "asked_what_decides": sum(
            any(one.asked in known[name].asks for name in one.case.cause if name in known)
            for one in open_cases
        ),
        "healthy": len(healthy),
        "false_alarms": sum(bool(one.problems) for one in healthy),
        "healthy_with_possible": sum(bool(one.ids) and not one.problems for one in healthy),
        "other_failures": len(other),
        "wrong_claims_on_other_failures": sum(bool(one.problems) for one in other),
        "by_confidence": {
            name: {"right": counted["right"], "of": counted.total()}
            for name, counted in by_confidence.items()
        },
    }


def table(numbers: dict[str, Any]) -> str:
    """Return the numbers as lines."""

    def share(part: int, whole: int) -> str:
        return f"{part:4} of {whole:4}" + (f"  ({100 * part / whole:5.1f} %)" if whole else "")

    labelled, healthy, other = numbers["labelled"], numbers["healthy"], numbers["other_failures"]
    rows = [
        ("right first", share(numbers["first"], labelled)),
        ("right among the first three", share(numbers["first_three"], labelled)),
        ("right anywhere", share(numbers["anywhere"], labelled)),
        ("wrong problem first", share(numbers["wrong_problem_first"], labelled)),
        ("not certain, and a question", share(numbers["asked"], numbers["not_certain"])),
        ("asked for what decides the cause", share(numbers["asked_what_decides"], numbers["asked"])),
        ("false alarms on healthy", share(numbers["false_alarms"], healthy)),
        ("healthy with possible causes", share(numbers["healthy_with_possible"], healthy)),
        ("claims on failures not known", share(numbers["wrong_claims_on_other_failures"], other)),
        *(
            (f"first and {name}, right", share(counted["right"], counted["of"]))
            for name, counted in numbers["by_confidence"].items()
        ),
    ]
    return "\n".join(f"{name:34}{value}" for name, value in rows)


def misses(answers: list[Answer]) -> list[str]:
    """Return a line for each case that is not right."""
    lines = []
    for one in answers:
        shown = ", ".join(f"{name} ({how})" for name, how in zip(one.ids, one.confidences, strict=True))
        if one.case.cause and one.place != 0:
            lines.append(f"{one.case.name}: {' or '.join(one.case.cause)}; said {shown or 'nothing'}")
        elif not one.case.cause and one.problems:
            lines.append(
                f"{one.case.name}: {'healthy' if one.case.healthy else 'another failure'}; said {shown}"
            )
    return lines


if __name__ == "__main__":
    sys.exit(main())
