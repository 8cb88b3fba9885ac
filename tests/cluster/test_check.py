"""What is wrong with a cluster file, each time in one sentence at its place."""

from __future__ import annotations

import copy
import operator
import subprocess
import sys
from collections.abc import Iterator
from functools import reduce
from pathlib import Path
from typing import Any

import pytest

from tcray.cluster.check import Examination, examine, expect_sound
from tcray.cluster.cluster_file import ClusterFile, load_cluster_file
from tcray.cluster.summary import ClusterSummary
from tcray.config.nodes import Node, Place
from tcray.errors import ConfigError
from tests.cluster.shipped import FILES, written
from tests.cluster.spoiled import NOTED, WRONG, Spoiled

pytestmark = pytest.mark.usefixtures("checkout")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_shipped_file_is_sound_before_it_is_filled_in(path: Path) -> None:
    """Nothing is wrong with it, and there is nothing to note."""
    assert examine(load_cluster_file(str(path))) == Examination((), ())


@pytest.mark.parametrize("name", ["gpu", "onprem"])
def test_a_shipped_file_is_sound_filled_in(name: str) -> None:
    """And then nothing is left to fill in."""
    file = written(name)
    assert expect_sound(file) == Examination((), ())
    assert file.unfilled == ()


@pytest.mark.parametrize("case", WRONG.values(), ids=WRONG)
def test_what_is_wrong_is_told_at_its_place(case: Spoiled) -> None:
    """In these words, and nothing else is said to be wrong."""
    assert examine(written(case.name, case.changes)).problems == case.problems()


@pytest.mark.parametrize("case", NOTED.values(), ids=NOTED)
def test_what_one_may_know_is_noted_at_its_place(case: Spoiled) -> None:
    """In these words; nothing is wrong with such a file."""
    assert examine(written(case.name, case.changes)) == Examination((), case.problems())


def test_everything_wrong_is_told_at_once() -> None:
    """In the order of the file, as an error for the command line."""
    spoiling = {"max_workers: 10\nidle": "max_workers: two\nidle", "  region: us": "  regoin: us", "GPU: 4": "gpu: 4"}
    with pytest.raises(ConfigError) as caught:
        expect_sound(written("gpu", spoiling))
    assert caught.value.exit_code == 2
    assert [problem.path for problem in caught.value.problems] == [
        "provider.regoin",
        "max_workers",
        "available_node_types.gpus.resources.gpu",
    ]


def test_a_file_that_leaves_it_all_to_ray_hears_what_that_would_mean() -> None:
    """Ray has a default for nearly everything, and none of them is locked."""
    Path("x.yaml").write_text("cluster_name: x\nprovider: {type: aws, region: us-west-2}\n")
    file = load_cluster_file("x.yaml")
    assert {problem.path: problem.message for problem in examine(file).problems} == {
        "available_node_types": "not given, and Ray's own are in a group that opens port 22 to the world",
        "file_mounts": "the machines need the token; say `~/.ray/auth_token: ~/.ray/auth_token` in file_mounts",
        "head_start_ray_commands": "not given, and Ray's own start without a token",
        "worker_start_ray_commands": "not given, and Ray's own start without a token",
    }


# (larger numbers are refused where a file is read)
ODD = (None, "", "x", 5, -1, 10**14, 1.5, [], {}, True, "long" * 2000, "~nosuchuser/x", "'", f"g5.{'9' * 5000}xlarge")


@pytest.mark.parametrize("name", ["gpu", "onprem"])
def test_whatever_stands_in_a_file_is_told_or_taken(name: str) -> None:
    """Each value of a shipped file in turn is an odd one; nothing but findings comes of it, all of them short."""
    file = written(name)
    for *above, last in _paths(file.config):
        for odd in ODD:
            config = copy.deepcopy(dict(file.config))
            reduce(operator.getitem, above, config)[last] = odd
            changed = ClusterFile("x.yaml", "", _grown(config), config)
            try:
                examination = expect_sound(changed)
                ClusterSummary.of(changed)
                said = examination.notes
            except ConfigError as error:
                said = error.problems
            assert [problem for problem in said if len(problem.message) > 300] == [], (above, last, odd)


def _paths(value: Any, *above: str | int) -> Iterator[tuple[str | int, ...]]:
    entries = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, entry in entries:
        yield (*above, key)
        yield from _paths(entry, *above, key)


def _grown(value: Any) -> Node:
    """A tree without places, of what is read already."""
    match value:
        case dict():
            return Node({key: _grown(entry) for key, entry in value.items()}, Place(1, 1))
        case list():
            return Node([_grown(item) for item in value], Place(1, 1))
    return Node(value, Place(1, 1))


def test_what_is_to_be_filled_in_is_no_mistake_wherever_it_stands() -> None:
    """Not even where a number is asked for."""
    file = written("gpu", {"max_workers: 10\nidle": "max_workers: FILL_IN\nidle"})
    assert (examine(file), [blank.path for blank in file.unfilled]) == (Examination((), ()), ["max_workers"])


def test_a_published_port_of_the_machine_itself_is_none() -> None:
    """Nobody else reaches it."""
    changes = {"    - --ulimit": "    - -p 127.0.0.1:8265:8265 --publish=localhost:1:1\n    - --ulimit"}
    assert examine(written("gpu", changes)) == Examination((), ())


def test_what_aws_is_told_at_the_start_and_the_end_of_a_machine_may_stand_there() -> None:
    """A script, and whether a machine that shuts itself down is kept."""
    says = "UserData: |\n        #!/bin/sh\n        true\n      InstanceInitiatedShutdownBehavior: terminate"
    changes = {"      InstanceType: g5.12xlarge": f"      InstanceType: g5.12xlarge\n      {says}"}
    assert examine(written("gpu", changes)) == Examination((), ())


def test_a_token_that_is_not_there_is_noted(checkout: Path) -> None:
    """With the command that makes one."""
    (checkout / "home" / ".ray" / "auth_token").unlink()
    (note,) = examine(written("gpu")).notes
    assert note.message == "there is no ~/.ray/auth_token here; ray get-auth-token --generate makes one"


def test_nobody_is_asked_and_nothing_heavy_is_loaded() -> None:
    """Neither AWS's library nor torch; Ray's launcher is enough."""
    written("gpu")
    code = (
        "import sys\nsys.modules['boto3'] = None\n"
        "from tcray.cluster.check import expect_sound\nfrom tcray.cluster.cluster_file import load_cluster_file\n"
        "expect_sound(load_cluster_file('x.yaml'))\n"
        "print([name for name in ('torch', 'optuna', 'pyarrow', 'ray.tune') if name in sys.modules])"
    )
    ran = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    assert (ran.stdout, ran.stderr) == ("[]\n", "")
