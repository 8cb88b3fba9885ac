"""`check_cluster_file`: shipped files are valid, all problems are reported at once, no input raises another error."""

from __future__ import annotations

import copy
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tcray.cluster.check import CheckResult, check_cluster_file, require_valid
from tcray.cluster.cluster_file import ClusterFile, load_cluster_file
from tcray.cluster.summary import ClusterSummary
from tcray.config.nodes import Node, Place
from tcray.errors import ConfigError
from tests.cluster.factories import FILES, load_edited

pytestmark = pytest.mark.usefixtures("checkout")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_shipped_file_is_valid_with_its_placeholders(path: Path) -> None:
    """There are neither errors nor notes."""
    assert check_cluster_file(load_cluster_file(str(path))) == CheckResult((), ())


@pytest.mark.parametrize("name", ["gpu", "onprem"])
def test_filled_in_file_is_valid(name: str) -> None:
    """No placeholder is left."""
    file = load_edited(name)
    assert require_valid(file) == CheckResult((), ())
    assert file.unfilled == ()


def test_all_errors_are_reported_at_once() -> None:
    """They are raised in the order of the file, as one error with exit code 2."""
    edits = {"max_workers: 10\nidle": "max_workers: two\nidle", "    - --ulimit": "    - -P", "GPU: 4": "gpu: 4"}
    with pytest.raises(ConfigError) as caught:
        require_valid(load_edited("gpu", edits))
    assert caught.value.exit_code == 2
    assert [problem.path for problem in caught.value.problems] == [
        "docker.run_options[0]",
        "max_workers",
        "available_node_types.gpus.resources.gpu",
    ]


def test_file_without_own_settings_is_rejected() -> None:
    """Ray has a default for nearly everything, and none of them is secure."""
    Path("x.yaml").write_text("cluster_name: x\nprovider: {type: aws, region: us-west-2}\n")
    file = load_cluster_file("x.yaml")
    assert {problem.path: problem.message for problem in check_cluster_file(file).errors} == {
        "available_node_types": "not given; the security group of Ray's defaults opens port 22 to the world",
        "file_mounts": "the nodes need the token; add `~/.ray/auth_token: ~/.ray/auth_token` to file_mounts",
        "head_start_ray_commands": "not given; Ray's default starts without a token",
        "worker_start_ray_commands": "not given; Ray's default starts without a token",
    }


TOO_FEW_WORKERS = (
    "The specified global `max_workers` is smaller than the sum of `min_workers` of all the available node types."
)


@pytest.mark.parametrize(
    ("name", "edits", "reason"),
    [
        (
            "onprem",
            {"\nauth:": "\navailable_node_types: {own: {resources: {}, node_config: {}}}\nhead_node_type: own\nauth:"},
            "The field available_node_types is not supported for on-premise clusters.",
        ),
        (
            "gpu",
            {"head_node_type: head": "head_node_type: haed"},
            "`head_node_type` must be one of `available_node_types`.",
        ),
        (
            "gpu",
            {"    min_workers: 0\n    max_workers: 8": "    min_workers: 11"},
            TOO_FEW_WORKERS,
        ),
    ],
)
def test_rejection_by_ray_is_reported(name: str, edits: dict[str, str], reason: str) -> None:
    """Ray gives no position: the first line of the file stands for all of it."""
    (problem,) = check_cluster_file(load_edited(name, edits)).errors
    assert problem.message == f"Ray's launcher rejects the file: {reason}"


# larger numbers are rejected by load_cluster_file
ODD_VALUES: tuple[Any, ...] = (
    *(None, "", "x", 5, -1, 10**14, 1.5, [], {}, True, "long" * 2000, "~nosuchuser/x", "'"),
    f"g5.{'9' * 5000}xlarge",
)


@pytest.mark.parametrize("name", ["gpu", "onprem"])
def test_any_value_is_accepted_or_reported(name: str) -> None:
    """Each value of a shipped file is replaced by each odd value: only ConfigError is raised, with short messages."""
    file = load_edited(name)
    for *above, last in _find_paths(file.config):
        for odd in ODD_VALUES:
            config = copy.deepcopy(dict(file.config))
            parent: Any = config
            for key in above:
                parent = parent[key]
            parent[last] = odd
            changed = ClusterFile("x.yaml", "", _to_node(config), config)
            try:
                result = require_valid(changed)
                ClusterSummary.from_file(changed)
                problems = result.notes
            except ConfigError as error:
                problems = error.problems
            assert [problem for problem in problems if len(problem.message) > 300] == [], (above, last, odd)


def _find_paths(value: Any, *above: str | int) -> Iterator[tuple[str | int, ...]]:
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in entries:
        yield (*above, key)
        yield from _find_paths(entry, *above, key)


def _to_node(value: Any) -> Node:
    """Return a tree in which every value is at line 1, column 1."""
    match value:
        case dict():
            return Node({key: _to_node(entry) for key, entry in value.items()}, Place(1, 1))
        case list():
            return Node([_to_node(item) for item in value], Place(1, 1))
    return Node(value, Place(1, 1))


def test_placeholder_is_no_error_wherever_it_is() -> None:
    """It may even replace a number."""
    file = load_edited("gpu", {"max_workers: 10\nidle": "max_workers: FILL_IN\nidle"})
    assert check_cluster_file(file) == CheckResult((), ())
    assert [problem.path for problem in file.unfilled] == ["max_workers"]


def test_check_is_offline_and_loads_no_heavy_package() -> None:
    """It needs neither boto3 nor torch; Ray's launcher is enough."""
    load_edited("gpu")
    code = (
        "import sys\nsys.modules['boto3'] = None\n"
        "from tcray.cluster.check import require_valid\nfrom tcray.cluster.cluster_file import load_cluster_file\n"
        "require_valid(load_cluster_file('x.yaml'))\n"
        "print([name for name in ('torch', 'optuna', 'pyarrow', 'ray.tune') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert (ran.stdout, ran.stderr) == ("[]\n", "")
