"""Parameters of a model and their initial values."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from itertools import combinations
from typing import Any

import numpy as np
import pytest
import torch

from tcray.config.run import Configuration
from tcray.models.architecture import Architecture, Floats, ParameterLayout, round_up_to_block
from tests.models.factories import WIDTHS, configured, drawn, model

SUBSETS = [subset for size in (1, 2, 3) for subset in combinations(WIDTHS, size)]


@pytest.mark.parametrize(("width", "expected"), [(1, 16), (15, 16), (16, 16), (17, 32), (100, 112)])
def test_widths_are_padded_to_the_next_multiple_of_sixteen(width: int, expected: int) -> None:
    """Widths are rounded up to the next multiple of 16."""
    assert expected == round_up_to_block(width)


@pytest.mark.parametrize(("conditioning", "decodes"), [("none", 0), ("prior", 0), ("autoencoder", 12), ("jwae", 12)])
def test_decoders_exist_only_for_a_reconstruction_loss(conditioning: str, decodes: int) -> None:
    """Without a reconstruction loss no parameter belongs to a decoder."""
    names = [
        p.name for p in Architecture.from_configuration(configured(conditioning=conditioning), WIDTHS).parameters()
    ]
    assert decodes == sum(name.startswith("decoder") for name in names)


@pytest.mark.parametrize("fusion", ["lmf", "tensor", "concat"])
def test_weights_decay_and_biases_do_not(fusion: str) -> None:
    """A row begins with the decayed tensors, and unflattening it returns the original tensors."""
    configuration = configured(fusion=fusion, conditioning="jwae", latent_dim=10, hidden_dim=24)
    layout, tensors = (
        ParameterLayout.from_architecture(Architecture.from_configuration(configuration, WIDTHS)),
        drawn(configuration),
    )
    assert all(p.decays != p.name.endswith("bias") for p in layout.parameters)
    biases = sum(p.numel for p in layout.parameters if p.name.endswith("bias"))
    assert layout.numel - biases == layout.num_decayed
    assert [p.decays for p in layout.parameters] == sorted((p.decays for p in layout.parameters), reverse=True)
    row = layout.flatten(tensors)
    assert row.shape == (layout.width,)
    assert layout.width % 16 == 0
    back = layout.unflatten(row)
    assert back.keys() == tensors.keys()
    assert all(np.array_equal(back[name], tensors[name]) for name in tensors)


def test_factors_of_a_rank_are_the_first_of_the_next_rank() -> None:
    """A higher rank adds factors and rescales the weights to N(0, 1/r)."""
    for rank in (1, 2, 7, 15):
        lower, higher = drawn(configured(rank=rank)), drawn(configured(rank=rank + 1))
        for m in WIDTHS:
            for part in ("factor", "constant"):
                name = f"fusion.{m}.{part}"
                assert np.array_equal(lower[name][:, :rank], higher[name][:, :rank])
                assert not lower[name][:, rank:].any()
        ratio = higher["fusion.weight"][0, :rank] / lower["fusion.weight"][0, :rank]
        assert ratio == pytest.approx(np.full(rank, (rank / (rank + 1)) ** 0.5))
        assert not lower["fusion.weight"][0, rank:].any()


@pytest.mark.parametrize(
    "other",
    [{"rank": 16}, {"conditioning": "jwae"}, {"fusion": "tensor"}, {"modalities": ("text",)}, {"lr": 0.1}],
)
def test_equal_seeds_draw_equal_encoders_in_every_cell(other: dict[str, Any]) -> None:
    """Equal seeds give equal encoders in every cell; another seed gives other weights."""
    mine, theirs, elsewhere = drawn(configured()), drawn(configured(**other)), drawn(configured(**other), seed=1)
    for name in mine:
        if name.startswith("encoder"):
            assert np.array_equal(mine[name], theirs[name])
            assert np.array_equal(mine[name], elsewhere[name]) == name.endswith("bias")


def test_low_rank_fusions_of_every_subset_start_from_the_same_numbers() -> None:
    """The modalities of a run do not influence the initial values of its LMF."""
    whole = drawn(configured(rank=3))
    for subset in SUBSETS:
        part = drawn(configured(rank=3, modalities=subset))
        assert all(np.array_equal(part[name], whole[name]) for name in whole)


SEEDS = 500
STARTS = {
    **{f"rank {rank}": {"rank": rank} for rank in (1, 2, 8, 16)},
    "tensor": {"fusion": "tensor"},
    "concat": {"fusion": "concat"},
}


@pytest.mark.parametrize("values", STARTS.values(), ids=STARTS)
def test_output_variance_at_the_start_is_one(values: dict[str, Any]) -> None:
    """For every rank and subset, the mean square output over 500 seeds is 1 within four standard errors."""
    for subset in (("audio",), ("text", "video"), ("text", "audio", "video")):
        squares = _mean_squares(configured(**values, modalities=subset, latent_dim=12, hidden_dim=16))
        error = squares.std() / SEEDS**0.5
        assert error < 0.25
        assert abs(squares.mean() - 1) < 4 * error, subset


def _mean_squares(configuration: Configuration) -> Floats:
    """Return the mean square output over inputs with ‖x‖² = d, one number per independent seed."""
    shared = replace(configuration, modalities=tuple(WIDTHS))  # drawn once: an LMF's numbers are those of every subset
    members = model(configuration, _members(shared if configuration.fusion == "lmf" else configuration))
    inputs = []
    for width in WIDTHS.values():
        x = np.random.default_rng(width).standard_normal((8, width))
        x *= np.sqrt(width / np.square(x).sum(1, keepdims=True))
        inputs.append(
            torch.from_numpy(np.pad(x, [(0, 0), (0, round_up_to_block(width) - width)])).expand(SEEDS, -1, -1)
        )
    with torch.no_grad():
        mean: Floats = members.fuse(members.encode(inputs)).square().mean(1).numpy()
    return mean


@cache
def _members(configuration: Configuration) -> list[dict[str, Floats]]:
    return [drawn(configuration, seed) for seed in range(SEEDS)]
