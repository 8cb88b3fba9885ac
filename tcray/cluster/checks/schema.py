"""Ray's JSON Schema: unknown keys, values of the wrong type, missing keys."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from jsonschema import Draft7Validator

from tcray.cluster.checks.findings import Finding, error, require
from tcray.cluster.cluster_file import PLACEHOLDER, ClusterFile
from tcray.cluster.node_types import TYPES
from tcray.cluster.ray.validation import load_schema
from tcray.config.messages import clip_text, find_nearest, format_value, join_words, suggest_names
from tcray.config.nodes import Node

_TYPE_NAMES: Mapping[str, str] = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "object": "a mapping",
    "string": "a text",
    "null": "nothing",
}

_MAX_SUGGESTIONS = 8
"""Number of valid names up to which a message lists all of them."""

_MAX_LENGTH = 200


def check_schema(file: ClusterFile) -> Iterator[Finding]:
    """Yield an error per violation of Ray's schema."""
    rules = load_schema()
    if file.is_local:  # Ray removes this key before it validates
        rules = {**rules, "properties": {**rules["properties"], "min_workers": {"type": "integer", "minimum": 0}}}
    for violation in Draft7Validator(rules).iter_errors(dict(file.config)):
        node = file.node(*violation.absolute_path)
        match violation.validator:
            case "additionalProperties":
                yield from _unknown_keys(violation.instance, violation.schema["properties"], node)
            case "required":
                yield from _missing_key(file, violation)
            case _ if isinstance(violation.instance, str) and PLACEHOLDER in violation.instance:
                continue
            case "type":
                yield error(node, f"expected {_format_types(violation.validator_value)}, found {_found(violation)}")
            case "minimum":
                yield error(node, f"expected at least {violation.validator_value}, found {_found(violation)}")
            case _:
                yield error(node, clip_text(violation.message, _MAX_LENGTH))


def _unknown_keys(instance: Mapping[str, Any], valid: Mapping[str, Any], node: Node) -> Iterator[Finding]:
    for key in instance:
        if key not in valid:
            listed = find_nearest(key, valid) or len(valid) <= _MAX_SUGGESTIONS
            hint = suggest_names(key, valid) if listed else "Ray's launcher has no similar key"
            entry = node.value.get(key, node) if isinstance(node.value, dict) else node
            yield Finding(entry.key_place.problem(node.below(key), f"no such key; {hint}"))


def _missing_key(file: ClusterFile, violation: Any) -> Iterator[Finding]:
    above, key = tuple(violation.absolute_path), violation.message.split("'")[1]
    asks_aws = key == "resources" and TYPES in above and file.string("provider", "type") == "aws"
    if not asks_aws:
        yield from require(file, above, key, violation.schema.get("properties", ()))


def _format_types(names: str | list[str]) -> str:
    return join_words(_TYPE_NAMES[name] for name in ([names] if isinstance(names, str) else names))


def _found(violation: Any) -> str:
    value = violation.instance  # YAML 1.1 reads some texts as dates
    return format_value(value) if value is None or isinstance(value, str | int | float | list | dict) else str(value)
