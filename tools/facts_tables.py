"""Build the tables of variants, architectures and GPUs."""

from __future__ import annotations

import re
from typing import Any

__all__ = ["architectures", "gpus", "variants"]

Facts = dict[str, Any]


def variants(compat: Facts) -> Facts:
    """Return the variants and the rules around them."""
    cuda, rocm, xpu = compat["cuda_variants"], compat["rocm_variants"], compat["xpu"]
    majors = {
        k.removesuffix(".x"): v for k, v in cuda["minor_version_compatibility"].items() if k != "source"
    }
    return {
        "as_of": compat["_meta"]["generated"],
        "rules": {
            "cuda_minor_version": {
                "minimum_driver": majors,
                "source": cuda["minor_version_compatibility"]["source"],
            },
            "ptx": {"rule": cuda["ptx_rule"], "source": compat["_meta"]["sources"]["nvmv"]},
            "driver_end_of_line": _end_of_line(cuda["driver_end_of_line"]),
            "blackwell": {"capability_from": _first_blackwell(compat), **cuda["blackwell_min_driver"]},
            "wsl": cuda["wsl"],
            "rocm_blas": {
                "unusable": ["gfx900", "gfx906"],
                "from": _rocm_blas_from(rocm["blas_usable"]),
                "source": rocm["blas_usable"]["source"],
            },
            "rocm": {key: rocm[key] for key in ("os", "override", "kernel_driver", "source")},
            "xpu": {
                key: xpu[key] for key in ("releases", "supported_gpus", "not_supported", "driver", "source")
            },
            "accelerator_packages": _accelerator_packages(compat),
        },
        "variants": {
            "cpu": {"kind": "cpu", "source": compat["_meta"]["sources"]["rel"]},
            "cpu-cxx11-abi": {"kind": "cpu", "source": compat["_meta"]["sources"]["urls"]},
            **{name: _cuda(row, cuda["source"]) for name, row in cuda["variants"].items()},
            **{name: _rocm(row) for name, row in rocm["variants"].items()},
            "xpu": {"kind": "xpu", "note": xpu["driver"], "source": xpu["source"]},
        },
    }


def _cuda(row: Facts, source: str) -> Facts:
    return {
        "kind": "cuda",
        "toolkit": row["toolkit_built_with"],
        "minimum_driver": row["minimum_driver"],
        "toolkit_driver": {key: row["toolkit_driver"][key] for key in ("linux", "windows")},
        "toolkit_driver_checked": row["toolkit_driver"]["checked"],
        "note": row.get("note") or row.get("status"),
        "source": source,
    }


def _rocm(row: Facts) -> Facts:
    return {
        "kind": "rocm",
        "gfx": row["gfx_compiled"],
        "confidence": row["confidence"],
        "note": row.get("note"),
        "source": row["source"],
    }


def _first_blackwell(compat: Facts) -> str:
    """Return the least capability of a Blackwell GPU: the facts give its driver by generation."""
    found: list[str] = [
        row["cc"] for row in compat["gpus"]["list"] if row["generation"].startswith("Blackwell")
    ]
    return min(found, key=lambda cc: tuple(map(int, cc.split("."))))


def _rocm_blas_from(usable: Facts) -> str:
    """Return `6.4` of the key `rocm6.4+` under which the facts say what stopped working."""
    return next(key[len("rocm") : -1] for key in usable if key.endswith("+"))


def _end_of_line(facts: Facts) -> Facts:
    families = [
        {"name": name, "capabilities": row["cc"], "last_branch": row["last_branch"]}
        for name, row in facts.items()
        if isinstance(row, dict)
    ]
    return {"families": families, "note": facts["r580"], "source": facts["source"]}


def _accelerator_packages(compat: Facts) -> Facts:
    row = next(row for row in compat["other"]["known_bad"] if row["what"] == "xpu/rocm triton")
    return {
        "rocm": ["triton-rocm", "pytorch-triton-rocm"],
        "xpu": ["triton-xpu", "pytorch-triton-xpu"],
        "note": row["effect"],
        "source": row["source"],
    }


def architectures(compat: Facts) -> Facts:
    """Return the architecture lists, and the rule that says which device each serves."""
    rule = compat["arch_lists"]["rule"]
    lists = [
        {
            "variant": row["variant"],
            "platforms": row["platforms"],
            "torch": row["torch"],
            "sm": row["sm"],
            "ptx": row["ptx"],
            "confidence": row["confidence"],
            "note": row.get("note"),
            "source": row["source"],
        }
        for row in compat["arch_lists"]["lists"]
    ]
    return {
        "as_of": compat["_meta"]["generated"],
        "rule": {
            "sass": rule["sass"],
            "ptx": rule["ptx"],
            "exclusions": [_exclusion(*item) for item in rule["exclusions_before_cuda_13_2"].items()],
            "exclusions_end_with_cuda": "13.2",
            "from_cuda_13_2": rule["from_cuda_13_2"],
            "11.0": rule["11.0"],
            "source": rule["source"],
        },
        "lists": lists,
    }


def _exclusion(code: str, device: str) -> Facts:
    """Turn `"8.0/8.6 code": "not on 8.7 (Jetson Orin)"` into fields."""
    versions = re.findall(r"\d+\.\d+", code)
    return {"code": versions, "not_on": re.findall(r"\d+\.\d+", device)[0]}


def gpus(compat: Facts) -> Facts:
    """Return the GPUs: what NVIDIA's tables say of each name."""
    table = compat["gpus"]
    rename = {"cc": "compute_capability", "cc_source": "source", "class": "class"}
    rows = [{rename.get(key, key): value for key, value in row.items()} for row in table["list"]]
    return {
        "as_of": compat["_meta"]["generated"],
        "units": table["units"],
        "rule": table["rule"],
        "consumer_note": table["consumer_note"],
        "source": table["source"],
        "gpus": rows,
    }
