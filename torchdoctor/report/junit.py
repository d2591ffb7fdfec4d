"""Results of verify and bench -> JUnit XML, the form in which CI systems read results.

The elements are those that Jenkins' and GitLab's readers take: testsuites, testsuite, testcase with failure, skipped
or system-out (https://github.com/testmoapp/junitxml).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET  # written, never read

from torchdoctor.core.visible import visible
from torchdoctor.report.bench_texts import figure, title_of
from torchdoctor.verify import CheckResult, VerifyReport

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdoctor.bench import BenchReport, BenchResult
    from torchdoctor.bench.comparison import SpeedChange

__all__ = ["bench_junit", "junit_xml"]

# What XML 1.0 cannot hold, whatever the escape (https://www.w3.org/TR/xml/#charsets).
_NOT_IN_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(report: VerifyReport, *, suite_name: str = "verify") -> str:
    """Return the document: a case for each check and device; a failed one has its evidence."""
    counts = {
        "tests": len(report.checks),
        "failures": sum(check.status == "fail" for check in report.checks),
        "skipped": sum(check.status == "skip" for check in report.checks),
        "errors": 0,
    }
    numbers = {name: str(count) for name, count in counts.items()}
    numbers["time"] = f"{sum(check.seconds for check in report.checks):.3f}"
    root = ET.Element("testsuites", numbers)
    suite = ET.SubElement(root, "testsuite", {"name": f"torchdoctor {suite_name}", **numbers})
    facts = ET.SubElement(suite, "properties")
    for name, value in report.environment.items():
        if isinstance(value, (str, int)):
            ET.SubElement(facts, "property", {"name": name, "value": _clean(str(value))})
    for check in report.checks:
        _case(suite, check, suite_name)
    ET.indent(root)
    return ET.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def bench_junit(report: BenchReport, slower: Sequence[SpeedChange] = ()) -> str:
    """Return the document: a case for each figure, failed where there is none or where it is among the `slower`."""
    regressions = {title_of(change): change for change in slower}
    checks = tuple(_check(result, regressions.get(title_of(result))) for result in report.results)
    return junit_xml(VerifyReport(environment=report.environment, checks=checks), suite_name="bench")


def _check(result: BenchResult, change: SpeedChange | None) -> CheckResult:
    detail = result.error or f"{figure(result.value)} {result.unit}"
    if change is not None:
        detail += f": {change.percent:+.1f} %, beyond the noise of {change.noise_percent:.1f} %"
    return CheckResult(
        id=title_of(result),
        device=result.device,
        status="fail" if result.error or change is not None else "pass",
        seconds=result.seconds,
        detail=detail,
        evidence=result.evidence,
    )


def _case(suite: ET.Element, check: CheckResult, suite_name: str) -> None:
    about = {
        "classname": f"{suite_name}.{check.device}",
        "name": _clean(check.id),
        "time": f"{check.seconds:.3f}",
    }
    case = ET.SubElement(suite, "testcase", about)
    if check.status == "fail":
        failure = ET.SubElement(case, "failure", {"message": _clean(check.detail)})
        failure.text = _clean("\n".join(check.evidence))
    elif check.status == "skip":
        ET.SubElement(case, "skipped", {"message": _clean(check.detail)})
    else:
        ET.SubElement(case, "system-out").text = _clean(
            f"{'warning: ' if check.status == 'warn' else ''}{check.detail}"
        )


def _clean(text: str) -> str:
    return visible(_NOT_IN_XML.sub("\ufffd", text))
