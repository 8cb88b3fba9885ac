"""Violations of Ray's schema, each reported at its line and column."""

from __future__ import annotations

import pytest

from tcray.cluster.check import check_cluster_file
from tests.cluster.factories import IMAGE, Case, load_edited, make_case

pytestmark = pytest.mark.usefixtures("checkout")

MISSING = "required, and missing"
TYPES = "available_node_types"

INVALID = {
    "misspelled key": make_case(
        "gpu",
        {"\ninitialization_commands:": "\ninitialisation_commands:"},
        (
            "initialisation_commands:",
            "initialisation_commands",
            'no such key; did you mean "initialization_commands"?',
        ),
    ),
    "unknown key": make_case(
        "onprem",
        {"rsync_exclude:": "colour:"},
        ("colour:", "colour", "no such key; Ray's launcher has no similar key"),
    ),
    "misspelled key of a node type": make_case(
        "gpu",
        {"    min_workers: 0\n    max_workers: 8": "    min_worker: 0\n    max_workers: 8"},
        ("min_worker:", f"{TYPES}.gpu.min_worker", 'no such key; did you mean "min_workers"?'),
    ),
    "missing keys": make_case(
        "gpu",
        {"cluster_name: tcray-gpu\n": "", "    resources: {CPU: 4, GPU: 1}\n": ""},
        ("provider:", "cluster_name", MISSING),
        ("available_node_types: … gpu:", f"{TYPES}.gpu.resources", MISSING),
    ),
    "values of another type": make_case(
        "gpu",
        {
            "max_workers: 10\nidle_timeout_minutes: 5": "max_workers: eight\nidle_timeout_minutes: -1",
            "CPU: 16": "CPU: .5",
        },
        ("eight", "max_workers", 'expected a whole number, found "eight"'),
        ("idle_timeout_minutes: … -1", "idle_timeout_minutes", "expected at least 0, found -1"),
        ("CPU: .5 … .5", f"{TYPES}.gpus.resources.CPU", "expected a whole number, found 0.5"),
    ),
    "a text instead of a list of commands": make_case(
        "onprem",
        {"\nworker_start_ray_commands:": "\nworker_start_ray_commands: ray start\nworker_setup_commands:"},
        ("ray start\nworker", "worker_start_ray_commands", 'expected a list, found "ray start"'),
    ),
    "nothing instead of a text": make_case(
        "gpu",
        {IMAGE: "null"},
        ("image: … null", "docker.image", "expected a text, found nothing"),
    ),
    "a text instead of a node_config": make_case(
        "gpu",
        {"    node_config:\n      <<: *worker\n      InstanceType: g5.12xlarge": "    node_config: x"},
        ("node_config: x … x", f"{TYPES}.gpus.node_config", 'expected a mapping, found "x"'),
    ),
    "a text instead of a number of workers": make_case(
        "onprem",
        {"\nauth:": "\nmin_workers: x\nauth:"},
        ("min_workers: … x", "min_workers", 'expected a whole number, found "x"'),
    ),
}


@pytest.mark.parametrize("case", INVALID.values(), ids=INVALID)
def test_violations_are_reported_at_their_position(case: Case) -> None:
    """The errors are exactly the expected ones."""
    assert check_cluster_file(load_edited(case.name, case.edits)).errors == case.problems()


def test_malformed_value_does_not_hide_other_checks() -> None:
    """Only findings about the malformed value itself are left out."""
    edits = {"max_workers: 10\nidle": "max_workers: two\nidle", "GPU: 4": "GPUs: 4"}
    result = check_cluster_file(load_edited("gpu", edits))
    assert [problem.path for problem in result.errors] == ["max_workers", f"{TYPES}.gpus.resources.GPUs"]
