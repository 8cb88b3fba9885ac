"""Random streams are independent and keyed by purpose."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tcray.config.run import Run
from tcray.models.random_streams import RandomStreams
from tests.models.factories import configured

DRAWS = RandomStreams(sweep_seed=0, seed=1, dataset="planted", fold=0)
RUN = Run("planted", "f", configured(), epochs=3, objective="valid.loss", sweep_seed=7, seed=2)


def numbers(
    draws: RandomStreams, purpose: str = "dropout", parameter: str = "encoder.text", epoch: int = 1
) -> list[float]:
    """Return the first numbers of a generator."""
    return list(draws.generator(purpose, parameter, epoch).random(4))


def test_a_draw_depends_on_nothing_drawn_before_it() -> None:
    """The same key gives the same numbers, independent of other draws."""
    first = numbers(DRAWS)
    DRAWS.generator("order").permutation(100)
    assert first == numbers(DRAWS)


@pytest.mark.parametrize("part", ["sweep_seed", "seed", "dataset", "fold"])
def test_every_part_of_the_source_changes_the_draw(part: str) -> None:
    """Another sweep seed, seed index, dataset or fold gives another stream."""
    value = getattr(DRAWS, part)
    assert numbers(DRAWS) != numbers(replace(DRAWS, **{part: value + ("x" if part == "dataset" else 1)}))


def test_purpose_parameter_and_epoch_change_the_draw() -> None:
    """Another purpose, parameter or epoch gives another stream."""
    streams = [
        numbers(DRAWS),
        numbers(DRAWS, purpose="order"),
        numbers(DRAWS, parameter="encoder.audio"),
        numbers(DRAWS, epoch=2),
    ]
    assert len({tuple(stream) for stream in streams}) == 4


def test_runs_of_one_seed_pair_across_configurations() -> None:
    """The configuration, the epochs and the objective do not change the streams of a run."""
    other = replace(RUN, configuration=configured(rank=16, lr=0.1), epochs=9, objective="valid.mae")
    assert RandomStreams.from_run(RUN) == RandomStreams.from_run(other) == RandomStreams(7, 2, "planted", 0)
    assert RandomStreams.from_run(RUN, fold=2) == RandomStreams(7, 2, "planted", 2)


def test_draws_are_spread_evenly() -> None:
    """Over 2,000 keys the first number has the mean and variance of a uniform one, within four standard errors."""
    first = np.array([numbers(replace(DRAWS, seed=seed))[0] for seed in range(2000)])
    assert abs(first.mean() - 1 / 2) < 4 * (1 / 12 / 2000) ** 0.5
    assert abs(first.var() - 1 / 12) < 4 * (1 / 180 / 2000) ** 0.5
