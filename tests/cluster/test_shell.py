"""What `ray start` finds in its environment, by what a line says."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tcray.cluster.checks.shell import said_to_container, said_to_ray

HEARD = (
    "RAY_AUTH_MODE=token ray start",
    "RAY_AUTH_MODE=token X=$(id -u) ray start --head",
    "A='x y' RAY_AUTH_MODE=\"token\" ray start > /dev/null",
    "export RAY_AUTH_MODE='token'; true && ray start",
    "if true; then RAY_AUTH_MODE=token ray start; fi",
    "{ RAY_AUTH_MODE=token ray start; }",
    "env RAY_AUTH_MODE=token nohup ray start",
    "RAY_AUTH_MODE=token \\\n ray start",
)
UNHEARD = (
    "true RAY_AUTH_MODE=token; ray start",
    "RAY_AUTH_MODE=token; ray start",
    "RAY_AUTH_MODE=token\nray start",
    "ray start --labels=RAY_AUTH_MODE=token",
    "ray start; RAY_AUTH_MODE=token ray stop",
    "echo RAY_AUTH_MODE=token ray start; ray start",
)


@pytest.mark.parametrize("line", [*HEARD, *UNHEARD])
def test_a_line_is_read_as_bash_reads_it(line: str, tmp_path: Path) -> None:
    """What a `ray` that bash starts by it sees."""
    ray = tmp_path / "ray"
    ray.write_text('#!/bin/sh\n[ "$1" = start ] && echo "$RAY_AUTH_MODE" > "$SEEN"\ntrue\n')
    ray.chmod(0o755)
    environment = {"PATH": f"{tmp_path}:/usr/bin:/bin", "SEEN": str(tmp_path / "seen")}
    subprocess.run(["bash", "-c", line], env=environment, check=True, capture_output=True, cwd=tmp_path)
    assert said_to_ray(line).get("RAY_AUTH_MODE", "") == (tmp_path / "seen").read_text().strip()
    assert (said_to_ray(line).get("RAY_AUTH_MODE") == "token") == (line in HEARD)


@pytest.mark.parametrize("line", ["", "'RAY_AUTH_MODE=token ray start", "''"])
def test_a_line_that_starts_no_ray_says_nothing_to_it(line: str) -> None:
    """Nor does one that no shell would read to its end."""
    assert said_to_ray(line) == {}


def test_a_container_hears_its_options() -> None:
    """Of two that differ the last, as docker does; labels are none."""
    said = said_to_container("-e A=1 --env B=2 --env=C=3 --label D=4 -e A=5 -v x:/e -e 'F=6'")
    assert said == {"A": "5", "B": "2", "C": "3", "F": "6"}
