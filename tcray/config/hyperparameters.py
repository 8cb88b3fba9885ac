"""The hyperparameters: what each may be, what it is where nobody says, and what it means."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from tcray.config.domains import Choice, Int, LogInt, LogUniform, Uniform
from tcray.config.fields import Kind, ListOf, Name, Number, OneOf, Range, Whole
from tcray.config.messages import suggest_names
from tcray.config.run import MODALITY_DROPOUT, PRESETS, Configuration

_DEFAULTS = {field.name: field.default for field in fields(Configuration)}


@dataclass(frozen=True, slots=True)
class Hyperparameter:
    """One hyperparameter; `default` is None where it depends on the dataset or on `conditioning`."""

    name: str
    kind: Kind
    meaning: str
    default: Any = None

    @property
    def domains(self) -> tuple[str, ...]:
        """The words of the domains it may be tuned over; none where it cannot be tuned."""
        match self.kind:
            case Whole():
                return Int.word, LogInt.word, Choice.word
            case Number():
                return Uniform.word, LogUniform.word, Choice.word
            case OneOf():
                return (Choice.word,)
            case _:
                return ()


def _hyperparameter(name: str, kind: Kind, meaning: str) -> Hyperparameter:
    return Hyperparameter(name, kind, meaning, _DEFAULTS[name])


def _strength(name: str, meaning: str) -> Hyperparameter:
    return Hyperparameter(name, Number(Range(at_least=0)), f"{meaning}; unless given, what `conditioning` stands for")


_RATE = Number(Range(at_least=0, at_most=1))

HYPERPARAMETERS: Mapping[str, Hyperparameter] = {
    h.name: h
    for h in (
        _hyperparameter("rank", Whole(1), "rank of the fusion: how many factors each modality has"),
        _hyperparameter(
            "conditioning", OneOf(tuple(PRESETS)), "preset of the three strengths; none is ordinary low-rank fusion"
        ),
        _strength("prior_strength", "weight of the MMD between each modality's latents and N(0, I)"),
        _strength("reconstruction_strength", "weight of each modality's reconstruction from its latent"),
        _strength("alignment_strength", "weight of the distance between the latents of two modalities"),
        _hyperparameter(
            "prior_kernel", OneOf(("rbf", "imq")), "kernel of the MMD: closed-form RBF mixture, or sampled IMQ"
        ),
        _hyperparameter(
            "fusion", OneOf(("lmf", "tensor", "concat")), "low-rank, full tensor product, or without interactions"
        ),
        Hyperparameter("modalities", ListOf(Name(), "modality name"), "the modalities a run uses; unless given, all"),
        _hyperparameter("latent_dim", Whole(1), "width of each modality's latent"),
        _hyperparameter("hidden_dim", Whole(1), "width of each encoder's hidden layer"),
        _hyperparameter("dropout", Number(Range(at_least=0, below=1)), "rate at which encoder units are dropped"),
        _hyperparameter("lr", Number(Range(above=0)), "learning rate of AdamW"),
        _hyperparameter("weight_decay", Number(Range(at_least=0)), "decoupled weight decay of AdamW"),
        _hyperparameter("batch_size", Whole(1), "examples in an optimiser step"),
    )
}
"""The hyperparameters with a name of their own; `find` knows the family `modality_dropout.<modality>` too."""

MODALITY_DROPOUT_PATTERN = re.escape(MODALITY_DROPOUT) + Name().pattern


def modality_dropout(modality: str) -> Hyperparameter:
    """The rate at which `modality` is dropped for a training example."""
    meaning = f"rate at which {modality} is dropped for a training example"
    return Hyperparameter(MODALITY_DROPOUT + modality, _RATE, meaning, 0.0)


def find_hyperparameter(name: str) -> Hyperparameter | None:
    """The hyperparameter called `name`; None where there is none."""
    if re.fullmatch(MODALITY_DROPOUT_PATTERN, name):
        return modality_dropout(name.removeprefix(MODALITY_DROPOUT))
    return HYPERPARAMETERS.get(name)


def describe_unknown(name: str) -> str:
    """What to say of a name that `find` does not know."""
    if name.startswith(MODALITY_DROPOUT.rstrip(".")):
        return f"no such hyperparameter; say {MODALITY_DROPOUT}<modality>, as {MODALITY_DROPOUT}audio"
    return f"no such hyperparameter; {suggest_names(name, [*HYPERPARAMETERS, MODALITY_DROPOUT + '<modality>'])}"
