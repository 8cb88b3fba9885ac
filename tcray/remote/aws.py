"""Machines of AWS, from the spot market where it has some and on demand where not."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from ray.autoscaler._private.aws.node_provider import AWSNodeProvider
from ray.autoscaler.node_launch_exception import NodeLaunchException

_MARKET = "InstanceMarketOptions"

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
        """Starts machines; those that the spot market does not give, on demand."""
        started: dict[str, Any] = {}
        if _MARKET in node_config:
            try:
                started = super()._create_node(dict(node_config), dict(tags), count)
            except NodeLaunchException as error:
                logger.warning("%s: the spot market has none (%s)", node_config.get("InstanceType"), error.category)
        if len(started) < count:
            on_demand = {key: value for key, value in node_config.items() if key != _MARKET}
            started |= super()._create_node(on_demand, dict(tags), count - len(started))
        return started
