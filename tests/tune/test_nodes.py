from __future__ import annotations

import pytest

from tcray.tune.nodes import AutoscalingLimits, Node, NodeType

HEAD = Node("head", cpus=0, gpus=0)
ONE = NodeType("one", cpus=8, gpus=1, most=4)
FOUR = NodeType("four", cpus=32, gpus=4, most=2)


def up(kind: NodeType) -> Node:
    """A host of this type."""
    return Node(kind.name, kind.cpus, kind.gpus)


def cards(kind: NodeType) -> int:
    """A slot for each card."""
    return int(kind.gpus)


@pytest.mark.parametrize(
    ("limits", "nodes", "slots"),
    [
        (AutoscalingLimits(), [HEAD], 0),
        (AutoscalingLimits((ONE,)), [HEAD], 4),
        (AutoscalingLimits((ONE, FOUR)), [HEAD], 12),
        (AutoscalingLimits((ONE, FOUR)), [HEAD, up(ONE), up(FOUR)], 7),
        (AutoscalingLimits((ONE,)), [HEAD, *[up(ONE)] * 5], 0),
        (AutoscalingLimits((ONE, FOUR), hosts=4), [HEAD], 9),
        (AutoscalingLimits((ONE, FOUR), hosts=4), [HEAD, up(ONE), up(ONE)], 4),
        (AutoscalingLimits((ONE, FOUR), gpus=6), [HEAD], 6),
        (AutoscalingLimits((ONE, FOUR), gpus=6), [HEAD, up(FOUR)], 2),
        (AutoscalingLimits((ONE, FOUR), cpus=50), [HEAD], 6),
        (AutoscalingLimits((NodeType("any number", 8, 1),), hosts=11), [HEAD], 10),
    ],
)
def test_how_far_a_cluster_may_grow(limits: AutoscalingLimits, nodes: list[Node], slots: int) -> None:
    """As many hosts of each type as may be up beside those that are, largest first, and within all other limits."""
    assert slots == limits.growth(nodes, cards)
