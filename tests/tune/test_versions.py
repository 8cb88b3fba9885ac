from __future__ import annotations

import base64
import json
import platform
import subprocess
import sys

import pytest
import ray
from ray import cloudpickle

from tcray.config.run import ENGINE_VERSION
from tcray.errors import InputError, SweepError
from tcray.tune import versions
from tcray.tune.versions import check_hosts_match, check_matches_driver, installed_versions
from tcray.version import __version__

PROGRAM = """\
import base64, json, sys
sys.modules["tcray"] = {}
import ray
print(json.dumps(ray.cloudpickle.loads(base64.b64decode("{}"))()))
"""
"""A host that runs the pickled function; with None in place of tcray, Python finds no module of that name."""


def run_elsewhere(tcray: str) -> dict[str, str]:
    """Return the versions that a process reports with `tcray` in place of the module."""
    program = PROGRAM.format(tcray, base64.b64encode(cloudpickle.dumps(installed_versions)).decode())
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    found: dict[str, str] = json.loads(done.stdout)
    return found


def test_versions_of_this_host() -> None:
    """The versions are those of Python (major and minor), Ray, tcray, and tcray's engine."""
    major, minor, _ = platform.python_version_tuple()
    expected = {
        "Python": f"{major}.{minor}",
        "Ray": ray.__version__,
        "tcray": __version__,
        "tcray's engine": str(ENGINE_VERSION),
    }
    assert expected == installed_versions()


def test_a_host_without_tcray_reports_its_versions() -> None:
    """The function is pickled with its code, so it also runs on a host without tcray."""
    found = run_elsewhere("None")
    assert {"Python", "Ray"} == found.keys()
    with pytest.raises(InputError, match="on h2: tcray is not installed") as caught:
        check_hosts_match([("h2", found)])
    assert "from one image" in caught.value.remedy


def test_equal_hosts_pass() -> None:
    """Nothing is raised if every host has the driver's versions, or if there is no other host."""
    check_hosts_match([("h2", installed_versions()), ("h3", installed_versions())])
    check_hosts_match([])
    check_matches_driver(installed_versions())


@pytest.mark.parametrize("name", ["Python", "Ray", "tcray", "tcray's engine"])
def test_different_hosts_are_named(name: str) -> None:
    """The error names hosts with their versions and the driver's; hosts with the same difference share a line."""
    other = {**installed_versions(), name: "0.0"}
    with pytest.raises(InputError) as caught:
        check_hosts_match([("h2", other), ("h3", installed_versions()), ("h4", other), ("h4", other), ("h5", {})])
    assert (
        f"on h2 and h4: {name} is 0.0, but {installed_versions()[name]} on the driver\non h5: tcray is not installed"
        == caught.value.message
    )


def test_a_late_worker_checks_itself() -> None:
    """A worker process with other versions than the driver raises an error that lists the differences."""
    with pytest.raises(SweepError) as caught:
        check_matches_driver({**installed_versions(), "tcray": "9.9", "Ray": "9.8"})
    assert (
        f"Ray is {ray.__version__}, but 9.8 on the driver; tcray is {__version__}, but 9.9 on the driver"
        == caught.value.message
    )
    assert versions.REMEDY == caught.value.remedy
