"""Checks between the parts of a sweep file, each of which is valid by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from tcray.config.messages import format_value
from tcray.config.nodes import Node
from tcray.errors import Problem

_ROLES = ("factors", "tune", "fixed")


def find_conflicts(root: Node, values: Mapping[str, Any], stem: str) -> Iterator[Problem]:
    """Yield every conflict between parts of the tree `root`.

    values   the valid values of `root`
    stem     the file's name without its suffix
    """
    name = root.at("name")
    if name and values.get("name", stem) != stem:
        yield name.problem(f"expected the file's name, {format_value(stem)}, found {format_value(name.value)}")
    yield from _check_roles(root)
    tune = root.at("tune")
    yield from _check_search(root, values) if tune and tune.value != {} else _check_untuned(root, values)
    yield from _check_resources(root, values)


def _check_roles(root: Node) -> Iterator[Problem]:
    """Check that every hyperparameter has one role; the problem is at every section after the first."""
    sections = {role: node.value for role in _ROLES if (node := root.at(role)) and isinstance(node.value, dict)}
    for name in dict.fromkeys(chain.from_iterable(sections.values())):
        mentions = [(entries[name].key_place, role) for role, entries in sections.items() if name in entries]
        (first, role), *others = sorted(mentions, key=lambda mention: mention[0].order)
        for place, other in others:
            line = "" if first.override else f" on line {first.line}"
            remedy = f"; --set {role}.{name}=null removes it there" if place.override and not first.override else ""
            yield place.problem(f"{other}.{name}", f"{name} is already given under {role}{line}{remedy}")


def _check_search(root: Node, values: Mapping[str, Any]) -> Iterator[Problem]:
    wave_node = root.at("search", "wave")
    wave, trials = _value_at(values, "search.wave"), _value_at(values, "search.trials")
    if wave_node and wave and trials and wave > trials:
        yield wave_node.problem(f"expected at most the {trials} trials, found {wave}")
    rung_node = root.at("search", "pruner", "asha", "min_epochs")
    first, epochs = _value_at(values, "search.pruner.asha.min_epochs"), _value_at(values, "training.epochs")
    if rung_node and first and epochs and first > epochs:
        yield rung_node.problem(f"expected at most the {epochs} epochs of training, found {first}")


def _check_untuned(root: Node, values: Mapping[str, Any]) -> Iterator[Problem]:
    search = root.at("search")
    for key, node in search.value.items() if search and isinstance(search.value, dict) else ():
        if key != "objective" and node.value is not None:
            yield node.key_problem("nothing is tuned, so there is nothing to search; only objective may be given here")
    if root.at("confirm") is None:
        yield root.place.problem("confirm", "nothing is tuned, so nothing would be trained; add confirm: {seeds: 12}")
    repeats_node, repeats = root.at("confirm", "repeats"), _value_at(values, "confirm.repeats")
    if repeats_node and repeats and repeats > 1:
        yield repeats_node.problem(f"nothing is tuned, so the seed is the unit; expected 1, found {repeats}")


def _check_resources(root: Node, values: Mapping[str, Any]) -> Iterator[Problem]:
    node = root.at("resources", "gpu") or root.at("resources", "device")
    device, gpu = _value_at(values, "resources.device"), _value_at(values, "resources.gpu")
    if node and device == "cuda" and gpu == 0:
        yield node.place.problem("resources.gpu", f"expected a share above 0 with device: {device}, found 0")


def _value_at(values: Mapping[str, Any], path: str) -> Any:
    """Return the valid value at a dotted path; None if there is none."""
    value: Any = values
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
