"""The form of a cluster file: Ray's own schema, said in our manner, and what Ray's validator says besides."""

from __future__ import annotations

import contextlib
import copy
import io
import json
import logging
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from tcray.cluster.checks.findings import Finding, required, wrong
from tcray.cluster.checks.lines import RUN_OPTIONS
from tcray.cluster.cluster_file import UNFILLED, ClusterFile
from tcray.cluster.node_types import TYPES
from tcray.config.messages import clip_text, find_nearest, format_value, join_words, suggest_names
from tcray.config.nodes import Node

KINDS: Mapping[str, str] = {
    "array": "a list",
    "boolean": "true or false",
    "integer": "a whole number",
    "number": "a number",
    "object": "a mapping",
    "string": "a text",
    "null": "nothing",
}

_NAME = r"^[A-Za-z0-9][\w.-]*\Z"
_TEXTS = {"items": {"type": "string"}}
_COUNT = {"type": "integer", "minimum": 0}
_UNSAID: Mapping[str, Any] = {
    "cluster_name": {"pattern": _NAME},
    "upscaling_speed": {"exclusiveMinimum": 0},
    "file_mounts": {"additionalProperties": {"type": "string"}},
    **dict.fromkeys(("cluster_synced_files", "rsync_exclude", "rsync_filter"), _TEXTS),
    "provider": {"properties": {"worker_ips": _TEXTS}},
    "docker": {"properties": {**dict.fromkeys(RUN_OPTIONS, _TEXTS), "container_name": {"pattern": _NAME}}},
    TYPES: {
        "patternProperties": {
            ".*": {
                "properties": {
                    **dict.fromkeys(("min_workers", "max_workers"), _COUNT),
                    "docker": {"properties": {"worker_run_options": _TEXTS}},
                }
            }
        }
    },
}
"""What Ray expects of these keys, and its schema does not say."""

_FEW = 8
"""Valid names that a sentence can bear."""

_LONGEST = 200


def check(file: ClusterFile) -> Iterator[Finding]:
    """Keys that Ray does not know, values of another kind, and keys that are missing."""
    from jsonschema import Draft7Validator  # type: ignore[import-untyped]  # it has no annotations

    rules = schema()
    if file.is_local:
        rules = _merged(rules, {"properties": {"min_workers": _COUNT}})  # Ray takes it out itself before it looks
    for error in Draft7Validator(rules).iter_errors(dict(file.config)):
        node = file.node(*error.absolute_path)
        match error.validator:
            case "additionalProperties":
                yield from _unknown(error.instance, error.schema["properties"], node)
            case "required":
                yield from _missing(file, error)
            case _ if isinstance(error.instance, str) and UNFILLED in error.instance:
                continue
            case "type":
                yield wrong(node, f"expected {_kinds(error.validator_value)}, found {_found(error.instance)}")
            case "minimum":
                yield wrong(node, f"expected at least {error.validator_value}, found {_found(error.instance)}")
            case "exclusiveMinimum":
                yield wrong(node, f"expected more than {error.validator_value}, found {_found(error.instance)}")
            case "pattern":
                yield wrong(node, f"expected letters, digits, ., _ and - alone, found {_found(error.instance)}")
            case _:
                yield wrong(node, clip_text(error.message, _LONGEST))
    yield from _container(file)


def is_a(kind: str, value: object) -> bool:
    """Whether a value is of a kind that `KINDS` names."""
    from jsonschema import Draft7Validator

    is_unfilled = isinstance(value, str) and UNFILLED in value
    return is_unfilled or bool(Draft7Validator.TYPE_CHECKER.is_type(value, kind))


def refusal(file: ClusterFile) -> str:
    """What Ray's launcher says against a file; empty if nothing."""
    from ray.autoscaler._private.util import prepare_config, validate_config

    printed = io.StringIO()
    level = logging.root.manager.disable
    logging.disable()
    try:
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
            validate_config(prepare_config(_completed(file)))
    except KeyError as error:
        return f"{error.args[0]} is missing"
    except Exception as error:  # noqa: BLE001  Ray raises whatever comes, and its launcher would show it
        lines = [*str(error).splitlines(), *reversed(printed.getvalue().splitlines()), type(error).__name__]
        return clip_text(next(line for line in lines if line.strip()), _LONGEST)
    finally:
        logging.disable(level)
    return ""


def _completed(file: ClusterFile) -> dict[str, Any]:
    """What the file says, and the resources that Ray would ask AWS for."""
    config = copy.deepcopy(dict(file.config))
    if file.text_at("provider", "type") == "aws":
        for kind in config.get(TYPES, {}).values():
            kind.setdefault("resources", {})
    return config


def _container(file: ClusterFile) -> Iterator[Finding]:
    """A container needs a name, and an image for each machine; with neither, Ray uses none, whatever its options."""
    docker = file.mapping("docker")
    known = schema()["properties"]["docker"]["properties"]
    if docker and not {"head_image", "worker_image"} <= docker.keys():
        yield from required(file, ("docker",), "image", known)
    if docker:
        yield from required(file, ("docker",), "container_name", known)


def _unknown(instance: Mapping[str, Any], known: Mapping[str, Any], node: Node) -> Iterator[Finding]:
    for key in instance:
        if key not in known:
            near = find_nearest(str(key), known) or len(known) <= _FEW
            hint = suggest_names(str(key), known) if near else "Ray's launcher knows none like it"
            entry = node.value.get(str(key), node) if isinstance(node.value, dict) else node
            yield Finding(entry.key_place.problem(node.below(str(key)), f"no such key; {hint}"))


def _missing(file: ClusterFile, error: Any) -> Iterator[Finding]:
    above, key = tuple(error.absolute_path), error.message.split("'")[1]
    asks_aws = key == "resources" and TYPES in above and file.text_at("provider", "type") == "aws"
    if not asks_aws:
        yield from required(file, above, key, error.schema.get("properties", ()))


def _kinds(said: str | list[str]) -> str:
    return join_words(KINDS[kind] for kind in ([said] if isinstance(said, str) else said))


def _found(value: object) -> str:
    """As `words.found`, also of the dates that YAML 1.1 makes of some texts."""
    return format_value(value) if value is None or isinstance(value, str | int | float | list | dict) else str(value)


@cache
def schema() -> Any:
    """Ray's JSON Schema of a cluster file, with what Ray expects besides."""
    import ray.autoscaler

    rays = json.loads((Path(ray.autoscaler.__file__).parent / "ray-schema.json").read_text(encoding="utf-8"))
    return _merged(rays, {"properties": _UNSAID})


def _merged(rules: Any, others: Any) -> Any:
    if not (isinstance(rules, Mapping) and isinstance(others, Mapping)):
        return others
    return {**rules, **{key: _merged(rules.get(key), other) for key, other in others.items()}}
