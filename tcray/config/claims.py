"""Claims that a sweep can test: hypotheses stated before training, and the factors that each needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Claim:
    """A named hypothesis; a sweep can test it only if its factors include all of `needs`."""

    name: str
    needs: tuple[str, ...]
    question: str


CLAIMS: Mapping[str, Claim] = {
    claim.name: claim
    for claim in (
        Claim("rank-generalisation", ("rank",), "Is generalisation non-monotone in rank, best at a rank of 2 to 4?"),
        Claim("rank-spectrum", ("rank",), "Does a low rank act as spectral regularisation?"),
        Claim(
            "conditioning",
            ("rank", "conditioning"),
            "Does a shared prior help classification at low and medium rank, and cost error at high rank?",
        ),
        Claim(
            "audio-dropout",
            ("modality_dropout.audio",),
            "Is the damage U-shaped in the rate of audio dropout, and worst between 0.3 and 0.5?",
        ),
        Claim("weak-modality", ("modalities",), "Does leaving a modality out improve the fusion?"),
        Claim(
            "modal-asymmetry",
            ("modalities",),
            "Do the modalities' shares differ, and do some combinations beat their parts?",
        ),
        Claim("robustness", (), "What do noise, missing modalities and adversarial perturbations cost?"),
    )
}
