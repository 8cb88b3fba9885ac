"""Hardware of common AWS instance types."""

from __future__ import annotations

import pytest

from tcray.cluster.node_types import Instance, find_instance


@pytest.mark.parametrize(
    ("name", "instance"),
    {
        "g4dn.xlarge": Instance(4, 1),
        "g4dn.12xlarge": Instance(48, 4),
        "g5.xlarge": Instance(4, 1),
        "g5.16xlarge": Instance(64, 1),
        "g5.48xlarge": Instance(192, 8),
        "g6e.24xlarge": Instance(96, 4),
        "p3.8xlarge": Instance(32, 4),
        "p4d.24xlarge": Instance(96, 8),
        "p5.48xlarge": Instance(192, 8),
        "m5.large": Instance(2, 0),
        "m7i-flex.2xlarge": Instance(8, 0),
        "c7g.medium": Instance(1, 0),
        "r6i.32xlarge": Instance(128, 0),
        "t3.micro": Instance(2, 0),
    }.items(),
)
def test_common_instance_types_are_known(name: str, instance: Instance) -> None:
    """The expected values are those of AWS's pages on instance types."""
    assert find_instance(name) == instance


@pytest.mark.parametrize(
    "name",
    ["g5.96xlarge", "g5.large", "g9.xlarge", "m5.metal", "m5", "inf2.xlarge", "", "x.xlarge", f"g5.{'9' * 5000}xlarge"],
)
def test_other_instance_types_are_unknown(name: str) -> None:
    """An unknown instance type is no error."""
    assert find_instance(name) is None
