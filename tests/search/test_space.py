"""The search space of a cell."""

import pytest

from tcray.config.domains import Choice, Int, LogInt, LogUniform, Uniform
from tcray.search.space import Space

from .factories import make_plan

FINITE = Space({"rank": Int(1, 3), "latent_dim": LogInt(4, 5), "fusion": Choice(("lmf", "tensor"))})


def test_a_finite_space_has_a_size() -> None:
    """Three ranks, two widths and two kinds of fusion make twelve combinations; without domains there is one."""
    assert FINITE.size == 12
    assert Space({}).size == 1


@pytest.mark.parametrize("domain", [Uniform(0.0, 0.5), LogUniform(1e-4, 1e-2)])
def test_a_continuous_domain_makes_a_space_infinite(domain) -> None:
    """A space with one continuous domain has no size and no indices."""
    assert Space({"rank": Int(1, 3), "lr": domain}).size is None
    with pytest.raises(ValueError, match=r"has no combination 0: it is continuous"):
        Space({"lr": domain}).at(0)


def test_every_combination_has_one_index() -> None:
    """Indices from 0 to the size give every combination once; the last domain varies fastest."""
    every = [FINITE.at(index) for index in range(12)]
    assert every[0] == {"rank": 1, "latent_dim": 4, "fusion": "lmf"}
    assert every[1] == {"rank": 1, "latent_dim": 4, "fusion": "tensor"}
    assert every[11] == {"rank": 3, "latent_dim": 5, "fusion": "tensor"}
    assert len({tuple(values.items()) for values in every}) == 12


def test_a_cell_is_not_searched_over_modalities_it_does_not_use() -> None:
    """The dropout rate of audio is tuned only in the cells that use audio."""
    rate = {"modality_dropout.audio": Uniform(0.0, 0.9), "lr": LogUniform(1e-4, 1e-2)}
    plan = make_plan(factors={"modalities": (("text",), ("text", "audio"))}, tune=rate)
    assert [list(plan.search_space(cell).domains) for cell in plan.cells] == [["lr"], ["modality_dropout.audio", "lr"]]
