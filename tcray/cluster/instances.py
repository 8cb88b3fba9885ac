"""What the common machines of AWS have; of others nothing is known here."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_G: Mapping[str, int] = {
    **dict.fromkeys(("xlarge", "2xlarge", "4xlarge", "8xlarge", "16xlarge"), 1),
    **dict.fromkeys(("12xlarge", "24xlarge"), 4),
    "48xlarge": 8,
}

CARDS: Mapping[str, Mapping[str, int]] = {
    "g4dn": {size: cards for size, cards in _G.items() if size not in ("24xlarge", "48xlarge")},
    "g5": _G,
    "g6": _G,
    "g6e": _G,
    "p3": {"2xlarge": 1, "8xlarge": 4, "16xlarge": 8},
    "p3dn": {"24xlarge": 8},
    "p4d": {"24xlarge": 8},
    "p4de": {"24xlarge": 8},
    "p5": {"4xlarge": 1, "48xlarge": 8},
    "p5e": {"48xlarge": 8},
    "p5en": {"48xlarge": 8},
}
"""GPUs by family and size; read from AWS's pages on instance types in 2026."""

_WITHOUT = re.compile(r"[cmr][5-8][a-z]*(-flex)?|t3a?|t4g")
"""Families without GPUs."""

_ARM = re.compile(r"a1|[a-z]+\d+g[a-z]*")
"""Families with AWS's own processors, as g5g and c7gn."""

_SMALL: Mapping[str, int] = {"medium": 1, "large": 2}
_BURSTING: Mapping[str, int] = dict.fromkeys(("nano", "micro", "small", "medium", "large"), 2)


@dataclass(frozen=True, slots=True)
class Instance:
    """What a machine has; a vCPU is a CPU to Ray."""

    cpus: int
    gpus: int


def architecture(name: str) -> str:
    """For which processors its programs have to be made."""
    return "arm64" if _ARM.fullmatch(name.partition(".")[0]) else "x86_64"


def instance(name: str) -> Instance | None:
    """What a machine of this type has; None where that is not known here."""
    family, _, size = name.partition(".")
    small = _BURSTING if family.startswith("t") else _SMALL
    times = re.fullmatch(r"(\d{0,3})xlarge", size)
    cpus = 4 * int(times[1] or 1) if times else small.get(size)
    gpus = CARDS[family].get(size) if family in CARDS else 0 if _WITHOUT.fullmatch(family) else None
    return None if cpus is None or gpus is None else Instance(cpus, gpus)
