"""Spectra of a fusion agree with those of its dense tensor."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from tcray.models.architecture import Architecture, Floats, unfold
from tcray.models.spectrum import compute_spectra, effective_rank
from tests.models.factories import WIDTHS, configured, drawn

LATENT, RANK = 5, 3
SUBSETS = [subset for size in (1, 2, 3) for subset in combinations(WIDTHS, size)]
LETTERS = "ijk"


def factors(member: dict[str, Floats], used: tuple[str, ...]) -> list[Floats]:
    """Return W_m (ℓ + 1, r) of the modalities used, without padding."""
    return [np.vstack([member[f"fusion.{m}.factor"][:LATENT], member[f"fusion.{m}.constant"]])[:, :RANK] for m in used]


def dense(member: dict[str, Floats], used: tuple[str, ...]) -> Floats:
    """Return Σ_i w_i ⊗_m W_m^{(i)} as a dense tensor."""
    letters = LETTERS[: len(used)]
    subscripts = ",".join(["r", *(letter + "r" for letter in letters)]) + "->" + letters
    tensor: Floats = np.einsum(subscripts, member["fusion.weight"][0, :RANK], *factors(member, used))
    return tensor


@pytest.mark.parametrize("subset", SUBSETS, ids="+".join)
def test_unfolded_spectra_are_singular_values_of_the_dense_tensor(subset: tuple[str, ...]) -> None:
    """Along every modality, the spectrum equals the singular values of the dense tensor."""
    configuration = configured(rank=RANK, latent_dim=LATENT, modalities=subset)
    member = drawn(configuration)
    found = compute_spectra(Architecture.from_configuration(configuration, WIDTHS), member, subset, RANK)
    tensor = dense(member, subset)
    assert {f"unfolded:{m}" for m in subset} | {"factor energy", "effective rank"} == found.keys()
    for axis, m in enumerate(subset):
        unfolded = np.moveaxis(tensor, axis, 0).reshape(LATENT + 1, -1)
        expected = np.zeros(LATENT + 1)
        expected[: min(unfolded.shape)] = np.linalg.svd(unfolded, compute_uv=False)
        assert found[f"unfolded:{m}"] == pytest.approx(expected, abs=1e-7 * expected[0])


def test_spectra_of_a_tensor_fusion_are_those_of_the_lmf_it_holds() -> None:
    """An LMF and the tensor fusion that holds it have the same spectra."""
    low, full = configured(rank=RANK, latent_dim=LATENT), configured(fusion="tensor", latent_dim=LATENT)
    architecture, member, used = Architecture.from_configuration(full, WIDTHS), drawn(low), tuple(WIDTHS)
    held = {"fusion.tensor": unfold(architecture, dense(member, used))}
    expected = compute_spectra(Architecture.from_configuration(low, WIDTHS), member, used, RANK)
    actual = compute_spectra(architecture, held, used, RANK)
    for m in used:
        assert actual[f"unfolded:{m}"] == pytest.approx(expected[f"unfolded:{m}"], abs=1e-7)
    assert actual["effective rank"] == [pytest.approx(effective_rank(np.array(actual["unfolded:text"])))]


@pytest.mark.parametrize("subset", SUBSETS, ids="+".join)
def test_a_tensor_fusion_of_a_subset_reads_the_constants_of_the_others(subset: tuple[str, ...]) -> None:
    """A tensor fusion of a subset has the spectra of the slice that an absent modality's 1 selects."""
    configuration = configured(fusion="tensor", latent_dim=LATENT, modalities=subset)
    architecture = Architecture.from_configuration(configuration, WIDTHS)
    cube = np.random.default_rng(0).standard_normal((LATENT + 1,) * 3)
    found = compute_spectra(architecture, {"fusion.tensor": unfold(architecture, cube)}, subset, 1)
    part = cube[tuple(slice(None) if m in subset else -1 for m in WIDTHS)]
    for axis, m in enumerate(subset):
        expected = np.linalg.svd(np.moveaxis(part, axis, 0).reshape(LATENT + 1, -1), compute_uv=False)
        assert found[f"unfolded:{m}"] == pytest.approx(expected)


def test_factor_energies_are_weighted_norms_in_descending_order() -> None:
    """Energies are |w_i| Π_m ‖W_m^{(i)}‖ of every rank, in descending order, without padded ranks."""
    configuration = configured(rank=RANK, latent_dim=LATENT)
    member = drawn(configuration)
    for m, norms in {"text": (1, 2, 3), "audio": (2, 2, 2), "video": (5, 1, 1)}.items():
        member[f"fusion.{m}.factor"][:] = 0
        member[f"fusion.{m}.constant"][0, :RANK] = 0
        for i, norm in enumerate(norms):
            member[f"fusion.{m}.factor"][i, i] = norm
    member["fusion.weight"][0, :RANK] = (0.5, -3, 1)
    found = compute_spectra(Architecture.from_configuration(configuration, WIDTHS), member, tuple(WIDTHS), RANK)
    assert found["factor energy"] == pytest.approx([12, 6, 5])
    assert found["unfolded:text"] == pytest.approx([12, 6, 5, 0, 0, 0], abs=1e-6)


def test_concatenation_has_no_spectra() -> None:
    """Concatenation has no fusion tensor, and so no spectra."""
    configuration = configured(fusion="concat")
    assert (
        compute_spectra(Architecture.from_configuration(configuration, WIDTHS), drawn(configuration), tuple(WIDTHS), 1)
        == {}
    )


@pytest.mark.parametrize(
    ("energy", "expected"),
    [([2.0], 1.0), ([3.0] * 4, 4.0), ([3.0, 3.0, 0.0, 0.0], 2.0), ([0.0, 0.0], 0.0), ([1e-30] * 5, 5.0)],
)
def test_effective_rank_counts_equal_energies(energy: list[float], expected: float) -> None:
    """r equal energies of any size have effective rank r; zeros do not count; no energy at all gives 0."""
    assert effective_rank(np.array(energy)) == pytest.approx(expected)


def test_effective_rank_of_uneven_energies_is_the_exponential_of_their_entropy() -> None:
    """Shares ½, ¼, ¼ have entropy 1.5 ln 2."""
    assert effective_rank(np.array([2.0, 1.0, 1.0])) == pytest.approx(2**1.5)
