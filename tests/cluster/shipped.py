"""The cluster files of this repository, filled in as their users would, and spoiled."""

from __future__ import annotations

from pathlib import Path

from tcray import __version__
from tcray.cluster.cluster_file import ClusterFile, load_cluster_file

FOLDER = Path(__file__).parents[2] / "cluster"
FILES = sorted(FOLDER.glob("*.yaml"))

BLANKS = {
    "gpu": {
        "image: FILL_IN": f"image: 123456789012.dkr.ecr.us-west-2.amazonaws.com/tcray:{__version__}-cuda",
        "s3://FILL_IN/trials": "s3://tcray-123456789012-us-west-2/trials",
        "SecurityGroupIds: [FILL_IN]": "SecurityGroupIds: [sg-0123456789abcdef0]",
    },
    "onprem": {
        "head_ip: FILL_IN": "head_ip: 10.0.0.1",
        "worker_ips: [FILL_IN, FILL_IN]": "worker_ips: [10.0.0.2, 10.0.0.3]",
        "ssh_user: FILL_IN": "ssh_user: me",
    },
}
"""What a user fills in."""


def text(name: str, changes: dict[str, str] | None = None) -> str:
    """A cluster file, filled in and with changes, each of what stands in it just once."""
    said = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    for old, new in {**BLANKS[name], **(changes or {})}.items():
        assert said.count(old) == 1, f"{old!r} stands {said.count(old)} times in {name}.yaml"
        said = said.replace(old, new)
    return said


def written(name: str, changes: dict[str, str] | None = None) -> ClusterFile:
    """The same, written to the current folder as `x.yaml` and loaded."""
    Path("x.yaml").write_text(text(name, changes), encoding="utf-8")
    return load_cluster_file("x.yaml")


def place(said: str, there: str) -> tuple[int, int]:
    """Line and column where a text says this; of `a … b`, where it says b first after a."""
    position = 0
    for step in there.split(" … "):
        position = said.index(step, position)
    before = said[:position]
    return before.count("\n") + 1, position - before.rfind("\n")
