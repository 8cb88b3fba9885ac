"""Registry of hyperparameters: type, default and description of each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from tcray.config.domains import Choice, Int, LogInt, LogUniform, Uniform
from tcray.config.fields import FieldType, Integer, ListOf, Name, Number, OneOf, Range
from tcray.config.messages import suggest_names
from tcray.config.run import MODALITY_DROPOUT, PRESETS, Configuration

_DEFAULTS = {field.name: field.default for field in fields(Configuration)}


@dataclass(frozen=True, slots=True)
class Hyperparameter:
    """A hyperparameter; `default` is None if it depends on the dataset or on `conditioning`."""

    name: str
    type: FieldType
    description: str
    default: Any = None

    @property
    def domains(self) -> tuple[str, ...]:
        """Return the keywords of the domains it can be tuned over; none if it cannot be tuned."""
        match self.type:
            case Integer():
                return Int.keyword, LogInt.keyword, Choice.keyword
            case Number():
                return Uniform.keyword, LogUniform.keyword, Choice.keyword
            case OneOf():
                return (Choice.keyword,)
            case _:
                return ()


def _hyperparameter(name: str, type_: FieldType, description: str) -> Hyperparameter:
    return Hyperparameter(name, type_, description, _DEFAULTS[name])


def _strength(name: str, description: str) -> Hyperparameter:
    values = ", ".join(f"{strengths[name]:g} for {preset}" for preset, strengths in PRESETS.items())
    default = f"Default: set by `conditioning` ({values})."
    return Hyperparameter(name, Number(Range(at_least=0)), f"{description} {default}")


_RATE = Number(Range(at_least=0, at_most=1))

HYPERPARAMETERS: Mapping[str, Hyperparameter] = {
    h.name: h
    for h in (
        _hyperparameter("rank", Integer(1), "Rank of the fusion: the number of factors of each modality."),
        _hyperparameter(
            "conditioning",
            OneOf(tuple(PRESETS)),
            "Preset of prior_strength, reconstruction_strength and alignment_strength: none is ordinary low-rank "
            "fusion, prior regularizes the latents, autoencoder reconstructs the inputs, jwae does both and aligns "
            "the modalities.",
        ),
        _strength("prior_strength", "Weight of the MMD between each modality's latents and N(0, I)."),
        _strength("reconstruction_strength", "Weight of each modality's reconstruction from its latent."),
        _strength("alignment_strength", "Weight of the distance between the latents of two modalities."),
        _hyperparameter(
            "prior_kernel",
            OneOf(("rbf", "imq")),
            "Kernel of the MMD: rbf is a mixture of Gaussian kernels in closed form, imq the inverse multiquadratic "
            "against a sampled prior.",
        ),
        _hyperparameter(
            "fusion",
            OneOf(("lmf", "tensor", "concat")),
            "Fusion layer: low-rank (lmf), full tensor product (tensor), or concatenation without interactions "
            "(concat).",
        ),
        Hyperparameter(
            "modalities",
            ListOf(Name(), "modality name"),
            "Modalities that a run uses. Default: all modalities of the dataset.",
        ),
        _hyperparameter("latent_dim", Integer(1), "Width of each modality's latent."),
        _hyperparameter("hidden_dim", Integer(1), "Width of each encoder's hidden layer."),
        _hyperparameter("dropout", Number(Range(at_least=0, below=1)), "Dropout rate of the encoders' hidden units."),
        _hyperparameter("lr", Number(Range(above=0)), "Learning rate of AdamW."),
        _hyperparameter("weight_decay", Number(Range(at_least=0)), "Decoupled weight decay of AdamW."),
        _hyperparameter("batch_size", Integer(1), "Number of examples per optimizer step."),
    )
}
"""The hyperparameters with a name of their own; `find_hyperparameter` also finds `modality_dropout.<modality>`."""

MODALITY_DROPOUT_PATTERN = re.escape(MODALITY_DROPOUT) + Name().pattern


def modality_dropout(modality: str) -> Hyperparameter:
    """Return the hyperparameter `modality_dropout.<modality>`."""
    description = f"Probability that {modality} is dropped for a training example."
    return Hyperparameter(MODALITY_DROPOUT + modality, _RATE, description, 0.0)


def find_hyperparameter(name: str) -> Hyperparameter | None:
    """Return the hyperparameter called `name`; None if there is none."""
    if re.fullmatch(MODALITY_DROPOUT_PATTERN, name):
        return modality_dropout(name.removeprefix(MODALITY_DROPOUT))
    return HYPERPARAMETERS.get(name)


def describe_unknown(name: str) -> str:
    """Return the message for a name that `find_hyperparameter` does not find."""
    if name.startswith(MODALITY_DROPOUT.rstrip(".")):
        return f"no such hyperparameter; write {MODALITY_DROPOUT}<modality>, as in {MODALITY_DROPOUT}audio"
    return f"no such hyperparameter; {suggest_names(name, [*HYPERPARAMETERS, MODALITY_DROPOUT + '<modality>'])}"
