"""The shipped cluster files, filled in as a user would, with edits; and cases of invalid files."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from tcray.cluster.cluster_file import ClusterFile, load_cluster_file
from tcray.errors import Problem
from tcray.version import __version__

FOLDER = Path(__file__).parents[2] / "cluster"
FILES = sorted(FOLDER.glob("*.yaml"))

IMAGE = f"123456789012.dkr.ecr.us-west-2.amazonaws.com/tcray:{__version__}-cuda"

FILLED_IN = {
    "gpu": {
        "image: FILL_IN": f"image: {IMAGE}",
        "s3://FILL_IN/trials": "s3://tcray-123456789012-us-west-2/trials",
        "SecurityGroupIds: [FILL_IN]": "SecurityGroupIds: [sg-0123456789abcdef0]",
    },
    "onprem": {
        "head_ip: FILL_IN": "head_ip: 10.0.0.1",
        "worker_ips: [FILL_IN, FILL_IN]": "worker_ips: [10.0.0.2, 10.0.0.3]",
        "ssh_user: FILL_IN": "ssh_user: me",
    },
}
"""Edits that fill in the placeholders."""


def edited_text(name: str, edits: dict[str, str] | None = None) -> str:
    """Return a shipped file, filled in and edited; each old text must occur exactly once."""
    text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    for old, new in {**FILLED_IN[name], **(edits or {})}.items():
        assert text.count(old) == 1, f"{old!r} occurs {text.count(old)} times in {name}.yaml"
        text = text.replace(old, new)
    return text


def load_edited(name: str, edits: dict[str, str] | None = None) -> ClusterFile:
    """Write the edited file to the working folder as `x.yaml` and load it."""
    Path("x.yaml").write_text(edited_text(name, edits), encoding="utf-8")
    return load_cluster_file("x.yaml")


def find_position(text: str, pattern: str) -> tuple[int, int]:
    """Return the line and column of `pattern` in a text; of `a … b`, those of the first b after the first a."""
    position = 0
    for step in pattern.split(" … "):
        position = text.index(step, position)
    before = text[:position]
    return before.count("\n") + 1, position - before.rfind("\n")


class Expected(NamedTuple):
    """A message with its key path, and the pattern that leads to its position (see `find_position`)."""

    pattern: str
    path: str
    message: str


class Case(NamedTuple):
    """An edited shipped file, and every message expected about it."""

    name: str
    edits: dict[str, str]
    expected: tuple[Expected, ...]

    def problems(self) -> tuple[Problem, ...]:
        """Return the expected problems in the order of the file."""
        text = edited_text(self.name, self.edits)
        return tuple(
            sorted(Problem(*find_position(text, pattern), path, message) for pattern, path, message in self.expected)
        )


def make_case(name: str, edits: dict[str, str], *expected: tuple[str, str, str]) -> Case:
    """Return a case from tuples of pattern, path and message."""
    return Case(name, edits, tuple(Expected(*one) for one in expected))
