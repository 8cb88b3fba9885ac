"""What the common machines of AWS have."""

from __future__ import annotations

import pytest

from tcray.cluster.instances import Instance, architecture, instance


@pytest.mark.parametrize(
    ("name", "has"),
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
def test_a_common_machine_is_known(name: str, has: Instance) -> None:
    """As AWS's pages on instance types have it."""
    assert instance(name) == has


@pytest.mark.parametrize(
    "name",
    ["g5.96xlarge", "g5.large", "g9.xlarge", "m5.metal", "m5", "inf2.xlarge", "", "x.xlarge", f"g5.{'9' * 5000}xlarge"],
)
def test_of_others_nothing_is_known(name: str) -> None:
    """They are no mistake."""
    assert instance(name) is None


@pytest.mark.parametrize(
    ("made_for", "families"),
    {
        "arm64": ["a1", "t4g", "m6gd", "m7g", "c7gn", "r8g", "x2gd", "im4gn", "is4gen", "g5g"],
        "x86_64": ["m5", "t3", "c6a", "m7i-flex", "g4dn", "g5", "g6e", "gr6", "p4d", "p5en", ""],
    }.items(),
)
def test_families_with_awss_own_processors_are_known(made_for: str, families: list[str]) -> None:
    """By the letter after the generation's number."""
    assert {architecture(f"{family}.xlarge") for family in families} == {made_for}
