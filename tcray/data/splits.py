"""Reproducible random splits: seeded by digests of names, independent of file order and of the numpy version."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tcray.config.run import digest


def shuffle_by_digest(names: Iterable[str], purpose: str) -> list[str]:
    """Return the distinct `names` in a pseudorandom order that depends only on them and on `purpose`."""
    return sorted(set(names), key=lambda name: (digest([purpose, name]), name))


def draw_stratified(label_of: Mapping[str, int], count: int, purpose: str) -> frozenset[str]:
    """Draw `count` of the names in `label_of`, stratified by label, for `purpose`.

    Places that remain after rounding down go to the labels with the largest remainders.
    """
    by_label: dict[int, list[str]] = {}
    for name in shuffle_by_digest(label_of, purpose):
        by_label.setdefault(label_of[name], []).append(name)
    quota = {label: count * len(names) / len(label_of) for label, names in by_label.items()}
    places = {label: int(share) for label, share in quota.items()}
    by_remainder = sorted(quota, key=lambda label: (places[label] - quota[label], label))
    for label in by_remainder[: count - sum(places.values())]:
        places[label] += 1
    return frozenset(name for label, names in by_label.items() for name in names[: places[label]])


def flatnonzero(flags: Sequence[bool]) -> list[int]:
    """Return the indices at which `flags` are true."""
    return [i for i, flag in enumerate(flags) if flag]
