"""Runs for the tests of training, random companions for their packs, and comparable results."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from tcray.config.run import Configuration, Run
from tcray.data.dataset import MultimodalDataset
from tcray.training.pack import TrainResult, train
from tcray.training.packed_dataset import PackedDataset

MODALITIES = ("text", "audio", "video")


def run(*, epochs: int = 2, objective: str = "valid.loss", seed: int = 0, **values: Any) -> Run:
    """Return a run; `values` are hyperparameters, with `audio_dropout` for `modality_dropout.audio`."""
    if "audio_dropout" in values:
        values["modality_dropout.audio"] = values.pop("audio_dropout")
    configuration = Configuration.resolve(values, MODALITIES)
    return Run("planted", "planted", configuration, epochs=epochs, objective=objective, sweep_seed=0, seed=seed)


def random_companions(count: int, chance: random.Random, **values: Any) -> list[Run]:
    """Return runs that may share a pack with a run of these `values`, with everything else drawn at random."""
    return [_random_companion(chance, dict(values)) for _ in range(count)]


def _random_companion(chance: random.Random, values: dict[str, Any]) -> Run:
    highest = 16 * -(-values.pop("rank", 1) // 16)
    values["rank"] = chance.randint(highest - 15, highest)
    values["lr"] = 10 ** chance.uniform(-4, -1.5)
    values["weight_decay"] = chance.choice([0.0, 0.1])
    values["dropout"] = chance.choice([0.0, 0.2, 0.5])
    values["audio_dropout"] = chance.choice([0.0, 0.3, 1.0])
    values["modalities"] = chance.choice([MODALITIES, MODALITIES, ("text",), ("audio", "video")])
    if values.get("conditioning", "none") == "jwae":
        for strength in ("prior_strength", "reconstruction_strength", "alignment_strength"):
            values[strength] = chance.choice([0.1, 1.0, 10.0])
    return run(seed=chance.randint(0, 99), **values)


def train_fully(dataset: MultimodalDataset | PackedDataset, runs: Sequence[Run], **more: Any) -> list[TrainResult]:
    """Train runs from their start to their end and return their results."""
    return train(dataset, runs, start=0, stop=runs[0].epochs, checkpoints=[None] * len(runs), **more)


def bits(result: TrainResult) -> tuple[bytes | None, bytes | None, str]:
    """Return the whole result except its wall time; equal if every float is the same (a NaN equals a NaN)."""
    return result.checkpoint, result.weights, repr(replace(result.outcome, seconds=0.0))
