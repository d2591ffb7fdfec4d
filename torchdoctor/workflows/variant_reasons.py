"""Why a wheel variant was taken: what its label stands for, and what an installer by the draft standard would take."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from torchdoctor.core.i18n import joined, message
from torchdoctor.resolve.variant_properties import rank_property
from wheels_index.wheel_variants import build_of_label, label_order

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torchdoctor.detect import Machine
    from torchdoctor.resolve import Plan
    from torchdoctor.sources import SourceListing
    from wheels_index import Wheel

__all__ = ["with_variant_reasons"]

_MAX_SHOWN_COUNT = 8


def with_variant_reasons(plan: Plan, listings: Sequence[SourceListing], machine: Machine) -> Plan:
    """Return the plan of a wheel variant of torch with what its label means, and how it compares with the others."""
    wheel = plan.torch.wheel
    listing = next(each for each in listings if each.name == plan.torch.source)
    name = f"torch-{plan.torch.version}"
    file = listing.variants.get(name)
    if wheel is None or wheel.label is None or file is None:
        return plan
    properties = joined(dict.fromkeys(f"{n} :: {f}" for n, f, _ in file.labels[wheel.label])) or message(
        "nothing"
    )
    reasons = [
        message(
            "it is the wheel variant {label}, which asks of the machine: {properties}",
            label=wheel.label,
            properties=properties,
        ),
        _comparison(wheel, listing, machine),
    ]
    unsupported = {label: why for (of, label), why in listing.unsupported.items() if of == name}
    builds = {build_of_label(label, file.labels[label]): label for label in unsupported}
    said = {each.variant for each in plan.rejected if each.outranked and each.variant in builds}
    rejected = tuple(
        replace(each, reason=unsupported[builds[each.variant]], outranked=None)
        if each.variant in said
        else each
        for each in plan.rejected
    )
    others = [label for build, label in builds.items() if build not in said]
    reasons += [
        message("not the wheel variant {label}: {why}", label=label, why=unsupported[label])
        for label in others[:_MAX_SHOWN_COUNT]
    ]
    return replace(plan, reasons=(*plan.reasons, *reasons), rejected=rejected)


def _comparison(wheel: Wheel, listing: SourceListing, machine: Machine) -> str:
    """What an installer that follows the draft would take among the labels for this interpreter."""
    file = listing.variants[f"torch-{wheel.version}"]
    there = {
        each.label
        for each in listing.wheels("torch", wheel.variant or "")
        if each.version == wheel.version and each.label in file.labels and each.tags & wheel.tags
    }
    order = label_order(file, lambda wanted: rank_property(machine, wanted), [each for each in there if each])
    if not order or order[0] == wheel.label:
        return message("an installer by the draft standard of wheel variants (PEP 825) takes the same")
    return message(
        "an installer by the draft standard of wheel variants (PEP 825) takes {first}, in the order {order}; "
        "torchdoctor takes what fits all GPUs and what is known of each build",
        first=order[0],
        order=joined(order[:_MAX_SHOWN_COUNT], " > "),
    )
