"""What a cluster file would bring up."""

from __future__ import annotations

from pathlib import Path

import pytest

from tcray.cluster.cluster_file import load_cluster_file
from tcray.cluster.summary import ClusterSummary


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty folder to be in."""
    monkeypatch.chdir(tmp_path)


def outlined(most: int, **types: str) -> ClusterSummary:
    """The outline of a cluster of AWS with these node types."""
    lines = [f"max_workers: {most}", "provider: {type: aws}", "head_node_type: head", "available_node_types:"]
    lines += [f"  {name}: {said}" for name, said in types.items()]
    Path("x.yaml").write_text("\n".join(lines))
    return ClusterSummary.from_file(load_cluster_file("x.yaml"))


def test_a_card_holds_four_packs_if_its_machine_has_a_cpu_for_each() -> None:
    """And none where there is no card, as long as another type has one."""
    outline = outlined(
        9,
        head="{node_config: {InstanceType: m5.2xlarge}}",
        fed="{resources: {CPU: 4, GPU: 1}}",
        hungry="{resources: {CPU: 3, GPU: 1}}",
        four="{resources: {CPU: 48, GPU: 4}}",
    )
    assert [outline.count_packs(kind) for kind in outline.types] == [0, 4, 3, 16]


def test_without_cards_a_cpu_holds_a_pack() -> None:
    """The head's too, if it declares any."""
    outline = outlined(3, head="{resources: {CPU: 2}}", worker="{resources: {CPU: 8}, max_workers: 2}")
    assert ([outline.count_packs(kind) for kind in outline.types], outline.workers, outline.max_packs) == (
        [2, 8],
        2,
        18,
    )


def test_the_most_that_there_may_be_are_the_largest_of_all_types_together() -> None:
    """Of 3 large and 8 small ones, no more than 5."""
    large, small = "{resources: {CPU: 16, GPU: 4}, max_workers: 3}", "{resources: {CPU: 4, GPU: 1}, max_workers: 8}"
    outline = outlined(5, head="{resources: {CPU: 0}}", small=small, large=large)
    assert (outline.workers, outline.max_packs) == (5, 3 * 16 + 2 * 4)


def test_any_number_of_machines_is_counted_at_once() -> None:
    """A billion of them, as soon as one."""
    outline = outlined(10**9, head="{resources: {CPU: 0}}", worker="{resources: {CPU: 8}}")
    assert (outline.workers, outline.max_packs) == (10**9, 8 * 10**9)


def test_of_another_cloud_no_machine_is_known() -> None:
    """Whatever its node types say in AWS's words."""
    Path("x.yaml").write_text(
        "max_workers: 1\nprovider: {type: gcp}\nhead_node_type: head\navailable_node_types:\n"
        "  head: {resources: {}, node_config: {InstanceType: m5.large, InstanceMarketOptions: {MarketType: spot}}}\n"
    )
    (kind,) = ClusterSummary.from_file(load_cluster_file("x.yaml")).types
    assert (kind.instance_type, kind.is_spot, kind.instance) == ("", False, None)


def test_without_workers_there_is_the_head() -> None:
    """Nothing is added to it."""
    assert outlined(0, head="{resources: {CPU: 2}}", worker="{resources: {CPU: 8}, max_workers: 2}").max_packs == 2


def test_ray_asks_aws_for_what_a_type_does_not_declare() -> None:
    """What is not known here has no number."""
    outline = outlined(
        1, head="{node_config: {InstanceType: m5.large}}", worker="{node_config: {InstanceType: g5.2xlarge}}"
    )
    assert [outline.count_packs(kind) for kind in outline.types] == [0, 4]
    unknown = outlined(1, head="{resources: {CPU: 1}}", worker="{node_config: {InstanceType: g9.large}}")
    assert ([unknown.count_packs(kind) for kind in unknown.types], unknown.max_packs) == ([1, None], None)
