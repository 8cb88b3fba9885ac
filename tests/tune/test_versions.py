from __future__ import annotations

import base64
import json
import platform
import subprocess
import sys

import pytest
import ray
from ray import cloudpickle

from tcray import __version__
from tcray.config.run import ENGINE_VERSION
from tcray.errors import InputError, SweepError
from tcray.tune import versions
from tcray.tune.versions import expect_alike, expect_driver, installed

ANSWER = """\
import base64, json, sys
sys.modules["tcray"] = {}
import ray
print(json.dumps(ray.cloudpickle.loads(base64.b64decode("{}"))()))
"""
"""A host that is asked; `None` in place of tcray makes Python say that there is none."""


def answered(tcray: str) -> dict[str, str]:
    """What a process with that in place of tcray answers."""
    asking = ANSWER.format(tcray, base64.b64encode(cloudpickle.dumps(installed)).decode())
    done = subprocess.run([sys.executable, "-c", asking], capture_output=True, text=True, check=True)
    answer: dict[str, str] = json.loads(done.stdout)
    return answer


def test_what_is_installed_here() -> None:
    """Python's minor version, Ray's and tcray's version, and that of the engine."""
    major, minor, _ = platform.python_version_tuple()
    expected = {
        "Python": f"{major}.{minor}",
        "Ray": ray.__version__,
        "tcray": __version__,
        "tcray's engine": str(ENGINE_VERSION),
    }
    assert expected == installed()


def test_a_host_without_tcray_answers() -> None:
    """The question is sent whole: a host on which tcray cannot be imported can answer it, and says so."""
    there = answered("None")
    assert {"Python", "Ray"} == there.keys()
    with pytest.raises(InputError, match="on h2: tcray is not installed") as caught:
        expect_alike([("h2", there)])
    assert "by one image" in caught.value.remedy


def test_hosts_that_are_alike_may_take_part() -> None:
    """Nothing is raised where every host has what the driver has, nor where there is no other."""
    expect_alike([("h2", installed()), ("h3", installed())])
    expect_alike([])
    expect_driver(installed())


@pytest.mark.parametrize("name", ["Python", "Ray", "tcray", "tcray's engine"])
def test_hosts_that_differ_are_named(name: str) -> None:
    """Hosts are named with what they have and what the driver has, those that are alike together."""
    other = {**installed(), name: "0.0"}
    with pytest.raises(InputError) as caught:
        expect_alike([("h2", other), ("h3", installed()), ("h4", other), ("h4", other), ("h5", {})])
    assert (
        f"on h2 and h4: {name} is 0.0, and {installed()[name]} at the driver\non h5: tcray is not installed"
        == caught.value.message
    )


def test_a_worker_that_comes_late_finds_out_itself() -> None:
    """A process with other versions than the driver's says in which way, when it starts."""
    with pytest.raises(SweepError) as caught:
        expect_driver({**installed(), "tcray": "9.9", "Ray": "9.8"})
    assert (
        f"Ray is {ray.__version__}, and 9.8 at the driver; tcray is {__version__}, and 9.9 at the driver"
        == caught.value.message
    )
    assert versions.REMEDY == caught.value.remedy
