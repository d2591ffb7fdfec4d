"""Markers of wheel variants in what a wheel requires, told in markers that installers of today know.

PEP 825 (a draft): `nvidia-cublas; "nvidia" in variant_namespaces`, `triton; variant_label == "cu128"`.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["without_variant_markers"]

_IN = re.compile(
    r"""(?P<quote>["'])(?P<value>[^"']{0,200})(?P=quote)\s+(?P<negated>not\s+)?in\s+"""
    r"""variant_(?P<kind>properties|features|namespaces)\b"""
)
_LABEL = re.compile(
    r"""variant_label\s*(?P<op>===?|!=)\s*(?P<quote>["'])(?P<value>[^"']{0,200})(?P=quote)"""
    r"""|(?P<quote2>["'])(?P<value2>[^"']{0,200})(?P=quote2)\s*(?P<op2>===?|!=)\s*variant_label\b"""
)
_TRUE, _FALSE = "python_version >= '0'", "python_version < '0'"


def without_variant_markers(line: str, label: str, properties: Iterable[str]) -> str:
    """Return a `Requires-Dist` line with each marker of variants decided for a wheel.

    `properties` are those of its label that the machine supports, as `nvidia :: sm_arch :: 90_real`.

    >>> without_variant_markers('cublas; "nvidia" in variant_namespaces', "cu128", ["nvidia :: sm_arch :: 90_real"])
    "cublas; python_version >= '0'"
    """
    if "variant_" not in line:
        return line
    triples = [tuple(part.strip() for part in each.split("::")) for each in properties]
    known = {
        "properties": {" :: ".join(triple) for triple in triples},
        "features": {" :: ".join(triple[:2]) for triple in triples},
        "namespaces": {triple[0] for triple in triples},
    }

    def decide_in(found: re.Match[str]) -> str:
        value = " :: ".join(part.strip() for part in found["value"].split("::"))
        return _TRUE if (value in known[found["kind"]]) != bool(found["negated"]) else _FALSE

    def decide_label(found: re.Match[str]) -> str:
        value, operator = found["value"] or found["value2"] or "", found["op"] or found["op2"]
        return _TRUE if (value == label) != (operator == "!=") else _FALSE

    requirement, separator, marker = line.partition(";")
    return requirement + separator + _LABEL.sub(decide_label, _IN.sub(decide_in, marker))
