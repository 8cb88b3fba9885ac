"""The form of a cluster file: Ray's own schema, said in our manner, and what Ray's validator says besides."""

from __future__ import annotations

import contextlib
import copy
import io
import json
import logging
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tcray.remote.checks.findings import Finding, required, wrong
from tcray.remote.cluster_file import UNFILLED, ClusterFile
from tcray.remote.node_types import TYPES
from tcray.spec.nodes import Node
from tcray.spec.words import clipped, found, nearest, unknown

_KINDS: Mapping[str, str] = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "object": "a mapping",
    "string": "a text",
}

_FEW = 8
"""Valid names that a sentence can bear."""

_LONGEST = 200


def check(file: ClusterFile) -> Iterator[Finding]:
    """Keys that Ray does not know, values of another kind, and keys that are missing."""
    from jsonschema import Draft7Validator  # type: ignore[import-untyped]  # it has no annotations

    config = dict(file.config)
    if file.is_local:
        config.pop("min_workers", None)  # which Ray takes out itself before it looks
    for error in Draft7Validator(schema()).iter_errors(config):
        node = file.node(*error.absolute_path)
        match error.validator:
            case "additionalProperties":
                yield from _unknown(error.instance, error.schema["properties"], node)
            case "required":
                yield from _missing(file, error)
            case _ if isinstance(error.instance, str) and UNFILLED in error.instance:
                continue
            case "type":
                yield wrong(node, f"expected {_KINDS[error.validator_value]}, found {_found(error.instance)}")
            case "minimum":
                yield wrong(node, f"expected at least {error.validator_value}, found {_found(error.instance)}")
            case _:
                yield wrong(node, clipped(error.message, _LONGEST))


def refusal(file: ClusterFile) -> str:
    """What Ray's launcher says against a file; empty if nothing."""
    from ray.autoscaler._private.util import prepare_config, validate_config

    printed = io.StringIO()
    level = logging.root.manager.disable
    logging.disable()
    try:
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            validate_config(prepare_config(copy.deepcopy(dict(file.config))))
    except KeyError as error:
        return f"{error.args[0]} is missing"
    except Exception as error:  # noqa: BLE001  Ray raises whatever comes, and its launcher would show it
        lines = [*str(error).splitlines(), *reversed(printed.getvalue().splitlines()), type(error).__name__]
        return clipped(next(line for line in lines if line.strip()), _LONGEST)
    finally:
        logging.disable(level)
    return ""


def _unknown(instance: Mapping[str, Any], known: Mapping[str, Any], node: Node) -> Iterator[Finding]:
    for key in instance:
        if key not in known:
            near = nearest(str(key), known) or len(known) <= _FEW
            hint = unknown(str(key), known) if near else "Ray's launcher knows none like it"
            entry = node.value.get(str(key), node) if isinstance(node.value, dict) else node
            yield Finding(entry.key_place.problem(node.below(str(key)), f"no such key; {hint}"))


def _missing(file: ClusterFile, error: Any) -> Iterator[Finding]:
    above, key = tuple(error.absolute_path), error.message.split("'")[1]
    asks_aws = key == "resources" and TYPES in above and file.text_at("provider", "type") == "aws"
    if not asks_aws:
        yield from required(file, above, key, error.schema.get("properties", ()))


def _found(value: object) -> str:
    """As `words.found`, also of the dates that YAML 1.1 makes of some texts."""
    return found(value) if value is None or isinstance(value, str | int | float | list | dict) else str(value)


def schema() -> Any:
    """Ray's JSON Schema of a cluster file."""
    import ray.autoscaler

    return json.loads((Path(ray.autoscaler.__file__).parent / "ray-schema.json").read_text(encoding="utf-8"))
