"""Offline validation of a cluster file; reports all problems at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tcray.cluster.checks.machines import check_machines
from tcray.cluster.checks.schema import check_schema
from tcray.cluster.checks.security import check_security
from tcray.cluster.cluster_file import ClusterFile
from tcray.cluster.node_types import TYPES
from tcray.cluster.ray.validation import find_launcher_error
from tcray.config.messages import clip_text
from tcray.errors import ConfigError, Problem

_MAX_LENGTH = 200


@dataclass(frozen=True, slots=True)
class CheckResult:
    """Result of a check: errors (do not launch) and notes (informational)."""

    errors: tuple[Problem, ...]
    notes: tuple[Problem, ...]


def check_cluster_file(file: ClusterFile) -> CheckResult:
    """Return the errors and notes of a cluster file; placeholders are no errors (see `ClusterFile.unfilled`)."""
    schema = [*check_schema(file)]
    malformed = [finding.problem.path for finding in schema]
    rest = [
        finding
        for finding in (*check_machines(file), *check_security(file))
        if not any(finding.is_about(path) for path in malformed)
    ]
    errors = [finding.problem for finding in (*schema, *rest) if not finding.is_note]
    # Ray's launcher would read a placeholder as the value
    if not errors and not file.unfilled and (reason := find_launcher_error(_complete(file))):
        errors = [file.root.problem(f"Ray's launcher rejects the file: {clip_text(reason, _MAX_LENGTH)}")]
    # a merged mapping (`<<`) has several paths; the first one is reported
    unique = {(one.line, one.column, one.message, one.path.rpartition(".")[2]): one for one in reversed(errors)}
    return CheckResult(
        tuple(sorted(unique.values())), tuple(sorted({finding.problem for finding in rest if finding.is_note}))
    )


def require_valid(file: ClusterFile) -> CheckResult:
    """Check a cluster file and return the result.

    Raises:
        ConfigError: with all errors, if there are any.
    """
    result = check_cluster_file(file)
    if result.errors:
        raise ConfigError(file.path, result.errors)
    return result


def _complete(file: ClusterFile) -> Mapping[str, Any]:
    """Return the configuration with empty resources where Ray would ask AWS for them."""
    if file.string("provider", "type") != "aws" or file.value(TYPES) is None:
        return file.config
    types = {name: {"resources": {}, **node_type} for name, node_type in file.mapping(TYPES).items()}
    return {**file.config, TYPES: types}
