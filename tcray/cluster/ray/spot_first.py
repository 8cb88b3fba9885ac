"""Node provider that starts AWS spot instances and falls back to on-demand instances."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from ray.autoscaler._private.aws.node_provider import AWSNodeProvider
from ray.autoscaler.node_launch_exception import NodeLaunchException

_MARKET = "InstanceMarketOptions"

_NO_SPOT_CAPACITY = {
    "InsufficientInstanceCapacity",
    "InsufficientCapacity",
    "UnfulfillableCapacity",
    "SpotMaxPriceTooLow",
    "MaxSpotInstanceCountExceeded",
    # Ray reports the error of the last subnet it tried. These two may hide that another subnet had no capacity, and
    # on demand they would occur again.
    "Unsupported",
    "InsufficientFreeAddressesInSubnet",
}
"""AWS error codes after which an on-demand launch may succeed; all other errors do not depend on the market."""

logger = logging.getLogger(__name__)


class SpotFirst(AWSNodeProvider):  # type: ignore[misc]  # Ray has no annotations
    """Ray's AWS provider, with `InstanceMarketOptions` as a preference instead of a requirement.

    Ray 2.60 retries an unavailable node type forever: a failed launch does not make it prefer another type. Both
    markets are therefore one node type, and this provider chooses between them.
    """

    @staticmethod
    def fillout_available_node_types_resources(cluster_config: dict[str, Any]) -> dict[str, Any]:
        """Return the configuration unchanged: the cluster file declares the resources of every node type."""
        return cluster_config

    def _create_node(self, node_config: Mapping[str, Any], tags: Mapping[str, str], count: int) -> dict[str, Any]:
        """Start `count` instances, on demand if there is no spot capacity; return every instance that was started."""
        started: dict[str, Any] = {}
        if _MARKET in node_config:
            try:
                started = super()._create_node(dict(node_config), dict(tags), count)
            except NodeLaunchException as error:
                if error.category not in _NO_SPOT_CAPACITY:
                    raise
                logger.warning("%s: no spot capacity (%s)", node_config.get("InstanceType"), error.category)
        if len(started) < count:
            on_demand = {key: value for key, value in node_config.items() if key != _MARKET}
            try:
                started |= super()._create_node(on_demand, dict(tags), count - len(started))
            except Exception as error:
                if not started:
                    raise
                reason = error.category if isinstance(error, NodeLaunchException) else error
                logger.warning(
                    "%s: started %d of %d; no on-demand capacity (%s)",
                    node_config.get("InstanceType"),
                    len(started),
                    count,
                    reason,
                )
        return started
