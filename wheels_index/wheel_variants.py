"""Wheel variants: what the labels of a version's wheels stand for, and which label comes before which.

PEP 825, a draft: https://peps.python.org/pep-0825/ . The drafts before it, by which PyTorch publishes for trials, have
more keys; those are passed over.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from wheels_index.variant import UnknownVariant, variant

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

__all__ = ["Property", "VariantsFile", "build_of_label", "label_order", "parse_property", "parse_variants"]

MAX_BYTES = 4 * 1024 * 1024
_MAX_LABEL_COUNT = 1000
_MAX_PROPERTY_COUNT = 500  # of one label
_LABEL = re.compile(r"[0-9a-z_.]{1,64}", re.ASCII)
_KEY = re.compile(r"[a-z0-9_]{1,64}", re.ASCII)
_VALUE = re.compile(r"[a-z0-9_.]{1,64}", re.ASCII)
_CUDA = re.compile(r"([0-9]{1,2})\.([0-9]{1,2})", re.ASCII)

# Namespace, feature and value: `nvidia :: sm_arch :: 90_real`.
Property = tuple[str, str, str]


@dataclass(frozen=True, kw_only=True, slots=True)
class VariantsFile:
    """`{name}-{version}-variants.json` of an index: the namespaces, the first best, and what each label stands for."""

    namespaces: tuple[str, ...]
    labels: Mapping[str, tuple[Property, ...]]


def parse_variants(body: bytes | str) -> VariantsFile:
    """Read the file; what in it cannot be right is passed over, with the label that it belongs to.

    Raises `ValueError` for more than 4 MiB and for anything but an object with an object of variants.

    >>> file = parse_variants('{"variants": {"cu128": {"nvidia": {"cuda_version_lower_bound": ["12.8"]}}, "null": {}}}')
    >>> file.labels["cu128"], file.labels["null"]
    ((('nvidia', 'cuda_version_lower_bound', '12.8'),), ())
    """
    if len(body) > MAX_BYTES:
        raise ValueError(f"the file has {len(body)} bytes, more than {MAX_BYTES}")
    text = body.decode("utf-8", "replace") if isinstance(body, bytes) else body
    try:
        document = json.loads(text)
    except RecursionError:
        raise ValueError("the JSON is nested too deep") from None
    variants = document.get("variants") if isinstance(document, dict) else None
    if not isinstance(variants, dict):
        raise ValueError("it has no object of variants")  # noqa: TRY004  (one kind for bad data)
    labels = {
        label: properties
        for label, found in list(variants.items())[:_MAX_LABEL_COUNT]
        if _LABEL.fullmatch(label) and (properties := _properties(found)) is not None
    }
    priorities = document.get("default-priorities")
    names = priorities.get("namespace") if isinstance(priorities, dict) else None
    given = [name for name in names if isinstance(name, str)] if isinstance(names, list) else []
    used = [namespace for properties in labels.values() for namespace, _, _ in properties]
    return VariantsFile(namespaces=tuple(dict.fromkeys([*given[:100], *used])), labels=labels)


def _properties(found: Any) -> tuple[Property, ...] | None:
    """Return the properties of one label; None for anything that is none, so that no half of a rule is believed."""
    if not isinstance(found, dict):
        return None
    properties: list[Property] = []
    for namespace, features in found.items():
        if not isinstance(features, dict) or not _KEY.fullmatch(namespace):
            return None
        for feature, values in features.items():
            if not isinstance(values, list) or not values or not _KEY.fullmatch(feature):
                return None
            if not all(isinstance(value, str) and _VALUE.fullmatch(value) for value in values):
                return None
            properties += [(namespace, feature, value) for value in values]
    return tuple(properties) if len(properties) <= _MAX_PROPERTY_COUNT else None


def parse_property(text: str) -> Property:
    """Read `nvidia :: sm_arch :: 90_real`; raises `ValueError`."""
    parts = [part.strip() for part in text.split("::")]
    if len(parts) != 3 or not all(parts):  # noqa: PLR2004
        raise ValueError(f"not a property: {text[:100]!r}")
    return parts[0], parts[1], parts[2]


def build_of_label(label: str, properties: Iterable[Property]) -> str | None:
    """Return which of PyTorch's builds a label stands for; None where neither it nor its properties tell.

    >>> build_of_label("cu128", []), build_of_label("null", []), build_of_label("x86_64_v3", [])
    ('cu128', 'cpu', None)
    >>> build_of_label("gpu", [("nvidia", "cuda_version_lower_bound", "13.0")])
    'cu130'
    """
    properties = tuple(properties)
    try:
        return variant(label).name
    except UnknownVariant:
        pass
    for namespace, feature, value in properties:
        cuda = (
            _CUDA.fullmatch(value) if (namespace, feature) == ("nvidia", "cuda_version_lower_bound") else None
        )
        if cuda is not None:
            return f"cu{cuda[1]}{cuda[2]}"
    return "cpu" if not properties and label in ("null", "00000000") else None


def label_order(
    file: VariantsFile, rank: Callable[[Property], tuple[int, int] | None], labels: Iterable[str]
) -> tuple[str, ...]:
    """Return the labels that a machine supports, in the order of the draft, the first best.

    `rank` gives the places of a feature and of its value among those that the machine supports, None for a value that
    it does not. A label is supported where of each of its features at least one value is.
    """
    keyed = []
    for label in labels:
        best: dict[tuple[str, str], tuple[int, int, int]] = {}
        features = {(namespace, feature) for namespace, feature, _ in file.labels[label]}
        for namespace, feature, value in file.labels[label]:
            place = rank((namespace, feature, value))
            if place is not None:
                key = (file.namespaces.index(namespace), *place)
                best[namespace, feature] = min(key, best.get((namespace, feature), key))
        if best.keys() == features:
            # Of equal beginnings the longer list comes first.
            keyed.append(([*sorted(best.values()), (len(file.namespaces), 0, 0)], label))
    return tuple(label for _, label in sorted(keyed))
