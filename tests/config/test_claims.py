"""The claims by name."""

from __future__ import annotations

from tcray.config.claims import CLAIMS
from tcray.config.hyperparameters import find_hyperparameter


def test_the_claims_are_those_of_the_design() -> None:
    """Each has the factors that it needs."""
    assert {claim.name: claim.needs for claim in CLAIMS.values()} == {
        "rank-generalisation": ("rank",),
        "rank-spectrum": ("rank",),
        "conditioning": ("rank", "conditioning"),
        "audio-dropout": ("modality_dropout.audio",),
        "weak-modality": ("modalities",),
        "modal-asymmetry": ("modalities",),
        "robustness": (),
    }


def test_a_claim_needs_known_hyperparameters() -> None:
    """Otherwise no sweep could ever test it."""
    assert [name for claim in CLAIMS.values() for name in claim.needs if find_hyperparameter(name) is None] == []
