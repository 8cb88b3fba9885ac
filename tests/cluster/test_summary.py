"""Number of nodes and packs of a cluster file."""

from __future__ import annotations

from pathlib import Path

import pytest

from tcray.cluster.cluster_file import load_cluster_file
from tcray.cluster.summary import ClusterSummary


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Change into an empty folder."""
    monkeypatch.chdir(tmp_path)


def summarize(most: int, **types: str) -> ClusterSummary:
    """Return the summary of an AWS cluster with these node types."""
    lines = [f"max_workers: {most}", "provider: {type: aws}", "head_node_type: head", "available_node_types:"]
    lines += [f"  {name}: {said}" for name, said in types.items()]
    Path("x.yaml").write_text("\n".join(lines))
    return ClusterSummary.from_file(load_cluster_file("x.yaml"))


def test_gpu_holds_four_packs_if_there_is_a_cpu_for_each() -> None:
    """A node without a GPU holds none if another node type has GPUs."""
    summary = summarize(
        9,
        head="{node_config: {InstanceType: m5.2xlarge}}",
        fed="{resources: {CPU: 4, GPU: 1}}",
        hungry="{resources: {CPU: 3, GPU: 1}}",
        four="{resources: {CPU: 48, GPU: 4}}",
    )
    assert [summary.count_packs(node_type) for node_type in summary.types] == [0, 4, 3, 16]


def test_cpu_holds_a_pack_if_there_are_no_gpus() -> None:
    """CPUs of the head count if they are declared."""
    summary = summarize(3, head="{resources: {CPU: 2}}", worker="{resources: {CPU: 8}, max_workers: 2}")
    assert ([summary.count_packs(node_type) for node_type in summary.types], summary.workers, summary.max_packs) == (
        [2, 8],
        2,
        18,
    )


def test_max_packs_prefers_the_largest_node_types() -> None:
    """At most 5 workers are started, of 3 large and 8 small ones."""
    large, small = "{resources: {CPU: 16, GPU: 4}, max_workers: 3}", "{resources: {CPU: 4, GPU: 1}, max_workers: 8}"
    summary = summarize(5, head="{resources: {CPU: 0}}", small=small, large=large)
    assert (summary.workers, summary.max_packs) == (5, 3 * 16 + 2 * 4)


def test_huge_numbers_of_nodes_are_counted_without_a_loop() -> None:
    """A billion nodes take no longer than one."""
    summary = summarize(10**9, head="{resources: {CPU: 0}}", worker="{resources: {CPU: 8}}")
    assert (summary.workers, summary.max_packs) == (10**9, 8 * 10**9)


def test_instance_types_of_other_clouds_are_unknown() -> None:
    """Keys of AWS in their node_config are ignored."""
    Path("x.yaml").write_text(
        "max_workers: 1\nprovider: {type: gcp}\nhead_node_type: head\navailable_node_types:\n"
        "  head: {resources: {}, node_config: {InstanceType: m5.large, InstanceMarketOptions: {MarketType: spot}}}\n"
    )
    (node_type,) = ClusterSummary.from_file(load_cluster_file("x.yaml")).types
    assert (node_type.instance_type, node_type.is_spot, node_type.instance) == ("", False, None)


def test_cluster_without_workers_is_the_head_alone() -> None:
    """Only the packs of the head count."""
    assert summarize(0, head="{resources: {CPU: 2}}", worker="{resources: {CPU: 8}, max_workers: 2}").max_packs == 2


def test_undeclared_resources_are_those_of_the_instance_type() -> None:
    """The number of packs of an unknown instance type is None."""
    summary = summarize(
        1, head="{node_config: {InstanceType: m5.large}}", worker="{node_config: {InstanceType: g5.2xlarge}}"
    )
    assert [summary.count_packs(node_type) for node_type in summary.types] == [0, 4]
    unknown = summarize(1, head="{resources: {CPU: 1}}", worker="{node_config: {InstanceType: g9.large}}")
    assert ([unknown.count_packs(node_type) for node_type in unknown.types], unknown.max_packs) == ([1, None], None)
