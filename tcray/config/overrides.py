"""`--set KEY=VALUE`: values of the command line that replace those of the file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tcray.config.messages import clip_text, format_key, format_value, suggest_names
from tcray.config.nodes import Node, Place
from tcray.config.parse import parse_yaml
from tcray.config.run import MODALITY_DROPOUT
from tcray.errors import Problem


def apply_overrides(root: Node, overrides: Sequence[str], problems: list[Problem]) -> Node:
    """Return `root` with every `KEY=VALUE` applied from left to right; the VALUE null removes KEY.

    An override that cannot be applied is skipped, and the reason appended to `problems`.
    """
    for number, override in enumerate(overrides, start=1):
        place = Place(number, 1, f"--set {clip_text(override, longest=80)}")
        key, equals, text = override.partition("=")
        keys = _split_key(key.strip())
        if not equals or not all(keys):
            problems.append(place.problem("", "expected KEY=VALUE, as in --set training.epochs=9"))
        elif not text.strip():
            problems.append(place.problem("", f"expected a value after the =, or null to remove {clip_text(key)}"))
        elif value := parse_yaml(text, problems, place, ".".join(map(format_key, keys))):
            root = _set_value(root, keys, value, problems)
    return root


def _split_key(key: str) -> list[str]:
    """Split a dotted key; `modality_dropout.audio` is a single key."""
    section, _, rest = key.partition(".")
    if rest.startswith(MODALITY_DROPOUT):
        modality, *below = rest.removeprefix(MODALITY_DROPOUT).split(".")
        return [section, MODALITY_DROPOUT + modality, *below]
    return key.split(".")


def _set_value(node: Node, keys: Sequence[str], value: Node, problems: list[Problem]) -> Node:
    """Return `node` with `value` at `keys`; missing mappings on the way are created."""
    entries = {} if node.value is None else node.value
    if not isinstance(entries, dict):
        message = f"{node.path or 'the file'} has no keys below it; it is {format_value(node.value)}"
        problems.append(value.place.problem("", message))
        return node
    key, *below = keys
    path, place = node.below(key), value.place
    if below:
        inner = _set_value(entries.get(key) or Node({}, place, path, place), below, value, problems)
        return replace(node, value={**entries, key: inner})
    if value.value is not None:
        return replace(node, value={**entries, key: replace(value, key=place)})
    if key not in entries:
        suggestion = f"; {suggest_names(key, entries)}" if entries else ""
        problems.append(place.problem(path, f"nothing to remove{suggestion}"))
    return replace(node, value={name: entry for name, entry in entries.items() if name != key})
