"""Configurations, initial parameters and stacked models, without a dataset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch

from tcray.config.run import Configuration
from tcray.models.architecture import Architecture, Floats, ParameterLayout, initialize_parameters
from tcray.models.random_streams import RandomStreams
from tcray.models.stacked import StackedModel

WIDTHS: Mapping[str, int] = {"text": 12, "audio": 5, "video": 9}


def configured(**values: Any) -> Configuration:
    """Return a configuration on `WIDTHS`."""
    return Configuration.resolve(values, tuple(WIDTHS))


def drawn(configuration: Configuration, seed: int = 0) -> dict[str, Floats]:
    """Return one member's initial tensors by name."""
    return initialize_parameters(
        Architecture.from_configuration(configuration, WIDTHS), configuration, RandomStreams(0, seed, "planted")
    )


def model(configuration: Configuration, members: Sequence[Mapping[str, Floats]]) -> StackedModel:
    """Return these members stacked in float64, all with the modalities of one configuration."""
    architecture = Architecture.from_configuration(configuration, WIDTHS)
    rows = np.stack([ParameterLayout.from_architecture(architecture).flatten(member) for member in members])
    present = torch.tensor([[m in configuration.modalities for m in WIDTHS]] * len(members))
    return StackedModel(architecture, torch.from_numpy(rows), present)
