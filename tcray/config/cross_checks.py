"""What must hold between the parts of a sweep file, each of them well-formed in itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import chain
from typing import Any

from tcray.config.messages import format_value
from tcray.config.nodes import Node
from tcray.errors import Problem

_ROLES = ("factors", "tune", "fixed")


def find_conflicts(root: Node, values: Mapping[str, Any], stem: str) -> Iterator[Problem]:
    """Every problem between parts of `root`, whose well-formed `values` are given, in a file called `stem`."""
    name = root.at("name")
    if name and values.get("name", stem) != stem:
        yield name.problem(f"expected the file's name, {format_value(stem)}, found {format_value(name.value)}")
    yield from _two_roles(root)
    tune = root.at("tune")
    yield from _search(root, values) if tune and tune.value != {} else _nothing_tuned(root, values)
    yield from _resources(root, values)


def _two_roles(root: Node) -> Iterator[Problem]:
    """A hyperparameter has one role: whichever section names it later is the one too many."""
    sections = {role: node.value for role in _ROLES if (node := root.at(role)) and isinstance(node.value, dict)}
    for name in dict.fromkeys(chain.from_iterable(sections.values())):
        standing = [(entries[name].key_place, role) for role, entries in sections.items() if name in entries]
        (first, role), *others = sorted(standing, key=lambda stand: stand[0].order)
        for place, other in others:
            where = "" if first.override else f" on line {first.line}"
            remedy = f"; --set {role}.{name}=null takes it out there" if place.override and not first.override else ""
            yield place.problem(f"{other}.{name}", f"{name} stands under {role}{where} already{remedy}")


def _search(root: Node, values: Mapping[str, Any]) -> Iterator[Problem]:
    said = root.at("search", "wave")
    wave, trials = _value(values, "search.wave"), _value(values, "search.trials")
    if said and wave and trials and wave > trials:
        yield said.problem(f"expected at most the {trials} trials, found {wave}")
    rung = root.at("search", "pruner", "asha", "min_epochs")
    first, epochs = _value(values, "search.pruner.asha.min_epochs"), _value(values, "training.epochs")
    if rung and first and epochs and first > epochs:
        yield rung.problem(f"expected at most the {epochs} epochs of training, found {first}")


def _nothing_tuned(root: Node, values: Mapping[str, Any]) -> Iterator[Problem]:
    search = root.at("search")
    for key, node in search.value.items() if search and isinstance(search.value, dict) else ():
        if key != "objective" and node.value is not None:
            yield node.key_problem("nothing is tuned, so there is nothing to search; only objective may stand here")
    if root.at("confirm") is None:
        yield root.place.problem("confirm", "nothing is tuned, so nothing would be trained; say confirm: {seeds: 12}")
    said, repeats = root.at("confirm", "repeats"), _value(values, "confirm.repeats")
    if said and repeats and repeats > 1:
        yield said.problem(f"nothing is tuned, so the seed is the unit; expected 1, found {repeats}")


def _resources(root: Node, values: Mapping[str, Any]) -> Iterator[Problem]:
    said = root.at("resources", "gpu") or root.at("resources", "device")
    device, gpu = _value(values, "resources.device"), _value(values, "resources.gpu")
    if said and device == "cuda" and gpu == 0:
        yield said.place.problem("resources.gpu", f"expected a share above 0 with device: {device}, found 0")


def _value(values: Mapping[str, Any], path: str) -> Any:
    """The well-formed value at a dotted path; None where there is none."""
    value: Any = values
    for key in path.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    return value
