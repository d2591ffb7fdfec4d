"""VerifyReport -> JUnit XML, the form in which CI systems read results.

The elements are those that Jenkins' and GitLab's readers take: testsuites, testsuite, testcase with failure, skipped
or system-out (https://github.com/testmoapp/junitxml).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET  # written, never read

if TYPE_CHECKING:
    from torchdoctor.verify import CheckResult, VerifyReport

__all__ = ["junit_xml"]

# What XML 1.0 cannot hold, whatever the escape (https://www.w3.org/TR/xml/#charsets).
_UNSPEAKABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit_xml(report: VerifyReport, *, suite_name: str = "verify") -> str:
    """The report as a document: a case a check and device, what failed with its evidence."""
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
    return _UNSPEAKABLE.sub("\ufffd", text)
