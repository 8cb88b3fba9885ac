"""Machines of AWS, from the spot market where it has some and on demand where not."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from ray.autoscaler._private.aws.node_provider import AWSNodeProvider
from ray.autoscaler.node_launch_exception import NodeLaunchException

_MARKET = "InstanceMarketOptions"

_SPOT_HAS_NONE = {
    "InsufficientInstanceCapacity",
    "InsufficientCapacity",
    "UnfulfillableCapacity",
    "SpotMaxPriceTooLow",
    "MaxSpotInstanceCountExceeded",
    # Ray tells the error of the last subnet that it tried: these two may hide that another had no capacity, and are
    # the same on demand.
    "Unsupported",
    "InsufficientFreeAddressesInSubnet",
}
"""What AWS answers where another market may have what the spot market has not; all else is no matter of the market."""

logger = logging.getLogger(__name__)


class SpotFirst(AWSNodeProvider):  # type: ignore[misc]  # Ray has no annotations
    """Ray's AWS provider, for which `InstanceMarketOptions` is a wish.

    Ray 2.60 asks again and again for machines of a type that AWS does not give: that a launch failed makes no other
    type more likely. So both markets are one type, and the choice is made here.
    """

    @staticmethod
    def fillout_available_node_types_resources(cluster_config: dict[str, Any]) -> dict[str, Any]:
        """The configuration as it is: its file says what each type has."""
        return cluster_config

    def _create_node(self, node_config: Mapping[str, Any], tags: Mapping[str, str], count: int) -> dict[str, Any]:
        """Starts machines; those that the spot market does not give, on demand. What was started is never forgotten."""
        started: dict[str, Any] = {}
        if _MARKET in node_config:
            try:
                started = super()._create_node(dict(node_config), dict(tags), count)
            except NodeLaunchException as error:
                if error.category not in _SPOT_HAS_NONE:
                    raise
                logger.warning("%s: the spot market has none (%s)", node_config.get("InstanceType"), error.category)
        if len(started) < count:
            on_demand = {key: value for key, value in node_config.items() if key != _MARKET}
            try:
                started |= super()._create_node(on_demand, dict(tags), count - len(started))
            except Exception as error:
                if not started:
                    raise
                reason = error.category if isinstance(error, NodeLaunchException) else error
                logger.warning(
                    "%s: %d of %d started, and none on demand (%s)",
                    node_config.get("InstanceType"),
                    len(started),
                    count,
                    reason,
                )
        return started
